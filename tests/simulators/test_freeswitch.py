"""The simulated FreeSWITCH answers by XML-RPC and by URL as the real one was recorded."""

import socket
import time
import xmlrpc.client
from urllib.parse import quote, urlsplit

import pytest
import requests

from gateway.simulators.freeswitch import FreeSwitch
from tests.simulators.peers import answer, cases, masked, running, steps, told, wire

USER = ("freeswitch", "works")
BASIC = "Authorization: Basic ZnJlZXN3aXRjaDp3b3Jrcw=="
ORIGINATE = "loopback/3501/phones 4732100123 XML outbound"
CALL = """<?xml version='1.0'?>
<methodCall>
<methodName>freeswitch.api</methodName>
<params>
<param>
<value><string>originate</string></value>
</param>
<param>
<value><string>loopback/3501/phones &amp;park()</string></value>
</param>
</params>
</methodCall>
"""
RESULT = (
    '<?xml version="1.0" encoding="UTF-8"?>\r\n<methodResponse>\r\n<params>\r\n<param><value><string>+OK …\n'
    "</string></value></param>\r\n</params>\r\n</methodResponse>\r\n"
)
HEAD = """HTTP/1.1 200 OK
freeswitch-user: freeswitch
freeswitch-domain: 127.0.0.1
Content-type: text/xml
Content-length: 188
Connection: Keep-Alive
Keep-Alive: timeout=5, max=30
Date: …
Server: Freeswitch xmlrpc-c_abyss /1.26.0"""
URL_HEAD = """HTTP/1.1 200 OK
freeswitch-user: freeswitch
freeswitch-domain: 127.0.0.1
Connection: close
Date: …
Server: FreeSWITCH-1.10.12-release~64bit-mod_xml_rpc
Content-Type: text/plain"""


def client(appliance):
    where = appliance.address.replace("http://", "http://freeswitch:works@")
    return xmlrpc.client.ServerProxy(f"{where}/RPC2")


def rpc_request(body=CALL):
    return f"POST /RPC2 HTTP/1.1\nHost: 127.0.0.1:8081\n{BASIC}\nContent-Length: {len(body)}\n\n{body}"


def test_an_order_by_xml_rpc_is_answered_byte_for_byte_as_recorded():
    with running(FreeSwitch) as appliance:
        head, body = wire(appliance, rpc_request())
    assert masked(head) == HEAD
    assert masked(body) == RESULT


def test_its_dates_end_in_utc():
    with running(FreeSwitch) as appliance:
        assert " UTC\n" in wire(appliance, rpc_request())[0]


@pytest.mark.parametrize(("command", "arguments", "said"), cases("freeswitch.tsv"))
def test_each_command_is_answered_as_recorded(command, arguments, said):
    with running(FreeSwitch) as appliance, client(appliance) as server:
        assert masked(server.freeswitch.api(command, arguments)) == said
        assert len(told(appliance)) == ("+OK" in said)


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("originate",), -502, "requests 2 items from array, but array has only 1 items."),
        (("a", "b", "c"), -502, "requests exactly 2 items from array, but array has 3 items."),
        (("originate", 1), -501, "Value of type INT supplied where string type was expected."),
    ],
)
def test_a_call_of_another_shape_is_a_fault(arguments, code, text):
    with running(FreeSwitch) as appliance, client(appliance) as server:
        with pytest.raises(xmlrpc.client.Fault) as caught:
            server.freeswitch.api(*arguments)
        assert caught.value.faultCode == code
        assert text in caught.value.faultString
        with pytest.raises(xmlrpc.client.Fault) as caught:
            server.freeswitch.nada("a", "b")
        assert (caught.value.faultCode, caught.value.faultString) == (-506, "Method 'freeswitch.nada' not defined")
        with pytest.raises(xmlrpc.client.Fault) as caught:
            xmlrpc.client.loads(requests.post(f"{appliance.address}/RPC2", data=b"<a", auth=USER, timeout=5).content)
        assert caught.value.faultCode == -503


def test_an_order_by_url_ends_when_the_connection_does():
    with running(FreeSwitch) as appliance:
        argument = quote("loopback/3501/phones &park()", safe="/()")
        head, body = wire(appliance, f"GET /txtapi/originate?{argument} HTTP/1.1\nHost: 127.0.0.1:8081\n{BASIC}")
        assert masked(head) == URL_HEAD
        assert masked(body) == "+OK …\n"
        assert told(appliance) == [("3501", "")]


