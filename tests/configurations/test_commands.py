"""Every command works with a configuration that uses every table: exit code 0 and no traceback."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import COMMANDS, cli
from gateway.simulators import SimulatedAppliance
from tests.configurations import every_table
from tests.events.ami_server import AmiServer, manager

COMMAND_LINES: dict[str, list[list[str]]] = {
    "agent": [
        ["agent", "add", "ana", "--extension", "3501", "--password-stdin"],
        ["agent", "list"],
        ["agent", "remove", "ana"],
    ],
    "audit": [["audit"], ["audit", "--format", "csv"]],
    "calls": [["calls", "--format", "json"], ["calls", "--format", "csv"], ["calls", "--why", "1"]],
    "check": [["check"]],
    "config": [["config"]],
    "db": [["db", "upgrade"]],
    "dial": [["dial", "3501", "4732100123", "--dry-run"], ["dial", "3501", "4732100123"]],
    "traffic": [["traffic"], ["traffic", "--format", "json"]],
    "forwards": [
        ["forwards", "status"],
        ["forwards", "list", "--format", "json"],
        ["forwards", "retry", "--all"],
        ["forwards", "drop", "--target", "crm"],
    ],
    "import": [["import", "accounts", "contas.csv"], ["import", "run"], ["import", "list"]],
    "number": [["number", "4732100123"], ["number", "4732100123", "--json", "--appliance", "cloud"]],
    "onsite": [["onsite", "add", "escritorio"], ["onsite", "list"], ["onsite", "revoke", "escritorio"]],
    "presets": [["presets"], ["presets", "own-cloud"], ["presets", "asterisk-ami", "--events"]],
    "sources": [["sources"], ["sources", "test", "cloud", "ring.json"]],
    "version": [["version"]],
    "wsdl": [["wsdl"], ["wsdl", "wconnect"]],
}
"""By command, in the order in which they are run. Those of ``ELSEWHERE`` do not end by themselves."""
ELSEWHERE = {
    "demo": "tests/live/test_demo.py",
    "init": "tests/cli/test_commands.py",
    "serve": "tests/live/test_every_table.py",
    "simulate": "tests/cli/test_commands.py",
}
WITHOUT_CONFIGURATION = {"version", "wsdl"}


def test_no_command_is_missing() -> None:
    assert {*COMMAND_LINES, *ELSEWHERE} == set(COMMANDS)
    assert all((Path(__file__).parents[2] / path).exists() for path in ELSEWHERE.values())


@pytest.fixture(scope="module")
def appliances() -> Iterator[dict[str, SimulatedAppliance]]:
    with every_table.running() as made:
        yield made


@pytest.fixture(scope="module")
def pabx() -> Iterator[int]:
    """The port of the exchange whose events are gone and got."""
    with manager(AmiServer(secret="an-ami-secret")) as port:
        yield port


@pytest.fixture
def run(
    tmp_path: Path, appliances: dict[str, SimulatedAppliance], pabx: int, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    path = every_table.write(tmp_path, appliances, changed=[("18005", str(pabx))])
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("missing-calls.db")) as finished_calls:
        finished_calls.execute("CREATE TABLE calls (ramal, fone, inicio, segundos, arquivo, fila)")

    def run_one(*arguments: str) -> Result:
        place = [] if arguments[0] in WITHOUT_CONFIGURATION else ["--config", str(path)]
        return CliRunner().invoke(cli, [*arguments, *place], input="longa-senha-1\n")

    return run_one


@pytest.mark.parametrize("command", COMMAND_LINES)
def test_a_command_ends_well(run: Callable[..., Result], command: str) -> None:
    if command in ("audit", "calls", "forwards", "traffic"):
        assert run("dial", "3501", "4732100123").exit_code == 0
    for arguments in COMMAND_LINES[command]:
        done = run(*arguments)
        assert (done.exit_code, done.exception) == (0, None), (arguments, done.output, done.stderr)
        assert "Traceback" not in done.output + done.stderr


def test_a_command_with_work_to_do_has_done_it(
    run: Callable[..., Result], appliances: dict[str, SimulatedAppliance]
) -> None:
    run("dial", "3501", "4732100123")
    assert appliances["soap"].received[-1].number == "0214732100123"
    assert "2 lines read" in run("import", "run", "planilha").output
