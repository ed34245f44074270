"""What adapters send, overheard for the wire log."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import TypeAdapter

from gateway import adapter as adapters
from gateway.adapter import Limits, Outcome, Outgoing, limits_of
from gateway.store.traffic import Draft, TrafficEntry
from gateway.traffic.recorded_adapters import RecordedAdapter
from tests.fakes import FakeAdapter

ORDER = Outgoing(
    "dial", "9", {"extension": "3501", "number": "047321", "order_id": "9", "call_id": "5", "tenant": "acme"}
)
PASSWORD = "s3nh4-longa"


class Pbx(BaseHTTPRequestHandler):
    """Says yes to whatever it is asked, and repeats the password it was given."""

    def do_GET(self) -> None:
        body = f"Success {PASSWORD}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def pbx() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pbx)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def tapped(address: str) -> tuple[RecordedAdapter, list[Draft]]:
    drafts: list[Draft] = []
    found = adapters.load("url")
    settings = {
        "url": f"http://{address}/dial?to={{{{ number }}}}&pin={{{{ secrets.pin }}}}",
        "success": "Success",
        "auth": "basic",
        "username": "cti",
        "password": PASSWORD,
        "secrets": {"pin": "9876"},
        "timeout_s": 2.0,
    }
    adapter = found(TypeAdapter(found.Config).validate_python(settings), name="pabx")
    return RecordedAdapter(
        adapter, "acme", "pabx", "url", add=lambda draft, _: drafts.append(draft), most_bytes=4096
    ), drafts


def only(drafts: list[Draft]) -> TrafficEntry:
    (draft,) = drafts
    return draft()


def test_a_sent_order_is_kept_with_its_answer_and_without_its_secrets(pbx: str) -> None:
    adapter, drafts = tapped(pbx)
    assert adapter.deliver(ORDER).outcome is Outcome.ACCEPTED
    found = only(drafts)
    adapter.close()
    assert found.request.startswith(b"GET /dial?to=047321&pin=**** HTTP/1.1\r\n")
    assert b"Authorization: Basic ****\r\n" in found.request
    assert found.answer.startswith(b"HTTP/1.0 200 OK\r\nServer: BaseHTTP/")
    assert found.answer.endswith(b"\r\n\r\nSuccess ****")
    assert (found.way, found.peer, found.wire, found.operation, found.call_id) == ("out", "pabx", "url", "dial", 5)
    assert (found.status, found.note) == ("200 OK", pbx)


def test_what_was_sent_is_what_the_preview_showed(pbx: str) -> None:
    adapter, drafts = tapped(pbx)
    (shown,) = adapter.preview(ORDER)
    assert drafts == [], "a preview sends nothing"
    adapter.deliver(ORDER)
    adapter.close()
    assert only(drafts).request.decode().replace("Basic ****", "****") == shown.shown().replace("Basic ****", "****")


def test_a_peer_that_is_not_there_is_kept_with_the_reason() -> None:
    adapter, drafts = tapped("127.0.0.1:9")
    assert adapter.deliver(ORDER).outcome is Outcome.UNREACHABLE
    adapter.close()
    found = only(drafts)
    assert found.answer == b""
    assert found.status != ""
    assert not found.status.startswith("2")


def test_nobody_overhears_outside_a_tap(pbx: str) -> None:
    adapter, drafts = tapped(pbx)
    adapter.adapter.deliver(ORDER)
    adapter.close()
    assert drafts == []


def test_a_tapped_adapter_can_do_what_the_adapter_can() -> None:
    class Able(FakeAdapter):
        can_hang_up = True
        limits = Limits(max_orders=2)

        def hangup(self, message: Outgoing) -> Any:
            return self.answer(message)

    adapter = RecordedAdapter(Able(), "acme", "pabx", "url", add=lambda *_: None, most_bytes=10)  # type: ignore[arg-type]
    assert adapters.can_hang_up(adapter)
    assert limits_of(adapter).max_orders == 2
    assert adapter.hangup(ORDER).outcome is Outcome.ACCEPTED
    plain = RecordedAdapter(FakeAdapter(), "acme", "pabx", "url", add=lambda *_: None, most_bytes=10)  # type: ignore[arg-type]
    assert not adapters.can_hang_up(plain)
    assert limits_of(plain) == Limits()
