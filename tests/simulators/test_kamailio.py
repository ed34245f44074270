"""The simulated Kamailio answers as the real one was recorded: almost always with the same empty success."""

import xmlrpc.client

import pytest
import requests

from gateway.simulators.kamailio import Kamailio
from tests.simulators.peers import masked, running, steps, told, wire

PHONE = "sip:3501@127.0.0.1:5071"
DESTINATION = "sip:4732100123@127.0.0.1:5072"
SUCCESS = """<?xml version="1.0"?>
<methodResponse>
<params>
<param>
<value></value>
</param>
</params>
</methodResponse>"""
INVALID = """<?xml version="1.0"?>
<methodResponse>
<fault>
<value>
<struct>
<member>
<name>faultCode</name>
<value><int>500</int></value>
</member>
<member>
<name>faultString</name>
<value><string>Invalid parameters</string></value>
</member>
</struct>
</value>
</fault>
</methodResponse>"""
HEAD = """HTTP/1.1 200 OK
Sia: SIP/2.0/TCP 127.0.0.1:…
Server: kamailio (5.6.3 (x86_64/linux))
Content-Length: 108"""


def sent(appliance, *params, method="dlg.bridge_dlg", version="1.1"):
    body = xmlrpc.client.dumps(params, method)
    return wire(appliance, f"POST /RPC2 HTTP/{version}\nHost: pbx\nContent-Length: {len(body)}\n\n{body}")


def test_an_order_is_answered_byte_for_byte_as_recorded():
    with running(Kamailio) as appliance:
        head, body = sent(appliance, PHONE, DESTINATION)
        assert (masked(head), body) == (HEAD, SUCCESS)
        assert told(appliance) == [("3501", "4732100123")]


def test_xmlrpc_client_reads_an_empty_text():
    with running(Kamailio) as appliance, xmlrpc.client.ServerProxy(f"{appliance.address}/RPC2") as server:
        assert server.dlg.bridge_dlg(PHONE, DESTINATION, ".", "_") == ""


def test_an_old_client_is_answered_in_its_version():
    with running(Kamailio) as appliance:
        assert sent(appliance, PHONE, DESTINATION, version="1.0")[0].startswith("HTTP/1.0 200 OK\n")


@pytest.mark.parametrize(
    ("failure", "params"), [("busy", (PHONE, DESTINATION)), ("", ("3501", "4732100123")), ("", ("", ""))]
)
def test_a_call_that_cannot_be_made_is_the_same_success(failure, params):
    with running(Kamailio, fail=failure) as appliance:
        assert sent(appliance, *params)[1] == SUCCESS
        assert told(appliance) == []
        assert steps(appliance) == ["dlg.bridge_dlg: nobody rings"]


@pytest.mark.parametrize("params", [(), (PHONE,), (PHONE, 3501)])
def test_other_parameters_are_a_fault_with_status_200(params):
    with running(Kamailio) as appliance:
        head, body = sent(appliance, *params)
        assert head.startswith("HTTP/1.1 200 OK\n")
        assert body == INVALID


def test_each_other_fault_as_recorded():
    with running(Kamailio) as appliance:
        for method, text in (("nada", "Method Not Found"), ("dlg.terminate_dlg", "Couldnt find callid in dialog")):
            with pytest.raises(xmlrpc.client.Fault, match=f"500: '{text}'"):
                xmlrpc.client.loads(sent(appliance, "a", "b", "c", method=method)[1])
        for request in ("GET /RPC2 HTTP/1.1", "POST /RPC2 HTTP/1.1", "POST /RPC2 HTTP/1.1\nContent-Length: 2\n\n<a"):
            with pytest.raises(xmlrpc.client.Fault, match="400: 'Invalid XML-RPC Document'"):
                xmlrpc.client.loads(wire(appliance, request)[1])


@pytest.mark.parametrize(
    "request_head", ["POST /rpc HTTP/1.1\nContent-Length: 0", "POST /RPC2 HTTP/1.1\nTransfer-Encoding: chunked"]
)
def test_another_path_and_a_chunked_request_are_never_answered(request_head):
    with running(Kamailio) as appliance:
        with pytest.raises(TimeoutError):
            wire(appliance, request_head, timeout_s=0.2)
        assert steps(appliance) == ["no answer"]


def test_a_script_that_asks_for_a_login():
    with running(Kamailio, username="gateway", password="secret") as appliance:
        refused = requests.post(f"{appliance.address}/RPC2", data=b"", timeout=5)
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, 'Basic realm="kamailio"')
        body = xmlrpc.client.dumps((PHONE, DESTINATION), "dlg.bridge_dlg")
        taken = requests.post(f"{appliance.address}/RPC2", data=body, auth=("gateway", "secret"), timeout=5)
        assert taken.text == SUCCESS
        assert "Content-Type" not in taken.headers


def test_failures():
    with running(Kamailio, fail="auth") as appliance:
        assert sent(appliance, PHONE, DESTINATION)[0].startswith("HTTP/1.1 401 Unauthorized\n")
    with running(Kamailio, fail="fault") as appliance:
        assert sent(appliance, PHONE, DESTINATION)[1] == INVALID
    with running(Kamailio, fail="forbidden") as appliance:
        said = sent(appliance, PHONE, DESTINATION)[1]
        assert xmlrpc.client.loads(said) == ((1,), None)
        assert told(appliance) == []