@pytest.mark.parametrize(
    ("target", "content_type", "said"),
    [
        ("txtapi/originate?loopback/3501/phones%204732100123%20XML%20outbound", "text/plain", "+OK"),
        ("webapi/originate?loopback/3501/phones%204732100123", "text/html", "+OK"),
        ("xmlapi/uuid_exists?x", "text/xml", "false"),
        ("txtapi/originate?loopback/3501/phones+4732100123+XML+outbound", "text/plain", "-USAGE: <call url>"),
        ("txtapi/originate?loopback%2F3501%2Fphones+%26park%28%29=", "text/plain", "-USAGE: <call url>"),
        ("txtapi/nada?x", "text/plain", "INVALID COMMAND!\n"),
        ("txtapi/status", "text/plain", "UP "),
    ],
)
def test_each_url_is_answered_as_recorded(target, content_type, said):
    with running(FreeSwitch) as appliance:
        given = requests.get(f"{appliance.address}/{target}", auth=USER, timeout=5)
        assert (given.status_code, given.headers["Content-Type"]) == (200, content_type)
        assert given.text.startswith(said)
        posted = requests.post(f"{appliance.address}/txtapi/originate", data=ORIGINATE, auth=USER, timeout=5)
        assert posted.text.startswith("-USAGE")


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        ("busy", "USER_BUSY"),
        ("congestion", "NORMAL_CIRCUIT_CONGESTION"),
        ("rejected", "CALL_REJECTED"),
        ("no-route", "NO_ROUTE_DESTINATION"),
        ("unregistered", "MANDATORY_IE_MISSING"),
    ],
)
def test_a_phone_that_does_not_answer_is_an_error_with_its_cause(failure, cause):
    with running(FreeSwitch, fail=failure) as appliance, client(appliance) as server:
        assert server.freeswitch.api("originate", ORIGINATE) == f"-ERR {cause}\n"
        assert told(appliance) == []
        assert steps(appliance) == [f"originate: -ERR {cause}"]
        assert server.freeswitch.api("bgapi", f"originate {ORIGINATE}").startswith("+OK Job-UUID: ")


def test_originate_answers_when_the_extension_does_or_when_its_seconds_are_over():
    with running(FreeSwitch, ring_s=0.2) as appliance, client(appliance) as server:
        began = time.monotonic()
        assert server.freeswitch.api("originate", ORIGINATE).startswith("+OK")
        assert time.monotonic() - began >= 0.2
        assert server.freeswitch.api("originate", "{originate_timeout=0}" + ORIGINATE) == "-ERR NO_ANSWER\n"


def test_a_call_s_wished_for_uuid_is_dropped_while_the_first_one_lives():
    with running(FreeSwitch) as appliance, client(appliance) as server:
        order = "{origination_uuid=gw-77}" + ORIGINATE
        assert server.freeswitch.api("originate", order) == "+OK gw-77\n"
        assert masked(server.freeswitch.api("originate", order)) == "+OK …\n"
        assert server.freeswitch.api("uuid_exists", "gw-77") == "true"
        assert server.freeswitch.api("uuid_kill", "gw-77") == "+OK\n"
        assert server.freeswitch.api("originate", order) == "+OK gw-77\n"
        assert len(told(appliance)) == 3


def test_the_realm_of_a_401_is_the_host_s_once_a_login_was_wrong():
    with running(FreeSwitch) as appliance:
        head, _ = wire(appliance, "GET /txtapi/status HTTP/1.1\nHost: 127.0.0.1:8081")
        assert 'WWW-Authenticate: Basic realm="freeswitch"' in head
        wrong = requests.get(f"{appliance.address}/txtapi/status", auth=("freeswitch", "nope"), timeout=5)
        assert (wrong.status_code, wrong.headers["WWW-Authenticate"]) == (401, 'Basic realm="127.0.0.1"')
        assert wrong.headers["Connection"] == "close"


def test_a_command_that_the_user_may_not_run_is_686_by_url_and_a_result_by_xml_rpc():
    with running(FreeSwitch, fail="privilege") as appliance, client(appliance) as server:
        assert server.freeswitch.api("originate", ORIGINATE) == "UNAUTHORIZED!"
        by_url = requests.get(f"{appliance.address}/txtapi/originate?a%20b", auth=USER, timeout=5)
        assert (by_url.status_code, by_url.reason) == (686, "No Reason")
        assert told(appliance) == []


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("GET /RPC2 HTTP/1.1", 405),
        ("POST / HTTP/1.1\nContent-Length: 0", 405),
        ("POST /RPC2 HTTP/1.1\nContent-Length: 0", 400),
        ("POST /RPC2 HTTP/1.1", 411),
        ("POST /RPC2 HTTP/1.1\nTransfer-Encoding: chunked", 411),
        ("GET /nada HTTP/1.1", 404),
    ],
)
def test_requests_that_the_web_server_refuses(lines, status):
    with running(FreeSwitch) as appliance:
        head, _ = wire(appliance, f"{lines}\nHost: 127.0.0.1\n{BASIC}")
        assert head.startswith(f"HTTP/1.1 {status} ")


def test_the_thirtieth_request_of_a_connection_is_its_last():
    with running(FreeSwitch) as appliance:
        where = urlsplit(appliance.address)
        with socket.create_connection((where.hostname, where.port), timeout=5) as connection:
            stream = connection.makefile("rb")
            heads = []
            for _ in range(30):
                connection.sendall(rpc_request().replace("\n", "\r\n", 4).replace("\n\n", "\r\n\r\n", 1).encode())
                heads.append(answer(stream)[0])
            assert stream.read() == b""
        assert "Connection: close" in heads[-1]
        assert all("Connection: Keep-Alive" in head for head in heads[:-1])
