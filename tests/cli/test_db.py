"""``cti-gateway db copy``: from SQLite to PostgreSQL and back, and what it refuses."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import cli
from gateway.server.runs import GatewayRun
from gateway.store.nodes import Node, Nodes
from tests.postgresql import FreshDatabase

pytestmark = pytest.mark.postgresql
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a command on a data folder of its own, which has an agent."""

    def run_one(*arguments: str, data: str = "data", stdin: str = "", **environment: str) -> Result:
        place = ["--data", str(tmp_path / data)]
        return CliRunner(env=environment).invoke(cli, [*arguments, *place], input=stdin, catch_exceptions=True)

    added = run_one("agent", "add", "ana", "--extension", "3501", "--password-stdin", stdin="segredo-da-ana\n")
    assert added.exit_code == 0, added.output
    return run_one


@pytest.fixture
def fresh() -> Iterator[FreshDatabase]:
    found = FreshDatabase()
    yield found
    found.give_back()


def refused(result: Result) -> str:
    """The whole of what was said, to both outputs and by the error."""
    assert result.exit_code != 0, result.output
    return f"{result.output} {result.exception}"


def test_there_and_back(run: Run, fresh: FreshDatabase, tmp_path: Path) -> None:
    told = run("db", "copy", "--to", fresh.url)
    assert told.exit_code == 0, refused(told)
    assert "[server] database" in told.stdout
    assert {line.split()[1] for line in told.stdout.splitlines() if line.startswith("agents ")} == {"1"}
    again = run("db", "copy", "--to", fresh.url)
    assert "the target is not empty: there are rows in the table agents" in refused(again)
    (tmp_path / "back").mkdir()
    for name in ("search.db", "search.db-wal"):
        (tmp_path / "back" / name).write_bytes(b"another database's")
    back = run("db", "copy", "--from", "env:DATABASE", "--to", str(tmp_path / "back"), DATABASE=fresh.url)
    assert back.exit_code == 0, refused(back)
    assert "ana" in run("agent", "list", data="back").stdout
    assert [path.name for path in (tmp_path / "back").glob("*copying*")] == []
    assert all(path.read_bytes() != b"another database's" for path in (tmp_path / "back").glob("search.db*"))


def test_the_copy_says_what_to_do_next_in_the_terminal_s_language(run: Run, fresh: FreshDatabase) -> None:
    told = run("db", "copy", "--to", fresh.url, CTI_LANGUAGE="pt-BR")
    assert "linhas copiadas e comparadas" in told.stdout


def test_a_running_gateway_is_not_copied(run: Run, fresh: FreshDatabase, tmp_path: Path) -> None:
    running = GatewayRun(tmp_path / "data")
    try:
        assert "a gateway runs on the data in" in refused(run("db", "copy", "--to", fresh.url))
    finally:
        running.end()
    assert run("db", "copy", "--to", fresh.url).exit_code == 0


def test_a_database_of_running_nodes_is_not_copied(run: Run, fresh: FreshDatabase, tmp_path: Path) -> None:
    database = fresh.open(tmp_path / "node")
    Nodes(database.engine).tell(Node("n1", "1", "x", 0))
    database.close()
    told = refused(run("db", "copy", "--from", fresh.url, "--to", str(tmp_path / "back")))
    assert "gateways run on this database: n1" in told
    assert not (tmp_path / "back" / "gateway.db").exists()


def test_what_makes_no_sense_is_refused(run: Run, fresh: FreshDatabase, tmp_path: Path) -> None:
    assert "both are sqlite" in refused(run("db", "copy", "--to", str(tmp_path / "other")))
    assert not (tmp_path / "other" / "gateway.db").exists()
    there = refused(run("db", "copy", "--from", fresh.url, "--to", str(tmp_path / "data")))
    assert "there is a gateway's database in" in there
    assert "there is no gateway's database in" in refused(run("db", "copy", "--to", fresh.url, data="nowhere"))
    assert not (tmp_path / "nowhere" / "gateway.db").exists()


def test_the_password_is_said_nowhere(run: Run) -> None:
    told = run("db", "copy", "--to", "postgresql://cti:s3cret@127.0.0.1:1/cti")
    assert "127.0.0.1" in refused(told)
    assert "s3cret" not in refused(told)
