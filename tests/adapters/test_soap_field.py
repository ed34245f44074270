"""WSDLs out of public bug reports load, and the envelopes made by them say what was given."""

import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from adapters.soap.envelope import why_unreadable
from adapters.soap.loading import same_origin
from gateway.adapter import Outcome
from gateway.errors import AdapterError
from tests.adapters.bad_peers import answer, serving
from tests.adapters.dialects import DIAL
from tests.adapters.envelopes import body_of
from tests.adapters.field import soap

FIELD = Path(__file__).with_name("field_wsdl")
PAIR = {"from": "{{ extension }}", "to": "{{ number }}"}
TYPED = (
    'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:pbx"'
)
DOCUMENT = '<Dial xmlns="urn:pbx"><from>2000</from><to>04799998888</to></Dial>'
RPC = f'<t:Dial {TYPED}><from i:type="x:string">2000</from><to i:type="x:string">04799998888</to></t:Dial>'


def dialer(name: str, arguments: Any = PAIR, **more: Any) -> Any:
    settings = {"wsdl": str(FIELD / f"{name}.wsdl"), "operation": "Dial", "arguments": arguments}
    return soap(**{"address": "http://127.0.0.1:9/", **settings, **more})


def sent(name: str, arguments: Any = PAIR, **more: Any) -> tuple[Any, ...]:
    """The meaning of the previewed Body."""
    with closing(dialer(name, arguments, **more)) as speaking:
        return body_of(speaking.preview(DIAL)[0].data.partition(b"\r\n\r\n")[2])


def expected(inner: str) -> tuple[Any, ...]:
    return body_of(f"<E><Body>{inner}</Body></E>")


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("output-without-parts", DOCUMENT.replace("urn:pbx", "urn:pbx:dialer")),
        ("one-way", DOCUMENT),
        ("type-space", DOCUMENT),
        ("element-trailing-space", DOCUMENT),
        ("message-leading-space", DOCUMENT),
        ("other-complextype-missing", DOCUMENT),
        ("out-type-unknown-xsd", RPC),
        ("undeclared-prefix-attr", DOCUMENT),
        ("xmlmime-no-location", DOCUMENT),
        ("swaref-import-wsi", DOCUMENT),
        ("mime-multipart", '<t:Dial xmlns:t="urn:pbx"><from>2000</from><to>04799998888</to></t:Dial>'),
        (
            "document-encoded",
            f'<from {TYPED} i:type="x:string">2000</from><to {TYPED} i:type="x:string">04799998888</to>',
        ),
    ],
)
def test_a_wsdl_from_the_field_makes_the_envelope_that_it_describes(name, inner):
    assert sent(name) == expected(inner)


