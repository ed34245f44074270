"""Processes that write the same companies and are killed in the midst of it: no gap, nothing lost, nothing doubled."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.database import open_database
from tests.cluster.servers import DATABASE, USER, ClusterServer, owned_folder
from tests.live.groups import kill_group
from tests.waiting import until

pytestmark = pytest.mark.cluster
PROCESSES = 4
KILLS = int(os.environ.get("CTI_KILLS", "5"))
WRITES_BEFORE = 40
"""Events that a process has been told of before it is killed."""
Line = tuple[str, str, int, int]
"""Tenant, number as sent, ``seq`` and call of an event."""


class Writers:
    """Processes that write; what each was told is in a file ``told-NAME`` of ``folder``."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self._names = iter(range(10, 100))
        self._going: list[tuple[subprocess.Popen[bytes], Path]] = []

    def start(self) -> None:
        name = str(next(self._names))
        told = self._folder / f"told-{name}"
        command = [sys.executable, "-m", "tests.cluster.journal_process", self._url, str(self._folder / name), name]
        with told.open("ab") as out, (self._folder / f"log-{name}").open("ab") as log:
            process = subprocess.Popen(command, stdout=out, stderr=log, start_new_session=True)
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


def test_numbers_have_no_gap_and_what_was_told_is_there_when_writers_are_killed(tmp_path: Path) -> None:
    with owned_folder() as place:
        server = ClusterServer(place, tmp_path, "alone")
        try:
            server.make()
            server.start(fsync="off")
            server.query(f"CREATE DATABASE {DATABASE}", database="postgres")
            url = f"postgresql://{USER}@127.0.0.1:{server.port}/{DATABASE}"
            database = open_database(tmp_path / "data", url)
            database.upgrade()
            database.close()
            kill_in_turns(Writers(url, tmp_path))
            check(server, tmp_path)
        finally:
            server.kill()


def kill_in_turns(writers: Writers) -> None:
    """Let four processes write; kill one after the other, and begin another in its place."""
    try:
        for _ in range(PROCESSES):
            writers.start()
        for _ in range(KILLS):
            writers.kill_oldest()
            writers.start()
    finally:
        writers.kill()


def check(server: ClusterServer, folder: Path) -> None:
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


def lines(path: Path) -> Iterator[Line]:
    for line in path.read_text().splitlines():
        tenant, number, seq, call_id = line.split()
        yield tenant, number, int(seq), int(call_id)
