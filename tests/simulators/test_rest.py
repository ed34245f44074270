"""3CX V20, Wazo and BroadWorks, dialled by plain clients as their documents and clients do, and hung up."""

import subprocess

import pytest
import requests
from lxml import etree

from gateway.adapter import Outcome
from gateway.simulators import FAMILIES
from tests.peers import need
from tests.simulators.peers import running, steps, told
from tests.simulators.test_presets_dial import ORDER, dialling, hangup, simulated

CLIENT = {"client_id": "900", "client_secret": "secret", "grant_type": "client_credentials"}
CALLS = "/api/calld/1.0/users/me/calls"
XSI = "/com.broadsoft.xsi-actions/v2.0/user"
CRM = ("crm@example.com", "secret")


def ask(appliance, method, target, **wanted):
    return requests.request(method, appliance.address + target, timeout=5, **wanted)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_3cx_gives_a_token_for_client_credentials_and_dials_with_it():
    with running(FAMILIES["3cx-v20"]) as appliance:
        given = ask(appliance, "POST", "/connect/token", data=CLIENT).json()
        assert given["token_type"] == "Bearer"
        headers = bearer(given["access_token"])
        order = {"json": {"destination": "4799998888"}, "headers": headers}
        call = ask(appliance, "POST", "/callcontrol/1001/makecall", **order).json()
        assert (call["finalstatus"], call["result"]["callid"]) == ("Success", appliance.received[0].call_id)
        assert ask(appliance, "POST", "/callcontrol/1001/devices/sip:1/makecall", **order).ok
        assert told(appliance) == [("1001", "4799998888")] * 2
        assert all(given["access_token"] not in one.raw and "=secret" not in one.raw for one in appliance.seen)


@pytest.mark.parametrize("change", [{"client_secret": "nope"}, {"client_id": "1"}, {"grant_type": "password"}])
def test_3cx_gives_no_token_for_anything_else(change):
    with running(FAMILIES["3cx-v20"]) as appliance:
        assert ask(appliance, "POST", "/connect/token", data=CLIENT | change).status_code == 401
        assert ask(appliance, "POST", "/connect/token", json=CLIENT).status_code == 401


def test_3cx_dials_only_json_with_its_token():
    with running(FAMILIES["3cx-v20"]) as appliance:
        headers = bearer(ask(appliance, "POST", "/connect/token", data=CLIENT).json()["access_token"])
        target, order = "/callcontrol/1001/makecall", {"destination": "4799998888"}
        assert ask(appliance, "POST", target, json=order, headers=bearer("other")).status_code == 401
        assert ask(appliance, "POST", target, data=order, headers=headers).status_code == 422
        assert ask(appliance, "GET", target, headers=headers).status_code == 404
        assert told(appliance) == []


def test_the_preset_asks_3cx_for_a_new_token_when_the_old_one_has_expired():
    with simulated("3cx-v20") as appliance, dialling("3cx-v20", appliance) as adapter:
        assert adapter.deliver(ORDER).outcome is Outcome.ACCEPTED
        appliance.forget()
        assert adapter.deliver(ORDER).outcome is Outcome.ACCEPTED
        assert steps(appliance).count("connect/token") == 2


def test_wazo_s_user_dials_and_hangs_up_with_a_token():
    with running(FAMILIES["wazo"]) as appliance:
        token = ask(appliance, "POST", "/api/auth/0.1/token", json={"expiration": 60}, auth=("ana", "secret"))
        headers = {"X-Auth-Token": token.json()["data"]["token"]}
        call = ask(appliance, "POST", CALLS, json={"extension": "4799998888"}, headers=headers)
        assert (call.status_code, call.json()["call_id"]) == (201, appliance.received[0].call_id)
        place = f"{CALLS}/{call.json()['call_id']}"
        assert ask(appliance, "DELETE", place).status_code == 401
        assert ask(appliance, "DELETE", place, headers=headers).status_code == 204
        again = ask(appliance, "DELETE", place, headers=headers)
        assert (again.status_code, again.json()["message"]) == (404, "No such call")
        assert told(appliance) == [("3501", "4799998888")]
        assert headers["X-Auth-Token"] not in "".join(one.raw for one in appliance.seen)


