"""The XML-RPC adapter: typed parameters, and the answers of real servers."""

import re
import xmlrpc.client
from contextlib import closing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from adapters.xmlrpc import XmlRpcAdapter
from gateway.adapter import Outcome, Outgoing
from gateway.errors import AdapterError
from tests.adapters.bad_peers import answer, serving
from tests.adapters.dialects import DIAL

CONFIG = TypeAdapter(XmlRpcAdapter.Config)


def adapter(**settings) -> XmlRpcAdapter:
    whole = {"url": "http://pabx/RPC2", "method": "dial", **settings}
    return XmlRpcAdapter(CONFIG.validate_python(whole), name="pabx")


def test_texts_are_templates_and_all_else_keeps_its_type():
    params = ["{{ number }}", 3, True, 1.5, {"to": ["<{{ extension }}>", False]}, []]
    with closing(adapter(params=params)) as speaking:
        body = speaking.preview(DIAL)[0].data.partition(b"\r\n\r\n")[2]
    assert xmlrpc.client.loads(body) == (
        ("04799998888", 3, True, 1.5, {"to": ["<2000>", False]}, []),
        "dial",
    )


@given(st.text())
def test_any_number_arrives_as_it_is_or_not_at_all(number):
    order = Outgoing("dial", "o-1", {**DIAL.fields, "number": number})
    with closing(adapter(params=["{{ number }}"])) as speaking, suppress(AdapterError):
        body = speaking.preview(order)[0].data.partition(b"\r\n\r\n")[2]
        assert xmlrpc.client.loads(body)[0] == (number,)


def answered(body: bytes, **settings):
    serve = serving(answer("200 OK", body, "text/xml"))
    with serve as peer, closing(adapter(url=peer.address + "/RPC2", **settings)) as speaking:
        return speaking.deliver(DIAL)


def value(text: str) -> bytes:
    params = f"<params><param><value>{text}</value></param></params>"
    return f"<?xml version='1.0'?><methodResponse>{params}</methodResponse>".encode()


@pytest.mark.parametrize(
    ("who", "body", "settings", "outcome"),
    [
        ("Kamailio", value(""), {}, "accepted"),
        ("Kamailio, no value", b"<methodResponse><params/></methodResponse>", {}, "accepted"),
        ("FreeSWITCH", value("+OK 7f-1\n"), {"success": r"^\+OK"}, "accepted"),
        ("FreeSWITCH", value("-ERR USER_BUSY\n"), {"success": r"^\+OK", "refused": "^-ERR"}, "refused"),
        ("FreeSWITCH", value("-USAGE"), {"success": r"^\+OK", "refused": "^-ERR"}, "unknown"),
        ("untyped", value("<boolean>1</boolean>"), {"success": "^true$"}, "accepted"),
        ("nil", value("<nil/>"), {}, "accepted"),
        (
            "struct",
            value("<struct><member><name>s</name><value>OK</value></member></struct>"),
            {"result_path": "s", "success": "^OK$"},
            "accepted",
        ),
        ("struct without it", value("<struct></struct>"), {"result_path": "s", "success": "OK"}, "unknown"),
        (
            "Latin-1, undeclared",
            value("liga\xe7\xe3o").decode().encode("latin-1"),
            {"success": "ligação"},
            "accepted",
        ),
        ("blank line first", b"\r\n" + value("OK"), {"success": "OK"}, "accepted"),
        ("XHTML page", b"<html><body>login</body></html>", {}, "unknown"),
        ("cut off", value("OK")[:-20], {}, "unknown"),
        ("bad int", value("<int>x</int>"), {}, "accepted"),
        ("bad int", value("<int>x</int>"), {"success": "^0$"}, "unknown"),
        ("bomb", b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + value("&b;")[21:], {}, "unknown"),
        ("deep", value("<array><data><value>" * 20000 + "</value></data></array>" * 20000), {}, "unknown"),
    ],
)
def test_an_answer_is_judged_by_its_value(who, body, settings, outcome):
    assert answered(body, **settings).outcome == outcome


def member(text: str) -> bytes:
    beside = f"<member><name>when</name><value>{text}</value></member>"
    return value(f"<struct><member><name>s</name><value>OK</value></member>{beside}</struct>")


