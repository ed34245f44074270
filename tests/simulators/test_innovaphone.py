"""The simulated innovaphone PBX, dialled by zeep: a session, and the Poll without which the call is lost."""

import time
from contextlib import contextmanager

import pytest
import requests
import zeep
from requests.auth import HTTPDigestAuth

from gateway.simulators.innovaphone import Innovaphone
from tests.simulators.peers import running, steps, told
from tests.simulators.soap_clients import client

USER = ("admin", "secret")
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    '<n:{name} xmlns:n="http://innovaphone.com/pbx">{parts}</n:{name}></s:Body></s:Envelope>'
)


@contextmanager
def dialling(**behaviour):
    """A simulator and zeep's service on it."""
    auth = HTTPDigestAuth(*USER) if behaviour.get("auth") == "digest" else USER
    with running(Innovaphone, **behaviour) as appliance, client(f"{appliance.address}/pbx501.wsdl", auth) as soap:
        yield appliance, soap.service


def ordered(service):
    """Session, key and call of an order as the vendor's sample gives it."""
    opened = service.Initialize("_TAPI_", "cti-gateway", True, True)
    user = service.UserInitialize(opened["return"], "3501", False)
    return opened["return"], opened["key"], service.UserCall(user, "", "004799998888", "", 0, {})


def test_a_call_is_made_once_its_session_was_polled():
    with dialling() as (appliance, service):
        session, key, call = ordered(service)
        assert session
        assert key
        assert call
        assert told(appliance) == []
        service.Poll(session)
        assert told(appliance) == [("3501", "004799998888")]
        service.End(session)
        assert steps(appliance)[-1] == "End"


def test_a_session_ended_without_a_poll_loses_its_call():
    with dialling() as (appliance, service):
        session, _, call = ordered(service)
        service.End(session)
        assert told(appliance) == []
        assert steps(appliance)[-1] == f"End: call {call} is lost, no Poll before it"
        assert service.UserInitialize(session, "3501", False) == 0


def test_poll_tells_of_the_call_and_of_its_end():
    with running(Innovaphone) as appliance, requests.Session() as session:
        session.auth = USER

        def ask(name, parts):
            body = ENVELOPE.format(name=name, parts=parts)
            return session.post(f"{appliance.address}/PBX-branch/user.soap", data=body, timeout=5).text

        assert '<key xsi:type="xsd:int">' in ask("Initialize", "<user>a</user><appl/><v>true</v><v501>true</v501>")
        ask("UserInitialize", "<session>5</session><user>3501</user><xfer>false</xfer>")
        called = ask("UserCall", "<user>6</user><cn/><e164>0047</e164><h323/><reg>0</reg><info/>")
        assert '<return xsi:type="xsd:int">7</return>' in called
        polled = ask("Poll", "<session>5</session>")
        assert '<msg xsi:type="xsd:string">r-conn</msg>' in polled
        assert '<call xsi:type="xsd:int">7</call>' in polled
        assert '<e164 xsi:type="xsd:string">0047</e164>' in polled
        ask("UserClear", "<call>7</call><cause>16</cause><info/>")
        assert '<msg xsi:type="xsd:string">del</msg>' in ask("Poll", "<session>5</session>")


def test_a_poll_with_nothing_to_tell_waits():
    with running(Innovaphone) as appliance, requests.Session() as session:
        session.auth = USER
        url = f"{appliance.address}/PBX0/user.soap"
        opening = ENVELOPE.format(name="Initialize", parts="<user>a</user><v>true</v><v501>true</v501>")
        session.post(url, data=opening, timeout=5)
        began = time.monotonic()
        with pytest.raises(requests.ReadTimeout):
            session.post(url, data=ENVELOPE.format(name="Poll", parts="<session>5</session>"), timeout=0.3)
        assert time.monotonic() - began < 5


def test_a_session_must_declare_its_wsdl_s_level():
    with dialling() as (_, service):
        assert service.Initialize("_TAPI_", "x", True, False)["key"] == 0


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_it_asks_for_the_login_it_is_set_to(auth):
    with dialling(auth=auth) as (appliance, service):
        session, _, _ = ordered(service)
        service.Poll(session)
        assert told(appliance) == [("3501", "004799998888")]
        refused = requests.post(f"{appliance.address}/PBX0/user.soap", timeout=5)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].lower().startswith(auth)


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_a_refused_login_is_401(auth):
    with dialling(auth=auth, fail="auth") as (_, service), pytest.raises(zeep.exceptions.TransportError) as caught:
        ordered(service)
    assert caught.value.status_code == 401


@pytest.mark.parametrize(
    ("failure", "step"), [("session", "Initialize"), ("no-user", "UserInitialize"), ("refused", "UserCall")]
)
def test_each_refusal_is_a_zero(failure, step):
    with dialling(fail=failure) as (appliance, service):
        _, key, call = ordered(service)
        assert (call, key == 0) == (0, failure == "session")
        assert any(noted.startswith(f"{step}: ") and noted.endswith("0") for noted in steps(appliance))
        assert told(appliance) == []


def test_a_busy_user_s_call_is_gone_when_polled():
    with dialling(fail="busy") as (appliance, service):
        session, _, call = ordered(service)
        assert call
        service.Poll(session)
        assert told(appliance) == []


def test_a_fault_and_what_is_not_there():
    with dialling(fail="fault") as (_, service), pytest.raises(zeep.exceptions.Fault, match="internal error"):
        ordered(service)
    with running(Innovaphone) as appliance:
        url = f"{appliance.address}/PBX0/user.soap"
        assert requests.post(f"{appliance.address}/user.soap", auth=USER, timeout=5).status_code == 404
        for body in (b"", b"<a/>", ENVELOPE.format(name="Nada", parts="").encode()):
            answer = requests.post(url, data=body, auth=USER, timeout=5)
            assert (answer.status_code, "unknown operation" in answer.text) == (500, True)


def test_dropping_comes_with_the_order_not_with_the_login():
    with dialling(drop=True) as (appliance, service):
        with pytest.raises(requests.ConnectionError):
            ordered(service)
        assert steps(appliance)[-1].startswith("UserCall: call ")
