"""nginx and PHP-FPM in a temporary folder, on a free port of this machine, as the user who runs the benchmark."""

import glob
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import find_program, free_port, is_open, running, wait_until

SCRIPTS = Path(__file__).parent / "php"
NEEDED = "Debian and Ubuntu: apt install nginx-light php-fpm php-sqlite3 php-soap"

SCHEMA = """
PRAGMA journal_mode=WAL;
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, ramal TEXT NOT NULL,
    telefone TEXT NOT NULL, url_audio TEXT NOT NULL, at INTEGER NOT NULL
);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT, origem TEXT NOT NULL, destino TEXT NOT NULL, at INTEGER NOT NULL, outcome TEXT
);
"""

FPM = """
[global]
pid = {folder}/fpm.pid
error_log = {folder}/fpm.log
daemonize = no

[bench]
listen = {folder}/fpm.sock
listen.backlog = 1024
pm = static
pm.max_children = {children}
{user}
php_admin_value[opcache.enable] = 1
php_admin_value[soap.wsdl_cache_enabled] = 1
php_admin_value[soap.wsdl_cache_dir] = {folder}
"""

NGINX = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location /wconnect/ {{
            include {folder}/parameters.conf;
            fastcgi_param SCRIPT_FILENAME {scripts}/listener.php;
            fastcgi_pass unix:{folder}/fpm.sock;
        }}
        location = /click-to-call {{
            include {folder}/parameters.conf;
            fastcgi_param SCRIPT_FILENAME {scripts}/dial.php;
            fastcgi_pass unix:{folder}/fpm.sock;
        }}
        location = /soap {{
            include {folder}/parameters.conf;
            fastcgi_param SCRIPT_FILENAME {scripts}/soap.php;
            fastcgi_pass unix:{folder}/fpm.sock;
        }}
    }}
}}
"""

# What distributions put into fastcgi_params, as far as the scripts and SoapServer look at it. A location that sets
# one parameter of its own inherits none.
PARAMETERS = """
fastcgi_param QUERY_STRING $query_string;
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param REQUEST_URI $request_uri;
fastcgi_param SERVER_PROTOCOL $server_protocol;
fastcgi_param REMOTE_ADDR $remote_addr;
fastcgi_param SERVER_ADDR $server_addr;
fastcgi_param SERVER_PORT $server_port;
fastcgi_param SERVER_NAME $server_name;
fastcgi_param BENCH_DATABASE {folder}/php.db;
fastcgi_param BENCH_WSDL {folder}/contract.wsdl;
fastcgi_param BENCH_PERSISTENT {persistent};
fastcgi_param BENCH_APPLIANCE {appliance};
"""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How PHP is set up: processes of PHP-FPM, and whether each keeps its database connection."""

    children: int
    persistent: bool

    def __str__(self) -> str:
        kept = "persistent connection" if self.persistent else "connection per request"
        return f"{self.children} processes, {kept}"


@dataclass(frozen=True, slots=True)
class PhpServer:
    """A running nginx with PHP-FPM behind it."""

    folder: Path
    port: int
    pids: tuple[int, int]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rows(self) -> int:
        """Events in PHP's table."""
        with closing(sqlite3.connect(self.folder / "php.db")) as database:
            found: int = database.execute("SELECT count(*) FROM events").fetchone()[0]
            return found


@contextmanager
def php_server(folder: Path, tuning: Tuning, *, wsdl: bytes = b"", appliance: str = "") -> Iterator[PhpServer]:
    """Serve the scripts from ``folder``, which is made; orders go to ``appliance``, a URL up to its query.

    Raises ``Missing`` when nginx or PHP is not installed.
    """
    nginx, fpm = find_nginx(), find_fpm()
    folder.mkdir(parents=True)
    port = free_port()
    _write_files(folder, tuning, port, wsdl, appliance)
    log = folder / "output.log"
    as_root = ["--allow-to-run-as-root"] if os.geteuid() == 0 else []
    with (
        running([fpm, "--nodaemonize", *as_root, "-y", str(folder / "fpm.conf")], log) as fpm_process,
        running([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")], log) as nginx_process,
    ):
        processes = {"php-fpm": fpm_process, "nginx": nginx_process}
        wait_until(lambda: (folder / "fpm.sock").exists() and is_open(port), processes, log)
        yield PhpServer(folder, port, (fpm_process.pid, nginx_process.pid))


def find_nginx() -> str:
    """Raises ``Missing``."""
    return find_program(["nginx"], NEEDED)


def find_fpm() -> str:
    """The newest PHP-FPM: distributions put its version into its name. Raises ``Missing``."""
    versioned = sorted(glob.glob("/usr/sbin/php-fpm*"), reverse=True)
    return find_program(["php-fpm", *versioned], NEEDED)


def _write_files(folder: Path, tuning: Tuning, port: int, wsdl: bytes, appliance: str) -> None:
    with closing(sqlite3.connect(folder / "php.db")) as database:
        database.executescript(SCHEMA)
    (folder / "contract.wsdl").write_bytes(wsdl)
    as_root = os.geteuid() == 0
    values = {"folder": folder, "port": port, "scripts": SCRIPTS, "children": tuning.children}
    parameters = {"folder": folder, "persistent": int(tuning.persistent), "appliance": appliance or '""'}
    (folder / "parameters.conf").write_text(PARAMETERS.format(**parameters))
    (folder / "fpm.conf").write_text(FPM.format(user="user = root\ngroup = root" if as_root else "", **values))
    (folder / "nginx.conf").write_text(NGINX.format(user="user root;" if as_root else "", **values))
