"""Answers out of public bug reports, judged by what they say."""

from contextlib import closing
from typing import Any

import pytest
from pydantic import TypeAdapter
from urllib3 import HTTPHeaderDict

from adapters.http.client import HttpAnswer
from adapters.presets.adapter import PresetAdapter
from adapters.presets.files import Catalogue
from adapters.presets.settings import config_class_of
from gateway.adapter import Delivery, Outcome
from tests.adapters.bad_peers import answer, serving
from tests.adapters.dialects import DIAL
from tests.adapters.field import envelope
from tests.adapters.test_soap_field import FIELD, PAIR, dialer

FAULT = envelope("<s:Fault><faultcode>s:Server</faultcode><faultstring>ramal ocupado</faultstring></s:Fault>")


def delivered(name: str, status: str, body: str | bytes, kind: str = "text/xml", **settings: Any) -> Delivery:
    """What comes of one order whose answer is given, by the WSDL ``name``."""
    content = body.encode() if isinstance(body, str) else body
    with serving(answer(status, content, kind)) as peer:
        with closing(dialer(name, settings.pop("arguments", PAIR), address=peer.address, **settings)) as speaking:
            delivery = speaking.deliver(DIAL)
        assert len(peer.requests) == 1, "the order was not sent"
    return delivery


def said(result: str, namespace: str = "urn:pbx") -> str:
    return envelope(f'<DialResponse xmlns="{namespace}"><result>{result}</result></DialResponse>')


@pytest.mark.parametrize(
    ("name", "status", "body", "outcome"),
    [
        ("output-without-parts", "200 OK", envelope(""), "accepted"),
        ("output-without-parts", "200 OK", envelope('<t:DialResponse xmlns:t="urn:pbx:dialer"/>'), "accepted"),
        ("output-without-parts", "202 Accepted", "", "accepted"),
        ("output-without-parts", "204 No Content", "", "accepted"),
        ("output-without-parts", "200 OK", "", "unknown"),
        ("output-without-parts", "500 Oops", FAULT, "refused"),
        ("one-way", "202 Accepted", "", "accepted"),
        ("one-way", "204 No Content", "", "accepted"),
        ("one-way", "200 OK", "", "accepted"),
        ("one-way", "200 OK", "\r\n", "accepted"),
        ("one-way", "202 Accepted", envelope(""), "accepted"),
        ("one-way", "200 OK", "<html>login</html>", "unknown"),
        ("one-way", "500 Oops", "", "unknown"),
        ("one-way", "500 Oops", FAULT, "refused"),
        ("one-way", "404 Not Found", "", "refused"),
        ("one-way", "302 Found", "", "unknown"),
        ("type-space", "202 Accepted", "", "unknown"),
        ("type-space", "200 OK", "", "unknown"),
    ],
)
def test_an_operation_without_an_answer_is_accepted_by_http_alone(name, status, body, outcome):
    """WS-I Basic Profile 1.1, R2750 and R2714."""
    assert delivered(name, status, body).outcome == outcome


@pytest.mark.parametrize(
    ("name", "was", "becomes", "outcome"),
    [
        ("one-way", "</wsdl:input></wsdl:operation></wsdl:binding>",
         "</wsdl:input><wsdl:output/></wsdl:operation></wsdl:binding>", "accepted"),
        ("type-space", '<wsdl:output><soap:body use="literal"/></wsdl:output>', "", "unknown"),
    ],
)  # fmt: skip
def test_the_port_type_says_whether_there_is_an_answer_and_not_the_binding(tmp_path, name, was, becomes, outcome):
    wsdl = (FIELD / f"{name}.wsdl").read_text()
    assert was in wsdl
    (tmp_path / "binding.wsdl").write_text(wsdl.replace(was, becomes))
    assert delivered("", "200 OK", "", wsdl=str(tmp_path / "binding.wsdl")).outcome == outcome


