"""The disk of a power cut: what was synced is there, what was not need not be, and the shim sees all of it."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bench.powercut.disk import SECTOR, Disk, Loss
from bench.powercut.lazyfs import LazyFs, compare
from bench.powercut.promises import Promises
from bench.powercut.series import replay
from bench.powercut.shim import build, environment
from bench.powercut.writelog import HEAD, Kind, MarkWriter, Record, read_log
from tests.peers import need, need_file

SYNCED = """
import os
file = os.open("disk/a", os.O_RDWR | os.O_CREAT)
os.write(file, b"first")
os.fsync(file)
os.pwrite(file, b"second", 5)
folder = os.open("disk", os.O_RDONLY)
os.fsync(folder)
os.mkdir("disk/new")
os.rename("disk/a", "disk/new/b")
os.ftruncate(file, 3)
"""
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
Path("disk/data").mkdir()
attempts, folder = Attempts(Path("disk/data/logins.db")), os.open("disk/data", os.O_RDONLY)
for number in range(1500):
    attempts.count(Limit("login", 10, 60.0), str(number))
    if number % 50 == 0:
        os.fsync(folder)
os._exit(0)
"""
CONTROL = Path(__file__).parents[2] / "bench" / "powercut" / "control"


def shim(folder: Path) -> Path:
    need("cc", package="gcc")
    need_file("/usr/include/stdio.h", package="libc6-dev")
    return build(folder)


def under_shim(program: str, folder: Path, **more: str) -> tuple[Disk, Sequence[Record]]:
    """The disk before ``program`` ran in ``folder``, and what it did."""
    (folder / "disk").mkdir()
    disk = Disk(folder / "disk")
    source = str(Path(__file__).parents[2])
    environ = {**environment(shim(folder), folder / "disk", folder / "log", sync_us=0), "PYTHONPATH": source, **more}
    subprocess.run([sys.executable, "-c", program], cwd=folder, env=environ, check=True, timeout=60)
    return disk, read_log(folder / "log")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_only_what_was_synced_is_on_the_disk_after_a_cut(tmp_path: Path) -> None:
    disk, records = under_shim(SYNCED, tmp_path)
    disk.play(records)
    disk.write_out(tmp_path / "left", Loss.ALL, "1")
    assert files(tmp_path / "left") == {"a": b"first"}
    assert disk.differences() == []


def test_the_shim_s_own_oversights_are_noticed(tmp_path: Path) -> None:
    disk, records = under_shim(SYNCED, tmp_path)
    disk.play([record for record in records if record.kind is not Kind.TRUNCATE])
    assert disk.differences() == [str(tmp_path / "disk" / "new" / "b")]


def test_the_same_seed_makes_the_same_disk_from_a_copy(tmp_path: Path) -> None:
    written = [Record(Kind.WRITE, 1, 7, 100 * number, "", bytes([number]) * 100) for number in range(40)]
    (tmp_path / "disk").mkdir()
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "a").write_bytes(b"")
    left = []
    for name in ("one", "two"):
        disk = Disk(tmp_path / "disk", copy=tmp_path / "copy", inodes={"a": 7})
        disk.play(written)
        disk.write_out(tmp_path / name, Loss.ANY, "seed")
        left.append(files(tmp_path / name))
    assert left[0] == left[1]


@pytest.mark.parametrize("loss", [Loss.END, Loss.ANY])
def test_a_torn_write_leaves_whole_sectors(tmp_path: Path, loss: Loss) -> None:
    """Of two sectors, written over zeros, a cut keeps either, neither or both; torn in order, never only the second."""
    zeros, ones = bytes(SECTOR), b"\1" * SECTOR
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a").write_bytes(zeros * 2)
    disk = Disk(tmp_path / "disk")
    inode = (tmp_path / "disk" / "a").stat().st_ino
    disk.play([Record(Kind.WRITE, 1, inode, 0, "", ones * 2)])
    found = set()
    for seed in range(60):
        disk.write_out(tmp_path / str(seed), loss, str(seed))
        found.add((tmp_path / str(seed) / "a").read_bytes())
    in_order = {zeros * 2, ones + zeros, ones * 2}
    assert found == (in_order if loss is Loss.END else in_order | {zeros + ones})


