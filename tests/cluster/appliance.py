"""The simulated PBX of all nodes: counts what it is told to dial, and how much at once."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.cluster.history import Dialled, History


class Pbx:
    """Dials whatever it is told, each within ``takes_s``; ``now`` is how many it dials at the moment,
    ``most`` how many it ever did at once.
    """

    def __init__(self, history: History, *, takes_s: float = 0.0) -> None:
        self.takes_s = takes_s
        self.most = 0
        self.now = 0
        self._lock = threading.Lock()
        self._history = history
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def dial(self, tenant: str, number: str) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self._history.add(Dialled(tenant, number))
        time.sleep(self.takes_s)
        with self._lock:
            self.now -= 1

    @contextmanager
    def serving(self) -> Iterator["Pbx"]:
        threading.Thread(target=self._server.serve_forever, name="pbx", daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()


def _handler(pbx: Pbx) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            if "number" in asked:  # 'check' asks whether it is there
                pbx.dial(asked["tenant"][0], asked["number"][0])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"OK")

        def log_message(self, *_: object) -> None:
            pass

    return Handler
