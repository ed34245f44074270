"""The simulated SEMS and OpenSIPS, called by Python's own XML-RPC client and by hand."""

import subprocess
import xmlrpc.client

import pytest
import requests

from gateway.adapter import Outcome
from gateway.simulators import FAMILIES
from tests.peers import need
from tests.simulators.peers import masked, running, steps, told, wire
from tests.simulators.test_presets_dial import ORDER, dialling, simulated

# The call of the project's own example.
NINE = (
    "click2dial",
    "default_en",
    "sip:foo@iptel.org",
    "sip:bar@iptel.org",
    "sip:foo@192.168.100.10;sw_domain=iptel.org",
    "sip:bar@192.168.100.10;sw_domain=iptel.org",
    "iptel.org",
    "foo",
    "foopass",
)
SCENARIO = {"scenario_id": "click2dial", "entity1": "caller,sip:3501@pbx", "entity2": "callee,sip:4799998888@pbx,Ana"}


def refused(call, *params):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        call(*params)
    return caught.value.faultCode, caught.value.faultString


def test_sems_takes_nine_texts_by_three_names_and_gives_a_tag_in_an_array():
    with running(FAMILIES["sems"]) as appliance, xmlrpc.client.ServerProxy(appliance.address) as server:
        assert server.dial_auth_b2b(*NINE) == [appliance.received[0].call_id]
        assert len(server.di_dial.dial_auth_b2b(*NINE)) == 1
        assert len(server.di("di_dial", "dial_auth_b2b", *NINE)) == 1
        assert told(appliance) == [("foo", "bar")] * 3


def test_sems_tells_a_failed_order_by_a_text_that_is_no_fault():
    with running(FAMILIES["sems"], fail="failed") as appliance, xmlrpc.client.ServerProxy(appliance.address) as server:
        assert server.dial_auth_b2b(*NINE) == ["<failed>\n"]
    with running(FAMILIES["sems"]) as appliance, xmlrpc.client.ServerProxy(appliance.address) as server:
        assert server.dial_auth_b2b("not-loaded", *NINE[1:]) == ["<failed>\n"]
        assert told(appliance) == []


def test_sems_faults():
    with running(FAMILIES["sems"]) as appliance, xmlrpc.client.ServerProxy(appliance.address) as server:
        assert refused(server.dial, *NINE) == (-1, "dial: unknown method name")
        assert refused(server.dial_auth_b2b, *NINE[:8])[0] == 300
        assert refused(server.dial_auth_b2b, *NINE[:8], 1) == (300, "Exception: Type mismatch in arguments.")
        assert refused(server.dial_auth_b2b, *NINE[:8], True) == (400, "unsupported parameter type")
        assert refused(server.di, "di_dial")[0] == 400
        assert refused(server.di, "click2dial", "dial_auth_b2b", *NINE)[0] == 500
        assert refused(server.di, "di_dial", "nada", *NINE)[0] == 504
        assert told(appliance) == []


UNKNOWN = "<methodCall><methodName>dial_auth_b2b</methodName></methodCall>"
HEAD = "HTTP/1.1 200 OK\nServer: XMLRPC++ 0.7\nContent-Type: text/xml\nContent-length: {}"


def test_sems_writes_its_answers_as_its_library_does():
    with running(FAMILIES["sems"]) as appliance:
        call = UNKNOWN.replace("dial_auth_b2b", "nada")
        head, body = wire(appliance, f"POST / HTTP/1.1\nHost: x\nContent-Length: {len(call)}\n\n{call}")
        # As a provider's log of a real one has it.
        assert body == (
            '<?xml version="1.0"?>\r\n<methodResponse><fault>\r\n\t<value><struct>'
            "<member><name>faultCode</name><value><i4>-1</i4></value></member>"
            "<member><name>faultString</name><value>nada: unknown method name</value></member>"
            "</struct></value>\r\n</fault></methodResponse>\r\n"
        )
        assert masked(head) == HEAD.format(len(body))


