"""Processes that write the same companies and are killed in the midst of it: no gap, nothing lost, nothing doubled."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.journal_process import TENANTS
from tests.cluster.servers import DATABASE, USER, ClusterServer, owned_folder
from tests.live.groups import kill_group
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]
PROCESSES = 4
KILLS = 5
KILL_EVERY_S, FOR_S = 5.0, 60.0
WRITES_BEFORE = 40
"""Events that a process has been told of before it is killed."""
Line = tuple[str, str, int, int]
"""Tenant, number as sent, ``seq`` and call of an event."""
Figure = Callable[[str, object], None]


class Writers:
    """Processes that write; what each was told is in a file ``told-NAME`` of ``folder``."""

    def __init__(self, url: str, folder: Path, *options: str) -> None:
        self._url, self._folder, self._options = url, folder, options
        self._names = iter(range(10, 100))
        self._going: list[tuple[subprocess.Popen[bytes], Path]] = []

    def start(self) -> None:
        name = str(next(self._names))
        told = self._folder / f"told-{name}"
        command = [sys.executable, "-m", "tests.cluster.journal_process", self._url, str(self._folder / name), name]
        with told.open("ab") as out, (self._folder / f"log-{name}").open("ab") as log:
            process = subprocess.Popen([*command, *self._options], stdout=out, stderr=log, start_new_session=True)
        self._going.append((process, told))

    def kill_oldest(self) -> None:
        """Kill the one that began first, once it has written for a while."""
        process, told = self._going[0]
        until(lambda: told.read_bytes().count(b"\n") >= WRITES_BEFORE, 90)
        del self._going[0]
        kill_group(process)

    def kill(self) -> None:
        for process, _ in self._going:
            kill_group(process)
        self._going.clear()


@contextmanager
def upgraded(folder: Path) -> Iterator[tuple[ClusterServer, str]]:
    """A server with the schema, and its address."""
    with owned_folder() as place:
        server = ClusterServer(place, folder, "alone")
        try:
            server.make()
            server.start(fsync="off")
            yield server, f"postgresql://{USER}@127.0.0.1:{server.port}/{DATABASE}"
        finally:
            server.kill()


@pytest.mark.acceptance(2)
def test_numbers_have_no_gap_and_what_was_told_is_there_when_writers_are_killed(
    tmp_path: Path, record_property: Figure
) -> None:
    with upgraded(tmp_path) as (server, url):
        kill_in_turns(Writers(url, tmp_path), KILLS)
        record_property("figure", check(server, tmp_path))


@pytest.mark.slow
@pytest.mark.acceptance(2)
def test_numbers_have_no_gap_when_a_writer_is_killed_each_five_seconds_of_a_minute(
    tmp_path: Path, record_property: Figure
) -> None:
    with upgraded(tmp_path) as (server, url):
        began = time.monotonic()
        kill_in_turns(Writers(url, tmp_path), round(FOR_S / KILL_EVERY_S), every_s=KILL_EVERY_S)
        assert time.monotonic() - began >= FOR_S
        record_property("figure", check(server, tmp_path))


@pytest.mark.slow
@pytest.mark.control(2)
def test_numbers_of_a_sequence_have_gaps_when_writers_are_killed(tmp_path: Path) -> None:
    """The control: what the transactions of the killed had taken is given out to nobody."""
    with upgraded(tmp_path) as (server, url):
        for tenant in TENANTS:
            server.query(f"CREATE SEQUENCE numbers_{tenant}")
        kill_in_turns(Writers(url, tmp_path, "--from-sequences"), KILLS)
        with pytest.raises(AssertionError, match="a gap"):
            check(server, tmp_path)


def kill_in_turns(writers: Writers, kills: int, *, every_s: float = 0.0) -> None:
    """Let four processes write; kill one after the other, and begin another in its place."""
    try:
        for _ in range(PROCESSES):
            writers.start()
        for _ in range(kills):
            due = time.monotonic() + every_s
            writers.kill_oldest()
            writers.start()
            time.sleep(max(0.0, due - time.monotonic()))
    finally:
        writers.kill()


def check(server: ClusterServer, folder: Path) -> str:
    """Hold what processes were told against what is there; return how much that was."""
    logged: list[Line] = server.query(  # type: ignore[assignment]
        "SELECT tenant, payload::json #>> '{received,telefone}', seq, call_id FROM events"
    )
    told = [line for path in sorted(folder.glob("told-*")) for line in lines(path)]
    assert len(told) >= KILLS * WRITES_BEFORE
    assert set(told) <= set(logged), "what was told as durable is not there"
    assert max(Counter((tenant, number) for tenant, number, _, _ in logged).values()) == 1, "written twice"
    for tenant, seq in server.query("SELECT tenant, seq FROM heads"):
        seqs = sorted(line[2] for line in logged if line[0] == tenant)
        assert seqs == list(range(1, seq + 1)), f"{tenant}: a gap, or a head that lies"
    return f"{len(told)} told of, {len(logged)} there"


def lines(path: Path) -> Iterator[Line]:
    for line in path.read_text().splitlines():
        tenant, number, seq, call_id = line.split()
        yield tenant, number, int(seq), int(call_id)
