"""No body, whatever it holds, ends in an error of ours or takes long: over the mappings of all presets.

Bodies are those of the presets' own tests, changed at random, and made-up documents of the same names.
"""

import json
from collections.abc import Callable
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.presets.files import Catalogue
from gateway.mapping.bodies import MOST_BYTES, WebhookRequest
from gateway.mapping.engine import interpret
from gateway.mapping.events import Interpretation
from gateway.mapping.explained import rows
from gateway.mapping.facts import MappingSource
from gateway.mapping.guessing import guess
from gateway.mapping.requests import parsed_request
from gateway.mapping.schema import WebhookMapping
from gateway.mapping.trials import request_of
from tests.loops import cpu_s, loops

MOST_LOOPS = 20
"""A request may cost as much processor time as so many small loops: about 50 ms on a usual machine of 2023."""
SOURCE = MappingSource(ZoneInfo("America/Sao_Paulo"), {"ana": "201"})
CATALOGUE = Catalogue()
MAPPINGS = {name: found for name in CATALOGUE.names() if (found := CATALOGUE.preset(name).webhook)}
BODIES = [request_of(trial) for mapping in MAPPINGS.values() for trial in mapping.tests]
KINDS = ["", "application/json", "application/x-www-form-urlencoded", "text/xml", "multipart/form-data; boundary=x"]
SIGNS = [b'"', b"{", b"}", b"[", b"<", b"&", b"=", b"\\", b"\x00", b"%"]
CATASTROPHE = "(?:a|a)*(?:a+)+$"


def values() -> st.SearchStrategy[object]:
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.sampled_from(
        ["", "null", "1772715802", "2026-03-05T10:03:22", "00:01:15", "+551133334444", "sip:201@x", "ring", "a" * 5000]
    )  # fmt: skip
    names = st.sampled_from(
        ["event", "type", "data", "call", "id", "from", "to", "status", "parties", "msg", "members"]
    )
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(names | st.text(max_size=8), inner)
    )  # fmt: skip


@st.composite
def changed(draw: Callable[..., object]) -> bytes:
    """A body of a preset's test with pieces cut out, doubled or replaced."""
    body: bytes = draw(st.sampled_from(BODIES)).body  # type: ignore[attr-defined]
    for _ in range(draw(st.integers(0, 4))):  # type: ignore[call-overload]
        at, length = draw(st.integers(0, max(len(body), 1))), draw(st.integers(0, 20))
        piece = draw(
            st.binary(max_size=8) | st.sampled_from([b'"', b"{", b"}", b"[", b"<", b"&", b"=", b"\\", b"\x00", b"%"])
        )
        body = body[:at] + piece * draw(st.integers(0, 3)) + body[at + length :]  # type: ignore[operator]
    return body


def requests() -> st.SearchStrategy[WebhookRequest]:
    documents = values().map(lambda value: json.dumps(value).encode())
    return st.builds(
        WebhookRequest,
        body=changed() | documents | st.binary(max_size=400),
        content_type=st.sampled_from(KINDS) | st.text(max_size=40),
        query=st.text(max_size=60),
        headers=st.dictionaries(st.text(max_size=12), st.text(max_size=20), max_size=4),
        tail=st.text(max_size=30),
    )


@pytest.mark.fuzz
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(sorted(MAPPINGS)), request=requests())
def test_no_body_is_too_much_for_a_preset(name: str, request: WebhookRequest) -> None:
    made = timely(partial(interpret, MAPPINGS[name], request, SOURCE))
    for event in made.events:
        assert list(rows(event))


@pytest.mark.fuzz
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=requests())
def test_no_body_is_too_much_for_a_guess(request: WebhookRequest) -> None:
    mapping = WebhookMapping.model_validate(guess([request]))
    interpret(mapping, request, SOURCE)


@pytest.mark.fuzz
@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=300))
def test_no_saved_request_is_too_much(raw: bytes) -> None:
    parsed_request(raw)


def timely(work: Callable[[], Interpretation]) -> Interpretation:
    """Return what ``work`` does, which takes no longer than it may, of processor time."""
    made: list[Interpretation] = []
    assert loops(lambda: cpu_s(lambda: made.append(work())), most=MOST_LOOPS) < MOST_LOOPS
    return made[0]


LARGE = {
    "nested lists": b"[" * 30 + b"1" + b"]" * 30,
    "many objects": b"[" + b",".join([b'{"event":"newCall","callId":"1","from":"1"}'] * 5000) + b"]",
    "one long text": b'{"event": "' + b"a" * (MOST_BYTES - 50) + b'"}',
    "open quotes": b'{"msg":"{' * 20_000,
    "brackets": b"[{" * (MOST_BYTES // 2),
    "shut brackets": b"[]" * (MOST_BYTES // 2),
    "pairs": b"a[]=1&" * 900 + b"event=x",
    "deep names": b"a" + b"[b]" * 20_000 + b"=1",
    "elements": b"<a>" + b"<b x='1'>2</b>" * 9_000 + b"</a>",
    "parts": b"--x\r\n" + b'Content-Disposition: form-data; name="a"\r\n\r\n1\r\n--x\r\n' * 900,
    "lines": b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"\n" * 200_000 + b"--x--",
    "few parts": b"--x\r\n" + b'Content-Disposition: form-data; name="a"\r\n\r\n1\r\n--x\r\n' * 90,
    "heads": b"--x\r\n" + b'Content-Disposition: form-data; name="a"\r\n' * 3900 + b"\r\n1\r\n--x--",
    "blanks": b" " * (MOST_BYTES - 2) + b"{}",
    "escapes": b"event=" + b"%41" * 80_000,
}


@pytest.mark.fuzz
@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("name", LARGE)
def test_no_large_body_holds_a_thread_up(name: str, kind: str) -> None:
    request = WebhookRequest(LARGE[name], kind)
    mapping = WebhookMapping.model_validate(
        {
            "event": [{"path": "event", "match": CATASTROPHE}, "*.event", "a.*.b.*.c"],
            "kinds": {"*a*a*a*": "started", "x": "ended"},
            "for_each": "*",
            "json_in": ["msg", "a"],
            "values": {"id": "*.*.*.id", "rang": "*.*"},
        }
    )
    timely(partial(interpret, mapping, request, SOURCE))
