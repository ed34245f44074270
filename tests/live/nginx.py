"""A real nginx that runs the configuration of docs/reverse-proxy.md."""

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live.conftest import LiveGateway, free_port
from tests.peers import need

DOCS = Path(__file__).parents[2] / "docs" / "reverse-proxy.md"
HOST = "cti.acme.com.br"
SAYS_WHO = "X-Test-Client"
"""The header by which a test says from where it asks: nginx takes it for the address of its client."""

AROUND = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
    set_real_ip_from 127.0.0.0/8;
    real_ip_header {says_who};
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server_names_hash_bucket_size 64;
    {sample}
    server {{
        listen 127.0.0.1:{bare};
        location / {{ proxy_pass http://127.0.0.1:{gateway}; }}
    }}
    server {{
        listen 127.0.0.1:{lenient_front};
        underscores_in_headers on;
        location / {{
            proxy_pass http://127.0.0.1:{lenient};
            proxy_set_header X-Forwarded-For $remote_addr;
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """``https`` is the port of the sample, ``bare`` one with nothing but ``proxy_pass``; ``lenient`` stands before the
    lenient port, with ``underscores_in_headers on``.
    """

    folder: Path
    http: int
    https: int
    bare: int
    lenient: int

    def curl(self, address: str, *options: str, client: str = "203.0.113.9", host: str = HOST) -> tuple[int, str]:
        """Status and body of ``https://HOST`` with ``address`` behind it, as ``client`` asks for it."""
        url = address if address.startswith("http") else f"https://{host}:{self.https}{address}"
        known = ("--cacert", str(self.folder / "cert.pem"), "--resolve", f"{host}:{self.https}:127.0.0.1")
        done = subprocess.run(
            ["curl", "-sS", "-m", "20", "-w", "\n%{http_code}", *known, "-H", f"{SAYS_WHO}: {client}", *options, url],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body


@contextmanager
def serve(gateway: LiveGateway, lenient: int, folder: Path) -> Iterator[Nginx]:
    """nginx in front of ``gateway``, whose second port is ``lenient``; ends when the block does."""
    program = need("nginx", package="nginx-light")
    need("curl", package="curl")
    make_certificate(folder)
    made = Nginx(folder, *(free_port() for _ in range(4)))
    around = AROUND.format(
        folder=folder,
        says_who=SAYS_WHO,
        sample=sample(made, gateway.port),
        bare=made.bare,
        gateway=gateway.port,
        lenient_front=made.lenient,
        lenient=lenient,
    )
    (folder / "nginx.conf").write_text(around)
    command = [program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"), "-p", str(folder)]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=30, check=False)
    assert tested.returncode == 0, tested.stderr
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(made.https)
        yield made
    finally:
        process.terminate()
        process.wait(20)


def sample(nginx: Nginx, gateway: int) -> str:
    """The sample as it stands in the documentation, on the ports and with the files of this test."""
    found = re.search(r"<!-- nginx -->\n```nginx\n(.+?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    replaced = {
        "listen 80;": f"listen 127.0.0.1:{nginx.http};",
        "listen 443 ": f"listen 127.0.0.1:{nginx.https} ",
        "127.0.0.1:8080": f"127.0.0.1:{gateway}",
        "/etc/ssl/cti-gateway/fullchain.pem": f"{nginx.folder}/cert.pem",
        "/etc/ssl/cti-gateway/privkey.pem": f"{nginx.folder}/key.pem",
        "/var/log/nginx/": f"{nginx.folder}/",
    }
    text = found[1]
    for written, ours in replaced.items():
        assert text.count(written) == 1, written
        text = text.replace(written, ours)
    return text


def make_certificate(folder: Path) -> None:
    """A certificate for the sample's host names, signed by itself."""
    openssl = need("openssl", package="openssl")
    names = f"subjectAltName=DNS:{HOST},DNS:*.cti.example.com"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"), "-days", "2"]
    subject = ["-subj", f"/CN={HOST}", "-addext", names]
    subprocess.run([*command, *files, *subject], capture_output=True, timeout=60, check=True)


def wait_for(port: int, within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nginx does not listen")
