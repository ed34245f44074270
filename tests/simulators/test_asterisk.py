"""The simulated Asterisk answers over HTTP as the real one was recorded."""

import re
import time
from contextlib import contextmanager

import pytest
import requests
from requests.auth import HTTPDigestAuth

from gateway.simulators.asterisk import AsteriskAmi
from gateway.simulators.credentials import Digest
from gateway.simulators.exchange import Request
from tests.simulators.peers import cases, masked, running, steps, told, wire

LOGIN = {"action": "login", "username": "gateway", "secret": "secret"}
ORIGINATE = {
    "action": "originate",
    "channel": "Local/3501@phones",
    "exten": "4732100123",
    "context": "outbound",
    "priority": "1",
    "callerid": "3501",
}
QUEUED = "Response: Success\r\nMessage: Originate successfully queued\r\n\r\n"
DENIED = "Response: Error\r\nMessage: Permission denied\r\n\r\n"
HEAD = """HTTP/1.1 200 OK
Server: Asterisk
Date: …
Cache-Control: no-cache, no-store
Content-type: text/plain
Set-Cookie: mansession_id="…"; Version=1; Max-Age=60
Pragma: SuppressEvents
Content-Length: 55"""


@contextmanager
def logged_in(**behaviour):
    """A simulator, and a function that asks it within a session that has logged in."""
    with running(AsteriskAmi, **behaviour) as appliance, requests.Session() as session:

        def ask(path="/rawman", **fields):
            return session.get(appliance.address + path, params=fields, timeout=10).content.decode()

        assert "Authentication accepted" in ask(**LOGIN)
        yield appliance, ask


def test_a_login_is_answered_byte_for_byte_as_recorded():
    with running(AsteriskAmi) as appliance:
        query = "action=login&username=gateway&secret=secret"
        head, body = wire(appliance, f"GET /rawman?{query} HTTP/1.1\nHost: pbx")
    assert masked(head) == HEAD
    assert body == "Response: Success\r\nMessage: Authentication accepted\r\n\r\n"


@pytest.mark.parametrize(("query", "said"), cases("ami.tsv"))
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_each_action_is_answered_as_recorded(method, query, said):
    with running(AsteriskAmi) as appliance:
        cookie = (
            requests.get(f"{appliance.address}/rawman", params=LOGIN, timeout=5).headers["Set-Cookie"].split(";")[0]
        )
        headers = {"Cookie": cookie}
        if method == "GET":
            answer = requests.get(f"{appliance.address}/rawman?{query}", headers=headers, timeout=5)
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            answer = requests.post(f"{appliance.address}/rawman", data=query, headers=headers, timeout=5)
    assert answer.status_code == 200
    assert re.sub(r"(Timestamp: )[\d.]+", r"\1…", answer.content.decode()) == said


def test_the_cookie_is_taken_with_its_quotes_and_without():
    with running(AsteriskAmi) as appliance:
        url = f"{appliance.address}/rawman"
        cookie = requests.get(url, params=LOGIN, timeout=5).headers["Set-Cookie"].split(";")[0]
        assert re.fullmatch(r'mansession_id="[0-9a-f]{8}"', cookie)
        for given in (cookie, cookie.replace('"', "")):
            answer = requests.get(url, params=ORIGINATE, headers={"Cookie": given}, timeout=5)
            assert answer.content.decode() == QUEUED
            assert answer.headers["Set-Cookie"].startswith(cookie)


@pytest.mark.parametrize("cookie", ["", "mansession_id=deadbeef", "garbage"])
def test_without_a_session_permission_is_denied_and_a_new_cookie_comes(cookie):
    with running(AsteriskAmi) as appliance:
        given = {"action": "originate", "actionid": "x1"}
        answer = requests.get(f"{appliance.address}/rawman", params=given, headers={"Cookie": cookie}, timeout=5)
        assert answer.content.decode() == DENIED
        assert "mansession_id=" in answer.headers["Set-Cookie"]
        assert "deadbeef" not in answer.headers["Set-Cookie"]
        assert told(appliance) == []


def test_a_session_ends_with_logoff():
    with logged_in() as (_, ask):
        assert "Thanks for all the fish." in ask(action="logoff")
        assert ask(**ORIGINATE) == DENIED


def test_a_wrong_secret_is_told_a_second_later():
    with running(AsteriskAmi) as appliance:
        began = time.monotonic()
        answer = requests.get(f"{appliance.address}/rawman", params=LOGIN | {"secret": "nope"}, timeout=5)
        assert time.monotonic() - began >= 1.0
        assert answer.content.decode() == "Response: Error\r\nMessage: Authentication failed\r\n\r\n"
        assert steps(appliance) == ["login: Authentication failed"]
        assert "nope" not in appliance.seen[0].raw


