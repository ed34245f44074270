"""A gateway that is killed while it tells CRMs of events: nothing is lost, and only what was under way comes twice."""

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.live.conftest import LiveGateway, start_gateway
from tests.live.desk import listen, until
from tests.live.groups import kill_group

CALLS = 20
KILLS = 2
PARALLEL = 4
TAKES_S = 0.05
CONFIG = """
[tenants.default.forwards.safe]
adapter = "url"
url = "http://127.0.0.1:{port}/safe?kind={{{{ kind }}}}&id={{{{ call_id }}}}"
success = "^OK"
idempotent = true
expires = {{ call_started = "never" }}
[tenants.default.forwards.once]
adapter = "url"
url = "http://127.0.0.1:{port}/once?kind={{{{ kind }}}}&id={{{{ call_id }}}}"
success = "^OK"
expires = {{ call_started = "never" }}
parallel = 4
"""
Told = tuple[str, str, str]
"""Which forward, which kind of event, of which call."""


@contextmanager
def crm() -> Iterator[tuple[int, list[Told]]]:
    """A CRM that takes its time; its port, and what came, in order."""
    came: list[Told] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            came.append((path.strip("/"), query["kind"][0], query["id"][0]))
            time.sleep(TAKES_S)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"OK")

        def log_message(self, *_: object) -> None:
            pass

        def handle_error(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1], came
    finally:
        server.shutdown()


def ring_and_end(gateway: LiveGateway, count: int) -> None:
    """A call at an extension of its own, from start to end."""
    told = {"ramal": str(3000 + count), "telefone": f"479999{count:05}"}
    listen(gateway, "ConsultaRamal", **told)
    listen(gateway, "FinalizaLigacao", **told)


def letters(gateway: LiveGateway) -> list[tuple[str, str | None, str | None]]:
    """Target, state and reason of every letter."""
    with closing(sqlite3.connect(gateway.data / "gateway.db", timeout=20)) as database:
        return database.execute("SELECT target, state, reason FROM outbox").fetchall()


def is_settled(gateway: LiveGateway) -> bool:
    return all(state for _, state, _ in letters(gateway))


def test_kills_lose_nothing_and_double_only_what_was_under_way(tmp_path: Path) -> None:
    with crm() as (port, came):
        config = tmp_path / "gateway.toml"
        config.write_text(CONFIG.format(port=port), encoding="utf-8")
        gateway = start_gateway(tmp_path / "data", config=config)
        for kill in range(KILLS):
            with ThreadPoolExecutor(8) as pool:
                first = kill * CALLS
                list(pool.map(ring_and_end, [gateway] * CALLS, range(first, first + CALLS)))
            kill_group(gateway.process)
            gateway = start_gateway(tmp_path / "data", config=config, port=gateway.port)
        try:
            until(lambda: is_settled(gateway), timeout_s=60)
        finally:
            gateway.stop()
        check(came, letters(gateway))


def check(came: list[Told], found: list[tuple[str, str | None, str | None]]) -> None:
    times, events = Counter(came), 2 * CALLS * KILLS
    for target in ("safe", "once"):
        assert len({told for told in times if told[0] == target}) == events, "nothing is lost"
    twice = sum(number - 1 for told, number in times.items() if told[0] == "once")
    assert twice <= PARALLEL * KILLS, "only what was under way comes twice"
    assert {state for _, state, _ in found} == {"delivered"}
    first = {told: place for place, told in reversed(list(enumerate(came)))}
    for target, kind, call in times:
        start = first.get((target, "call_started", call))
        if kind == "call_ended" and start is not None:
            assert start < first[target, "call_ended", call], "the start goes before the end"