def test_what_is_written_while_a_sync_is_under_way_is_not_synced_by_it(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a").touch()
    inode = (tmp_path / "disk" / "a").stat().st_ino
    disk = Disk(tmp_path / "disk")
    before = Record(Kind.WRITE, 1, inode, 0, "", b"before")
    meanwhile = Record(Kind.WRITE, 2, inode, 6, "", b"meanwhile")
    begins, ends = (Record(kind, 1, inode, 0, "", b"") for kind in (Kind.SYNC_BEGINS, Kind.SYNC_ENDS))
    disk.play([before, begins, meanwhile])
    disk.write_out(tmp_path / "under-way", Loss.ALL, "1")
    disk.play([ends])
    disk.write_out(tmp_path / "done", Loss.ALL, "1")
    assert [files(tmp_path / name)["a"] for name in ("under-way", "done")] == [b"", b"before"]


def lost_rows(folder: Path, **more: str) -> int:
    """The most rows that SQLite had committed and a cut took away again: at the end, or every 25 rows, torn or not."""
    disk, records = under_shim(ROWS, folder, **more)
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
    source = str(Path(__file__).parents[2])
    path = f"{CONTROL}:{source}"
    assert lost_rows(tmp_path, PYTHONPATH=path, POWERCUT_SYNCHRONOUS=synchronous) >= 450


@pytest.mark.parametrize(("program", "name"), [(TRAFFIC, "traffic.db"), (LOGINS, "logins.db")])
def test_what_may_lose_its_end_is_whole_after_a_cut(tmp_path: Path, program: str, name: str) -> None:
    disk, records = under_shim(program, tmp_path)
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


def test_a_kept_cut_is_made_again_from_its_log(tmp_path: Path) -> None:
    series, root = tmp_path / "series", tmp_path / "disk"
    (series / "base").mkdir(parents=True)
    (series / "base" / "a").write_bytes(b"before")
    told = {"moment": "lost/1/0/0/4", "root": str(root), "inodes": {"a": 7}}
    (series / "cut.json").write_text(json.dumps(told))
    heads = [(Kind.WRITE, 0, b"synced"), (Kind.SYNC_BEGINS, 0, b""), (Kind.SYNC_ENDS, 0, b""), (Kind.WRITE, 6, b"not")]
    packed = [HEAD.pack(HEAD.size + len(data), kind, 1, 0, 7, offset) + data for kind, offset, data in heads]
    (series / "record").write_bytes(b"".join(packed))
    assert replay(series, tmp_path / "cut") == "lost/1/0/0/4"
    assert files(tmp_path / "cut") == {"a": b"synced"}
    replay(series, tmp_path / "moment", "lost/1/0/0/2")
    assert files(tmp_path / "moment") == {"a": b"before"}


def test_lazyfs_is_told_to_forget_and_waited_for(tmp_path: Path) -> None:
    pipe, completed = tmp_path / "pipe", tmp_path / "completed"
    os.mkfifo(pipe)
    os.mkfifo(completed)
    got: list[bytes] = []

    def answer() -> None:
        got.append(pipe.read_bytes())
        completed.write_bytes(b"finished::clear-cache\n")

    with closing(LazyFs(tmp_path, pipe, completed)) as lazyfs:
        thread = threading.Thread(target=answer)
        thread.start()
        lazyfs.forget()
        thread.join()
    assert got == [b"lazyfs::clear-cache\n"]


def test_a_file_that_lazyfs_and_the_shim_see_differently_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"synced")
    disk = Disk(tmp_path)
    assert compare(disk, tmp_path) == []
    (tmp_path / "a").write_bytes(b"other")
    assert compare(disk, tmp_path) == ["a: LazyFS has 5 bytes of it"]


def test_marks_that_come_after_the_end_are_kept_apart(tmp_path: Path) -> None:
    marks = MarkWriter(tmp_path / "log")
    marks.mark("dial 1 1 0")
    marks.close()
    marks.mark("dial 2 2 0")
    assert [record.data for record in read_log(tmp_path / "log")] == [b"dial 1 1 0"]
    assert marks.late == ["dial 2 2 0"]


def test_a_log_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(bytes(100))
    with pytest.raises(ValueError, match="no record of the shim at byte 0"):
        read_log(tmp_path / "log")


def test_a_number_dialled_twice_or_in_a_later_life_is_a_broken_promise() -> None:
    promises = Promises()
    promises.add("dial 4733001000 1 1")
    assert promises.broken_in_operation() == []
    promises.add("dial 4733002000 2 3")
    promises.add("dial 4733001000 1 1")
    assert len(promises.broken_in_operation()) == 2