@pytest.mark.parametrize(
    ("failure", "reason"), [("", 4), ("busy", 5), ("no-answer", 3), ("congestion", 8), ("rejected", 0)]
)
def test_an_asynchronous_originate_is_always_queued_and_its_end_is_an_event(failure, reason):
    with logged_in(fail=failure) as (appliance, ask):
        order = ORIGINATE | {"async": "true", "actionid": "s9", "channelid": "gw-1", "timeout": "50"}
        assert ask(**order).startswith("Response: Success\r\nActionID: s9\r\n")
        events = ask(action="waitevent", timeout="5")
        assert events.startswith("Response: Success\r\nMessage: Waiting for Event completed.\r\n\r\n")
        assert events.endswith("\r\n\r\nEvent: WaitEventComplete\r\n\r\n")
        for line in ("Event: OriginateResponse", "ActionID: s9", f"Reason: {reason}", "Uniqueid: gw-1"):
            assert f"{line}\r\n" in events
        assert told(appliance) == ([] if failure else [("3501", "4732100123")])


@pytest.mark.parametrize("failure", ["busy", "no-answer", "congestion", "rejected"])
def test_a_waiting_originate_fails_without_a_cause(failure):
    with logged_in(fail=failure) as (appliance, ask):
        said = ask(**ORIGINATE, actionid="u2", timeout="50")
        assert said == "Response: Error\r\nActionID: u2\r\nMessage: Originate failed\r\n\r\n"
        assert told(appliance) == []


def test_a_waiting_originate_answers_when_the_extension_does_or_when_its_milliseconds_are_over():
    with logged_in(ring_s=0.3) as (appliance, ask):
        began = time.monotonic()
        assert "queued" in ask(**ORIGINATE)
        assert time.monotonic() - began >= 0.3
        assert "Originate failed" in ask(**ORIGINATE, timeout="100")
        assert len(told(appliance)) == 1


def test_a_call_is_hung_up_by_the_id_that_the_client_gave_it():
    with logged_in() as (_, ask):
        ask(**ORIGINATE, channelid="gw-7")
        assert "Message: Channel Hungup\r\n" in ask(action="hangup", channel="gw-7")
        assert "Message: No such channel\r\n" in ask(action="hangup", channel="gw-7")


def test_refusals_by_privilege_and_dialplan():
    with logged_in(fail="privilege") as (_, ask):
        assert (
            ask(**ORIGINATE, actionid="np") == "Response: Error\r\nActionID: np\r\nMessage: Permission denied\r\n\r\n"
        )
    with logged_in(fail="absent") as (appliance, ask):
        assert "Message: Extension does not exist.\r\n" in ask(**ORIGINATE, **{"async": "true"})
        assert appliance.seen[-1].step == "originate: Extension does not exist."


def test_mxml_says_the_same_as_xml():
    with logged_in() as (_, ask):
        response = "<response type='object' id='unknown'><generic response='Success' actionid='m1' "
        said = ask("/mxml", **ORIGINATE, actionid="m1")
        assert (
            said
            == f"<ajax-response>\n{response}message='Originate successfully queued' /></response>\n</ajax-response>\n"
        )
        assert "actionid='&lt;&amp;&apos;'" in ask("/mxml", action="ping", actionid="<&'")


def test_digest_needs_no_login_and_no_cookie():
    with running(AsteriskAmi) as appliance:
        head, _ = wire(appliance, "GET /arawman?action=ping HTTP/1.1\nHost: pbx")
        challenge = 'Digest algorithm=MD5, realm="asterisk", nonce="…", qop="auth", opaque="…"'
        assert masked(head).splitlines()[0] == "HTTP/1.1 401 Unauthorized"
        assert f"WWW-authenticate: {challenge}" in masked(head)
        auth = HTTPDigestAuth("gateway", "secret")
        with requests.Session() as session:
            for _ in range(2):
                answer = session.get(f"{appliance.address}/arawman", params=ORIGINATE, auth=auth, timeout=5)
                assert (answer.status_code, answer.content.decode()) == (200, QUEUED)
                assert "Set-Cookie" not in answer.headers
            posted = session.post(f"{appliance.address}/amxml", data=ORIGINATE, auth=auth, timeout=5)
        assert "message='Originate successfully queued'" in posted.text
        assert len(told(appliance)) == 3


@pytest.mark.parametrize(
    "auth", [None, ("gateway", "secret"), HTTPDigestAuth("gateway", "wrong"), HTTPDigestAuth("nobody", "secret")]
)
def test_digest_refuses_all_other_logins_with_401(auth):
    with running(AsteriskAmi) as appliance:
        answer = requests.get(f"{appliance.address}/arawman", params=ORIGINATE, auth=auth, timeout=5)
        assert (answer.status_code, told(appliance)) == (401, [])


def test_a_digest_s_counter_must_rise():
    digest = Digest("asterisk")
    target = "/arawman?action=ping"
    auth = HTTPDigestAuth("gateway", "secret")
    auth.init_per_thread_state()
    auth._thread_local.chal = {"realm": "asterisk", "nonce": "deadbeef", "qop": "auth"}

    def asks(header):
        return digest.refused(Request("GET", target, {"authorization": header}, b""), ("gateway", "secret"))

    first, second = (auth.build_digest_header("GET", f"http://pbx{target}") for _ in range(2))
    assert asks(first) == ""
    assert asks(first).endswith(", stale=true")
    assert asks(second) == ""
    assert "stale" not in asks(second.replace("deadbeef", "deadbeee"))


def test_an_unknown_address_is_not_found():
    with running(AsteriskAmi) as appliance:
        answer = requests.get(f"{appliance.address}/asterisk/rawman?action=ping", timeout=5)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html")