def test_a_rule_still_looks_at_what_an_operation_without_parts_answers():
    rules = {"success": "^0$", "refused": "."}
    body = envelope('<t:DialResponse xmlns:t="urn:pbx:dialer"><code>{}</code></t:DialResponse>')
    assert delivered("output-without-parts", "200 OK", body.replace("{}", "0"), **rules).outcome == "accepted"
    assert delivered("output-without-parts", "200 OK", body.replace("{}", "7"), **rules).outcome == "refused"
    assert delivered("one-way", "202 Accepted", "", **rules).outcome == "accepted"


def test_an_envelope_without_a_wsdl_is_accepted_by_202_and_204_alone():
    settings = {"wsdl": "", "operation": "", "envelope": envelope("<dial>{{ number }}</dial>"), "arguments": {}}
    assert delivered("", "202 Accepted", "", **settings).outcome == "accepted"
    assert delivered("", "200 OK", "", **settings).outcome == "unknown"


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ("true", "accepted"),
        ("1", "accepted"),
        ("True", "accepted"),
        (" TRUE ", "accepted"),
        ("false", "refused"),
        ("0", "refused"),
        ("False", "refused"),
        ("yes", "unknown"),
        ("OK", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_boolean_is_true_false_or_unclear_and_never_false_for_what_it_is_not(result, outcome):
    rules = {"success": "^true$", "refused": "^false$"}
    assert delivered("boolean-answer", "200 OK", said(result), **rules).outcome == outcome
    rpc = envelope(
        '<r:DialResponse xmlns:r="urn:pbx" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="http://www.w3.org/2001/XMLSchema">'
        f'<result i:type="x:boolean">{result}</result></r:DialResponse>'
    )
    assert delivered("out-type-unknown-xsd", "200 OK", rpc, **rules).outcome == outcome


@pytest.mark.parametrize(("kind", "text"), [("int", "OK"), ("decimal", "OK"), ("dateTime", "agora"), ("double", "OK")])
def test_a_text_that_its_type_cannot_read_reaches_the_rule_all_the_same(tmp_path, kind, text):
    wsdl = (FIELD / "boolean-answer.wsdl").read_text().replace("xs:boolean", f"xs:{kind}")
    (tmp_path / "typed.wsdl").write_text(wsdl)
    rules = {"success": f"^{text}$", "wsdl": str(tmp_path / "typed.wsdl")}
    assert delivered("", "200 OK", said(text), **rules).outcome == "accepted"


@pytest.mark.parametrize(
    ("rules", "outcome"),
    [
        ({"success": "<cod>0</cod>"}, "accepted"),
        ({"success": "^0$"}, "accepted"),
        ({"success": '"cod": "0"'}, "accepted"),
        ({"success": "^1$", "refused": "^0$"}, "refused"),
        ({"success": "^0$", "result_path": "result.ret.cod"}, "accepted"),
        ({"success": "^0$", "result_path": "ret.cod"}, "accepted"),
        ({"success": "^1$", "result_path": "ret.cod"}, "unknown"),
    ],
)
@pytest.mark.parametrize("name", ["type-space", "mime-multipart"], ids=["document", "rpc"])
def test_xml_where_a_text_was_expected_is_seen_as_xml_and_as_its_text(name, rules, outcome):
    result = "<ret><cod>0</cod></ret>"
    body = said(result)
    if name == "mime-multipart":
        body = envelope(f'<t:DialResponse xmlns:t="urn:pbx"><result>{result}</result></t:DialResponse>')
    assert delivered(name, "200 OK", body, **rules).outcome == outcome


def test_xml_where_a_text_was_expected_is_quoted_by_its_words():
    detail = delivered("type-space", "200 OK", said("<ret><msg>ramal inválido</msg></ret>"), success="^0$").detail
    assert 'respondeu "ramal inválido"' in detail


@pytest.mark.parametrize("result", ["0", "00", "ok"])
def test_a_document_that_is_one_text_is_read_whatever_its_length(result):
    """zeep stumbles over a single character."""
    body = envelope(f'<t:DialResponse xmlns:t="urn:pbx">{result}</t:DialResponse>')
    settings = {"arguments": {"parameters": "1"}, "success": f"^{result}$", "result_path": "DialResponse"}
    assert delivered("bare-text", "200 OK", body, **settings).outcome == "accepted"


def multipart(
    body: str, kind: str = 'application/xop+xml; charset=UTF-8; type="text/xml"', name: str = "root"
) -> bytes:
    attachment = "--b\r\nContent-ID: <photo>\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\x00\r\n"
    root = f"--b\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{name}>\r\n\r\n{body}\r\n"
    return (attachment + root + "--b--\r\n").encode("latin-1" if "8859" in kind else "utf-8")


XOP = 'multipart/related; type="application/xop+xml"; start="<root>"; start-info="text/xml"; boundary=b'


@pytest.mark.parametrize(
    ("status", "body", "kind", "outcome"),
    [
        ("200 OK", multipart(said("ligação ok")), XOP, "accepted"),
        ("200 OK", multipart(said("ligação ok"), "text/xml; charset=ISO-8859-1"), XOP, "accepted"),
        ("200 OK", multipart(said("não")), XOP, "refused"),
        ("500 Oops", multipart(FAULT), XOP, "refused"),
        ("200 OK", multipart(FAULT), XOP, "refused"),
        ("200 OK", multipart(said("ligação ok")), "multipart/related", "unknown"),
        ("200 OK", b"--b--\r\n", XOP, "unknown"),
    ],
)
def test_the_root_part_of_a_multipart_answer_is_read(status, body, kind, outcome):
    rules = {"success": "^ligação ok$", "refused": "."}
    delivery = delivered("type-space", status, body, kind, **rules)
    assert delivery.outcome == outcome
    assert outcome != "refused" or "ramal ocupado" in delivery.detail or "não" in delivery.detail


def test_an_answer_whose_types_have_a_prefix_that_nobody_declares_is_read():
    body = envelope('<ns1:DialResponse><result xsi:type="xsd:string">0</result></ns1:DialResponse>')
    assert delivered("out-type-unknown-xsd", "200 OK", body, success="^0$").outcome is Outcome.ACCEPTED


def by_preset(name: str, status: str, body: str | bytes, kind: str = "text/xml", **settings: Any) -> Delivery:
    """The same order by the preset ``generic-soap``."""
    content = body.encode() if isinstance(body, str) else body
    chosen = {"preset": "generic-soap", "wsdl": str(FIELD / f"{name}.wsdl"), "operation": "Dial", "arguments": PAIR}
    config = config_class_of(Catalogue(None).preset("generic-soap"))
    with serving(answer(status, content, kind)) as peer:
        given = TypeAdapter(config).validate_python({**chosen, "address": peer.address, **settings})
        with closing(PresetAdapter(given, name="pabx")) as speaking:
            return speaking.deliver(DIAL)


@pytest.mark.parametrize(
    ("name", "status", "body", "kind", "settings", "outcome"),
    [
        ("one-way", "202 Accepted", "", "text/xml", {}, "accepted"),
        ("one-way", "200 OK", "", "text/xml", {}, "accepted"),
        ("output-without-parts", "204 No Content", "", "text/xml", {}, "accepted"),
        ("output-without-parts", "200 OK", envelope(""), "text/xml", {}, "accepted"),
        ("type-space", "202 Accepted", "", "text/xml", {}, "unknown"),
        ("type-space", "200 OK", multipart(said("ok")), XOP, {"success": "^ok$"}, "accepted"),
        ("type-space", "500 Oops", multipart(FAULT), XOP, {}, "refused"),
        ("type-space", "200 OK", said("<ret><cod>0</cod></ret>"), "text/xml", {"success": "^0$"}, "accepted"),
        ("boolean-answer", "200 OK", said("True"), "text/xml", {"success": "^true$"}, "accepted"),
    ],
)
def test_a_preset_that_speaks_soap_reads_such_answers_alike(name, status, body, kind, settings, outcome):
    assert by_preset(name, status, body, kind, **settings).outcome == outcome


def test_the_http_headers_of_a_multipart_answer_are_still_known():
    whole = HttpAnswer(200, HTTPHeaderDict({"Content-Type": XOP, "Set-Cookie": "s=1"}), multipart(said("ok")))
    assert (whole.root.headers["set-cookie"], whole.root.charset) == ("s=1", "UTF-8")
    assert whole.root.body == said("ok").encode()