def test_wazo_refuses_a_wrong_login_a_wrong_token_and_a_call_to_nobody():
    with running(FAMILIES["wazo"]) as appliance:
        wrong = ask(appliance, "POST", "/api/auth/0.1/token", json={"expiration": 60}, auth=("ana", "nope"))
        assert (wrong.status_code, wrong.json()["reason"]) == (401, ["Authentication Failed"])
        bad = ask(appliance, "POST", "/api/auth/0.1/token", json={"expiration": "60"}, auth=("ana", "secret"))
        assert bad.status_code == 400
        bare = ask(appliance, "POST", "/api/auth/0.1/token", json={}, auth=("ana", "secret"))
        headers = {"X-Auth-Token": bare.json()["data"]["token"]}
        assert ask(appliance, "POST", CALLS, json={"extension": "47"}, headers=bearer("x")).status_code == 401
        assert ask(appliance, "POST", CALLS, json={"destination": "47"}, headers=headers).status_code == 400
        assert told(appliance) == []


def test_broadworks_answers_201_with_a_call_s_id_by_which_it_is_hung_up():
    with running(FAMILIES["broadworks"]) as appliance:
        call = ask(appliance, "POST", f"{XSI}/ana@example.com/calls/new?address=4799998888", auth=CRM)
        call_id = etree.fromstring(call.content).findtext("{http://schema.broadsoft.com/xsi}callId")
        assert (call.status_code, call_id) == (201, appliance.received[0].call_id)
        place = f"{XSI}/ana%40example.com/calls/{call_id.replace(':', '%3A')}"
        assert ask(appliance, "DELETE", place, auth=CRM).ok
        assert ask(appliance, "DELETE", place, auth=CRM).status_code == 404
        assert told(appliance) == [("ana", "4799998888")]


def test_each_call_on_broadworks_has_an_id_of_its_own_though_others_have_ended():
    with running(FAMILIES["broadworks"]) as appliance:

        def placed() -> str:
            call = ask(appliance, "POST", f"{XSI}/ana@example.com/calls/new?address=4799998888", auth=CRM)
            return etree.fromstring(call.content).findtext("{http://schema.broadsoft.com/xsi}callId")

        first, second = placed(), placed()
        assert ask(appliance, "DELETE", f"{XSI}/ana@example.com/calls/{first}", auth=CRM).ok
        assert len({first, second, placed()}) == 3


@pytest.mark.parametrize(
    ("method", "target", "auth", "status"),
    [
        ("POST", f"{XSI}/ana@example.com/calls/new?address=47", None, 401),
        ("POST", f"{XSI}/ana@example.com/calls/new?address=47", ("crm@example.com", "nope"), 401),
        ("POST", f"{XSI}/ana@other.com/calls/new?address=47", CRM, 404),
        ("POST", f"{XSI}/ana@example.com/calls/new", CRM, 403),
        ("GET", f"{XSI}/ana@example.com/calls/new?address=47", CRM, 404),
        ("POST", f"{XSI}/ana@example.com/calls", CRM, 404),
    ],
)
def test_broadworks_refuses_what_is_no_order_of_its_own(method, target, auth, status):
    with running(FAMILIES["broadworks"]) as appliance:
        assert ask(appliance, method, target, auth=auth).status_code == status
        assert told(appliance) == []


def test_curl_dials_on_broadworks():
    with running(FAMILIES["broadworks"]) as appliance:
        url = f"{appliance.address}{XSI}/3501@example.com/calls/new?address=4799998888"
        command = [need("curl", package="curl"), "-s", "-X", "POST", "-u", ":".join(CRM), "-w", "%{http_code}", url]
        said = subprocess.run(command, capture_output=True, check=True, timeout=20, text=True).stdout
        assert said.endswith("</CallStartInfo>201")


@pytest.mark.parametrize("preset", ["wazo", "broadworks"])
def test_the_preset_hangs_up_by_the_id_that_the_exchange_gave(preset):
    with simulated(preset) as appliance, dialling(preset, appliance) as adapter:
        ref = adapter.deliver(ORDER).peer_ref
        assert ref == appliance.received[0].call_id
        assert adapter.hangup(hangup(ref)).outcome is Outcome.ACCEPTED
        assert adapter.hangup(hangup(ref)).outcome is Outcome.REFUSED
