"""Whatever strangers send to a source: no defect, no event, and little time."""

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.mapping.test_authenticity import DIDWW, MANGO, PLIVO, SINCH, STANDARD, STANDARD_KEY, TELNYX, TWILIO, ZADARMA
from tests.wire.peers import OUTSIDE, Peer

KEY = "a key of sixteen or more"
PUBLIC_KEY = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "path": ({"kind": "path"}, KEY),
    "query": ({"kind": "query", "parameter": "token"}, KEY),
    "basic": ({"kind": "basic", "login": "pbx"}, KEY),
    "header": ({"kind": "header", "header": "X-Secret", "scheme": "Token"}, KEY),
    "body": ({"kind": "body", "field": "a.b.0.token"}, KEY),
    "secret": ({"kind": "secret"}, KEY),
    "twilio": (TWILIO, KEY),
    "didww": (DIDWW, KEY),
    "plivo": (PLIVO, KEY),
    "zadarma": (ZADARMA, KEY),
    "mango": (MANGO, KEY),
    "sinch": (SINCH, "BeIukql3pTKJ8RGL5zo0DA=="),
    "standard": (STANDARD, STANDARD_KEY),
    "telnyx": (TELNYX, PUBLIC_KEY),
    "jwt": ({"kind": "jwt"}, KEY),
}
TRIAL = {"equals": {"event": "NOTIFY_TRIAL"}, "json": {"a": "{@hmac(token)}"}}
ECHO = {"present": "@query.echo", "headers": {"X-Echo": "{@query.echo}"}, "body": "{@query.echo}", "signed": False}
SOURCES = {
    name: {
        "kind": "webhook",
        "secret": secret,
        "mapping": {"other": "ended", "authenticity": rules, "handshakes": [TRIAL, ECHO]},
    }
    for name, (rules, secret) in KINDS.items()
}
HEADERS = sorted(
    {rules[key] for rules, _ in KINDS.values() for key in ("header", "timestamp_header") if rules.get(key)}
    | {"Authorization", "X-Token-Auth", "webhook-id", "X-Plivo-Signature-V3-Nonce"}
)
TYPES = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/xml",
    "",
    "\x80",
]
BODIES = st.one_of(
    st.binary(max_size=300),
    st.dictionaries(st.sampled_from(["token", "event", "json", "sign", "a"]), st.text(max_size=20))
    .map(json.dumps)
    .map(str.encode),
    st.sampled_from(
        [
            b"[" * 2000,
            b'{"a":' * 2000,
            b"a=1&" * 3000,
            b"%" * 3000,
            b"<" * 3000,
            b'{"token":"\\ud800"}',
            b"event=NOTIFY_START",
        ]
    ),
)
VALUES = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60),
    st.sampled_from(
        ["v1,", "v1,AAAA", "Bearer a.b.c", "Basic OjpA", "Token ", "0" * 5000, "9" * 400, "application x:y", "?"]
    ),
)


@pytest.fixture(scope="module")
def peer() -> Peer:
    return Peer({"tenants": {"acme": {"sources": SOURCES}}}, address=OUTSIDE)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(sorted(KINDS)),
    method=st.sampled_from(["POST", "GET", "PUT", "HEAD", "DELETE"]),
    tail=st.text(max_size=20),
    query=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60),
    kind=st.sampled_from(TYPES),
    body=BODIES,
    headers=st.dictionaries(st.sampled_from(HEADERS), VALUES, max_size=4),
    # So many addresses that none of them is held back.
    host=st.integers(1, 2**24 - 1),
)
@example("body", "POST", "", "", TYPES[0], b'{"a":{"b":[{"token":"\\ud800"}]}}', {}, 1)
@example("zadarma", "POST", "", "", TYPES[0], b'{"event":"NOTIFY_START","caller_id":"\\ud800"}', {"Signature": "x"}, 1)
@example("zadarma", "POST", "", "", TYPES[1], b"event=NOTIFY_START&caller_id=%ff", {"Signature": "\u00e9"}, 1)
@example("twilio", "POST", "", "a=%ff&bodySHA256=%ff", TYPES[0], b"{}", {"X-Twilio-Signature": "x"}, 1)
@example("twilio", "POST", "%", "", TYPES[1], b"a=%ff&a=%00", {"X-Twilio-Signature": "x", "Host": "[::1"}, 1)
@example("jwt", "POST", "", "", TYPES[0], b"{}", {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}, 1)
@example("telnyx", "POST", "", "", TYPES[0], b"{}", {"telnyx-signature-ed25519": "=" * 88, "telnyx-timestamp": "1"}, 1)
def test_no_stranger_gets_in_or_finds_a_defect(
    peer: Peer,
    name: str,
    method: str,
    tail: str,
    query: str,
    kind: str,
    body: bytes,
    headers: dict[str, str],
    host: int,
) -> None:
    environ = {
        "REMOTE_ADDR": f"198.{host >> 16}.{host >> 8 & 255}.{host & 255}",
        "QUERY_STRING": query,
        "PATH_INFO": f"/t/acme/in/{name}/{tail}".encode("utf-8", "surrogatepass").decode("latin-1"),
        "CONTENT_TYPE": kind,
    }
    environ |= {f"HTTP_{header.upper().replace('-', '_')}": value for header, value in headers.items()}
    began = time.process_time()
    got = peer.send(method, "/", data=body if method not in ("GET", "HEAD") else None, environ=environ)
    took_s = time.process_time() - began
    echoed = got.status_code == 200 and "echo=" in query
    assert echoed or got.status_code in (400, 401, 403, 405, 413, 429), (got.status_code, got.data)
    assert peer.core.messages == []
    assert took_s < 0.5
