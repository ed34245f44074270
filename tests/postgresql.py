"""A PostgreSQL server of the tests' own: started once for each test process when the first test asks for a database.

It listens on a Unix socket only, and syncs nothing: what it keeps lives no longer than the tests.
"""

import atexit
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from gateway.store.database import open_database
from gateway.store.postgresql.database import PostgresqlDatabase, open_postgresql
from tests.live.sid import ROOT, in_sid
from tests.peers import absent, need_file

QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200", "listen_addresses=")
TEMPLATE = "cti_template"
USER = "cti"
GUARDED = "guarded"
"""A user that may do everything, with its password."""
PR_SET_PDEATHSIG = 1
WANTED = "CTI_TESTS_ON"
"""The variable by which the option ``--database`` (tests/conftest.py) reaches what opens databases."""
FROM = "CTI_TESTS_POSTGRESQL"
"""The variable by which the option ``--postgresql-from`` reaches what starts servers."""
NOBODY: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []}
"""Who has the same number here and in the small Debian sid."""
_numbers = count(1)
_empty: list[str] = []
EMPTY = """
DO $$
DECLARE each text; is_used boolean;
BEGIN
    SET LOCAL lock_timeout = '20s';
    SET LOCAL session_replication_role = replica;  -- no triggers
    FOR each IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND NOT relispartition AND relname <> 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', each) INTO is_used;
        IF is_used THEN EXECUTE format('DELETE FROM %I', each); END IF;
    END LOOP;
    FOR each IN SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL LOOP
        PERFORM setval(each::regclass, 1, false);
    END LOOP;
    INSERT INTO counters SELECT * FROM kept.counters;
    INSERT INTO call_ranges SELECT * FROM kept.call_ranges;
END $$
"""


