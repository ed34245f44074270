"""What proves that a source sent a request: the providers' own examples, and all that must not pass."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError

from gateway.mapping.authenticity import Authenticity
from gateway.mapping.bodies import WebhookRequest
from gateway.mapping.doubts import DoubtCode
from gateway.mapping.proofs import MOST_SIGNATURES, is_one_of, proof_of, seconds_of
from gateway.mapping.signed_requests import SignedRequest

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
NOW = 1_614_265_330.0


def signed(
    body: str | bytes = "",
    *,
    url: str = "https://gw.example.com/in/cloud",
    kind: str = FORM,
    now: float = NOW,
    method: str = "",
    tail: str = "",
    **headers: str,
) -> SignedRequest:
    raw = body.encode() if isinstance(body, str) else body
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    query = url.partition("?")[2]
    request = WebhookRequest(raw, kind, query, names, tail, method or ("POST" if raw else "GET"))
    return SignedRequest(request, url=url, now=now)


def code(rules: dict[str, Any], secrets: str | list[str], request: SignedRequest) -> DoubtCode | None:
    given = [secrets] if isinstance(secrets, str) else secrets
    doubt = proof_of(Authenticity.model_validate(rules), given, shortest=1).doubt(request)
    return doubt.code if doubt else None


TWILIO = {
    "kind": "hmac",
    "algorithm": "sha1",
    "output": "base64",
    "header": "X-Twilio-Signature",
    "signed": ["{url}{sorted_params}", "{url_with_port}{sorted_params}", "{url_without_port}{sorted_params}"],
    "body_hash": "bodySHA256",
}
TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO_FORM = "CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309"
TWILIO_HASH = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        (TWILIO_URL, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("https://mycompany.com:1234/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        (TWILIO_URL, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("http://mycompany.com/myapp.php?foo=1&bar=2", "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ],
)
def test_twilios_own_examples_are_right(url: str, signature: str) -> None:
    """Source: twilio/twilio-python, tests/unit/test_request_validator.py."""
    assert code(TWILIO, "12345", signed(TWILIO_FORM, url=url, x_twilio_signature=signature)) is None


def test_twilios_repeated_parameters_are_sorted() -> None:
    """Source: twilio/twilio-python, tests/unit/test_request_validator.py."""
    form = "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234"
    assert (
        code(TWILIO, "12345", signed(form, url=TWILIO_URL, x_twilio_signature="IK+Dwps556ElfBT0I3Rgjkr1wJU=")) is None
    )


def test_twilios_json_is_proven_by_its_digest_in_the_query() -> None:
    """Source: twilio/twilio-python, tests/unit/test_request_validator.py."""
    body, url = '{"property": "value", "boolean": true}', f"{TWILIO_URL}&bodySHA256={TWILIO_HASH}"
    given = {"url": url, "kind": JSON, "x_twilio_signature": "a9nBmqA0ju/hNViExpshrM61xv4="}
    assert code(TWILIO, "12345", signed(body, **given)) is None
    assert code(TWILIO, "12345", signed(body.replace("true", "null"), **given)) is DoubtCode.BODY_CHANGED
    twice = given | {"url": f"{url}&bodySHA256={TWILIO_HASH}"}
    assert code(TWILIO, "12345", signed(body, **twice)) is DoubtCode.BODY_CHANGED


def test_a_body_that_twilios_signature_does_not_cover_is_refused() -> None:
    """The signature of a GET is worth nothing for a POST of JSON to the same address."""
    of_get = base64.b64encode(hmac.digest(b"12345", TWILIO_URL.encode(), "sha1")).decode()
    assert code(TWILIO, "12345", signed("", url=TWILIO_URL, x_twilio_signature=of_get)) is None
    for kind in (JSON, "text/plain", "multipart/form-data; boundary=x", FORM):
        request = signed('{"CallSid":"CA1"}', url=TWILIO_URL, kind=kind, x_twilio_signature=of_get)
        assert code(TWILIO, "12345", request) in (DoubtCode.NOT_COVERED, DoubtCode.SIGNATURE_WRONG)


DIDWW = {
    "kind": "hmac",
    "algorithm": "sha1",
    "header": "X-DIDWW-Signature",
    "signed": ["{url_with_port}{sorted_params}", "{url_with_port}{sorted_query}"],
}
ORDER = "id=1dd7a68b-e235-402b-8912-fe73ee14243a&status=completed&type=orders"


@pytest.mark.parametrize(
    ("url", "key", "signature"),
    [
        ("http://example.com/callbacks", "SOMEAPIKEY", "fe99e416c3547f2f59002403ec856ea386d05b2f"),
        ("http://foo.com/bar", "SOMEAPIKEY", "4d1ce2be656d20d064183bec2ab98a2ff3981f73"),
        ("http://foo.com:80/bar", "SOMEAPIKEY", "4d1ce2be656d20d064183bec2ab98a2ff3981f73"),
        ("http://foo.com:443/bar", "SOMEAPIKEY", "904eaa65c0759afac0e4d8912de424e2dfb96ea1"),
        ("http://foo.com:8182/bar", "SOMEAPIKEY", "eb8fcfb3d7ed4b4c2265d73cf93c31ba614384d1"),
        ("http://foo.com/bar?baz=boo", "SOMEAPIKEY", "78b00717a86ce9df06abf45ff818aa94537e1729"),
        ("https://foo.com/bar", "SOMEAPIKEY", "f26a771c302319a7094accbe2989bad67fff2928"),
        ("https://foo.com:443/bar", "SOMEAPIKEY", "f26a771c302319a7094accbe2989bad67fff2928"),
        ("https://foo.com:8384/bar", "SOMEAPIKEY", "9c9fec4b7ebd6e1c461cb8e4ffe4f2987a19a5d3"),
        ("http://[::1]/bar", "SOMEAPIKEY", "e0e9b83e4046d097f54b3ae64b08cbb4a539f601"),
        ("http://[::1]:9090/bar", "SOMEAPIKEY", "ebec110ec5debd0e0fd086ff2f02e48ca665b543"),
    ],
)
def test_didwws_own_examples_are_right(url: str, key: str, signature: str) -> None:
    """Source: didww/didww-api-3-go-sdk, callback_test.go."""
    assert code(DIDWW, key, signed(ORDER, url=url, x_didww_signature=signature)) is None


def test_didwws_documented_examples_are_right() -> None:
    """Source: doc.didww.com/api3/2022-05-10/callbacks-details.html, and the sandbox's GET (callback_test.go)."""
    url, key = "https://mycompany.com/didww_callbacks?opaque=123", "szrdgh6547umt7tht7xbqhj6g9gdbyp7"
    form = "id=bf2cee72-6caa-4ae2-917e-bea01945691e&status=completed&type=orders"
    given = "30f66e9d72eb5e193051fd02952f70d8e934b4ff"
    assert code(DIDWW, key, signed(form, url=url, x_didww_signature=given)) is None
    get = "http://example.com/callback.php?id=7ae7c48f-d48a-499f-9dc1-c9217014b457&reject_reason=&status=approved"
    given = "18050028b6b22d0ed516706fba1c1af8d6a8f9d5"
    assert code(DIDWW, "SOMEAPIKEY", signed(url=f"{get}&type=address_verifications", x_didww_signature=given)) is None


