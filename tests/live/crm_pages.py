"""Web servers of a CRM and of a stranger, for a browser that takes any name for this machine."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Site(ThreadingHTTPServer):
    """Serves ``pages`` by their host's first label: ``https://crm.test:PORT/``; anything else is a plain word.

    By http without a ``certificate``, a folder with ``cert.pem`` and ``key.pem``.
    """

    daemon_threads = True

    def __init__(self, certificate: Path | None) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.pages: dict[str, str] = {}
        self.scheme = "https" if certificate else "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
            # The handshake is the thread's own: a browser opens connections that it never uses.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def origin(self, name: str) -> str:
        return f"{self.scheme}://{name}.test:{self.server_port}"


class Page(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        name = self.headers.get("Host", "").partition(".")[0]
        body = self.server.pages.get(name, "nothing").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Site]:
    """A site, by https with a ``certificate``; ends when the block does."""
    site = Site(certificate)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    try:
        yield site
    finally:
        site.shutdown()
        site.server_close()