def test_sems_answers_nothing_to_a_request_without_a_length():
    with running(FAMILIES["sems"]) as appliance:
        with pytest.raises(requests.ConnectionError):
            requests.post(appliance.address, data=iter([UNKNOWN.encode()]), timeout=5)
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{appliance.address}/x", timeout=5)
        assert steps(appliance) == ["no answer: no Content-length"] * 2


def test_the_password_for_sip_that_the_preset_sends_is_not_shown_on_the_page_of_sems():
    with simulated("sems") as appliance, dialling("sems", appliance) as adapter:
        assert adapter.deliver(ORDER).outcome is Outcome.ACCEPTED
        assert "sip-demo" not in appliance.seen[0].raw


@pytest.mark.parametrize("method", ["b2b_trigger_scenario", "b2b_logic:trigger_scenario"])
def test_opensips_says_ok_to_one_struct(method):
    with running(FAMILIES["opensips"]) as appliance:
        with xmlrpc.client.ServerProxy(f"{appliance.address}/RPC2") as server:
            assert getattr(server, method)(SCENARIO) == "OK"
            assert getattr(server, method)({**SCENARIO, "context": ["a=b"]}) == "OK"
        assert told(appliance) == [("3501", "4799998888")] * 2


def test_opensips_faults():
    with (
        running(FAMILIES["opensips"]) as appliance,
        xmlrpc.client.ServerProxy(f"{appliance.address}/RPC2") as server,
    ):
        call = server.b2b_trigger_scenario
        assert refused(server.nada, SCENARIO) == (-32601, "server error. requested method not found")
        assert refused(call, {"scenario_id": "x", "entity1": "a,sip:1@x"})[0] == -32602
        assert refused(call, {**SCENARIO, "other": "x"})[0] == -32602
        assert refused(call, {**SCENARIO, "entity1": ""})[0] == -32600
        assert refused(call, {**SCENARIO, "entity1": 3501})[0] == -32600
        assert refused(call, {**SCENARIO, "entity1": "caller"}) == (400, "Missing destination URI for entity1")
        assert refused(call, {**SCENARIO, "entity2": ",sip:1@x"}) == (400, "Missing ID for entity2")
        assert told(appliance) == []


def test_opensips_cannot_initialize_a_scenario_without_its_address():
    with (
        running(FAMILIES["opensips"], fail="scenario") as appliance,
        xmlrpc.client.ServerProxy(f"{appliance.address}/RPC2") as server,
    ):
        assert refused(server.b2b_trigger_scenario, SCENARIO) == (500, "Failed to initialize scenario")


@pytest.mark.parametrize(
    ("method", "body", "status", "said"),
    [
        ("GET", None, 405, ""),
        ("POST", b"", 400, ""),
        ("POST", b"<a", 200, "<int>32700</int>"),
        ("POST", b"<a/>", 200, "<int>-32600</int>"),
        ("POST", b"<methodCall><methodName>b2b_trigger_scenario</methodName></methodCall>", 200, "<int>-32602</int>"),
    ],
)
def test_opensips_refuses_what_is_no_call(method, body, status, said):
    with running(FAMILIES["opensips"]) as appliance:
        answer = requests.request(method, f"{appliance.address}/RPC2", data=body, timeout=5)
        assert (answer.status_code, said in answer.text) == (status, True)


def test_curl_dials_on_opensips(tmp_path):
    (tmp_path / "call.xml").write_text(xmlrpc.client.dumps((SCENARIO,), "b2b_trigger_scenario"))
    with running(FAMILIES["opensips"]) as appliance:
        command = [
            need("curl", package="curl"),
            "-s",
            "-H",
            "Content-Type: text/xml",
            "--data-binary",
            f"@{tmp_path / 'call.xml'}",
        ]
        said = subprocess.run([*command, f"{appliance.address}/RPC2"], capture_output=True, check=True, timeout=20)
        assert b"<value><string>OK</string></value>" in said.stdout
        assert told(appliance) == [("3501", "4799998888")]
