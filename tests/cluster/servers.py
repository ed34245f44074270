"""PostgreSQL servers: a primary and a standby that follows it, killed, frozen and promoted at will."""

import atexit
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gateway.store.database import open_database
from tests.cluster.ports import fixed_port
from tests.cluster.proxy import Proxy
from tests.live.groups import ENDED
from tests.peers import absent

USER, DATABASE = "cti", "cti"
START_WITHIN_S = 60
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "wal_keep_size": "256MB",
    "log_checkpoints": "off",
    "autovacuum_naptime": "5s",
    "dynamic_shared_memory_type": "mmap",  # in the server's folder: a killed one leaves nothing elsewhere
}
MEMORY = Path("/dev/shm")
MEMORY_BYTES = 4 << 30
"""As much room in memory is enough for all servers of a test."""
STANDBY = "standby"
"""The standby's ``application_name``, by which the primary waits for it."""


def programs() -> Path:
    """Return the folder of PostgreSQL's programs, or skip (fail in CI)."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=_version, reverse=True)
    if not found or find_spec("psycopg") is None:
        absent("PostgreSQL or psycopg is missing (Debian: apt-get install postgresql; pip install psycopg[binary])")
    return Path(found[0])


def _version(folder: str) -> float:
    return float(Path(folder).parent.name)


def owner() -> dict[str, Any]:
    """Return who PostgreSQL runs as: it refuses to run as root."""
    if os.geteuid():
        return {}
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


class ClusterServer:
    """One server in ``place``, which belongs to PostgreSQL's user; its log is ``logs/NAME.log``.

    It keeps its port when it is started again.
    """

    def __init__(self, place: Path, logs: Path, name: str) -> None:
        self.place, self.name = place, name
        self.data = place / name
        self._log = logs / f"{name}.log"
        self.port = fixed_port()
        self.process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Take the files of a stopped server with the database ``cti``, which has the schema. All have them of the same
        one: to make them anew takes longer than most tests.
        """
        subprocess.run(["cp", "-a", stopped_server(), self.data], check=True, timeout=60)

    def initialise(self) -> None:
        """Make an empty server."""
        self.run("initdb", "-D", str(self.data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync")

    def follow(self, primary: "ClusterServer", *, through: int | None = None) -> None:
        """Become a standby of ``primary``, which it reaches at port ``through`` (a proxy's) where one is given. Both
        began with the same files, and the primary still has all that it has written since.
        """
        self.make()
        follows = f"host=127.0.0.1 port={through or primary.port} user={USER} application_name={STANDBY}"
        with (self.data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
            file.write(f"primary_conninfo = '{follows} connect_timeout=2'\nwal_receiver_timeout = '5s'\n")
            file.write("wal_retrieve_retry_interval = '200ms'\nsynchronous_standby_names = ''\n")
        (self.data / "standby.signal").touch()
        _give(self.data / "standby.signal")

    def start(self, **more: str) -> None:
        """Start it and wait until it takes connections."""
        settings = {**SETTINGS, "port": str(self.port), "unix_socket_directories": str(self.place), **more}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [programs() / "postgres", "-D", self.data, *options],
                cwd=self.place,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **owner(),
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_WITHIN_S
        while not self.answers():
            assert self.is_running(), f"{self.name} ended at its start:\n{self.log()}"
            assert time.monotonic() < deadline, f"{self.name} takes no connections:\n{self.log()}"
            time.sleep(0.1)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def answers(self) -> bool:
        """Return whether it takes connections."""
        import psycopg

        try:
            psycopg.connect(self.address(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def log(self) -> str:
        return self._log.read_text(errors="replace")[-6000:]

    def address(self, database: str = "postgres") -> str:
        return f"host=127.0.0.1 port={self.port} user={USER} dbname={database} connect_timeout=5"

    def query(self, statement: str, *, database: str = DATABASE) -> list[tuple[Any, ...]]:
        """Return the rows of ``statement``, committed; none where it returns none."""
        import psycopg

        with psycopg.connect(self.address(database), autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def set(self, **settings: str) -> None:
        """Change settings that need no restart."""
        for name, value in settings.items():
            self.query(f"ALTER SYSTEM SET {name} = '{value}'", database="postgres")
        self.query("SELECT pg_reload_conf()", database="postgres")

    def promote(self) -> None:
        """Make the standby a primary, and wait until it writes."""
        self.query("SELECT pg_promote(true, 30)", database="postgres")
        deadline = time.monotonic() + 30
        while self.query("SELECT pg_is_in_recovery()", database="postgres") != [(False,)]:
            assert time.monotonic() < deadline, f"{self.name} was not promoted:\n{self.log()}"
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill the postmaster and all backends at once, as a power cut would; returns when none is left."""
        if self.process is None:
            return
        found = self._all()
        for how in (signal.SIGSTOP, signal.SIGKILL):
            for pid in found:
                _signal(pid, how)
        self.process.wait(15)
        _wait_for_end(found)
        self.process = None
        # A killed postmaster's successor finds the file of one that is gone, and a process of that id may be another's.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def freeze(self) -> None:
        """Stop all its processes where they are: sockets stay open, nobody answers."""
        for pid in self._all():
            _signal(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in self._all():
            _signal(pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it in good order."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        self.kill()

    def _all(self) -> list[int]:
        """The postmaster first, so that it starts no other meanwhile. Each backend is the head of its own session."""
        return [self.process.pid, *children(self.process.pid)] if self.process else []

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as its owner. Raises ``AssertionError`` with what it said."""
        done = subprocess.run(
            [programs() / program, *arguments], cwd=self.place, capture_output=True, timeout=120, **owner()
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")


class Cluster:
    """A primary and a standby; ``writable`` is the one that takes writes now."""

    def __init__(self, place: Path, logs: Path, *, delay_s: float = 0.0) -> None:
        self.primary = ClusterServer(place, logs, "primary")
        self.standby = ClusterServer(place, logs, "standby")
        self.writable = self.primary
        self.link = Proxy(fixed_port(), self.primary.port, delay_s=delay_s)
        """The network between the two, each way ``delay_s`` long."""

    def start(self, *, standby: bool = True, synchronous: bool = True) -> None:
        """Start the primary, whose database has the schema and no rows, and a standby that it waits for."""
        self.link.start()
        self.primary.make()
        self.primary.start()
        if standby:
            self.follow(synchronous=synchronous)

    def follow(self, *, synchronous: bool = True) -> None:
        """Make and start the standby."""
        self.standby.follow(self.primary, through=self.link.port)
        self.standby.start(hot_standby="on")
        if synchronous:
            self.primary.set(synchronous_standby_names=STANDBY)
        wanted = "sync" if synchronous else "async"
        _until(lambda: self.states() == [wanted], f"the standby is {wanted}")

    def states(self) -> list[str]:
        """Return how the primary sees its standbys: ``sync`` or ``async`` for each."""
        return [state for (state,) in self.primary.query("SELECT sync_state FROM pg_stat_replication")]

    def fail_over(self, *, after_s: float = 0.5) -> None:
        """Kill the primary, and promote the standby ``after_s`` later."""
        self.primary.kill()
        time.sleep(after_s)
        self.standby.promote()
        self.writable = self.standby

    def url(self) -> str:
        """Return the address for gateways: both servers, of which the driver takes the one that takes writes."""
        both = f"host=127.0.0.1,127.0.0.1&port={self.primary.port},{self.standby.port}"
        return f"postgresql://{USER}@/{DATABASE}?{both}&target_session_attrs=read-write&connect_timeout=2"

    def stop(self) -> None:
        self.standby.kill()
        self.primary.kill()
        self.link.stop()


@contextmanager
def cluster(logs: Path, *, delay_s: float = 0.0, on_disk: bool = False, **how: bool) -> Iterator[Cluster]:
    """A running primary and standby for the length of a block; their logs stay in the folder ``logs``."""
    with owned_folder(on_disk=on_disk) as place:
        found = Cluster(place, logs, delay_s=delay_s)
        try:
            found.start(**how)
            yield found
        finally:
            found.stop()


@cache
def stopped_server() -> Path:
    """Return the files of a stopped server with the database ``cti`` as this version makes it; for this process."""
    place = Path(tempfile.mkdtemp(prefix="cti-cluster-", dir=_memory()))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    _give(place)
    server = ClusterServer(place, place, "stopped")
    server.initialise()
    try:
        server.start(fsync="off")
        server.query(f"CREATE DATABASE {DATABASE}", database="postgres")
        database = open_database(place / "node", f"postgresql://{USER}@127.0.0.1:{server.port}/{DATABASE}")
        database.upgrade()
        database.close()
    finally:
        server.stop()
    return server.data


@contextmanager
def owned_folder(*, on_disk: bool = False) -> Iterator[Path]:
    """A folder of PostgreSQL's user for the length of a block.

    It lies outside of pytest's, which only the user of the tests may enter; in memory where there is room, unless
    ``on_disk``: a killed server leaves all that it has written there as well, and a busy disk takes seconds to sync it.
    """
    place = Path(tempfile.mkdtemp(prefix="cti-cluster-", dir=None if on_disk else _memory()))
    _give(place)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _memory() -> Path | None:
    """Return a folder in memory; None where there is none, or too little."""
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_BYTES
    return MEMORY if has_room else None


def _give(path: Path) -> None:
    if owner():
        shutil.chown(path, "postgres", "postgres")


def children(pid: int) -> list[int]:
    """Return the ids of the processes that ``pid`` has started and that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            state, parent = stat.read_text(errors="replace").rpartition(")")[2].split()[:2]
            if int(parent) == pid and state not in ENDED:
                found.append(int(stat.parent.name))
    return found


def _signal(pid: int, how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, how)


def _wait_for_end(pids: list[int]) -> None:
    for pid in pids:
        _until(lambda pid=pid: _has_ended(pid), f"process {pid} has ended")  # type: ignore[misc]


def _has_ended(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in ENDED


def _until(condition: Callable[[], object], what: str, timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(0.05)
