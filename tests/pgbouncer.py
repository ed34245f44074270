"""PgBouncer before the tests' PostgreSQL server."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.peers import need
from tests.postgresql import USER, server, who
from tests.postgresql_log import until

PORT = 6432
SETTINGS = """
[databases]
* = host={server} user={user}
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = {mode}
default_pool_size = 5
server_login_retry = 1
"""


@contextmanager
def pooler(mode: str = "transaction") -> Iterator[Path]:
    """Run PgBouncer in ``mode``; the folder of its socket."""
    program = need("pgbouncer", package="pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="cti-pgb-"))
    settings = folder / "pgbouncer.ini"
    settings.write_text(SETTINGS.format(server=server().folder, user=USER, port=PORT, folder=folder, mode=mode))
    as_whom: dict[str, Any] = who()
    if as_whom:
        for path in (folder, settings):
            shutil.chown(path, as_whom["user"], as_whom["group"])
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, settings], stdout=log, stderr=log, start_new_session=True, **as_whom)
    try:
        until(lambda: is_ready(folder) or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        yield folder
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def is_ready(folder: Path) -> bool:
    try:
        psycopg.connect(f"host={folder} port={PORT} user={USER} dbname=postgres").close()
    except psycopg.OperationalError:
        return False
    return True
