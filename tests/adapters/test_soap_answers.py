"""Answers that describe themselves: multi-references, arrays, maps, and what hostile ones may cost."""

import time
from contextlib import closing

import pytest
from lxml import etree

from adapters.http.answers import AnswerRule, pick
from adapters.soap.answers import parts_of
from gateway.adapter import Outcome
from tests.adapters.bad_peers import answer, serving
from tests.adapters.dialects import DIAL
from tests.adapters.field import GET_CONTAS, envelope, parlay_x, soap, webdialer, webdialer_15su5

SPACES = (
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    'xmlns:E="http://schemas.xmlsoap.org/soap/encoding/" xmlns:e12="http://www.w3.org/2003/05/soap-encoding" '
    'xmlns:m="http://xml.apache.org/xml-soap"'
)


def parts(inner: str):
    return parts_of(etree.fromstring(envelope(inner, SPACES)))


@pytest.mark.parametrize(
    ("who", "inner", "value"),
    [
        ("plain", "<r><a>1</a><b> x </b></r>", {"a": "1", "b": "x"}),
        ("typed", '<r><a xsi:type="xsd:int">7</a><b xsi:type="xsd:boolean">1</b></r>', {"a": 7, "b": True}),
        ("a number as int", '<r><a xsi:type="xsd:int">+5547</a></r>', {"a": "+5547"}),
        ("SOAP::Lite, accents", '<r><a xsi:type="xsd:base64Binary">bGlnYcOnw6Nv</a></r>', {"a": "ligação"}),
        ("SOAP::Lite, Latin-1", '<r><a xsi:type="xsd:base64Binary">bGlnYefjbw==</a></r>', {"a": "ligação"}),
        ("no base64 after all", '<r><a xsi:type="xsd:base64Binary">ligação</a></r>', {"a": "ligação"}),
        ("nil", '<r><a xsi:nil="true"/><b xsi:nil="1"/></r>', {"a": None, "b": None}),
        ("nothing", "<r/>", ""),
        ("bare text", "<r>OK</r>", "OK"),
        ("comments", "<!-- a --><r><!-- b --><a>1</a><?pi?></r>", {"a": "1"}),
        ("repeated", "<r><a>1</a><a>2</a></r>", {"a": ["1", "2"]}),
        ("a zero in front", '<r><a xsi:type="xsd:int">047</a></r>', {"a": "047"}),
        ("array", '<r><a xsi:type="E:Array" E:arrayType="x:y[2]"><i>1</i><i>2</i></a></r>', {"a": ["1", "2"]}),
        ("array of one", '<r><a E:arrayType="xsd:string[1]"><item>1</item></a></r>', {"a": ["1"]}),
        ("empty array", '<r><a E:arrayType="xsd:string[0]"/></r>', {"a": []}),
        ("array as an element", "<r><a><E:Array><i>1</i></E:Array></a></r>", {"a": {"Array": ["1"]}}),
        ("SOAP 1.2 array", '<r><a e12:itemType="xsd:string" e12:arraySize="1"><i>1</i></a></r>', {"a": ["1"]}),
        ("Apache's Map", '<r><a xsi:type="m:Map"><item><key>k</key><value>v</value></item></a></r>', {"a": {"k": "v"}}),
        ("Axis", '<r><a href="#i"/></r><multiRef id="i"><c xsi:type="xsd:int">0</c></multiRef>', {"a": {"c": 0}}),
        ("Delphi", '<r><a href="#1"/></r><x id="1" E:arrayType="x[1]"><i href="#2"/></x><y id="2">5</y>', {"a": ["5"]}),
        ("PHP, seen twice", '<r><a id="ref1"><c>0</c></a><b href="#ref1"/></r>', {"a": {"c": "0"}, "b": {"c": "0"}}),
        ("SOAP 1.2 reference", '<r><a e12:ref="x"/></r><y e12:id="x">5</y>', {"a": "5"}),
    ],
)  # fmt: skip
def test_an_answer_is_read_as_its_sender_meant_it(who, inner, value):
    assert parts(inner) == value


@pytest.mark.parametrize(
    "inner",
    [
        "",
        '<r><a href="#no"/></r>',
        '<r><a href="#i"/></r><x id="i" href="#i"/>',
        '<r><a href="#i"/></r><x id="i"><a href="#j"/></x><x id="j"><a href="#i"/></x>',
        '<r><a href="#i0"/></r>' + "".join(f'<x id="i{n}"><a href="#i{n + 1}"/></x>' for n in range(500)),
    ],
)
def test_references_that_lead_nowhere_or_in_circles_are_no_answer(inner):
    with pytest.raises(LookupError):
        parts(inner)


def test_references_that_multiply_stop_soon():
    bomb = "".join(f'<x id="i{n}">' + f'<a href="#i{n + 1}"/>' * 10 + "</x>" for n in range(12)) + '<x id="i12">1</x>'
    started = time.monotonic()
    with pytest.raises(LookupError):
        parts('<r><a href="#i0"/></r>' + bomb)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("path", ["return.code", "code"])
