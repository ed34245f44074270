"""Each order is an envelope of its own, as the WSDL describes it."""

import re
from contextlib import closing

import pytest
from pydantic import TypeAdapter

from adapters.http.client import Peer
from adapters.http.templates import compiled
from adapters.soap.adapter import SoapAdapter
from adapters.soap.description import Description
from adapters.soap.header import Header
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


def order(number: str) -> Outgoing:
    return Outgoing("dial", "o-1", {**DIAL.fields, "number": number})


def test_two_orders_have_envelopes_of_their_own():
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


def test_a_header_is_added_to_each_message_once():
    ours = contract(WSDL, header="<s xmlns='urn:x'>{{ number }}</s>")
    for number in ("1", "2"):
        assert re.findall(rb"<s [^>]*>(\d)</s>", ours.request(order(number)).body) == [number.encode()]
