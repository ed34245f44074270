"""Wrong passwords are counted once for all processes, whatever the clock does and whatever becomes of the file."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.logins.attempts import Attempts, Limit, digest, place_of
from gateway.store.shared import file_counts as module
from gateway.store.shared.file_counts import FileCounts, since_boot

FEW = Limit("few", most=3, window_s=60)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(tmp_path: Path, clock: Clock) -> Iterator[Attempts]:
    with closing(Attempts(FileCounts(tmp_path / "logins.db", clock=clock))) as made:
        yield made


def test_after_so_many_one_waits_until_the_window_is_over(attempts: Attempts, clock: Clock) -> None:
    for _ in range(3):
        assert attempts.wait_s(FEW, "ana") == 0
        attempts.count(FEW, "ana")
        clock.now += 10
    assert attempts.wait_s(FEW, "ana") == 30
    assert attempts.wait_s(FEW, "bia") == 0
    clock.now += 30
    assert attempts.wait_s(FEW, "ana") == 0
    attempts.count(FEW, "ana")
    assert attempts.wait_s(FEW, "ana") == 0


def test_what_is_remembered_is_forgotten_in_time(attempts: Attempts, clock: Clock) -> None:
    attempts.remember(b"mark", 60)
    assert attempts.knows(b"mark")
    assert not attempts.knows(b"other")
    clock.now += 61
    assert not attempts.knows(b"mark")


def test_several_processes_count_together(attempts: Attempts, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from gateway.logins.attempts import *\n"
        "a = Attempts(FileCounts(Path(sys.argv[1]))); [a.count(Limit('many', 1000, 600), 'ana') for _ in range(100)]"
    )
    path = str(tmp_path / "shared.db")
    running = [subprocess.Popen([sys.executable, "-c", program, path]) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count FROM failures").fetchall() == [(200,)]
    with closing(Attempts(FileCounts(Path(path)))) as here:
        assert here.wait_s(Limit("many", 200, 600), "ana") > 0


def test_who_looked_at_the_clock_before_others_counted_does_not_begin_anew(tmp_path: Path) -> None:
    """It waited for its turn to write."""
    early, late = Clock(), Clock()
    early.now -= 0.5
    with (
        closing(Attempts(FileCounts(tmp_path / "logins.db", clock=late))) as first,
        closing(Attempts(FileCounts(tmp_path / "logins.db", clock=early))) as second,
    ):
        first.count(FEW, "ana")
        first.count(FEW, "ana")
        second.count(FEW, "ana")
        assert first.wait_s(FEW, "ana") > 0


def test_the_wall_clock_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    before = since_boot()
    monkeypatch.setattr(module.time, "time", lambda: 0.0)
    assert 0 <= since_boot() - before < 60


def test_times_that_cannot_be_are_over(attempts: Attempts, clock: Clock) -> None:
    for _ in range(3):
        attempts.count(FEW, "ana")
    clock.now -= 500
    assert attempts.wait_s(FEW, "ana") == 0
    attempts.count(FEW, "ana")
    clock.now += 61
    assert attempts.wait_s(FEW, "ana") == 0


def test_another_start_of_the_machine_forgets_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for boot, waits in (("one", True), ("one", True), ("two", False)):
        (tmp_path / "boot_id").write_text(boot)
        monkeypatch.setattr(module, "BOOT_ID", tmp_path / "boot_id")
        with closing(Attempts(FileCounts(tmp_path / "logins.db"))) as made:
            assert bool(made.wait_s(FEW, "ana")) == (waits and boot == "one" and (tmp_path / "seen").exists())
            for _ in range(3):
                made.count(FEW, "ana")
        (tmp_path / "seen").touch()


def test_rows_are_bounded(attempts: Attempts, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        attempts.count(FEW, str(number))
        attempts.remember(str(number).encode(), 10 + number)
        clock.now += 1
    monkeypatch.setattr(module, "MOST_ROWS", 5)
    attempts.tidy()
    for _ in range(2):
        attempts.count(FEW, "29")
    assert attempts.wait_s(FEW, "29") > 0, "the newest stay"
    with closing(sqlite3.connect(tmp_path / "logins.db")) as database:
        assert database.execute("SELECT count(*) FROM failures").fetchone() == (5,)
        assert database.execute("SELECT count(*) FROM marks").fetchone() == (5,)


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "logins.db"
    path.write_bytes(b"no database at all, and long enough to be looked at" * 100)
    with closing(Attempts(FileCounts(path))) as made:
        made.remember(b"mark", 60)
    with closing(Attempts(FileCounts(path))) as made:
        assert made.knows(b"mark")


def test_without_the_file_a_process_counts_by_itself_and_says_so_once(
    tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(Attempts(FileCounts(tmp_path / "nowhere" / "logins.db", clock=clock))) as made:
        for _ in range(3):
            made.count(FEW, "ana")
        assert made.wait_s(FEW, "ana") > 0
        assert capsys.readouterr().out.count("logins_not_shared") == 1
        (tmp_path / "nowhere").mkdir()
        clock.now += module.TRY_AGAIN_S
        made.count(FEW, "ana")
        assert "logins_shared_again" in capsys.readouterr().out
    assert (tmp_path / "nowhere" / "logins.db").exists()


def test_nothing_that_was_typed_lies_in_the_file(attempts: Attempts, tmp_path: Path) -> None:
    attempts.count(FEW, "default", "ana-souza", "192.168.0.77")
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"ana-souza" not in written
    assert b"192.168.0.77" not in written


def test_keys_keep_their_parts_apart() -> None:
    assert len({digest("a", "bc"), digest("ab", "c"), digest("a\0", "bc"), digest("a", "\0bc"), digest("a\0bc")}) == 5


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
        ("unknown", "unknown", True),
    ],
)
def test_an_address_is_counted_as_what_one_customer_has(one: str, other: str, same: bool) -> None:
    assert (place_of(one) == place_of(other)) is same