def test_the_name_of_an_only_part_may_be_left_out_of_a_path(path):
    answered = parts("<r><return><code>0</code></return></r>")
    assert pick(answered, path) == "0"
    assert AnswerRule('^{"code": "0"}$').judge(answered).outcome is Outcome.ACCEPTED


def test_an_only_part_that_is_an_array_is_stepped_into_by_number():
    assert pick(parts('<r><a E:arrayType="x[1]"><i><n>Ana</n></i></a></r>'), "0.n") == "Ana"


def axis(code: int, text: str) -> bytes:
    """An answer as Axis 1.4 writes it in front of WebDialer."""
    inner = (
        '<ns1:makeCallSoapResponse xmlns:ns1="urn:WD70" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">'
        '<makeCallSoapReturn href="#id0"/></ns1:makeCallSoapResponse>'
        '<multiRef id="id0" E:root="0" xsi:type="ns2:CallResponse" xmlns:ns2="urn:WD70">'
        f'<responseCode xsi:type="xsd:int">{code}</responseCode>'
        f'<responseDescription xsi:type="xsd:string">{text}</responseDescription></multiRef>'
    )
    return envelope(inner, SPACES).encode()


@pytest.mark.parametrize(("code", "outcome"), [(0, "accepted"), (2, "refused"), (7, "refused")])
def test_webdialers_multi_reference_answer_is_judged_by_its_code(code, outcome):
    peer = serving(answer("200 OK", axis(code, "said so"), "text/xml; charset=utf-8"))
    with peer as cucm, closing(soap(**webdialer(), address=cucm.address)) as speaking:
        assert speaking.deliver(DIAL).outcome == outcome


def test_the_new_webdialers_document_answer_is_judged_by_the_same_code():
    inner = "<return><responseCode>2</responseCode><responseDescription>x</responseDescription></return>"
    body = envelope(f'<makeCallSoapResponse xmlns="http://webdialer.ccm.cisco.com">{inner}</makeCallSoapResponse>')
    with serving(answer("200 OK", body.encode(), "text/xml")) as peer:
        with closing(soap(**webdialer_15su5(), address=peer.address)) as speaking:
            assert speaking.deliver(DIAL).outcome is Outcome.REFUSED
        assert b'SOAPAction: "makeCallSoap"' in peer.requests[0]


PARLAY_X = "http://www.csapi.org/schema/parlayx/third_party_call/v2_0/local"
PARLAY_X_FAULT = (
    "<s:Fault><faultcode>s:Client</faultcode><faultstring>SVC0004</faultstring><detail>"
    '<e:ServiceException xmlns:e="http://www.csapi.org/schema/parlayx/common/v2_0"><messageId>SVC0004</messageId>'
    "<text>No valid addresses</text></e:ServiceException></detail></s:Fault>"
)


@pytest.mark.parametrize(
    ("status", "inner", "outcome", "ref"),
    [
        ("200 OK", f'<makeCallResponse xmlns="{PARLAY_X}"><result>c-1</result></makeCallResponse>', "accepted", "c-1"),
        ("500 Internal Server Error", PARLAY_X_FAULT, "refused", None),
    ],
)
def test_a_parlay_x_answer_is_a_call_id_or_a_fault(status, inner, outcome, ref):
    peer = serving(answer(status, envelope(inner).encode(), "text/xml"))
    settings = parlay_x() | {"ref_path": "result", "auth": "wsse", "username": "crm", "password": "x"}
    with peer as network, closing(soap(**settings | {"address": network.address})) as speaking:
        delivery = speaking.deliver(DIAL)
    assert (delivery.outcome, delivery.peer_ref) == (outcome, ref)


def test_wconnects_array_of_structures_is_searched_by_place_and_name():
    inner = (
        '<n:getContasResponse xmlns:n="urn:WConnect"><return xsi:type="E:Array" E:arrayType="n:ContasDados[1]">'
        '<item xsi:type="n:ContasDados"><contaId xsi:type="xsd:int">7</contaId>'
        '<contaNome xsi:type="xsd:string">Padaria São João</contaNome></item></return></n:getContasResponse>'
    )
    body = envelope(inner, SPACES).encode("latin-1")
    rules = {"result_path": "0.contaNome", "success": "São João", "ref_path": "return.0.contaId"}
    crm = serving(answer("200 OK", body, "text/xml; charset=ISO-8859-1"))
    with crm as peer, closing(soap(**GET_CONTAS, **rules, address=peer.address)) as speaking:
        delivery = speaking.deliver(DIAL)
    assert (delivery.outcome, delivery.peer_ref) == (Outcome.ACCEPTED, "7")


def test_a_pattern_that_takes_too_long_for_an_answer_makes_it_unclear_and_holds_nobody_up() -> None:
    verdict = AnswerRule("(x+x+)+[yz]").judge("x" * 5000)
    assert (verdict.outcome, "takes too long" in str(verdict.problem)) == (Outcome.UNKNOWN, True)
    assert AnswerRule("ok", refused="(x+x+)+[yz]").judge("x" * 5000).outcome is Outcome.UNKNOWN