STANDARD = {
    "kind": "hmac",
    "key": "whsec",
    "output": "base64",
    "header": "webhook-signature",
    "separator": " ",
    "prefix": "v1,",
    "signed": "{@header.webhook-id}.{timestamp}.{body}",
    "timestamp_header": "webhook-timestamp",
}
STANDARD_KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_BODY = '{"test": 2432232314}'
STANDARD_HEADERS = {
    "kind": JSON,
    "webhook_id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook_timestamp": "1614265330",
    "webhook_signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def test_the_example_of_standard_webhooks_is_right() -> None:
    """Source: standard-webhooks/standard-webhooks, libraries/php/tests/WebhookTest.php."""
    assert code(STANDARD, STANDARD_KEY, signed(STANDARD_BODY, **STANDARD_HEADERS)) is None
    assert code(STANDARD, STANDARD_KEY.removeprefix("whsec_"), signed(STANDARD_BODY, **STANDARD_HEADERS)) is None
    wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
    several = f"{wrong} {wrong.replace('v1', 'v2')} {STANDARD_HEADERS['webhook_signature']} {wrong}"
    assert (
        code(STANDARD, STANDARD_KEY, signed(STANDARD_BODY, **STANDARD_HEADERS | {"webhook_signature": several})) is None
    )


SINCH = {
    "kind": "hmac",
    "key": "base64",
    "output": "base64",
    "header": "Authorization",
    "scheme": "application",
    "after": ":",
    "signed": "{method}\n{body_md5}\n{@header.content-type}\nx-timestamp:{timestamp}\n{path}",
    "timestamp_header": "x-timestamp",
    "timestamp_unit": "iso",
}


def test_sinchs_documented_example_is_right() -> None:
    """Source: developers.sinch.com/docs/voice/api-reference/authentication/callback-signed-request."""
    body = (
        '{"event":"ace","callid":"822aa4b7-05b4-4d83-87c7-1f835ee0b6f6_257",'
        '"timestamp":"2014-09-24T10:59:41Z","version":1}'
    )
    request = signed(
        body,
        url="https://callbacks.yourdomain.com/sinch/callback/ace",
        kind=JSON,
        now=1_411_556_381.0,
        content_type=JSON,
        x_timestamp="2014-09-24T10:59:41Z",
        authorization="application 669E367E-6BBA-48AB-AF15-266871C28135:Tg6fMyo8mj9pYfWQ9ssbx3Tc1BNC87IEygAfLbJqZb4=",
    )
    assert code(SINCH, "BeIukql3pTKJ8RGL5zo0DA==", request) is None


PLACETEL = {"kind": "hmac", "header": "X-PLACETEL-SIGNATURE"}


def test_placetels_documented_example_is_right() -> None:
    """Source: Placetel/call-control-notify-api, README.md."""
    call = "4a4cbb39578170aed9a2761a7bec8c7e704a541f52291ef603d6f5f152980c3c"
    body = f"call_id={call}&event=CallAccepted&from=0123456789&to=0987654321"
    given = "c4f823c5b8806432fe2b83b1fc2ee714422e0cdfb4b5129152a7d0bbcd7792d0"
    assert code(PLACETEL, "12345", signed(body, x_placetel_signature=given)) is None
    assert code(PLACETEL, "12345", signed(body, x_placetel_signature=given.upper())) is None


# Schemes without a published example: made by hand here, by other programs in tests/live/test_webhook_signatures.py.

ZOOM = {
    "kind": "hmac",
    "header": "x-zm-signature",
    "prefix": "v0=",
    "signed": "v0:{timestamp}:{body}",
    "timestamp_header": "x-zm-request-timestamp",
}
ZADARMA = {
    "kind": "hmac",
    "algorithm": "sha1",
    "output": "base64_of_hex",
    "header": "Signature",
    "event": "event",
    "signed": {
        "NOTIFY_START": "{caller_id}{called_did}{call_start}",
        "NOTIFY_OUT_START": "{internal}{destination}{call_start}",
    },
}
MANGO = {
    "kind": "digest",
    "field": "sign",
    "signed": "{vpbx_api_key}{json}{secret}",
}
PLIVO = {
    "kind": "hmac",
    "output": "base64",
    "header": "X-Plivo-Signature-V3",
    "separator": ",",
    "signed": "{plivo_v3}.{@header.x-plivo-signature-v3-nonce}",
}
KEY = "a key of sixteen or more"


def made(text: str | bytes, algorithm: str = "sha256") -> hmac.HMAC:
    return hmac.new(KEY.encode(), text.encode() if isinstance(text, str) else text, algorithm)


def zoom(body: str = '{"event":"phone.callee_ringing"}', stamp: str = "1614265330", **more: Any) -> SignedRequest:
    given = {"x_zm_signature": "v0=" + made(f"v0:{stamp}:{body}").hexdigest(), "x_zm_request_timestamp": stamp}
    return signed(body, kind=JSON, **{name: value for name, value in (given | more).items() if value is not None})


def test_zooms_scheme_is_followed() -> None:
    assert code(ZOOM, KEY, zoom()) is None


def test_zadarmas_fields_are_chosen_by_the_event() -> None:
    body = "event=NOTIFY_START&call_start=2026-03-05+10%3A03%3A22&caller_id=%2B551133334444&called_did=551133330000"
    given = base64.b64encode(made("+5511333344445511333300002026-03-05 10:03:22", "sha1").hexdigest().encode()).decode()
    assert code(ZADARMA, KEY, signed(body, signature=given)) is None
    other = body.replace("NOTIFY_START", "NOTIFY_OUT_START")
    assert code(ZADARMA, KEY, signed(other, signature=given)) is DoubtCode.SIGNATURE_WRONG
    other = body.replace("NOTIFY_START", "NOTIFY_NEW")
    assert code(ZADARMA, KEY, signed(other, signature=given)) is DoubtCode.EVENT_UNKNOWN


def test_zadarmas_signature_of_nothing_is_refused() -> None:
    nothing = base64.b64encode(made("", "sha1").hexdigest().encode()).decode()
    assert code(ZADARMA, KEY, signed("event=NOTIFY_START&x=1", signature=nothing)) is DoubtCode.NOT_COVERED


def test_mangos_digest_of_key_text_and_salt_is_followed() -> None:
    text = '{"entry_id":"E1","seq":1}'
    sign = hashlib.sha256(f"K{text}{KEY}".encode()).hexdigest()
    assert code(MANGO, KEY, signed(f"vpbx_api_key=K&sign={sign}&json={text.replace(':', '%3A')}")) is None
    assert code(MANGO, KEY, signed(f"vpbx_api_key=K&sign={sign}&json=%7B%7D")) is DoubtCode.SIGNATURE_WRONG


@pytest.mark.parametrize(
    ("query", "form", "text"),
    [
        ("?b=2&a=1", "To=2&From=1", "https://gw.example.com/in/cloud?a=1&b=2.From1To2.n-1"),
        ("", "To=2&From=1", "https://gw.example.com/in/cloud?From1To2.n-1"),
        ("?b=2&a=1", "", "https://gw.example.com/in/cloud?a=1&b=2.n-1"),
    ],
)
def test_plivos_third_version_is_followed(query: str, form: str, text: str) -> None:
    given = base64.b64encode(made(text).digest()).decode()
    headers = {"x_plivo_signature_v3": f"AAAA,{given}", "x_plivo_signature_v3_nonce": "n-1"}
    assert code(PLIVO, KEY, signed(form, url=f"https://gw.example.com/in/cloud{query}", **headers)) is None
    headers["x_plivo_signature_v3_nonce"] = "n-2"
    request = signed(form, url=f"https://gw.example.com/in/cloud{query}", **headers)
    assert code(PLIVO, KEY, request) is DoubtCode.SIGNATURE_WRONG


TELNYX = {
    "kind": "ed25519",
    "header": "telnyx-signature-ed25519",
    "signed": "{timestamp}|{body}",
    "timestamp_header": "telnyx-timestamp",
}
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = base64.b64encode(PRIVATE.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def telnyx(body: str = '{"data":{}}', stamp: str = "1614265330", **more: str) -> SignedRequest:
    given = base64.b64encode(PRIVATE.sign(f"{stamp}|{body}".encode())).decode()
    headers = {"telnyx_signature_ed25519": given, "telnyx_timestamp": stamp}
    return signed(body, kind=JSON, **(headers | more))


def test_telnyx_signs_by_ed25519() -> None:
    assert code(TELNYX, PUBLIC, telnyx()) is None
    der = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + base64.b64decode(PUBLIC)).decode()
    assert code(TELNYX, ["A" * 43 + "=", der], telnyx()) is None


def test_the_first_example_of_rfc_8032_is_right() -> None:
    """Source: RFC 8032, 7.1, test 2 (one byte)."""
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    given = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    rules = {"kind": "ed25519", "header": "x-sign"}
    request = signed(b"\x72", kind="text/plain", x_sign=base64.b64encode(given).decode())
    assert code(rules, base64.b64encode(public).decode(), request) is None


@pytest.mark.parametrize("given", ["", "AAAA", "not base64 !", base64.b64encode(bytes(64)).decode(), "\u00e9" * 40])
def test_what_is_no_signature_of_ed25519_is_refused(given: str) -> None:
    wanted = DoubtCode.SIGNATURE_WRONG if given else DoubtCode.SIGNATURE_MISSING
    assert code(TELNYX, PUBLIC, telnyx(telnyx_signature_ed25519=given)) is wanted


VONAGE = {"kind": "jwt"}
LONG_KEY = "a key of sixty-four or more bytes, as long as what HS512 makes of it"


def vonage(body: str = '{"status":"ringing"}', key: str = LONG_KEY, algorithm: str = "HS256", **claims: Any) -> str:
    usual = {"iat": int(NOW), "iss": "Vonage", "payload_hash": hashlib.sha256(body.encode()).hexdigest()}
    said = {name: value for name, value in (usual | claims).items() if value is not None}
    return "Bearer " + jwt.encode(said, key, algorithm)


def test_vonages_token_carries_the_bodys_digest() -> None:
    body = '{"status":"ringing"}'
    assert code(VONAGE, LONG_KEY, signed(body, kind=JSON, authorization=vonage())) is None
    changed = signed(body.replace("ringing", "answered"), kind=JSON, authorization=vonage())
    assert code(VONAGE, LONG_KEY, changed) is DoubtCode.BODY_CHANGED
    assert code(VONAGE, LONG_KEY, signed("", authorization=vonage())) is DoubtCode.NOT_COVERED


@pytest.mark.parametrize(
    ("token", "wanted"),
    [
        (vonage(algorithm="none", key=""), DoubtCode.TOKEN_WRONG),
        (vonage(algorithm="HS512"), DoubtCode.TOKEN_WRONG),
        (vonage(key=LONG_KEY[::-1]), DoubtCode.TOKEN_WRONG),
        (vonage()[:-2], DoubtCode.TOKEN_WRONG),
        (vonage().rpartition(".")[0] + ".", DoubtCode.TOKEN_WRONG),
        ("Bearer " + "e30." * 4000, DoubtCode.TOKEN_WRONG),
        ("Bearer \u00e9.\u00e9.\u00e9", DoubtCode.TOKEN_WRONG),
        ("Basic " + vonage()[7:], DoubtCode.SIGNATURE_MISSING),
        ("", DoubtCode.SIGNATURE_MISSING),
        (vonage(iat=int(NOW) - 301), DoubtCode.TIMESTAMP_OFF),
        (vonage(iat=int(NOW) + 301), DoubtCode.TIMESTAMP_OFF),
        (vonage(exp=int(NOW) - 301), DoubtCode.TIMESTAMP_OFF),
        (vonage(iat=None), DoubtCode.TOKEN_WRONG),
        (vonage(payload_hash=None), DoubtCode.BODY_CHANGED),
        (vonage(payload_hash=17), DoubtCode.BODY_CHANGED),
        (vonage(payload_hash="\ud800"), DoubtCode.BODY_CHANGED),
    ],
)
def test_a_token_that_is_not_right_is_refused(token: str, wanted: DoubtCode) -> None:
    assert code(VONAGE, LONG_KEY, signed('{"status":"ringing"}', kind=JSON, authorization=token)) is wanted


@pytest.mark.filterwarnings("error")
def test_a_short_key_of_a_token_is_the_providers_choice() -> None:
    short = "sixteen letters!"
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = vonage(key=short)
    assert code(VONAGE, short, signed('{"status":"ringing"}', kind=JSON, authorization=token)) is None


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"x_zm_signature": None}, DoubtCode.SIGNATURE_MISSING),
        ({"x_zm_signature": ""}, DoubtCode.SIGNATURE_MISSING),
        ({"x_zm_signature": "v0="}, DoubtCode.SIGNATURE_MISSING),
        ({"x_zm_signature": "v1=" + "0" * 64}, DoubtCode.SIGNATURE_MISSING),
        ({"x_zm_signature": "v0=" + "0" * 64}, DoubtCode.SIGNATURE_WRONG),
        ({"x_zm_signature": "v0=\u00e9"}, DoubtCode.SIGNATURE_WRONG),
        ({"x_zm_request_timestamp": None}, DoubtCode.TIMESTAMP_MISSING),
        ({"x_zm_request_timestamp": ""}, DoubtCode.TIMESTAMP_MISSING),
        ({"x_zm_request_timestamp": "1614265330,1614265330"}, DoubtCode.SIGNATURE_WRONG),
        ({"stamp": "1614265029"}, DoubtCode.TIMESTAMP_OFF),
        ({"stamp": "1614265631"}, DoubtCode.TIMESTAMP_OFF),
        ({"stamp": "soon"}, DoubtCode.TIMESTAMP_MISSING),
        ({"stamp": "-1614265330"}, DoubtCode.TIMESTAMP_MISSING),
        ({"stamp": "1614265330.0"}, DoubtCode.TIMESTAMP_MISSING),
        ({"stamp": "\u0661\u0662"}, DoubtCode.TIMESTAMP_MISSING),
        ({"stamp": "9" * 400}, DoubtCode.TIMESTAMP_MISSING),
    ],
)
def test_a_signature_that_is_not_right_is_refused(more: dict[str, Any], wanted: DoubtCode) -> None:
    assert code(ZOOM, KEY, zoom(**more)) is wanted