@pytest.mark.parametrize("attribute", ["type", "element", "message", "binding", "base", "name", "location", "use"])
def test_white_space_around_any_name_or_address_of_a_wsdl_counts_for_nothing(tmp_path, attribute):
    text = (FIELD / "two-dimensions.wsdl").read_text() + (FIELD / "xmlmime-no-location.wsdl").read_text()
    assert f' {attribute}="' in text, "the samples have no such attribute"
    for name, arguments in (("array-of-texts", {"numbers": ["1"]}), ("xmlmime-no-location", PAIR)):
        wsdl = (FIELD / f"{name}.wsdl").read_text()
        (tmp_path / "spaced.wsdl").write_text(re.sub(rf' {attribute}="([^"]*)"', rf' {attribute}=" \1\t"', wsdl))
        assert sent(name, arguments, wsdl=str(tmp_path / "spaced.wsdl")) == sent(name, arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "inner"),
    [
        (
            "rpc-encoded-qualified",
            {"call": PAIR},
            f'<t:Dial {TYPED}><call i:type="t:Pair"><from i:type="x:string">2000</from>'
            '<to i:type="x:string">04799998888</to></call></t:Dial>',
        ),
        (
            "list-of-numbers",
            {"from": "1", "numbers": ["{{ number }}", "190"]},
            f'<t:Dial {TYPED}><from i:type="x:string">1</from>'
            '<numbers i:type="t:Numbers">04799998888 190</numbers></t:Dial>',
        ),
        (
            "list-of-numbers",
            {"from": "1", "numbers": "{{ number }}"},
            f'<t:Dial {TYPED}><from i:type="x:string">1</from>'
            '<numbers i:type="t:Numbers">04799998888</numbers></t:Dial>',
        ),
        ("rpc-input-without-body", {}, "<Dial/>"),
        ("document-encoded-one-part", {"to": "1"}, f'<to {TYPED} i:type="x:string">1</to>'),
        (
            "rpc-encoded-attributes",
            {"call": {"to": "{{ number }}", "line": 3}, "note": {"_value_1": "olá", "lang": "pt"}},
            f'<t:Dial {TYPED}><call i:type="t:Line" line="3" mode="auto"><to i:type="x:string">04799998888</to></call>'
            '<note i:type="t:Said" lang="pt">olá</note></t:Dial>',
        ),
        (
            "integer-part",
            {"from": "+3501", "to": "{{ number }}"},
            RPC.replace("x:string", "x:int", 1).replace("2000", "+3501"),
        ),
        ("bare-text", {"parameters": "{{ number }}"}, '<Dial xmlns="urn:pbx">04799998888</Dial>'),
    ],
)
def test_values_go_out_as_the_wsdl_types_them(name, arguments, inner):
    assert sent(name, arguments) == expected(inner)


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("integer-part", {"from": "123.5", "to": "1"}, "'from' came as '123.5', expected a whole number"),
        ("integer-part", {"from": "35x", "to": "1"}, "'from' came as '35x'"),
        ("integer-part", {"from": ["1", "2"], "to": "1"}, "'from' takes one text or number"),
        ("integer-part", {"from": 1, "to": ["1", "2"]}, "'to' takes one text or number"),
        ("array-of-texts", {"numbers": [["1", "2"], ["3"]]}, "is an array of one dimension"),
        ("rpc-encoded-attributes", {"call": {"to": "1"}, "note": "x"}, "'line' is missing"),
        ("rpc-encoded-attributes", {"call": {"to": "1", "line": "x"}, "note": "x"}, "'line' came as 'x'"),
        ("rpc-encoded-attributes", {"call": {"to": "1", "lines": 1}, "note": "x"}, "no 'lines'; there are: to, line"),
        ("rpc-input-without-body", {"to": "1"}, "it takes no arguments, and came with to"),
        ("bare-text", PAIR, "it takes the one argument 'parameters', and came with from, to"),
    ],
)
def test_what_a_type_cannot_hold_is_refused_with_a_sentence_and_not_sent(name, arguments, why):
    with closing(dialer(name, arguments)) as speaking:
        with pytest.raises(AdapterError, match=re.escape(why)):
            speaking.preview(DIAL)
        assert speaking.deliver(DIAL).outcome is Outcome.UNREACHABLE


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [("boolean", "true", "yes"), ("int", "7", "7.0"), ("decimal", "7.5", "7,5"), ("double", "1e3", "much")],
)
@pytest.mark.parametrize("name", ["type-space", "list-of-numbers"], ids=["literal", "encoded"])
def test_a_text_that_is_no_value_of_its_type_is_refused_in_both_styles(tmp_path, name, kind, good, bad):
    """zeep writes ``yes`` and ``no`` as ``true``, and any text as a number."""
    wsdl = (FIELD / f"{name}.wsdl").read_text().replace('name="from" type="xs:string"', f'name="from" type="xs:{kind}"')
    (tmp_path / "typed.wsdl").write_text(wsdl)
    other = {"to": "1"} if name == "type-space" else {"numbers": "1"}
    assert sent(name, {"from": good, **other}, wsdl=str(tmp_path / "typed.wsdl"))
    with pytest.raises(AdapterError, match=f"'from' came as '{bad}'"):
        sent(name, {"from": bad, **other}, wsdl=str(tmp_path / "typed.wsdl"))


