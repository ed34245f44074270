"""The simulated Parlay X gateway, called with envelopes, and by zeep with the standard's WSDL where it is at hand."""

from contextlib import closing

import pytest
import requests
import zeep
from lxml import etree
from zeep.wsse.username import UsernameToken

from gateway.adapter import Outcome
from gateway.simulators import FAMILIES
from gateway.simulators.parlayx import COMMON, LOCAL, PATH
from tests.adapters.field import foreign
from tests.simulators.peers import running, told
from tests.simulators.soap_clients import client
from tests.simulators.test_presets_dial import ORDER, dialling, hangup, simulated

AUTH = ("crm", "secret")
BINDING = "{http://www.csapi.org/wsdl/parlayx/third_party_call/v2_0/service}ThirdPartyCallBinding"
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    f'<p:{{name}} xmlns:p="{LOCAL}">{{parts}}</p:{{name}}></s:Body></s:Envelope>'
)
PARTIES = "<p:callingParty>tel:3501</p:callingParty><p:calledParty>sip:4799998888@pbx</p:calledParty>"
MEMBERS = "<description>CRM</description><currency>BRL</currency><amount>0.10</amount><code>c</code>"
CHARGING = f"<p:charging>{MEMBERS}</p:charging>"
XML = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}


def ask(appliance, name, parts, headers=XML, auth=AUTH):
    body = ENVELOPE.format(name=name, parts=parts).encode()
    return requests.post(appliance.address + PATH, data=body, headers=headers, auth=auth, timeout=5)


def about(appliance, name, call_id):
    return ask(appliance, name, f"<p:callIdentifier>{call_id}</p:callIdentifier>")


def exception(answer):
    """The messageId and the variable of a fault."""
    assert answer.status_code == 500
    fault = etree.fromstring(answer.content).find(f".//detail/{{{COMMON}}}*")
    return fault.findtext("messageId"), fault.findtext("variables")


def test_a_call_is_made_told_of_and_ended():
    with running(FAMILIES["parlayx"]) as appliance:
        made = etree.fromstring(ask(appliance, "makeCall", PARTIES + CHARGING).content)
        call_id = made.findtext(f".//{{{LOCAL}}}makeCallResponse/{{{LOCAL}}}result")
        assert call_id == appliance.received[0].call_id
        assert "<callStatus>CallInitial<" in about(appliance, "getCallInformation", call_id).text
        assert about(appliance, "endCall", call_id).ok
        assert "<callStatus>CallTerminated<" in about(appliance, "getCallInformation", call_id).text
        assert exception(about(appliance, "cancelCallRequest", call_id)) == ("SVC0002", "callIdentifier")
        assert told(appliance) == [("3501", "4799998888")]


@pytest.mark.parametrize(
    ("parts", "variable"),
    [
        (PARTIES, "makeCall"),
        (CHARGING + PARTIES, "makeCall"),
        (PARTIES.replace("p:calledParty", "calledParty") + CHARGING, "makeCall"),
        (PARTIES + CHARGING.replace("<amount>", "<p:amount>").replace("</amount>", "</p:amount>"), "charging"),
        (PARTIES + CHARGING.replace("0.10", "free"), "charging"),
        (PARTIES + CHARGING.replace("<code>c</code>", ""), "charging"),
        (PARTIES.replace("tel:3501", "3501") + CHARGING, "callingParty"),
        (PARTIES.replace("sip:", "") + CHARGING, "calledParty"),
    ],
)
def test_what_is_not_of_the_schema_is_a_service_exception(parts, variable):
    with running(FAMILIES["parlayx"]) as appliance:
        assert exception(ask(appliance, "makeCall", parts)) == ("SVC0002", variable)
        assert told(appliance) == []


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/xml"}, {**XML, "SOAPAction": '"makeCall"'}])
def test_the_binding_s_own_soap_action_and_content_type_are_wanted(headers):
    with running(FAMILIES["parlayx"]) as appliance:
        assert ask(appliance, "makeCall", PARTIES + CHARGING, headers).status_code == 500
        assert ask(appliance, "placeCall", PARTIES + CHARGING).status_code == 500
        assert ask(appliance, "makeCall", PARTIES + CHARGING, auth=None).status_code == 401
        assert told(appliance) == []