def test_a_doubled_header_is_refused() -> None:
    """Two headers of one name reach us joined by a comma."""
    right = "v0=" + made('v0:1614265330:{"event":"phone.callee_ringing"}').hexdigest()
    assert code(ZOOM, KEY, zoom(x_zm_signature=right)) is None
    assert code(ZOOM, KEY, zoom(x_zm_signature=f"{right},{right}")) is DoubtCode.SIGNATURE_WRONG


def test_every_changed_byte_is_seen() -> None:
    body = '{"event":"phone.callee_ringing","n":"\u00e9"}'
    right = zoom(body)
    raw = right.request.body
    assert code(ZOOM, KEY, right) is None
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        request = signed(changed, kind=JSON, **{k.replace("-", "_"): v for k, v in right.request.headers.items()})
        assert code(ZOOM, KEY, request) is DoubtCode.SIGNATURE_WRONG
    assert code(ZOOM, KEY[:-1], right) is DoubtCode.SIGNATURE_WRONG


def test_a_signature_of_the_body_is_worth_nothing_for_what_stands_in_the_query() -> None:
    empty = hmac.new(b"12345", b"", "sha256").hexdigest()
    request = signed("", url="https://gw.example.com/in/cloud?event=HungUp", x_placetel_signature=empty)
    assert code(PLACETEL, "12345", request) is DoubtCode.NOT_COVERED


