"""The recordings of real clients, byte for byte, against a real server: what HTTP itself makes of them."""

import json

import pytest

from tests.live.conftest import LiveGateway
from tests.recordings.replay import CASES, HERE, on_socket

EVENTS = [
    case for case in CASES if json.loads((HERE / case / "expected.json").read_text())["means"]["message"][:4] == "Call"
]


@pytest.mark.parametrize("case", EVENTS)
def test_a_recorded_request_is_taken_from_the_socket(gateway: LiveGateway, case: str) -> None:
    answer = on_socket((HERE / case / "request").read_bytes(), gateway.port)
    final = answer.partition(b"100 Continue\r\n\r\n")[2] or answer
    head, _, body = final.partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == b"200", final
    assert b"OK" in body
    assert f"content-length: {len(body)}".encode() in head.lower()