class PostgresqlServer:
    """A running server. ``url`` names one of its databases; ``run`` runs a statement in the database ``postgres``.

    What lies in ``kept``, a folder, stays there for the next server that is started with it.
    """

    def __init__(self, programs: Path, *settings: str, kept: Path | None = None) -> None:
        self._is_kept = kept is not None
        self.folder = kept or Path(tempfile.mkdtemp(prefix="cti-pg-"))
        self.folder.mkdir(exist_ok=True)
        owner = who()
        if owner:
            shutil.chown(self.folder, owner["user"], owner["group"])
        as_whom: dict[str, Any] = {} if is_from_sid() else owner
        self._quiet: dict[str, Any] = {"cwd": self.folder, "stdout": subprocess.DEVNULL} | as_whom
        if not (self.folder / "data").exists():
            self._make_data(programs)
        options = [part for setting in (*QUICK, *settings) for part in ("-c", setting)]
        command = [*command_of(programs / "postgres"), "-D", self.folder / "data", "-k", self.folder, *options]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # nothing that a thread could hold is needed for it
                **self._quiet,
            )
        self._wait()

    def _make_data(self, programs: Path) -> None:
        """Make an empty cluster."""
        made = [*command_of(programs / "initdb"), "-D", self.folder / "data", "-U", USER, "-A", "trust"]
        # Sorted as people do, which texts of ours are not to follow.
        made += ["-E", "UTF8", "--no-sync", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=pt-BR"]
        subprocess.run(made, check=True, timeout=100, stderr=subprocess.DEVNULL, **self._quiet)
        with (self.folder / "data" / "pg_hba.conf").open("r+") as file:
            usual = file.read()
            file.seek(0)
            file.write(f"local all {GUARDED} scram-sha-256\n{usual}")

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def run(self, statement: str, database: str = "postgres") -> list[Any]:
        import psycopg

        with psycopg.connect(f"host={self.folder} user={USER} dbname={database}", autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return list(cursor.fetchall()) if cursor.description else []

    def stop(self) -> None:
        if self._is_kept:
            self._process.send_signal(signal.SIGINT)  # writes everything down first
            self._process.wait(300)
            return
        self._process.send_signal(signal.SIGQUIT)  # at once, with all that serve a connection
        self._process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop all its processes where they are for the length of a block: sockets stay open, nobody answers."""
        from tests.cluster.servers import children

        found = [self._process.pid, *children(self._process.pid)]  # the postmaster first: it starts no other then
        try:
            _signal_all(found, signal.SIGSTOP)
            yield
        finally:
            _signal_all(found, signal.SIGCONT)

    def _wait(self) -> None:
        import psycopg

        deadline = time.monotonic() + 60
        while True:
            try:
                self.run("SELECT 1")
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, "PostgreSQL did not begin to listen"
                time.sleep(0.05)


def _signal_all(pids: list[int], how: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, how)


def _end_with_parent() -> None:
    """Have the kernel end the server when the tests are killed: it would stay for ever."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def is_wanted() -> bool:
    """Whether tests that have one kind of database are to have PostgreSQL."""
    return os.environ.get(WANTED) == "postgresql"


def is_from_sid() -> bool:
    """Whether the server is to be that of the small Debian sid, which is newer than this machine's."""
    return os.environ.get(FROM) == "sid"


def command_of(program: Path) -> list[str]:
    """Return what begins the command of one of PostgreSQL's programs; in the Debian sid they drop root themselves."""
    if not is_from_sid():
        return [str(program)]
    if os.geteuid() != 0:
        absent("only root can start the PostgreSQL of the small Debian sid as somebody else")
    become = ("--reuid=nobody", "--regid=nogroup", "--clear-groups", "--pdeathsig", "keep")
    return [*in_sid("/usr/bin/setpriv"), *become, str(program)]


def who() -> dict[str, Any]:
    """As whom the server runs: it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    if is_from_sid():
        return NOBODY
    names = {each.pw_name for each in pwd.getpwall()}
    return {"user": "postgres" if "postgres" in names else "nobody", "group": "nogroup", "extra_groups": []}


def programs() -> Path:
    """Return the folder of PostgreSQL's programs, there where they run, or skip (fail in CI)."""
    if find_spec("psycopg") is None:
        absent("psycopg is not installed (pip install psycopg[binary])")
    if is_from_sid():
        found = sorted(ROOT.glob("usr/lib/postgresql/*/bin/postgres"))
        if not found:
            absent(f"there is no PostgreSQL in {ROOT}: make it with .ci/sid, as root (two minutes, 1 GB)")
        return Path("/") / found[-1].parent.relative_to(ROOT)
    return need_file("/usr/lib/postgresql/*/bin/postgres", package="postgresql").parent


@cache
def _started() -> PostgresqlServer:
    started = PostgresqlServer(programs())
    atexit.register(started.stop)
    return started


@cache
def server() -> PostgresqlServer:
    """Return the server of this test process; it has a database with this version's schema to copy from."""
    started = _started()
    started.run(f"DROP DATABASE IF EXISTS {TEMPLATE}")
    started.run(f"CREATE DATABASE {TEMPLATE}")
    started.run(f"DROP ROLE IF EXISTS {GUARDED}")
    started.run(f"CREATE ROLE {GUARDED} SUPERUSER LOGIN PASSWORD '{FreshDatabase.PASSWORD}'")
    database = open_database(started.folder, started.url(TEMPLATE))
    database.upgrade()
    database.close()
    kept = (f"CREATE TABLE kept.{each} AS SELECT * FROM public.{each}" for each in ("counters", "call_ranges"))
    started.run("; ".join(("CREATE SCHEMA kept", *kept)), TEMPLATE)
    return started


class FreshDatabase:
    """A database of a test's own with this version's schema, and its address. ``open`` it as often as wanted.

    Given back, it is emptied for the next test: to make one takes five times as long.
    """

    PASSWORD = "s3nha-do-banco"

    def __init__(self) -> None:
        self.name = _empty.pop() if _empty else _made()
        self.url = server().url(self.name)

    @property
    def guarded_url(self) -> str:
        """Its address for a user that needs ``PASSWORD``."""
        return self.url.replace(f"//{USER}@", f"//{GUARDED}@")

    def open(self, data: Path) -> PostgresqlDatabase:
        return open_postgresql(self.url, data)

    def give_back(self) -> None:
        server().run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'")
        server().run(EMPTY, self.name)
        _empty.append(self.name)


def _made() -> str:
    name = f"cti_{next(_numbers)}"
    server().run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    return name