def test_a_signature_of_the_address_is_worth_nothing_for_a_body() -> None:
    rules = {"kind": "hmac", "header": "X-Sign", "signed": "{url}"}
    right = made("https://gw.example.com/in/cloud").hexdigest()
    assert code(rules, KEY, signed("", x_sign=right)) is None
    assert code(rules, KEY, signed("a=1", x_sign=right)) is DoubtCode.NOT_COVERED


def test_a_parameter_repeated_with_one_value_counts_once() -> None:
    """As Twilio's SDKs have it, which sort a set of the values."""
    given = base64.b64encode(made("https://gw.example.com/in/clouda1b2", "sha1").digest()).decode()
    assert code(TWILIO, KEY, signed("a=1&b=2&a=1", x_twilio_signature=given)) is None


def test_only_so_many_signatures_are_looked_at() -> None:
    right, wrong = STANDARD_HEADERS["webhook_signature"], "v1,AAAA"
    for before, wanted in ((MOST_SIGNATURES - 1, None), (MOST_SIGNATURES, DoubtCode.SIGNATURE_WRONG)):
        several = " ".join([wrong] * before + [right])
        request = signed(STANDARD_BODY, **STANDARD_HEADERS | {"webhook_signature": several})
        assert code(STANDARD, STANDARD_KEY, request) is wanted


