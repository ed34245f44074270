"""The trials of an address by which providers find out whether it answers, and answers to events."""

import hashlib
import hmac
import json
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from pydantic import ValidationError

from gateway.mapping.bodies import WebhookRequest
from gateway.mapping.handshakes import Handshake, handshake_in
from gateway.mapping.replies import ReplyWriter, WebhookReply
from gateway.mapping.signed_requests import SignedRequest

KEY = b"a key of sixteen or more"
ZOOM = {
    "equals": {"event": "endpoint.url_validation"},
    "json": {"plainToken": "{payload.plainToken}", "encryptedToken": "{@hmac(payload.plainToken)}"},
}
ZADARMA = {"method": "GET", "present": "@query.zd_echo", "body": "{@query.zd_echo}", "signed": False}
RINGCENTRAL = {
    "present": "@header.validation-token",
    "headers": {"Validation-Token": "{@header.validation-token}"},
    "signed": False,
}
GRAPH = {"present": "@query.validationToken", "body": "{@query.validationToken}", "signed": False}
PHONE_COM = {"equals": {"test": "1"}, "status": 201, "signed": False}


def asked(body: str = "", query: str = "", **headers: str) -> SignedRequest:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = WebhookRequest(body.encode(), "application/json", query, names, "", "POST" if body else "GET")
    return SignedRequest(request, url=f"https://gw.example.com/in/cloud?{query}", now=0)


def shake(rules: dict[str, Any], request: SignedRequest) -> Any:
    handshake = Handshake.model_validate(rules)
    found = handshake_in(request, [handshake], signed=handshake.signed)
    return found.answer(request, key=KEY) if found else None


def test_zooms_challenge_is_answered_with_its_hmac() -> None:
    answer = shake(ZOOM, asked('{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}'))
    made = hmac.new(KEY, b"qgg8vlvZRS6UYooatFL8Aw", hashlib.sha256).hexdigest()
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert json.loads(answer.body) == {"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": made}
    assert shake(ZOOM, asked('{"event":"phone.callee_ringing"}')) is None


def test_zadarmas_echo_is_answered() -> None:
    assert shake(ZADARMA, asked(query="zd_echo=a1b2")).body == b"a1b2"
    assert shake(ZADARMA, asked("{}", query="zd_echo=a1b2")) is None
    assert shake(ZADARMA, asked(query="zd_echo=")) is None
    assert shake(ZADARMA, asked(query=f"zd_echo={'a' * 1025}")) is None


def test_ringcentrals_token_is_sent_back_in_its_header() -> None:
    answer = shake(RINGCENTRAL, asked("{}", validation_token="abc-123"))
    assert (answer.body, answer.headers) == (b"", (("Validation-Token", "abc-123"),))


def test_other_trials_are_answered() -> None:
    assert shake(GRAPH, asked("{}", query="validationToken=Validation%3A%20x")).body == b"Validation: x"
    assert shake(PHONE_COM, asked('{"test":1}')).status == 201
    assert shake(PHONE_COM, asked('{"test":0}')) is None


def test_no_header_can_be_written_into() -> None:
    request = asked("{}", query="x=a%0d%0aSet-Cookie:%20b%c3%a9")
    rules = RINGCENTRAL | {"present": "@query.x", "headers": {"X-Echo": "{@query.x}"}}
    assert shake(rules, request).headers == (("X-Echo", "aSet-Cookie: b"),)


def test_an_hmac_is_given_to_nobody_unproven() -> None:
    with pytest.raises(ValidationError, match="signed itself"):
        Handshake.model_validate(ZOOM | {"signed": False})
    with pytest.raises(ValidationError, match="signed itself"):
        WebhookReply.model_validate({"body": "{@hmac(payload.x)}"})
    request = asked('{"event":"endpoint.url_validation","payload":{"plainToken":"x"}}')
    assert handshake_in(request, [Handshake.model_validate(ZOOM)], signed=False) is None


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"body": "x"}, "needs present or equals"),
        ({"present": "@querry.x"}, "@querry"),
        ({"present": "a", "body": "{@nowhere.x}"}, "@nowhere"),
        ({"present": "a", "body": "x", "json": {}}, "either body or json"),
        ({"present": "a", "type": "xml"}, "no media type"),
        ({"present": "a", "type": "text/plain\r\nX: y"}, "no media type"),
        ({"present": "a", "headers": {"Content-Length": "3"}}, "may set"),
        ({"present": "a", "headers": {"X Y": "3"}}, "may set"),
        ({"present": "a", "headers": {"X-Y": "\u00e9"}}, "may set"),
        ({"present": "a", "headers": {"X-Y": "a\r\nX: b"}}, "may set"),
        ({"present": "a", "status": 204, "body": "x"}, "no body"),
        ({"present": "a", "status": 500}, "299"),
        ({"present": "a", "lookup": "number"}, "looks nothing up"),
        ({"present": "a", "body": "{@account}"}, "needs lookup"),
        ({"present": "a", "unknown": {}}, "belongs to lookup"),
    ],
)
def test_what_cannot_be_an_answer_is_told_at_the_start(rules: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Handshake.model_validate(rules)


def test_values_are_escaped_as_the_answer_wants_it() -> None:
    values = {"@url": 'https://gw.example.com/in/x?token=1&a="2"', "name": "Zo\u00e9 <b>\"'&\x00\ud800"}
    writer = ReplyWriter(lambda path: values.get(path, ""))
    xml = WebhookReply(type="application/xml", body='<Response onAnswer="{@url}" name="{name}"/>')
    root = fromstring(writer.write(xml).body.decode())
    assert root.attrib == {"onAnswer": values["@url"], "name": "Zo\u00e9 <b>\"'&"}
    text = WebhookReply(type="application/json", body='{"a": {}, "name": "{name}", "none": "{nothing.here}"}')
    assert json.loads(writer.write(text).body) == {"a": {}, "name": "Zo\u00e9 <b>\"'&", "none": ""}
    table = WebhookReply.model_validate({"json": {"list": ["{name}", 1, True], "x": {"y": "{@url}"}}})
    assert json.loads(writer.write(table).body) == {
        "list": ["Zo\u00e9 <b>\"'&", 1, True],
        "x": {"y": values["@url"]},
    }


def test_an_account_stands_only_in_an_answer_that_looks_a_number_up_and_never_in_one_to_anybody() -> None:
    assert WebhookReply.model_validate({"lookup": "@query.number", "json": {"name": "{@account}"}})
    with pytest.raises(ValidationError, match="needs lookup"):
        WebhookReply.model_validate({"json": {"name": "{@account}"}})
    with pytest.raises(ValidationError, match="looks nothing up"):
        Handshake.model_validate({"present": "@query.x", "lookup": "@query.x", "body": "{@account}"})
