"""A data folder that cannot be used is told in one sentence, by every command and by ``serve``."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import cli
from gateway.errors import DataUnusable, NewerSchema
from gateway.logins.passwords import KEY
from gateway.server import serve
from gateway.store.sqlite.engine import open_engine, upgrade
from tests.configurations import every_table

COMMANDS = {
    "agent": ["agent", "list"],
    "calls": ["calls"],
    "check": ["check"],
    "db": ["db", "upgrade"],
    "dial": ["dial", "3501", "4732100123"],
    "traffic": ["traffic"],
    "import": ["import", "accounts", "contas.csv"],
    "import list": ["import", "list"],
    "number": ["number", "4732100123"],
    "serve": ["serve", "--listen", "127.0.0.1:0"],
}
PAGE = 4096


@dataclass
class Ground:
    """A bad data folder, what the sentence about it holds, and whether the next start is good again after ``mend``."""

    folder: Path
    said: str


def good_folder(folder: Path) -> Path:
    engine = open_engine(folder)
    upgrade(engine, folder)
    engine.dispose()
    return folder / "gateway.db"


def no_database(folder: Path) -> Ground:
    good_folder(folder).write_bytes(b"this is no database " * 500)
    return Ground(folder, "gateway.db is not a database, or its beginning is damaged. Restore a backup")


def damaged(folder: Path) -> Ground:
    path = good_folder(folder)
    whole = path.read_bytes()
    path.write_bytes(whole[:PAGE] + b"\xff" * (len(whole) - PAGE))
    return Ground(folder, "gateway.db is damaged. Restore a backup of the data folder, or save what can be read")


def newer(folder: Path) -> Ground:
    with sqlite3.connect(good_folder(folder)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
    return Ground(folder, "gateway.db has the schema 0999 of a newer version of cti-gateway; this version's is 0")


def a_file(folder: Path) -> Ground:
    folder.parent.joinpath("data").write_text("")
    return Ground(folder, "data is no folder. Name a folder for the data")


def read_only(folder: Path) -> Ground:
    mount(folder, "size=6m")
    good_folder(folder)
    for name in ("gateway.db-wal", "gateway.db-shm"):
        folder.joinpath(name).unlink(missing_ok=True)
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    return Ground(folder, "cannot be written")


def full(folder: Path) -> Ground:
    mount(folder, "size=1m")
    good_folder(folder)
    with folder.joinpath("filler").open("wb", buffering=0) as file:
        for size in (PAGE, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return Ground(folder, "there is no room left on the disk of")


def mount(folder: Path, size: str) -> None:
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"this test needs to mount a file system: {done.stderr.decode().strip()}")


GROUNDS: list[Callable[[Path], Ground]] = [no_database, damaged, newer, a_file, read_only, full]


@pytest.fixture(params=GROUNDS, ids=lambda make: make.__name__)
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    yield request.param(tmp_path / "files")
    subprocess.run(["umount", "--lazy", tmp_path / "files"], capture_output=True, check=False)


class NoServer:
    """``serve`` must not come so far."""

    def __init__(self, *_: object, **__: object) -> None:
        raise AssertionError("the server was started")


def run(ground: Ground, command: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    place = ground.folder.parent
    config = every_table.write(place)
    if ground.said.startswith("data is"):
        config.write_text(config.read_text().replace('data = "files"', 'data = "data"'))
    monkeypatch.chdir(place)
    monkeypatch.setattr(serve, "Workers", NoServer)
    monkeypatch.setattr(serve.multiprocessing, "set_start_method", lambda *_, **__: None)
    monkeypatch.setattr("os.umask", lambda _: 0)
    for name in ("PROMETHEUS_MULTIPROC_DIR", KEY):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return CliRunner().invoke(cli, [*COMMANDS[command], "--config", str(config)])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_what_is_wrong_and_what_to_do(
    ground: Ground, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(ground, command, monkeypatch)
    if command == "number" and ground.said.startswith("data is"):
        assert done.exit_code == 0, "it works without data"
        return
    assert done.exit_code == 1
    if command == "check":
        assert "FAIL" in done.output
        assert ground.said in done.output
        return
    if command in ("calls", "traffic") and ground.said.startswith("data is"):
        assert "there is no gateway's data in" in str(done.exception)
        return
    assert isinstance(done.exception, DataUnusable), done.exception
    assert ground.said in str(done.exception)


def test_a_newer_schema_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ground = newer(tmp_path / "files")
    assert isinstance(run(ground, "db", monkeypatch).exception, NewerSchema)
    with sqlite3.connect(ground.folder / "gateway.db") as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0999",)]


def test_damage_that_shows_in_the_middle_of_the_work_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "files" / "gateway.db"
    add = ["agent", "add", "ana", "--extension", "3501", "--password-stdin", "--data", str(path.parent)]
    assert CliRunner().invoke(cli, add, input="uma-senha-longa\n").exit_code == 0
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'agents'").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * PAGE)
        file.write(b"\xff" * PAGE)
    done = run(Ground(tmp_path / "files", ""), "agent", monkeypatch)
    assert isinstance(done.exception, DataUnusable)
    assert "gateway.db is damaged." in str(done.exception)


def test_a_person_at_a_terminal_sees_one_line_and_no_traceback(tmp_path: Path) -> None:
    no_database(tmp_path / "data")
    command = [sys.executable, "-m", "gateway", "serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    told = [line for line in done.stderr.splitlines() if "caution" not in line]
    assert [line.startswith("cti-gateway: ") for line in told] == [True]