def test_nothing_equals_nothing() -> None:
    assert is_one_of(b"a", [b"", b"a"])
    assert not is_one_of(b"", [b"", b"a"])


def test_of_two_secrets_either_is_right() -> None:
    assert code(ZOOM, ["another key that is old", KEY], zoom()) is None
    assert code(ZOOM, ["another key that is old", KEY[::-1]], zoom()) is DoubtCode.SIGNATURE_WRONG


def test_the_time_may_stand_in_the_signatures_header() -> None:
    rules = {
        "kind": "hmac",
        "header": "X-Sign",
        "separator": ",",
        "prefix": "v1=",
        "signed": "{timestamp}.{body}",
        "timestamp_header": "X-Sign",
        "timestamp_prefix": "t=",
    }
    right = made('1614265330.{"a":1}').hexdigest()
    assert code(rules, KEY, signed('{"a":1}', kind=JSON, x_sign=f"t=1614265330,v1={'0' * 64},v1={right}")) is None
    twice = f"t=1614265330,t=1,v1={right}"
    assert code(rules, KEY, signed('{"a":1}', kind=JSON, x_sign=twice)) is DoubtCode.TIMESTAMP_MISSING


PATH, QUERY = {"kind": "path"}, {"kind": "query", "parameter": "token"}
HEADER, BEARER = {"kind": "header", "header": "X-Webhook-Secret"}, {"kind": "header", "header": "Authorization"}
BODY, BASIC, ANY = {"kind": "body", "field": "token"}, {"kind": "basic", "login": "pbx"}, {"kind": "secret"}
URL = "https://gw.example.com/in/cloud"