@pytest.mark.parametrize(
    ("text", "as_text"),
    [
        ("<dateTime.iso8601>2026-11-30T10:15:00Z</dateTime.iso8601>", "2026-11-30T10:15:00Z"),
        ("<dateTime.iso8601>20261130T10:15:00+0000</dateTime.iso8601>", "20261130T10:15:00+0000"),
        ("<dateTime.iso8601>20261130T101500</dateTime.iso8601>", "20261130T101500"),
        ("<dateTime.iso8601></dateTime.iso8601>", ""),
        ("<dateTime.iso8601>20261130T10:15:00</dateTime.iso8601>", "2026-11-30 10:15:00"),
        ("<boolean>true</boolean>", "true"),
        ("<boolean>FALSE</boolean>", "false"),
        ("<boolean>sim</boolean>", "sim"),
        ("<boolean></boolean>", ""),
        ("<int></int>", ""),
        ("<i4>12a</i4>", "12a"),
        ("<double>1,5</double>", "1,5"),
        ("<base64>Y</base64>", "Y"),
        ("<i64>12</i64>", "12"),
        ("<int>12</int>", "12"),
    ],
)
def test_a_value_that_is_none_of_its_type_is_its_text_and_spoils_nothing_else(text, as_text):
    assert answered(member(text), result_path="s", success="^OK$").outcome is Outcome.ACCEPTED
    rules = {"result_path": "when", "success": f'^"?{re.escape(as_text)}"?$'}
    assert answered(member(text), **rules).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"faultString": "sem ramal"}, "falha sem ramal"),
        ({"faultCode": 7}, "falha 7"),
        ({"faultCode": "7", "faultString": "x", "more": 1}, "falha 7, x"),
        ({"FaultCode": 7, "faultstring": "x"}, "falha 7, x"),
        ({}, "falha sem explicação"),
        ("sem ramal", "falha sem ramal"),
        (["a"], 'falha ["a"]'),
        ("", "falha sem explicação"),
    ],
)
def test_a_fault_that_lacks_its_parts_is_a_refusal_with_what_it_has(members, said):
    whole = xmlrpc.client.dumps((members,), methodresponse=True)
    body = whole.replace("<params>\n<param>", "<fault>").replace("</param>\n</params>", "</fault>")
    assert "<fault>" in body
    delivery = answered(body.encode())
    assert delivery.outcome is Outcome.REFUSED
    assert delivery.detail == f"A central 'pabx' recusou: {said}."


def test_a_reference_is_taken_from_where_the_settings_say():
    assert answered(value("+OK 7f-1"), success=r"^\+OK (?P<ref>\S+)").peer_ref == "7f-1"


def test_a_success_without_its_reference_is_a_success_all_the_same():
    delivery = answered(value("+OK"), success=r"^\+OK", ref_path="callid")
    assert (delivery.outcome, delivery.peer_ref) == (Outcome.ACCEPTED, None)


@pytest.mark.parametrize("status", ["200 OK", "500 Internal Server Error"])
def test_a_fault_is_a_refusal_whatever_its_status(status):
    fault = xmlrpc.client.dumps(xmlrpc.client.Fault(500, "no such extension")).encode()
    serve = serving(answer(status, fault, "text/xml"))
    with serve as peer, closing(adapter(url=peer.address)) as speaking:
        delivery = speaking.deliver(DIAL)
    assert delivery.outcome is Outcome.REFUSED
    assert delivery.detail == "A central 'pabx' recusou: falha 500, no such extension."


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"params": ["{{ nunber }}"]}, "Did you mean 'number'"),
        ({"params": [object()]}, "an argument is"),
        ({"url": "pabx/RPC2"}, "http:// or https://"),
    ],
)
def test_settings_that_cannot_make_a_call_are_refused_at_once(settings, why):
    with pytest.raises(AdapterError, match=why):
        adapter(**settings)


def test_a_number_too_large_for_the_protocol_is_not_sent():
    with closing(adapter(params=[4799998888])) as speaking, pytest.raises(AdapterError, match="do not fit"):
        speaking.preview(DIAL)


def test_unknown_settings_are_errors():
    with pytest.raises(ValidationError, match="parms"):
        CONFIG.validate_python({"url": "http://pabx/", "method": "m", "parms": []})
