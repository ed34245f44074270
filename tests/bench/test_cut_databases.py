"""What SQLite, with the settings that the gateway gives it, has kept after a power cut at any moment of a program."""

import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bench.powercut.disk import Loss
from bench.powercut.writelog import Kind
from tests.bench.cutting import under_shim

ROWS = """
import sqlite3, sys
from pathlib import Path
from bench.powercut.writelog import MarkWriter
database = sqlite3.connect("disk/rows.db", isolation_level=None)
for pragma in ("journal_mode=WAL", "synchronous=FULL"):
    database.execute(f"PRAGMA {pragma}").fetchall()
marks = MarkWriter(Path("log"))
database.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)")
marks.mark("0")
for number in range(1, 501):
    database.execute("INSERT INTO rows VALUES (?, ?)", (number, "x" * 700))
    marks.mark(str(number))
"""
TRAFFIC = """
import os
from pathlib import Path
from gateway.store.diagnostic_log import DiagnosticLog
from gateway.store.traffic import TrafficEntry, TrafficLog
Path("disk/data").mkdir()
side = DiagnosticLog(Path("disk/data"), keep_days=1, keep_mb=2)
log, folder = TrafficLog(side), os.open("disk/data", os.O_RDONLY)
for turn in range(40):
    for _ in range(60):
        log.add(lambda: TrafficEntry(1, 1, "in", "t", "::1", "get", "", 1, "200", "", b"r" * 1500, b"a" * 300), 2000)
    side.flush()
    os.fsync(folder)
    if turn % 10 == 9:
        side.tidy()
os._exit(0)
"""
LOGINS = """
import os
from pathlib import Path
from gateway.logins.attempts import Attempts, Limit
from gateway.store.shared.file_counts import FileCounts
Path("disk/data").mkdir()
attempts, folder = Attempts(FileCounts(Path("disk/data/logins.db"))), os.open("disk/data", os.O_RDONLY)
for number in range(1500):
    attempts.count(Limit("login", 10, 60.0), str(number))
    if number % 50 == 0:
        os.fsync(folder)
os._exit(0)
"""
CONTROL = Path(__file__).parents[2] / "bench" / "powercut" / "control"
UPGRADE = ["-m", "gateway", "db", "upgrade", "--data"]
STATE = ("SELECT version_num FROM alembic_version", "SELECT count(*) FROM events")
OLD = Path(__file__).parents[1] / "upgrade" / "v0_1_0" / "gateway.sql"


def lost_rows(folder: Path, path: Path | None = None, **more: str) -> int:
    """The most rows that SQLite had committed and a cut took away again: at the end, or every 25 rows, torn or not."""
    disk, records = under_shim(["-c", ROWS], folder, path=path, **more)
    marks = [count for count, record in enumerate(records) if record.kind is Kind.MARK]
    worst, played = 0, 0
    for turn, count in enumerate(marks[::25]):
        disk.play(records[played : count + 1])
        played = count + 1
        disk.write_out(folder / str(turn), list(Loss)[turn % 3], str(turn))
        worst = max(worst, int(records[count].data) - rows_in(folder / str(turn) / "rows.db"))
    disk.play(records[played:])
    assert disk.differences() == []
    return worst


def rows_in(path: Path) -> int:
    """How many rows a database holds; none that does not open."""
    with closing(sqlite3.connect(path)) as database, suppress(sqlite3.DatabaseError):
        return int(database.execute("SELECT count(*) FROM rows").fetchone()[0])
    return 0


def test_sqlite_loses_nothing_with_synchronous_full(tmp_path: Path) -> None:
    assert lost_rows(tmp_path) == 0


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_sqlite_loses_everything_with_less_which_proves_that_the_shim_bites(tmp_path: Path, synchronous: str) -> None:
    assert lost_rows(tmp_path, CONTROL, POWERCUT_SYNCHRONOUS=synchronous) >= 450


@pytest.mark.parametrize(("program", "name"), [(TRAFFIC, "traffic.db"), (LOGINS, "logins.db")])
def test_what_may_lose_its_end_is_whole_after_a_cut(tmp_path: Path, program: str, name: str) -> None:
    disk, records = under_shim(["-c", program], tmp_path)
    broken = []
    for turn in range(1, 49):
        disk.play(records[disk.count : len(records) * turn // 48])
        disk.write_out(tmp_path / str(turn), Loss.ANY, str(turn))
        broken += damage_of(tmp_path / str(turn) / "data" / name)
    assert broken == []


def damage_of(path: Path) -> list[str]:
    """What SQLite finds wrong with a database, if it is there."""
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(path)) as database:
            return [line for (line,) in database.execute("PRAGMA integrity_check") if line != "ok"]
    except sqlite3.DatabaseError as error:
        return [str(error)]


def test_an_upgrade_from_0_1_0_is_done_or_not_begun_at_any_moment(tmp_path: Path) -> None:
    """The next start goes on with either, and no event is lost."""
    (tmp_path / "disk" / "data").mkdir(parents=True)
    with closing(sqlite3.connect(tmp_path / "disk" / "data" / "gateway.db")) as database:
        database.executescript(OLD.read_text())
        before = state_of(database)
    disk, records = under_shim([*UPGRADE, "disk/data"], tmp_path)
    found = set()
    for turn in range(1, 61):
        disk.play(records[disk.count : len(records) * turn // 60])
        disk.write_out(tmp_path / str(turn), list(Loss)[turn % 3], str(turn))
        assert damage_of(tmp_path / str(turn) / "data" / "gateway.db") == []
        with closing(sqlite3.connect(tmp_path / str(turn) / "data" / "gateway.db")) as database:
            found.add(state_of(database))
    assert {events for _, events in found} == {before[1]}
    assert len(found) == 2
    assert before in found
    subprocess.run([sys.executable, *UPGRADE, str(tmp_path / "20" / "data")], check=True, timeout=60)


def state_of(database: sqlite3.Connection) -> tuple[str, int]:
    """The version of the schema, and how many events there are."""
    (version,), (events,) = (database.execute(query).fetchone() for query in STATE)
    return version, events
