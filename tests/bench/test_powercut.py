"""The disk of a power cut: what was synced is there, what was not need not be, and the shim sees all of it."""

import json
import os
import resource
import threading
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from bench.powercut import __main__ as command
from bench.powercut.disk import SECTOR, Disk, Loss
from bench.powercut.lazyfs import LazyFs, compare
from bench.powercut.promises import Promises
from bench.powercut.series import replay
from bench.powercut.writelog import HEAD, Kind, MarkWriter, Record, read_log
from tests.bench.cutting import files_of, under_shim

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


def test_only_what_was_synced_is_on_the_disk_after_a_cut(tmp_path: Path) -> None:
    disk, records = under_shim(["-c", SYNCED], tmp_path)
    disk.play(records)
    disk.write_out(tmp_path / "left", Loss.ALL, "1")
    assert files_of(tmp_path / "left") == {"a": b"first"}
    assert disk.differences() == []


def test_the_shim_s_own_oversights_are_noticed(tmp_path: Path) -> None:
    disk, records = under_shim(["-c", SYNCED], tmp_path)
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
        left.append(files_of(tmp_path / name))
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
    assert [files_of(tmp_path / name)["a"] for name in ("under-way", "done")] == [b"", b"before"]


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
    assert files_of(tmp_path / "cut") == {"a": b"synced"}
    replay(series, tmp_path / "moment", "lost/1/0/0/2")
    assert files_of(tmp_path / "moment") == {"a": b"before"}


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


def test_lazyfs_is_waited_for_in_a_process_with_many_open_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``select`` takes no file whose number is over 1023, which a long run of tests may well hand out."""
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "completed")
    monkeypatch.setattr("bench.powercut.lazyfs.ANSWER_WITHIN_S", 0.01)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    with ExitStack() as held:
        held.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(1030):
            held.enter_context(open(os.devnull))
        with closing(LazyFs(tmp_path, tmp_path / "pipe", tmp_path / "completed")) as lazyfs:
            listening = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
            held.callback(os.close, listening)
            with pytest.raises(TimeoutError):
                lazyfs.forget()


def test_a_file_that_lazyfs_and_the_shim_see_differently_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"synced")
    disk = Disk(tmp_path)
    assert compare(disk, tmp_path) == []
    (tmp_path / "a").write_bytes(b"other")
    assert compare(disk, tmp_path) == ["a: LazyFS has 5 bytes of it"]


def test_cuts_are_shared_out_among_series() -> None:
    options = command.read_options(["--cuts", "60", "--workers", "2", "--loss", "torn"])
    assert [wanted.cuts for wanted in command.each_series(options)] == [25, 25, 10]
    assert {(*wanted.workers, *wanted.losses) for wanted in command.each_series(options)} == {(2, Loss.END)}


def test_without_a_compiler_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    assert command.main(["--folder", str(tmp_path)]) == 2
    assert "cc is not installed. It builds the shim. Debian, Ubuntu: packages gcc" in capsys.readouterr().err


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
