"""A flat answer is read as zeep reads it, and one that is not flat is left to zeep."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.http.answers import Single
from adapters.soap.envelope import SOAP_11, SOAP_12
from tests.adapters.dialects import WSDL
from tests.adapters.test_soap_requests import contract

CODE, ID = '<xsd:element name="code" type="xsd:int"/>', '<xsd:element name="callId" type="xsd:string" minOccurs="0"/>'
PARTS = CODE + ID


def described(folder, answer: str):
    """The contract whose answer is described by ``answer``, the content of a complexType."""
    text = WSDL.read_text()
    called = f"<xsd:sequence>\n        {CODE}{ID}\n      </xsd:sequence>"
    assert called in text
    (folder / "pabx.wsdl").write_text(text.replace(called, answer))
    return contract(folder / "pabx.wsdl")


def answer(body: str, soap: str = SOAP_11, wrapper: str = "t:Called") -> Any:
    opened = (
        f'<s:Envelope xmlns:s="{soap}" xmlns:t="urn:test-pabx" xmlns:x="http://www.w3.org/2001/XMLSchema-instance">'
    )
    return etree.fromstring(f"{opened}<s:Body><{wrapper}>{body}</{wrapper.split()[0]}></s:Body></s:Envelope>")


@pytest.mark.parametrize(
    "body",
    [
        "<t:code>0</t:code><t:callId>a b</t:callId>",
        "<t:code> -7 </t:code>",
        "<t:code>0</t:code><t:callId/>",
        "<t:code/>",
        "<t:code>none</t:code>",
        "\n  <t:code>0</t:code>\n  <t:callId>&lt;&amp;</t:callId>\n",
    ],
)
def test_an_answer_of_simple_parts_is_read_as_zeep_reads_it(body):
    ours = contract(WSDL)
    assert ours._flat.read(answer(body)) == ours._described(answer(body))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<t:callId>a</t:callId>",
        "<t:callId>a</t:callId><t:code>0</t:code>",
        "<t:code>0</t:code><t:code>1</t:code>",
        "<t:code>0</t:code><t:other/>",
        "<code>0</code>",
        '<t:code x:nil="true"/>',
        "<t:code>0<t:deeper/></t:code>",
    ],
)
def test_an_answer_that_is_not_as_described_is_left_to_zeep(body):
    ours = contract(WSDL)
    assert ours._flat.read(answer(body)) is None
    try:
        zeeps = ours._described(answer(body))
    except Exception as error:
        with pytest.raises(type(error)):
            ours.result(answer(body))
    else:
        assert str(ours.result(answer(body))).partition(" at 0x")[0] == str(zeeps).partition(" at 0x")[0]


@pytest.mark.parametrize(
    "envelope",
    [
        answer("<t:code>0</t:code>", SOAP_12),
        answer("<t:code>0</t:code>", wrapper="t:Other"),
        answer("<t:code>0</t:code>", wrapper='t:Called x:type="t:Called"'),
        etree.fromstring(f'<s:Envelope xmlns:s="{SOAP_11}"><s:Header/><s:Body/></s:Envelope>'),
        etree.fromstring(f'<s:Envelope xmlns:s="{SOAP_11}"><s:Body/></s:Envelope>'),
        etree.fromstring(f'<s:Envelope xmlns:s="{SOAP_11}"><s:Header/></s:Envelope>'),
        etree.fromstring(f'<s:Envelope xmlns:s="{SOAP_11}"/>'),
    ],
)
def test_another_envelope_is_left_to_zeep(envelope):
    assert contract(WSDL)._flat.read(envelope) is None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("string", " a "),
        ("int", "12"),
        ("boolean", "true"),
        ("boolean", "0"),
        ("decimal", "1.50"),
        ("double", "INF"),
        ("dateTime", "2026-11-28T09:00:00-03:00"),
        ("duration", "PT5S"),
        ("base64Binary", "YWJj"),
        ("anyURI", "sip:3501@pabx"),
    ],
)
def test_a_part_that_is_alone_is_bare_and_known_by_its_name(tmp_path, kind, text):
    ours = described(tmp_path, f'<xsd:sequence><xsd:element name="result" type="xsd:{kind}"/></xsd:sequence>')
    read = ours._flat.read(answer(f"<t:result>{text}</t:result>"))
    zeeps = ours._described(answer(f"<t:result>{text}</t:result>"))
    assert (type(read), dict(read)) == (Single, dict(zeeps))


@pytest.mark.parametrize(
    "structure",
    [
        f"<xsd:choice>{PARTS}</xsd:choice>",
        f"<xsd:all>{PARTS}</xsd:all>",
        f'<xsd:sequence maxOccurs="2">{PARTS}</xsd:sequence>',
        f"<xsd:sequence><xsd:sequence>{CODE}</xsd:sequence>{ID}</xsd:sequence>",
        f"<xsd:sequence>{CODE}<xsd:any/></xsd:sequence>",
        f'<xsd:sequence>{PARTS}</xsd:sequence><xsd:attribute name="lang" type="xsd:string"/>',
        '<xsd:sequence><xsd:element name="code" type="xsd:int" maxOccurs="unbounded"/></xsd:sequence>',
        '<xsd:sequence><xsd:element name="call" type="tns:Deep"/></xsd:sequence>',
        '<xsd:sequence><xsd:element name="any" type="xsd:anyType"/></xsd:sequence>',
        "<xsd:sequence/>",
    ],
)
def test_what_is_described_as_more_than_simple_parts_is_left_to_zeep(tmp_path, structure):
    deep = '</xsd:complexType></xsd:element><xsd:complexType name="Deep"><xsd:sequence/></xsd:complexType>'
    ours = described(tmp_path, structure + deep + '<xsd:element name="Unused"><xsd:complexType>')
    assert ours._flat is None


def test_any_text_of_a_part_is_read_as_zeep_reads_it():
    ours = contract(WSDL)

    @given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")), st.integers())
    def try_text(text, number):
        envelope = answer("<t:code/><t:callId/>")
        envelope[0][0][0].text, envelope[0][0][1].text = str(number), text
        assert ours._flat.read(envelope) == ours._described(envelope)

    try_text()
