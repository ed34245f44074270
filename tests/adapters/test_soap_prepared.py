"""An envelope that is filled in is the one that zeep would have made."""

import re
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pydantic import TypeAdapter

from adapters.http.client import Peer
from adapters.http.templates import compiled, rendered
from adapters.soap.adapter import SoapAdapter
from adapters.soap.description import Description
from adapters.soap.header import Header
from adapters.soap.prepared import prepare
from adapters.soap.wsdl import Contract
from gateway.adapter import Outgoing
from gateway.errors import AdapterError
from tests.adapters.dialects import DIAL, WSDL

SOAP = TypeAdapter(SoapAdapter.Config)
ARGUMENTS = {"from": "{{ extension }}", "to": "{{ number }}"}


def contract(wsdl, **settings) -> Contract:
    config = SOAP.validate_python({"wsdl": str(wsdl), "operation": "Call", "arguments": ARGUMENTS, **settings})
    arguments = compiled(config.arguments, config.secrets, place="arguments")
    with closing(Peer(config, name="pabx")) as peer:
        description = Description(config.wsdl, peer, peer.attempt())
        return Contract(config, arguments, Header(config), peer, description)


def with_type(folder, kind: str):
    """The WSDL with another type for the number."""
    text = WSDL.read_text().replace('name="to" type="xsd:string"', f'name="to" type="xsd:{kind}"')
    (folder / "pabx.wsdl").write_text(text)
    return folder / "pabx.wsdl"


def order(number: str) -> Outgoing:
    return Outgoing("dial", "o-1", {**DIAL.fields, "number": number})


@pytest.mark.parametrize(
    ("kind", "number", "filled_in"),
    [
        ("string", "47 <99>&\"'é", True),
        ("string", "", True),
        ("int", "4732100123", False),
        ("int", "4732100123.5", False),
        ("anyURI", "tel:4732100123", True),
        ("boolean", "0", False),
        ("float", "1e5", False),
        ("duration", "P1D", False),
        ("hexBinary", "47", False),
    ],
)
def test_the_envelope_is_zeeps_own_whether_it_is_filled_in_or_not(tmp_path, kind, number, filled_in):
    ours = contract(with_type(tmp_path, kind))
    assert (ours._prepared is not None) == filled_in
    try:
        zeeps = ours.call(rendered(ours._arguments, order(number)), order(number))
    except Exception as error:
        with pytest.raises(type(error)):
            ours.request(order(number))
    else:
        assert ours.request(order(number)) == zeeps


def test_any_text_is_filled_in_as_zeep_writes_it():
    ours = contract(WSDL)

    @given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"])))
    def try_number(number):
        assert ours.request(order(number)) == ours.call(rendered(ours._arguments, order(number)), order(number))

    try_number()


def test_two_orders_are_filled_into_envelopes_of_their_own():
    ours = contract(WSDL)
    first, second = ours.request(order("1")), ours.request(order("2"))
    assert (b">1<" in first.body, b">2<" in first.body) == (True, False)
    assert (b">1<" in second.body, b">2<" in second.body) == (False, True)


def test_an_argument_that_the_wsdl_does_not_know_is_said_for_each_message():
    ours = contract(WSDL, arguments=ARGUMENTS | {"surplus": "{{ number }}"})
    for number in ("1", "2"):
        with pytest.raises(AdapterError, match="surplus"):
            ours.request(order(number))


def test_each_message_of_ws_addressing_has_an_id_of_its_own(tmp_path):
    action = 'wsaw:Action="urn:call" xmlns:wsaw="http://www.w3.org/2006/05/addressing/wsdl"'
    text = WSDL.read_text().replace('input message="tns:CallIn"', f'input message="tns:CallIn" {action}')
    (tmp_path / "pabx.wsdl").write_text(text)
    ours = contract(tmp_path / "pabx.wsdl")
    ids = {re.search(rb"MessageID>([^<]+)<", ours.request(DIAL).body)[1] for _ in range(2)}
    assert len(ids) == 2


def test_a_text_that_arrives_twice_or_as_an_attribute_is_not_filled_in():
    def twice(arguments):
        root = etree.Element("a")
        etree.SubElement(root, "b").text = etree.SubElement(root, "c").text = arguments["from"]
        return root

    def attribute(arguments):
        return etree.Element("a", {"b": arguments["from"]})

    arguments = compiled({"from": "{{ extension }}"}, {}, place="arguments")
    assert prepare(arguments, twice) is None
    assert prepare(arguments, attribute) is None


def test_a_header_is_added_to_each_message_once():
    ours = contract(WSDL, header="<s xmlns='urn:x'>{{ number }}</s>")
    for number in ("1", "2"):
        assert re.findall(rb"<s [^>]*>(\d)</s>", ours.request(order(number)).body) == [number.encode()]


@pytest.mark.parametrize("literal", ["a\x01b", "\ufffe"])
def test_a_template_that_no_xml_can_hold_says_so(literal):
    ours = contract(WSDL, arguments=ARGUMENTS | {"from": literal})
    with pytest.raises(AdapterError, match="nenhum XML pode ter"):
        ours.request(DIAL)


def test_a_line_end_of_a_template_is_written_as_zeep_writes_it():
    ours = contract(WSDL, arguments=ARGUMENTS | {"from": "a\r\nb\tc"})
    assert b"a&#13;\nb\tc<" in ours.request(DIAL).body
    assert ours.request(DIAL) == ours.call(rendered(ours._arguments, DIAL), DIAL)
