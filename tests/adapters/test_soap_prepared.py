"""An envelope that is filled in is the one that zeep would have made."""

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.http.client import Peer
from adapters.http.templates import compiled, rendered
from adapters.soap.description import Description
from adapters.soap.header import Header
from adapters.soap.prepared import prepare
from adapters.soap.settings import SoapConfig
from adapters.soap.wsdl import Contract
from gateway.adapter import Outgoing
from gateway.errors import AdapterError
from tests.adapters.dialects import DIAL, WSDL
from tests.adapters.test_soap_requests import ARGUMENTS, contract, order
from tests.parity.samples import arguments_of

ROOT = Path(__file__).parents[2]
FILES = sorted(
    {*(ROOT / "tests").rglob("*.wsdl"), *(ROOT / "wsdl").glob("*.wsdl"), *(ROOT / "gateway").rglob("*.wsdl")}
)
NUMBERS = ["4732100123", "007", "", " a  b ", "true", "0", "1e5", "<99>&\"'é", "P1D", "YWJj", "2026-11-30", "\ufffe"]


def with_type(folder: Path, kind: str) -> Path:
    """The WSDL with another type for the number."""
    text = WSDL.read_text().replace('name="to" type="xsd:string"', f'name="to" type="{kind}"')
    kinds = (
        '<xsd:simpleType name="List"><xsd:list itemType="xsd:string"/></xsd:simpleType>'
        '<xsd:simpleType name="Union"><xsd:union memberTypes="xsd:int xsd:string"/></xsd:simpleType>'
        '<xsd:simpleType name="Listed"><xsd:restriction base="xsd:string"><xsd:enumeration value="47"/>'
        "</xsd:restriction></xsd:simpleType></xsd:schema>"
    )
    (folder / "pabx.wsdl").write_text(text.replace("</xsd:schema>", kinds))
    return folder / "pabx.wsdl"


def by_zeep(ours: Contract, message: Outgoing) -> Any:
    return ours.call(rendered(ours._arguments, message), message)


@pytest.mark.parametrize(
    ("kind", "number", "filled_in"),
    [
        ("xsd:string", "47 <99>&\"'é", True),
        ("xsd:string", "", True),
        ("xsd:int", "4732100123", False),
        ("xsd:int", "4732100123.5", False),
        ("xsd:anyURI", "tel:4732100123", True),
        ("xsd:boolean", "0", False),
        ("xsd:float", "1e5", False),
        ("xsd:duration", "P1D", False),
        ("xsd:hexBinary", "47", False),
        ("tns:List", "47  99", False),
        ("tns:Union", "007", True),
        ("tns:Listed", "47", False),
    ],
)
def test_the_envelope_is_zeeps_own_whether_it_is_filled_in_or_not(tmp_path, kind, number, filled_in):
    ours = contract(with_type(tmp_path, kind))
    assert (ours._prepared is not None) == filled_in
    try:
        zeeps = by_zeep(ours, order(number))
    except Exception as error:
        with pytest.raises(type(error)):
            ours.request(order(number))
    else:
        assert ours.request(order(number)) == zeeps


def test_any_text_is_filled_in_as_zeep_writes_it():
    ours = contract(WSDL)

    @given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"])))
    def try_number(number):
        assert ours.request(order(number)) == by_zeep(ours, order(number))

    try_number()


def test_every_operation_of_every_wsdl_here_is_filled_in_as_zeep_writes_it():
    """Field files, vendors' and our own: all arguments that are texts hold the number, whatever is in it."""
    found = [each for path in FILES for each in contracts(path)]
    filled_in = [ours for ours in found if ours._prepared]
    for ours in found:
        for number in NUMBERS:
            assert outcome(ours.request, order(number)) == outcome(partial(by_zeep, ours), order(number))
    assert len(filled_in) > 20, "hardly anything is filled in"
    assert len(found) > len(filled_in) + 20, "hardly anything is left to zeep"


def contracts(path: Path) -> list[Contract]:
    """The operations of a WSDL that can be bound; none of a file that does not load."""
    with closing(Peer(SoapConfig(wsdl=str(path), operation="x"), name="pabx")) as peer:
        try:
            described = Description(str(path), peer, peer.attempt())
        except Exception:
            return []
        made = [
            bound(peer, described, to, wsdl=str(path), service=service, port=port, operation=name)
            for service, port, found in described.ports()
            for name, to in found.binding.all().items()
        ]
        return [each for each in made if each is not None]


def bound(peer: Peer, described: Description, to: Any, **settings: str) -> Contract | None:
    """The operation ``to``; None for one that cannot be used, which other tests look at."""
    config = SoapConfig(**settings, address="http://127.0.0.1:9/", arguments=templates(arguments_of(to)[0]))
    try:
        arguments = compiled(config.arguments, {}, place="arguments")
        return Contract(config, arguments, Header(config), peer, described)
    except Exception:
        return None


def templates(tree: Any) -> Any:
    """The number in the place of each text."""
    if isinstance(tree, dict):
        return {name: templates(value) for name, value in tree.items()}
    if isinstance(tree, list):
        return [templates(value) for value in tree]
    return "{{ number }}" if isinstance(tree, str) else tree


def outcome(make: Any, message: Outgoing) -> Any:
    try:
        return make(message)
    except Exception as error:
        return type(error), str(error)


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


@pytest.mark.parametrize("literal", ["a\x01b", "\ufffe"])
def test_what_no_xml_can_hold_is_left_to_zeep(literal):
    ours = contract(WSDL, arguments=ARGUMENTS | {"from": literal})
    assert ours._prepared is not None
    with pytest.raises(AdapterError, match="the arguments do not fit 'Call'"):
        ours.request(DIAL)


def test_a_message_with_a_header_is_left_to_zeep():
    assert contract(WSDL, header="<s xmlns='urn:x'>{{ number }}</s>")._prepared is None


def test_a_line_end_of_a_template_is_written_as_zeep_writes_it():
    ours = contract(WSDL, arguments=ARGUMENTS | {"from": "a\r\nb\tc"})
    assert b"a&#13;\nb\tc<" in ours.request(DIAL).body
    assert ours.request(DIAL) == by_zeep(ours, DIAL)