def test_a_list_goes_out_whole_in_a_literal_envelope_too(tmp_path):
    """zeep takes a text apart: ``4799`` became ``4 7 9 9``."""
    wsdl = (FIELD / "list-of-numbers.wsdl").read_text().replace('use="encoded"', 'use="literal"')
    (tmp_path / "literal.wsdl").write_text(wsdl)
    body = sent("", {"from": "1", "numbers": "{{ number }}"}, wsdl=str(tmp_path / "literal.wsdl"))
    assert body == expected('<t:Dial xmlns:t="urn:pbx"><from>1</from><numbers>04799998888</numbers></t:Dial>')


@pytest.mark.parametrize(
    ("name", "was", "becomes", "why"),
    [
        ("type-space", '" xs:string "', '"tns:Unheard"', "'to' cannot be sent: .*'Unheard' of the namespace 'urn:pbx'"),
        (
            "out-type-unknown-xsd",
            'name="to" type="xs:string"',
            'name="to" type="xs:array"',
            "'to' cannot be sent.*'array'",
        ),
        ("type-space", 'element="tns:Dial"', 'element="tns:Dail"', "'Dail'"),
    ],
)
def test_a_missing_type_is_an_error_only_where_a_value_of_it_would_go_out(tmp_path, name, was, becomes, why):
    wsdl = (FIELD / f"{name}.wsdl").read_text()
    assert was in wsdl
    (tmp_path / "missing.wsdl").write_text(wsdl.replace(was, becomes))
    arguments = {"parameters": "x"} if "Dail" in why else PAIR
    with closing(dialer(name, arguments, wsdl=str(tmp_path / "missing.wsdl"))) as speaking:
        with pytest.raises(AdapterError, match=why):
            speaking.preview(DIAL)
        assert re.search(why, str(speaking.probe().text)), "check does not know it"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('<wsdl:input message="tns:I2"/>', "<wsdl:input/>"),
        ('message="tns:I2"', 'message="tns:Nothing"'),
        ('<wsdl:operation name="Other"><soap:operation', '<wsdl:operation name="Otter"><soap:operation'),
        ('<soap:body use="literal"/></wsdl:output></wsdl:operation></wsdl:binding>',
         '<soap:header message="tns:O2"/></wsdl:output></wsdl:operation></wsdl:binding>'),
        ('<xs:element name="u" type="b:userType"/>', '<xs:element ref="b:nowhere"/><xs:group ref="b:nowhere"/>'),
        ('<xs:element name="Q">', '<xs:attribute/><xs:element name="Q">'),
        ('<xs:element name="Q">', '<xs:include/><xs:element name="Q">'),
        ('<xs:sequence><xs:element name="u" type="b:userType"/>', '<xs:sequence><xs:simpleType/>'),
        ('<xs:element name="Q"><xs:complexType>', '<xs:element name="Q"><xs:complexType><xs:any/><xs:sequence/>'),
        ('<xs:element name="Q">', '<v:own xmlns:v="urn:vendor"/><xs:element name="Q">'),
    ],
)  # fmt: skip
def test_one_operations_defect_costs_that_operation_only(tmp_path, was, becomes):
    wsdl = (FIELD / "other-complextype-missing.wsdl").read_text()
    assert was in wsdl
    (tmp_path / "wrong.wsdl").write_text(wsdl.replace(was, becomes))
    assert sent("", wsdl=str(tmp_path / "wrong.wsdl")) == expected(DOCUMENT)


def test_an_operation_that_is_described_wrongly_is_named_with_the_reason(tmp_path):
    wsdl = (FIELD / "other-complextype-missing.wsdl").read_text().replace('message="tns:I2"', 'message="tns:Nothing"')
    (tmp_path / "wrong.wsdl").write_text(wsdl)
    with closing(dialer("", wsdl=str(tmp_path / "wrong.wsdl"), operation="Other")) as speaking:
        assert "describes 'Other' wrongly: the message 'tns:Nothing' of its input is described nowhere" in str(
            speaking.probe().text
        )


def test_a_part_that_the_binding_does_not_put_into_the_body_is_not_in_it(tmp_path):
    wsdl = (FIELD / "one-way.wsdl").read_text()
    more = '<wsdl:part name="session" element="tns:DialResponse"/></wsdl:message><wsdl:message name="O">'
    wsdl = wsdl.replace('</wsdl:message><wsdl:message name="O">', more)
    wsdl = wsdl.replace('<soap:body use="literal"/>', '<soap:body parts=" parameters " use="literal"/>')
    (tmp_path / "parts.wsdl").write_text(wsdl)
    assert sent("", wsdl=str(tmp_path / "parts.wsdl")) == expected(DOCUMENT)