def basic(login: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("rules", "request_made"),
    [
        (PATH, lambda given: signed("a=1", tail=f"{given}/call")),
        (QUERY, lambda given: signed("a=1", url=f"{URL}?x=1&token={given.replace(' ', '+')}")),
        (HEADER, lambda given: signed("a=1", x_webhook_secret=given)),
        (BEARER | {"scheme": "Bearer"}, lambda given: signed("a=1", authorization=f"Bearer {given}")),
        (BODY, lambda given: signed(json.dumps({"token": given}), kind=JSON)),
        (BODY, lambda given: signed(f"token={given.replace(' ', '+')}")),
        (BASIC, lambda given: signed("a=1", authorization=basic("pbx", given))),
        (ANY, lambda given: signed("a=1", tail=given)),
        (ANY, lambda given: signed("a=1", url=f"{URL}?token={given.replace(' ', '+')}", tail="call")),
        (ANY, lambda given: signed("a=1", authorization=f"Bearer {given}")),
        (ANY, lambda given: signed("a=1", x_token_auth=given)),
    ],
)
def test_a_secret_that_is_sent_is_compared(rules: dict[str, Any], request_made: Callable[[str], SignedRequest]) -> None:
    assert code(rules, KEY, request_made(KEY)) is None
    assert code(rules, ["an older key", KEY], request_made(KEY)) is None
    assert code(rules, KEY, request_made(KEY[:-1])) is DoubtCode.SECRET_WRONG
    assert code(rules, KEY, request_made(KEY + "x")) is DoubtCode.SECRET_WRONG
    assert code(rules, KEY, signed("a=1")) is DoubtCode.SECRET_MISSING
    assert code(rules, KEY, request_made("")) in (DoubtCode.SECRET_MISSING, DoubtCode.SECRET_WRONG)
    # What JSON alone can write, and other letters.
    assert code(rules, KEY, request_made("ma\u00e7\u00e3")) is DoubtCode.SECRET_WRONG


