"""The directory comes from a PostgreSQL that we did not write."""

import glob
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.directory.database import DatabaseConfig, DatabaseSource
from gateway.errors import SourceError
from tests.directory.conftest import T0, Office, office, open_store, store
from tests.live.conftest import free_port
from tests.peers import absent

__all__ = ["office", "open_store", "store"]

ROWS = 3000
SCHEMA = f"""
CREATE SEQUENCE ids;
CREATE TABLE clientes AS SELECT i AS id, 'Padaria São João ' || i AS razao, '(47) 32' || lpad(i::text, 6, '0') AS fone,
    timestamp '2026-05-28 17:00:00' + i * interval '1 second' AS mudou FROM generate_series(1, {ROWS}) AS i;
"""
QUERY = "SELECT id AS codigo, razao AS nome, fone AS telefone FROM clientes"


def programs() -> Path:
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
    if not found or find_spec("psycopg") is None:
        absent(
            "PostgreSQL or psycopg is not installed (Debian: apt-get install postgresql; pip install psycopg[binary])"
        )
    return Path(found[0])


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a fresh PostgreSQL with a table of customers. It refuses to run as root, so it runs as nobody."""
    import psycopg

    folder, port, bin_folder = Path(tempfile.mkdtemp(prefix="cti-pg-")), free_port(), programs()
    who: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    if who:
        shutil.chown(folder, "nobody", "nogroup")
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder} | who
    made = [bin_folder / "initdb", "-D", folder / "data", "-U", "erp", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(made, check=True, timeout=100, **quiet)
    options = ["-D", folder / "data", "-k", folder, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-F"]
    process = subprocess.Popen([bin_folder / "postgres", *options], **quiet)
    try:
        with wait_for(psycopg, f"host=127.0.0.1 port={port} user=erp dbname=postgres") as connection:
            connection.execute(SCHEMA)
        yield f"postgresql+psycopg://erp:s3cret@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(psycopg: Any, address: str) -> Any:
    deadline = time.monotonic() + 60
    while True:
        try:
            return psycopg.connect(address, autocommit=True)
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "PostgreSQL did not begin to listen"
            time.sleep(0.1)


def source(server: str, query: str = QUERY, **more: Any) -> DatabaseSource:
    return DatabaseSource(DatabaseConfig(url=SecretStr(server), query=query, **more), name="erp")


def test_accounts_come_from_it_and_only_changes_later(office: Office, server: str) -> None:
    run = office.take(source(server), "erp")
    assert (run.counts.entries, run.counts.added) == (ROWS, ROWS)
    assert office.accounts()["7"] == ("Padaria São João 7", {"4732000007": ""})
    since = source(server, QUERY + " WHERE mudou >= :since AND mudou::date > '2026-01-01 10:30'")
    assert since.incremental
    # T0 is 17:26:40 in São Paulo's time, 1,600 seconds behind the beginning of the table.
    assert len(list(since.entries(T0))) == ROWS - 1600 + 1
    since.close()


def test_nothing_can_be_written_there(server: str) -> None:
    changing = source(server, "SELECT nextval('ids') AS codigo, 1 AS fone")
    with pytest.raises(SourceError, match="read-only transaction"):
        list(changing.entries(None))
    changing.close()


def test_a_query_that_takes_too_long_is_given_up(server: str) -> None:
    slow = source(server, "SELECT id AS codigo, pg_sleep(5)::text AS fone FROM clientes", timeout_s=0.5)
    with pytest.raises(SourceError, match=r"não terminou em 0\.5 s|statement timeout"):
        list(slow.entries(None))
    slow.close()


def test_what_it_says_is_told_without_the_password(server: str) -> None:
    wrong = source(server, "SELECT nada FROM clientes")
    probe = wrong.probe()
    assert not probe.ok
    assert 'column "nada" does not exist' in probe.detail
    assert "s3cret" not in probe.detail
