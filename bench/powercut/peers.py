"""The machines that the gateway speaks to: an appliance that dials, and a listener that is told of events.

Both write down each request before they answer, so that what they got is known whatever happens to the gateway.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

LONGEST_ANSWER_S = 0.03
REFUSED_SHARE = 0.004
"""Of the events that the listener is told of: it answers 503, and wants them again."""


class Peers:
    """``note(line)`` gets what ``Promises`` reads; ``round_no`` is the round that the gateway is in."""

    def __init__(self, note: Callable[[str], None], seed: str) -> None:
        self._note = note
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.round_no = 0
        self.port = 0
        self.busy = 0
        """Requests that they are answering."""

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer on ``port`` for the length of a block."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()

    def answer(self, address: str) -> int:
        """Return the status of the answer to a request."""
        with self._lock:
            self.busy += 1
        try:
            return self._answer(address)
        finally:
            with self._lock:
                self.busy -= 1

    def _answer(self, address: str) -> int:
        url = urlsplit(address)
        fields = dict(parse_qsl(url.query))
        if url.path == "/dial":
            self._note(f"dial {fields['number']} {fields['order']} {self.round_no}")
            time.sleep(self._random.uniform(0, LONGEST_ANSWER_S))
            return 200
        if self._random.random() < REFUSED_SHARE:
            return 503
        self._note(f"told {fields['kind']} {fields['number']}")
        return 200

    def configuration(self) -> str:
        """The tables of the configuration that name them."""
        return CONFIGURATION.format(address=f"http://127.0.0.1:{self.port}")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self.answer

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with suppress(ConnectionError):  # the power is gone
                    super().handle()

            def do_GET(self) -> None:
                status = answer(self.path)
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"OK")

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        return Handler


CONFIGURATION = """
[tenants.bench.appliances.pbx]
adapter = "url"
url = "{address}/dial?number={{{{ number }}}}&order={{{{ order_id }}}}"
success = "^OK"

[tenants.bench.forwards.crm_started]
adapter = "url"
on = ["call_started"]
expires = {{ call_started = "never" }}
url = "{address}/told?kind=call_started&number={{{{ telefone }}}}"
success = "^OK"

[tenants.bench.forwards.crm_ended]
adapter = "url"
on = ["call_ended"]
url = "{address}/told?kind=call_ended&number={{{{ telefone }}}}"
success = "^OK"
"""