def test_a_busy_phone_is_told_when_it_is_asked_about_and_a_policy_at_once():
    with running(FAMILIES["parlayx"], fail="busy") as appliance:
        made = etree.fromstring(ask(appliance, "makeCall", PARTIES + CHARGING).content)
        call_id = made.findtext(f".//{{{LOCAL}}}result")
        assert "<terminationCause>CallingPartyBusy<" in about(appliance, "getCallInformation", call_id).text
    with running(FAMILIES["parlayx"], fail="policy") as appliance:
        assert exception(ask(appliance, "makeCall", PARTIES + CHARGING)) == ("POL0001", None)


@pytest.mark.parametrize(("kind", "digest"), [("basic", False), ("wsse", False), ("wsse", True)])
def test_zeep_calls_it_by_the_standard_s_wsdl(kind, digest):
    wsdl = foreign("parlayx-v2_0/parlayx_third_party_call_service_2_0.wsdl")
    charging = {"description": "CRM", "currency": "BRL", "amount": "0.10", "code": "c"}
    with running(FAMILIES["parlayx"], auth=kind) as appliance, client(wsdl, AUTH if kind == "basic" else None) as made:
        made.wsse = UsernameToken(*AUTH, use_digest=digest) if kind == "wsse" else None
        service = made.create_service(BINDING, appliance.address + PATH)
        call_id = service.makeCall("tel:3501", "tel:4799998888", charging)
        assert call_id == appliance.received[0].call_id
        assert service.getCallInformation(call_id).callStatus == "CallInitial"
        service.endCall(call_id)
        with pytest.raises(zeep.exceptions.Fault, match="ServiceException"):
            service.endCall(call_id)
        assert told(appliance) == [("3501", "4799998888")]
        assert "secret" not in appliance.seen[0].raw


@pytest.mark.parametrize("auth", ["basic", "wsse"])
def test_the_preset_dials_and_hangs_up_with_either_login(auth):
    with simulated("parlayx", auth=auth) as appliance, dialling("parlayx", appliance) as adapter:
        ref = adapter.deliver(ORDER).peer_ref
        assert ref == appliance.received[0].call_id
        assert adapter.hangup(hangup(ref)).outcome is Outcome.ACCEPTED
        assert adapter.hangup(hangup(ref)).outcome is Outcome.REFUSED
    with simulated("parlayx", auth=auth, fail="auth") as appliance, dialling("parlayx", appliance) as adapter:
        assert adapter.deliver(ORDER).outcome is Outcome.REFUSED


def test_the_preset_tells_the_words_of_an_exception():
    with simulated("parlayx", fail="policy") as appliance, dialling("parlayx", appliance) as adapter:
        assert "A policy error occurred" in adapter.deliver(ORDER).detail


def test_what_the_preset_sends_is_valid_by_the_standard_s_schema():
    """The simulator checks it as well, but was written by the same hand."""
    path = foreign("parlayx-v2_0/parlayx_third_party_call_interface_2_0.wsdl")
    inline = etree.parse(path).find(".//{http://www.w3.org/2001/XMLSchema}schema")
    schema = etree.XMLSchema(etree.fromstring(etree.tostring(inline), base_url=path))
    with simulated("parlayx") as appliance, dialling("parlayx", appliance) as adapter, closing(adapter):
        ref = adapter.deliver(ORDER).peer_ref
        adapter.hangup(hangup(ref))
        for one in appliance.seen:
            envelope = etree.fromstring(one.raw.partition("\n\n")[2].encode())
            schema.assertValid(etree.ElementTree(envelope.find("{*}Body")[0]))
