"""The simulated desk phones dial when they are told to as their makers document it."""

import pytest
import requests
from requests.auth import HTTPDigestAuth

from gateway.simulators import FAMILIES
from tests.simulators.peers import running, steps, told

ADMIN = ("admin", "admin")
PUSH = '<PolycomIPPhone><Data priority="Critical">tel:\\\\04799998888</Data></PolycomIPPhone>'
SPIPX = {"Content-Type": "application/x-com-polycom-spipx"}
CISCO = '<CiscoIPPhoneExecute><ExecuteItem URL="Dial:04799998888" Priority="0"/></CiscoIPPhoneExecute>'
AASTRA = '<AastraIPPhoneExecute><ExecuteItem URI="Dial:04799998888" interruptCall="no"/></AastraIPPhoneExecute>'
REFERER = {"Referer": "gateway"}
JSON = '{"response":"success","body":true}'
CISCO_OK = '<ResponseItem Status="0" Data="Success" URL="Dial:04799998888"/>'

DIALS = [
    ("yealink", "GET", "/servlet?key=number=04799998888&outgoing_uri=3501@pbx", {"auth": ADMIN}, ""),
    ("yealink", "GET", "/servlet?key=number=04799998888", {"auth": ADMIN}, ""),
    ("yealink", "GET", "/cgi-bin/ConfigManApp.com?key=04799998888", {"auth": ADMIN}, ""),
    ("snom", "GET", "/command.htm?number=04799998888&outgoing_uri=sip:3501@pbx", {"auth": ADMIN}, ""),
    ("grandstream", "GET", "/cgi-bin/api-make_call?passcode=admin&phonenumber=04799998888", {}, JSON),
    ("poly", "POST", "/push", {"auth": HTTPDigestAuth("push", "secret"), "data": PUSH, "headers": SPIPX}, ""),
    ("cisco-phone", "POST", "/CGI/Execute", {"auth": ADMIN, "data": {"XML": CISCO}}, CISCO_OK),
    ("aastra", "POST", "/", {"data": f"xml={AASTRA}", "headers": REFERER}, ""),
    ("aastra", "POST", "/", {"data": {"xml": AASTRA}, "headers": REFERER}, ""),
    ("akuvox", "GET", "/fcgi/do?action=MakeCall&number=04799998888&line=1", {}, ""),
    ("htek", "GET", "/Phone_ActionURL&Command=1&Number=04799998888&Account=1", {"auth": ADMIN}, ""),
]
HANGS_UP = [
    ("yealink", "/servlet?key=CALLEND", {"auth": ADMIN}, "key CALLEND"),
    ("yealink", "/cgi-bin/ConfigManApp.com?key=CANCEL", {"auth": ADMIN}, "key CANCEL"),
    ("snom", "/command.htm?key=CANCEL", {"auth": ADMIN}, "key CANCEL"),
    ("grandstream", "/cgi-bin/api-phone_operation?passcode=admin&cmd=endcall", {}, "endcall"),
    ("akuvox", "/fcgi/do?action=CallEnd", {}, "CallEnd"),
    ("htek", "/Phone_ActionURL&Command=2", {"auth": ADMIN}, "Command 2"),
]


def ask(appliance, method, target, **wanted):
    return requests.request(method, appliance.address + target, timeout=5, **wanted)


@pytest.mark.parametrize(("name", "method", "target", "wanted", "said"), DIALS)
def test_each_dials_as_documented(name, method, target, wanted, said):
    with running(FAMILIES[name]) as appliance:
        answer = ask(appliance, method, target, **wanted)
        assert answer.status_code == 200
        assert said in answer.text
        assert bool(answer.text) == bool(said)
        assert told(appliance) == [("3501", "04799998888")]


@pytest.mark.parametrize(("name", "method", "target", "wanted", "said"), DIALS)
def test_a_refused_login_dials_nothing(name, method, target, wanted, said):
    with running(FAMILIES[name], fail="auth") as appliance:
        answer = ask(appliance, method, target, **wanted)
        assert answer.status_code in (401, 403) or "error" in answer.text
        assert told(appliance) == []


@pytest.mark.parametrize("name", ["yealink", "snom", "poly", "cisco-phone", "htek"])
def test_a_phone_with_a_login_answers_401_to_a_wrong_one(name):
    method, target, wanted = next((case[1], case[2], case[3]) for case in DIALS if case[0] == name)
    for auth in (None, ("admin", "nope"), HTTPDigestAuth("push", "nope")):
        with running(FAMILIES[name]) as appliance:
            answer = ask(appliance, method, target, **{**wanted, "auth": auth})
            assert (answer.status_code, told(appliance)) == (401, [])
            assert "WWW-Authenticate" in answer.headers


def test_a_snom_may_be_set_to_digest():
    with running(FAMILIES["snom"], auth="digest") as appliance:
        target = "/command.htm?number=04799998888"
        assert ask(appliance, "GET", target, auth=ADMIN).status_code == 401
        assert ask(appliance, "GET", target, auth=HTTPDigestAuth(*ADMIN)).ok
        assert told(appliance) == [("3501", "04799998888")]


@pytest.mark.parametrize(("name", "target", "wanted", "step"), HANGS_UP)
def test_hanging_up_dials_nothing(name, target, wanted, step):
    with running(FAMILIES[name]) as appliance:
        assert ask(appliance, "GET", target, **wanted).ok
        assert (told(appliance), steps(appliance)) == ([], [step])


def test_a_grandstream_that_does_not_react_and_a_wrong_password_in_its_url():
    target = "/cgi-bin/api-make_call?passcode={}&phonenumber=04799998888"
    with running(FAMILIES["grandstream"], fail="busy") as appliance:
        assert ask(appliance, "GET", target.format("admin")).json() == {"response": "error", "body": "failed"}
    with running(FAMILIES["grandstream"]) as appliance:
        assert ask(appliance, "GET", target.format("s3nha")).json()["response"] == "error"
        assert "s3nha" not in appliance.seen[0].raw
        assert told(appliance) == []


@pytest.mark.parametrize(
    ("failure", "xml", "status"), [("busy", CISCO, 6), ("", "<a", 1), ("", "<a/>", 1), ("", "", 1)]
)
def test_a_cisco_phone_tells_by_its_status(failure, xml, status):
    with running(FAMILIES["cisco-phone"], fail=failure) as appliance:
        answer = ask(appliance, "POST", "/CGI/Execute", auth=ADMIN, data={"XML": xml})
        assert answer.ok
        assert f'<ResponseItem Status="{status}"' in answer.text
        assert told(appliance) == []


def test_a_poly_takes_nothing_but_its_own_kind_of_document():
    auth = HTTPDigestAuth("push", "secret")
    with running(FAMILIES["poly"]) as appliance:
        assert ask(appliance, "POST", "/push", auth=auth, data=PUSH).status_code == 400
        assert ask(appliance, "POST", "/push", auth=auth, data="<a", headers=SPIPX).status_code == 400
        assert told(appliance) == []


def test_an_aastra_asks_for_a_referer():
    with running(FAMILIES["aastra"]) as appliance:
        assert ask(appliance, "POST", "/", data=f"xml={AASTRA}").status_code == 403
        assert told(appliance) == []


@pytest.mark.parametrize(("name", "auth"), [("yealink", ADMIN), ("akuvox", None), ("htek", ADMIN)])
def test_any_other_address_is_not_found(name, auth):
    with running(FAMILIES[name]) as appliance:
        assert ask(appliance, "GET", "/nada", auth=auth).status_code == 404
