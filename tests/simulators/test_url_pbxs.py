"""3CX V10, Vodia, OpenScape Business and SNEP dial on the addresses of their documents, from a plain client."""

import subprocess
import time

import pytest
import requests
from lxml import etree

from gateway.adapter import Outcome
from gateway.simulators import FAMILIES
from tests.peers import need
from tests.simulators.peers import running, steps, told
from tests.simulators.test_presets_dial import ORDER, dialling, simulated

MAKE_CALL = {"func": "make_call", "from": "3501", "to": "4799998888", "pin": "1234"}
REMOTE = {
    "user": "3501@pbx.example.com",
    "dest": "4799998888",
    "auth": "100@pbx.example.com:secret",
    "connect": "true",
}
TOKEN = {"token": "demo-token"}
BEARER = {"Authorization": "Bearer demo-token"}


def ask(appliance, method, target, **wanted):
    return requests.request(method, appliance.address + target, timeout=5, **wanted)


@pytest.mark.parametrize("wanted", [{"params": MAKE_CALL}, {"data": MAKE_CALL}])
def test_3cx_v10_dials_by_the_extension_s_pin(wanted):
    with running(FAMILIES["3cx-v10"]) as appliance:
        assert ask(appliance, "POST", "/ivr/PbxAPI.aspx", **wanted).status_code == 200
        assert told(appliance) == [("3501", "4799998888")]
        assert "1234" not in appliance.seen[0].raw


@pytest.mark.parametrize("change", [{"pin": "0"}, {"from": "3502"}, {"to": ""}])
def test_3cx_v10_refuses_a_wrong_pin(change):
    with running(FAMILIES["3cx-v10"]) as appliance:
        assert ask(appliance, "GET", "/ivr/PbxAPI.aspx", params=MAKE_CALL | change).status_code == 403
        assert ask(appliance, "POST", "/ivr/PbxAPI.aspx?func=other").status_code == 404
        assert told(appliance) == []


def test_vodia_dials_by_an_address_that_holds_its_login():
    with running(FAMILIES["vodia"]) as appliance:
        assert ask(appliance, "GET", "/remote_call.htm", params=REMOTE).headers["Content-Type"] == "text/html"
        assert told(appliance) == [("3501", "4799998888")]
        assert "secret" not in appliance.seen[0].raw


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"auth": "100@pbx.example.com:nope"}, 401),
        ({"auth": ""}, 401),
        ({"user": "3501@other.com"}, 401),
        # Nobody is there who would press 1.
        ({"connect": "false"}, 200),
        ({"dest": ""}, 200),
    ],
)
def test_vodia_places_no_other_call(change, status):
    with running(FAMILIES["vodia"]) as appliance:
        assert ask(appliance, "GET", "/remote_call.htm", params=REMOTE | change).status_code == status
        assert ask(appliance, "POST", "/remote_call.htm", params=REMOTE).status_code == 404
        assert told(appliance) == []


def wsi(appliance, cmd, **fields):
    return ask(appliance, "GET", "/cgi-bin/gadgetapi", params={"cmd": cmd, **fields})


def session(appliance):
    return etree.fromstring(wsi(appliance, "Login", gsUser="123", gsPass="secret").content).findtext("ID")


CALL = {"callingDevice": "123", "calledDirectoryNumber": "004799998888"}


def test_openscape_gives_a_session_dials_in_it_and_ends_it():
    with running(FAMILIES["openscape-business"], ring_s=1) as appliance:
        one = session(appliance)
        began = time.monotonic()
        assert "ERROR" not in wsi(appliance, "MkCall", **CALL, gsSession=one).text
        assert time.monotonic() - began < 1
        assert "ERROR" not in wsi(appliance, "MakeCall", **CALL, gsSession=one).text
        assert time.monotonic() - began >= 1
        wsi(appliance, "Logout", gsSession=one)
        assert "NOT_LOGGED_IN" in wsi(appliance, "MkCall", **CALL, gsSession=one).text
        assert told(appliance) == [("123", "004799998888")] * 2
        assert all("secret" not in one.raw and f"gsSession={one}" not in one.raw for one in appliance.seen)


def test_openscape_tells_a_wrong_login_by_the_id_0():
    with running(FAMILIES["openscape-business"]) as appliance:
        said = etree.fromstring(wsi(appliance, "Login", gsUser="123", gsPass="nope").content)
        assert (said.tag, said.findtext("ID")) == ("LOGIN", "0")
        assert said.findtext("ERROR")
        assert "NOT_LOGGED_IN" in wsi(appliance, "MkCall", **CALL, gsSession="0").text
        assert ask(appliance, "POST", "/cgi-bin/gadgetapi").status_code == 404


def test_openscape_waits_with_a_refusal_of_the_phone_only_where_it_waits_for_it():
    with running(FAMILIES["openscape-business"], fail="busy") as appliance:
        one = session(appliance)
        assert "CSTAErrorCode" not in wsi(appliance, "MkCall", **CALL, gsSession=one).text
        assert "CSTAErrorCode" in wsi(appliance, "MakeCall", **CALL, gsSession=one).text
        assert told(appliance) == []


def test_the_preset_logs_in_to_openscape_again_when_its_session_has_expired():
    with simulated("openscape-business") as appliance, dialling("openscape-business", appliance) as adapter:
        assert adapter.deliver(ORDER).outcome is Outcome.ACCEPTED
        appliance.forget()
        assert adapter.deliver(ORDER).outcome is Outcome.ACCEPTED
        assert steps(appliance).count("Login") == 2
    with simulated("openscape-business") as appliance:
        with dialling("openscape-business", appliance) as adapter:
            adapter.deliver(ORDER)
        assert steps(appliance)[-1] == "Logout"


@pytest.mark.parametrize(
    ("method", "wanted"),
    [
        ("POST", {"json": {"from": "1105", "to": 4899991010}, "headers": BEARER}),
        ("POST", {"json": {"from": "1105", "to": "4899991010", "force_from": "yes", **TOKEN}}),
        ("GET", {"params": {"from": "1105", "to": "4899991010", "timeout": "30", **TOKEN}}),
    ],
)
def test_snep_dials_by_json_or_by_url_with_its_token(method, wanted):
    with running(FAMILIES["snep"]) as appliance:
        assert ask(appliance, method, "/call", **wanted).status_code == 200
        assert told(appliance) == [("1105", "4899991010")]
        assert "demo-token" not in appliance.seen[0].raw


def test_snep_dials_nothing_without_its_token_or_from_a_form():
    order = {"from": "1105", "to": "4899991010"}
    with running(FAMILIES["snep"]) as appliance:
        assert ask(appliance, "POST", "/call", json=order).status_code == 401
        assert ask(appliance, "GET", "/call", params=order).status_code == 401
        assert "error" in ask(appliance, "POST", "/call", data=order, headers=BEARER).text
        assert told(appliance) == []


def test_curl_dials_on_snep_as_its_manual_has_it():
    with running(FAMILIES["snep"]) as appliance:
        command = [
            need("curl", package="curl"),
            "-s",
            f"{appliance.address}/call",
            "-H",
            "content-type: application/json",
        ]
        command += ["-H", "Authorization: Bearer demo-token", "-d", '{"from":"1105","to":"4899991010"}']
        subprocess.run(command, capture_output=True, check=True, timeout=20)
        assert told(appliance) == [("1105", "4899991010")]
