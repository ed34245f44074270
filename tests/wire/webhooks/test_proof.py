"""Sources that prove themselves, at their address: what comes in, what is answered, what the traffic log keeps."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.errors import StoreUnavailable
from gateway.store.traffic import Draft, RemarkCode, TrafficEntry
from gateway.wire.traffic import Recorder
from tests.wire.peers import NOW, OUTSIDE, Peer

KEY = "a key of sixteen or more"
MAPPING = {"event": "type", "kinds": {"ring": "started"}, "values": {"id": "id", "extension": "ext", "number": "from"}}
RING = {"type": "ring", "id": "7", "ext": "201", "from": "4733334444"}
SIPGATE = {
    "authenticity": {"kind": "query", "parameter": "token"},
    "replies": {
        "ring": {"type": "application/xml", "body": '<Response onAnswer="{@url}" id="{@call_id}" of="{from}"/>'}
    },
}
ZOOM = {
    "authenticity": {
        "kind": "hmac",
        "header": "x-zm-signature",
        "prefix": "v0=",
        "signed": "v0:{timestamp}:{body}",
        "timestamp_header": "x-zm-request-timestamp",
    },
    "handshakes": [
        {"equals": {"type": "validate"}, "json": {"plain": "{plain}", "made": "{@hmac(plain)}"}},
        {"present": "@query.echo", "body": "{@query.echo}", "signed": False},
    ],
    "reply": {"json": {"ok": True}},
}


def source(mapping: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"kind": "webhook", "mapping": MAPPING | (mapping or {}), "secret": KEY} | more


CONFIG = {
    "tenants": {
        "acme": {
            "public_url": "https://gw.example.com",
            "sources": {
                "any": source(),
                "path": source({"authenticity": {"kind": "path"}}),
                "basic": source({"authenticity": {"kind": "basic"}}),
                "body": source({"authenticity": {"kind": "body", "field": "auth.token"}}),
                "sipgate": source(SIPGATE),
                "zoom": source(ZOOM),
                "url": source({"authenticity": {"kind": "hmac", "header": "X-Sign", "signed": "{url}{body}"}}),
            },
        },
        "beta": {"sources": {"zoom": source(ZOOM, secret="another company's key"), "open": source(secret=[])}},
    }
}


@dataclass
class Kept:
    """A stranger at the entrance, and the traffic log as a list."""

    drafts: list[Draft] = field(default_factory=list)
    peer: Peer = field(init=False)

    def __post_init__(self) -> None:
        recorder = Recorder(lambda draft, _size: self.drafts.append(draft), lambda _tenant: (), 65_536)
        self.peer = Peer(CONFIG, recorder=recorder, address=OUTSIDE)

    def send(self, path: str, body: Any = RING, **options: Any) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.peer.post(path, data=data, **({"content_type": "application/json"} | options))

    @property
    def last(self) -> TrafficEntry:
        return self.drafts[-1]()

    @property
    def remarks(self) -> list[RemarkCode]:
        return [each.code for each in self.last.remarks or ()]


@pytest.fixture
def kept() -> Kept:
    return Kept()


def zoom(body: Any = RING, *, key: str = KEY, at: int = int(NOW)) -> dict[str, str]:
    data = json.dumps(body).encode()
    made = hmac.new(key.encode(), f"v0:{at}:".encode() + data, hashlib.sha256).hexdigest()
    return {"x-zm-signature": f"v0={made}", "x-zm-request-timestamp": str(at)}


BASIC = base64.b64encode(f"pbx:{KEY}".encode()).decode()


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        (f"/t/acme/in/any/{KEY}", RING, {}),
        (f"/t/acme/in/any?token={KEY}", RING, {}),
        ("/t/acme/in/any", RING, {"Authorization": f"Bearer {KEY}"}),
        ("/t/acme/in/any", RING, {"token_auth": KEY}),
        (f"/t/acme/in/path/{KEY}", RING, {}),
        (f"/t/acme/in/path/{KEY}/ring", RING, {}),
        ("/t/acme/in/basic", RING, {"Authorization": f"Basic {BASIC}"}),
        ("/t/acme/in/body", RING | {"auth": {"token": KEY}}, {}),
        (f"/t/acme/in/sipgate?token={KEY}", RING, {}),
    ],
)
def test_a_secret_lets_a_stranger_in_and_is_kept_nowhere(
    kept: Kept, path: str, body: Any, headers: dict[str, str]
) -> None:
    got = kept.send(path, body, headers=headers)
    assert got.status_code == 200
    assert len(kept.peer.core.messages) == 1
    entry = kept.last
    for text in (KEY, KEY.replace(" ", "%20"), KEY.replace(" ", "+"), BASIC):
        assert text.encode() not in entry.request + entry.answer
        assert text not in str(entry.remarks)
    assert b"4733334444" in entry.request


@pytest.mark.parametrize("name", ["any", "path", "basic", "body", "sipgate", "zoom", "url"])
def test_who_proves_nothing_is_refused_and_the_log_says_why(kept: Kept, name: str) -> None:
    for address in (OUTSIDE, "127.0.0.1", "10.0.0.7"):
        got = kept.send(f"/t/acme/in/{name}", environ={"REMOTE_ADDR": address})
        assert got.status_code == (401 if name == "basic" else 403)
        assert got.text.startswith("ERRO 36")
        assert kept.remarks in ([RemarkCode.SECRET_MISSING], [RemarkCode.SIGNATURE_MISSING])
    assert kept.peer.core.messages == []


def test_a_wrong_secret_is_kept_nowhere_either(kept: Kept) -> None:
    """It may be right elsewhere, or have been so yesterday."""
    for path in ("/t/acme/in/any/a-wrong-0ne", "/t/acme/in/sipgate?token=a-wrong-0ne"):
        assert kept.send(path).status_code == 403
        assert b"a-wrong-0ne" not in kept.last.request
        assert kept.remarks == [RemarkCode.SECRET_WRONG]


def test_a_secret_is_masked_in_the_very_bytes_of_the_lenient_port(kept: Kept) -> None:
    for target in (b"/in/any/a%20key%20of%20sixteen%20or%20more", b"/in/any/%61%20key of%20%73ixteen or mor%65"):
        head = b"POST /t/acme" + target + b" HTTP/1.0\r\nContent-Type: application/json\r\n\r\n"
        assert kept.send(f"/t/acme/in/any/{KEY}", environ={"cti.raw_head": head}).status_code == 200
        assert kept.last.request.startswith(b"POST /t/acme/in/any/**** HTTP/1.0\r\n")


def test_events_are_answered_as_the_mapping_says(kept: Kept) -> None:
    got = kept.send("/t/acme/in/sipgate?token=a+key+of+sixteen+or+more", RING | {"from": '<&"47'})
    url = "https://gw.example.com/t/acme/in/sipgate?token=a+key+of+sixteen+or+more"
    assert got.headers["Content-Type"] == "application/xml"
    assert got.text == f'<Response onAnswer="{url}" id="1" of="&lt;&amp;&quot;47"/>'
    assert b"sixteen" not in kept.last.answer
    got = kept.send("/t/acme/in/zoom", headers=zoom())
    assert (got.headers["Content-Type"], got.json) == ("application/json", {"ok": True})
    assert kept.send(f"/t/acme/in/any/{KEY}").json == {"calls": [3]}


def test_trials_of_the_address_are_answered(kept: Kept) -> None:
    trial = {"type": "validate", "plain": "abc"}
    assert kept.send("/t/acme/in/zoom", trial).status_code == 403
    got = kept.send("/t/acme/in/zoom", trial, headers=zoom(trial))
    assert got.json == {"plain": "abc", "made": hmac.new(KEY.encode(), b"abc", hashlib.sha256).hexdigest()}
    got = kept.peer.get("/t/acme/in/zoom?echo=<script>")
    assert (got.text, got.headers["Content-Type"]) == ("<script>", "text/plain; charset=utf-8")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert kept.peer.core.messages == []


def test_a_request_of_one_company_is_worth_nothing_at_another(kept: Kept) -> None:
    assert kept.send("/t/acme/in/zoom", headers=zoom()).status_code == 200
    assert kept.send("/t/beta/in/zoom", headers=zoom()).status_code == 403
    assert kept.send("/t/beta/in/zoom", headers=zoom(key="another company's key")).status_code == 200
    assert kept.send(f"/t/beta/in/open?token={KEY}").status_code == 403


def test_the_address_is_part_of_the_signature_where_a_key_is_used_twice(kept: Kept) -> None:
    data = json.dumps(RING).encode()

    def sign(url: str) -> dict[str, str]:
        return {"X-Sign": hmac.new(KEY.encode(), url.encode() + data, hashlib.sha256).hexdigest()}

    right = "https://gw.example.com/t/acme/in/url"
    assert kept.send("/t/acme/in/url", headers=sign(right)).status_code == 200
    assert kept.send("/t/acme/in/url?x=1", headers=sign(right)).status_code == 403
    # What a stranger says of proxies and hosts counts for nothing.
    forwarded = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Host": "evil.example"}
    assert kept.send("/t/acme/in/url", headers=sign(right) | forwarded).status_code == 200
    assert kept.send("/t/acme/in/url", headers=sign("http://evil.example/t/acme/in/url") | forwarded).status_code == 403
    assert kept.remarks == [RemarkCode.SIGNATURE_WRONG]
    assert "https://gw.example.com/t/acme/in/url" in kept.last.note


def test_behind_a_trusted_proxy_the_address_is_the_one_it_forwards() -> None:
    mapping = MAPPING | {"authenticity": {"kind": "hmac", "header": "X-Sign", "signed": "{url}{body}"}}
    tenant = {"sources": {"url": {"kind": "webhook", "secret": KEY, "mapping": mapping}}}
    peer = Peer({"server": {"trusted_proxies": ["10.0.0.7"]}, "tenants": {"acme": tenant}}, address="10.0.0.7")
    data = json.dumps(RING).encode()
    made = hmac.new(KEY.encode(), b"https://cti.example/in/url?x=1" + data, hashlib.sha256).hexdigest()
    forwarded = {"X-Forwarded-For": OUTSIDE, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "cti.example"}
    sent = {"data": data, "content_type": "application/json", "headers": forwarded | {"X-Sign": made}}
    assert peer.post("/in/url?x=1", **sent).status_code == 200
    assert peer.post("/in/url?x=1", address="10.0.0.8", **sent).status_code == 403


def test_a_recorded_request_is_refused_when_its_time_is_over(kept: Kept) -> None:
    assert kept.send("/t/acme/in/zoom", headers=zoom(at=int(NOW) - 300)).status_code == 200
    assert kept.send("/t/acme/in/zoom", headers=zoom(at=int(NOW) - 301)).status_code == 403
    assert kept.remarks == [RemarkCode.TIMESTAMP_OFF]


def test_what_is_not_on_the_disk_in_time_is_never_acknowledged(kept: Kept) -> None:
    kept.peer.core.fail_with = StoreUnavailable()
    got = kept.send("/t/acme/in/zoom", headers=zoom())
    assert got.status_code == 503
    assert int(got.headers["Retry-After"]) > 0


def test_the_sources_time_is_handed_to_the_store(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def within(seconds: float) -> Any:
        asked.append(seconds)
        return kept.peer.core

    monkeypatch.setattr(kept.peer.core, "within", within)
    kept.send("/t/acme/in/zoom", headers=zoom())
    assert asked == [2.5]


@pytest.mark.parametrize(
    "headers",
    [
        {"x-zm-signature": "v0=" + "0" * 60_000, "x-zm-request-timestamp": "1"},
        {"x-zm-signature": "v0=" + ",v0=" * 10_000, "x-zm-request-timestamp": "9" * 10_000},
        {"Authorization": "Basic " + "A" * 60_000},
        {"Authorization": "Bearer " + ("e30." * 20_000)},
    ],
)
def test_headers_of_strangers_do_no_harm(kept: Kept, headers: dict[str, str]) -> None:
    for name in ("any", "basic", "zoom", "url"):
        assert kept.send(f"/t/acme/in/{name}", headers=headers).status_code in (401, 403)
    assert kept.peer.core.messages == []
