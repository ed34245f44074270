"""A MariaDB server of the tests' own, on a Unix socket, as Asterisk's tables of calls mostly lie in."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.live.groups import kill_group
from tests.peers import absent, need, need_file

TABLES = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
SMALL = ("--no-defaults", "--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0", "--log-warnings=0")


class MariadbServer:
    """A running server; ``run`` runs statements as its administrator."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._program = folder, need("mariadbd", package="mariadb-server-core")
        (folder / "data").mkdir()
        self._who = ["--user=nobody"] if os.geteuid() == 0 else []
        if self._who:
            shutil.chown(folder, "nobody")
            shutil.chown(folder / "data", "nobody")
        self._make()
        self._process = self._started()

    @property
    def socket(self) -> Path:
        return self.folder / "socket"

    def url(self, user: str, database: str) -> str:
        """Return an address for a source, without the password."""
        return f"mysql+pymysql://{user}@localhost/{database}?unix_socket={self.socket}&charset=utf8mb4"

    def run(self, *statements: str) -> None:
        with self.connected() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """Yield a connection of the administrator's."""
        import pymysql

        connection = pymysql.connect(unix_socket=str(self.socket), user="root", autocommit=True, charset="utf8mb4")
        try:
            yield connection
        finally:
            connection.close()

    def stop(self) -> None:
        """End it at once."""
        kill_group(self._process)

    def start(self) -> None:
        """Start it again."""
        self._process = self._started()

    def _make(self) -> None:
        """Make its own tables, as its script does that needs more packages."""
        script = [need_file(f"/usr/share/mysql/{name}", package="mariadb-server-core") for name in TABLES]
        first = "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n"
        text = first + "".join(path.read_text(encoding="utf-8") for path in script)
        command = [self._program, *SMALL, *self._who, f"--datadir={self.folder / 'data'}", "--bootstrap"]
        subprocess.run(command, input=text.encode(), check=True, capture_output=True, timeout=120)

    def _started(self) -> "subprocess.Popen[bytes]":
        import pymysql

        own = [f"--datadir={self.folder / 'data'}", f"--socket={self.socket}", "--skip-networking"]
        log = (self.folder / "log").open("ab")
        process = subprocess.Popen(
            [self._program, *SMALL, *self._who, *own], stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        deadline = time.monotonic() + 60
        while True:
            try:
                self.run("SELECT 1")
                return process
            except pymysql.OperationalError:
                assert process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, "MariaDB did not begin to listen"
                time.sleep(0.05)


@contextmanager
def mariadb() -> Iterator[MariadbServer]:
    """Run a server meanwhile, or skip."""
    if find_spec("pymysql") is None:
        absent("PyMySQL is not installed (pip install pymysql)")
    folder = Path(tempfile.mkdtemp(prefix="cti-my-"))
    try:
        server = MariadbServer(folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