@pytest.mark.parametrize("prefix", ["1999", "2000/10"])
def test_a_draft_of_xml_schema_is_read_as_its_final_version(tmp_path, prefix):
    wsdl = (FIELD / "one-way.wsdl").read_text().replace("/2001/XMLSchema", f"/{prefix}/XMLSchema")
    (tmp_path / "old.wsdl").write_text(wsdl)
    assert sent("", wsdl=str(tmp_path / "old.wsdl")) == expected(DOCUMENT)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('<xs:element name="from" type="xs:string"/>', '<element name="from" type="xs:string"/>'),
        ('name="from" type="xs:string"', 'name="from" type="xsd:string"'),
        ('<wsdl:portType name="P">', '<wsdl:portType name="P"><jaxws:bindings><jaxws:x/></jaxws:bindings>'),
        ('type="tns:P"', 'type="wrong:P" xmlns:wrong="urn:other"'),
        ('<wsdl:message name="I"><wsdl:part', '<wsdl:message name="I"><wsdl:part type=""'),
    ],
    ids=["a schema's element in the WSDL's namespace", "undeclared prefix of a built-in type", "undeclared element",
         "a port type of another namespace", "an empty reference"],
)  # fmt: skip
def test_what_php_passes_over_in_a_wsdl_is_passed_over(tmp_path, was, becomes):
    wsdl = (FIELD / "one-way.wsdl").read_text()
    assert was in wsdl
    wsdl = wsdl.replace(was, becomes).replace(
        "<wsdl:definitions ", '<wsdl:definitions xmlns="http://schemas.xmlsoap.org/wsdl/" '
    )
    (tmp_path / "sloppy.wsdl").write_text(wsdl)
    assert sent("", wsdl=str(tmp_path / "sloppy.wsdl")) == expected(DOCUMENT)


def test_a_document_that_is_not_well_formed_is_refused_with_the_parsers_reason_and_line(tmp_path):
    wsdl = (FIELD / "one-way.wsdl").read_text().replace("</wsdl:portType>", "")
    (tmp_path / "torn.wsdl").write_text(wsdl)
    with closing(dialer("", wsdl=str(tmp_path / "torn.wsdl"))) as speaking:
        said = str(speaking.probe().text)
    assert re.search(r"no WSDL that can be read: Opening and ending tag.*portType line 5", said)
    assert why_unreadable(b"<a/>") == ""


@pytest.mark.parametrize(
    ("url", "is_same"),
    [
        ("http://pbx/S?xsd=1", True),
        ("http://pbx:80/S?xsd=1", True),
        ("http://PBX/S?xsd=1", True),
        ("HTTP://pbx:/S?xsd=1", True),
        ("http://pbx:8080/S", False),
        ("https://pbx/S", False),
        ("http://pbx2/S", False),
        ("http://x@pbx/S", False),
        ("http://pbx:x/S", False),
        ("file:///etc/passwd", False),
    ],
)
def test_an_origin_is_compared_as_rfc_3986_normalizes_it(url, is_same):
    assert same_origin(url, "http://pbx/S?wsdl") is is_same


def test_a_wsdl_imports_from_its_own_host_however_that_is_written():
    schema = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x"/>'

    def behave(peer, connection):
        where = f"http://LOCALHOST:{peer.port}/S?xsd=1"
        imported = f'<xs:import namespace="urn:x" schemaLocation="{where}"/><xs:element name="Dial">'
        wsdl = (FIELD / "one-way.wsdl").read_text().replace('<xs:element name="Dial">', imported)
        body = schema if b"?xsd=1 " in peer.requests[-1] else wsdl
        return answer("200 OK", body.encode(), "text/xml")(peer, connection)

    with serving(behave) as peer:
        assert sent("", wsdl=f"http://localhost:{peer.port}/S?wsdl") == expected(DOCUMENT)
        assert len(peer.requests) == 2
