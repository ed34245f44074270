"""The simulated WebDialer, classic and 15 SU5, dialled by zeep and by plain requests."""

import pytest
import requests
import zeep
from lxml import etree

from gateway.simulators.webdialer import CODES, RESPONSES, WebDialer, WebDialerSu5
from tests.simulators.peers import running, steps, told
from tests.simulators.soap_clients import client

BOTH = [WebDialer, WebDialerSu5]
PROFILE = {
    "user": "bill",
    "deviceName": "SEP001122334455",
    "lineNumber": "1001",
    "supportEM": False,
    "locale": "",
    "dontAutoClose": True,
    "dontShowCallConf": True,
}
REQUEST = """<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
 <n:makeCallSoap xmlns:n="urn:WD70">
  <in0><userID>app</userID><password>secret</password></in0><in1>04799998888</in1>
  <in2><user>bill</user><deviceName>SEP001122334455</deviceName><lineNumber>1001</lineNumber>
   <supportEM>false</supportEM><locale></locale><dontAutoClose>true</dontAutoClose><dontShowCallConf>true</dontShowCallConf></in2>
 </n:makeCallSoap></s:Body></s:Envelope>"""
MULTIREF_REQUEST = """<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
 <n:makeCallSoap xmlns:n="urn:WD70"><in0 href="#id0"/><in1>04799998888</in1><in2 href="#id1"/></n:makeCallSoap>
 <multiRef id="id1"><user>bill</user><deviceName>SEP001122334455</deviceName><lineNumber>1001</lineNumber></multiRef>
 <multiRef id="id0"><userID>app</userID><password>secret</password></multiRef></s:Body></s:Envelope>"""
ACTION = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}


def login(password="secret"):
    return {"userID": "app", "password": password}


@pytest.mark.parametrize("cls", BOTH)
def test_zeep_dials_by_its_wsdl(cls):
    with running(cls) as appliance, client(appliance.address + cls.wsdl[0]) as soap:
        said = soap.service.makeCallSoap(login(), "04799998888", PROFILE)
        assert (said.responseCode, said.responseDescription) == (0, "Success")
        assert told(appliance) == [("1001", "04799998888")]
        assert "secret" not in "".join(one.raw for one in appliance.seen)


@pytest.mark.parametrize("cls", BOTH)
def test_each_of_its_other_operations(cls):
    with running(cls) as appliance, client(appliance.address + cls.wsdl[0]) as soap:
        assert soap.service.isClusterUserSoap("bill") is True
        assert soap.service.getPrimaryLine(login()) == "1001"
        assert soap.service.endCallSoap(login(), PROFILE).responseCode == 0
        profile = soap.service.getProfileSoap(login(), "bill")
        assert (profile.responseCode, profile.description) == (0, "Success")
        assert told(appliance) == []


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("failure", CODES)
def test_each_failure_is_a_response_code_with_http_200(cls, failure):
    with running(cls, fail=failure) as appliance, client(appliance.address + cls.wsdl[0]) as soap:
        said = soap.service.makeCallSoap(login(), "04799998888", PROFILE)
        assert (said.responseCode, said.responseDescription) == (CODES[failure], RESPONSES[CODES[failure]])
        assert told(appliance) == []


@pytest.mark.parametrize("cls", BOTH)
def test_a_wrong_password_and_an_incomplete_order(cls):
    with running(cls) as appliance, client(appliance.address + cls.wsdl[0]) as soap:
        assert soap.service.makeCallSoap(login("nope"), "04799998888", PROFILE).responseCode == 2
        assert soap.service.makeCallSoap(login(), "04799998888", PROFILE | {"deviceName": ""}).responseCode == 5
        assert steps(appliance)[-1].startswith("makeCallSoap: 5 No device is configured")
        assert told(appliance) == []


@pytest.mark.parametrize("cls", BOTH)
def test_a_fault_is_one_whatever_is_asked(cls):
    with (
        running(cls, fail="fault") as appliance,
        client(appliance.address + cls.wsdl[0]) as soap,
        pytest.raises(zeep.exceptions.Fault, match="RemoteException"),
    ):
        soap.service.makeCallSoap(login(), "04799998888", PROFILE)


def test_the_classic_one_answers_with_a_multi_reference():
    with running(WebDialer) as appliance:
        answer = requests.post(appliance.address + WebDialer.service, data=REQUEST, headers=ACTION, timeout=5)
    body = etree.fromstring(answer.content)[0]
    operation, reference = body
    assert operation.tag == "{urn:WD70}makeCallSoapResponse"
    assert (operation[0].tag, operation[0].get("href")) == ("makeCallSoapReturn", "#id0")
    assert (reference.tag, reference.get("id")) == ("multiRef", "id0")
    kind = "{http://www.w3.org/2001/XMLSchema-instance}type"
    assert [(part.tag, part.get(kind), part.text) for part in reference] == [
        ("responseCode", "xsd:int", "0"),
        ("responseDescription", "xsd:string", "Success"),
    ]


def test_the_classic_one_takes_multi_references_too():
    with running(WebDialer) as appliance:
        requests.post(appliance.address + WebDialer.service, data=MULTIREF_REQUEST, headers=ACTION, timeout=5)
        assert told(appliance) == [("1001", "04799998888")]


def test_the_new_one_does_not_serve_the_old_address_and_takes_qualified_elements_only():
    with running(WebDialerSu5) as appliance:
        old = requests.post(appliance.address + WebDialer.service, data=REQUEST, headers=ACTION, timeout=5)
        assert old.status_code == 404
        renamed = REQUEST.replace("urn:WD70", WebDialerSu5.namespace)
        for number in range(3):
            renamed = renamed.replace(f"in{number}>", f"args{number}>")
        answer = requests.post(appliance.address + WebDialerSu5.service, data=renamed, headers=ACTION, timeout=5)
        assert ">2</ns:responseCode>" in answer.text
        qualified = renamed.replace("<n:makeCallSoap xmlns:n=", "<makeCallSoap xmlns=").replace("</n:", "</")
        answer = requests.post(appliance.address + WebDialerSu5.service, data=qualified, headers=ACTION, timeout=5)
        assert ">0</ns:responseCode>" in answer.text
        assert told(appliance) == [("1001", "04799998888")]


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize(
    "body", [b"", b"<a/>", REQUEST.replace("makeCallSoap", "callSoap").encode(), b"<!DOCTYPE a><a/>"]
)
def test_nonsense_is_a_fault(cls, body):
    with running(cls) as appliance:
        answer = requests.post(appliance.address + cls.service, data=body, headers=ACTION, timeout=5)
        assert answer.status_code == 500
        assert "<faultcode>soapenv:Client</faultcode>" in answer.text