@pytest.mark.parametrize(
    ("rules", "request_made"),
    [
        (QUERY, signed("a=1", url=f"{URL}?token={KEY.replace(' ', '+')}&token={KEY.replace(' ', '+')}")),
        (HEADER, signed("a=1", x_webhook_secret=f"{KEY},{KEY}")),
        (BASIC, signed("a=1", authorization=f"{basic('pbx', KEY)},{basic('pbx', KEY)}")),
        (BASIC, signed("a=1", authorization=basic("admin", KEY))),
        (BASIC, signed("a=1", authorization="Basic !!!")),
        (BASIC, signed("a=1", authorization="Bearer " + KEY)),
        (BODY, signed('{"token": ["a key of sixteen or more"]}', kind=JSON)),
        (BODY, signed('{"token": "\\ud800"}', kind=JSON)),
        (BODY, signed('{"token": ', kind=JSON)),
        (BODY, signed(f"token={KEY.replace(' ', '+')}&token={KEY.replace(' ', '+')}")),
    ],
)
def test_a_secret_given_twice_or_by_halves_is_refused(rules: dict[str, Any], request_made: SignedRequest) -> None:
    assert code(rules, KEY, request_made) in (DoubtCode.SECRET_WRONG, DoubtCode.SECRET_MISSING)


def test_a_secret_in_two_usual_places_is_one_and_two_secrets_are_none() -> None:
    assert code(ANY, KEY, signed("a=1", token_auth=KEY, x_token_auth=KEY)) is None
    assert code(ANY, KEY, signed("a=1", token_auth=KEY, x_token_auth="another one")) is DoubtCode.SECRET_WRONG


def test_without_a_kind_only_addresses_count() -> None:
    proof = proof_of(Authenticity(), [])
    assert proof.by_address
    assert proof.doubt(signed("a=1")) is None


@pytest.mark.parametrize(
    ("rules", "secrets", "said"),
    [
        ({"kind": "hmac", "header": "X"}, [], "secret is missing"),
        ({"kind": "header", "header": "X"}, [], "secret is missing"),
        ({"kind": "header", "header": "X"}, [""], "at least 8 characters"),
        ({"kind": "header", "header": "X"}, ["long enough", "   "], "at least 8 characters"),
        ({"kind": "none"}, ["long enough"], "name a kind"),
        ({"kind": "hmac", "header": "X", "key": "hex"}, ["no hex at all"], "not written in hex"),
        ({"kind": "hmac", "header": "X", "key": "base64"}, ["no base64!"], "not written in base64"),
        ({"kind": "hmac", "header": "X", "key": "base64"}, ["AAAAAAAA"], "fewer than 8 bytes"),
        ({"kind": "hmac", "header": "X", "key": "whsec"}, ["whsec_AA=="], "fewer than 8 bytes"),
        ({"kind": "ed25519", "header": "X"}, ["c2hvcnQgb25l"], "32 bytes"),
        ({"kind": "jwt", "algorithm": "sha1"}, ["long enough"], "sha256, sha384 or sha512"),
        ({"kind": "jwt"}, ["-----BEGIN PUBLIC KEY-----\nMC\n-----END PUBLIC KEY-----"], "no key of a JWT"),
    ],
)
def test_a_secret_that_proves_nothing_is_told_at_the_start(
    rules: dict[str, Any], secrets: list[str], said: str
) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        proof_of(Authenticity.model_validate(rules), secrets)
    assert all(len(secret) < 8 or secret not in str(refused.value) for secret in secrets)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"kind": "basic", "header": "X"}, "header means nothing to the kind 'basic'"),
        ({"kind": "header"}, "needs header"),
        ({"kind": "hmac"}, "either header or field"),
        ({"kind": "hmac", "header": "X", "field": "y"}, "either header or field"),
        ({"kind": "hmac", "header": "X", "signed": "body"}, "names nothing"),
        ({"kind": "hmac", "header": "X", "signed": "{body"}, "brace"),
        ({"kind": "hmac", "header": "X", "signed": "{@heder.x}{body}"}, "@heder"),
        ({"kind": "hmac", "header": "X", "signed": {"a": "{body}"}}, "belong together"),
        ({"kind": "hmac", "header": "X", "event": "event"}, "belong together"),
        ({"kind": "hmac", "header": "X", "timestamp_header": "T"}, "belong together"),
        ({"kind": "hmac", "header": "X", "signed": "{timestamp}{body}"}, "belong together"),
        ({"kind": "hmac", "header": "X", "signed": "{body}{secret}"}, "nothing else contains it"),
        ({"kind": "digest", "header": "X", "signed": "{secret}{body}"}, "a digest ends"),
        ({"kind": "digest", "header": "X"}, "a digest ends"),
        ({"kind": "hmac", "header": "X", "algorithm": "md5"}, "sha256"),
        ({"kind": "hmac", "header": "X", "colour": "red"}, "colour"),
        ({"kind": "hmac", "header": "X", "signed": "{path}{sorted_params}", "body_hash": "h"}, "worth nothing"),
    ],
)
def test_rules_that_cannot_hold_are_told_at_the_start(rules: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Authenticity.model_validate(rules)


def test_no_secret_is_shown() -> None:
    for rules in (ZOOM, HEADER, VONAGE, MANGO, PATH):
        assert KEY not in repr(proof_of(Authenticity.model_validate(rules), [KEY]))
    assert "token" not in repr(signed("a=1", url=f"{URL}?token=1"))


def test_units_of_time() -> None:
    assert seconds_of("1614265330123", "ms") == 1614265330.123
    assert seconds_of("2014-09-24T10:59:41Z", "iso") == 1411556381.0
    assert seconds_of("2014-09-24T10:59:41", "iso") is None
