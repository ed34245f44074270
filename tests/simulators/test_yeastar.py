"""The simulated Yeastar exchanges take what the developer guides show, from a plain client."""

from hashlib import md5

import pytest
import requests

from gateway.adapter import Outcome
from gateway.simulators import FAMILIES
from tests.simulators.peers import running, steps, told
from tests.simulators.test_presets_dial import ORDER, dialling, simulated

HASHED = md5(b"secret").hexdigest()
S_LOGIN = {"username": "api", "password": HASHED, "port": "8260", "version": "1.0.2"}
OUTBOUND = {"extid": "1002", "outto": "4799998888", "autoanswer": "no"}
P_LOGIN = {"username": "client-demo", "password": "secret"}
DIAL = {"caller": "1002", "callee": "4799998888", "auto_answer": "no"}
OPENAPI = {"User-Agent": "OpenAPI"}


def s(appliance, step, order, method="POST", **more):
    return requests.request(method, f"{appliance.address}/api/v1.1.0/{step}", json=order, timeout=5, **more).json()


def p(appliance, step, order=None, method="POST", headers=OPENAPI):
    url = f"{appliance.address}/openapi/v1.0/{step}"
    return requests.request(method, url, json=order, headers=headers, timeout=5)


def test_an_s_series_gives_a_token_for_the_password_s_md5_and_dials_with_it():
    with running(FAMILIES["yeastar-s"]) as appliance:
        token = s(appliance, "login", S_LOGIN)["token"]
        answer = s(appliance, f"extension/dial_outbound?token={token}", OUTBOUND)
        assert answer == {"status": "Success", "callid": appliance.received[0].call_id}
        inside = {"caller": "1002", "callee": "1003", "autoanswer": "yes"}
        assert s(appliance, f"extension/dial_extension?token={token}", inside)["status"] == "Success"
        assert told(appliance) == [("1002", "4799998888"), ("1002", "1003")]
        assert HASHED not in appliance.seen[0].raw


@pytest.mark.parametrize(
    ("step", "order", "errno"),
    [
        ("login", {**S_LOGIN, "password": "secret"}, "20003"),
        ("extension/dial_outbound", OUTBOUND, "20005"),
        ("extension/dial_outbound?token=other", OUTBOUND, "20004"),
        ("extension/dial_outbound?token={}", {"caller": "1002", "callee": "4799998888"}, "10004"),
        ("extension/nada?token={}", OUTBOUND, "10003"),
        ("login", [], "20000"),
    ],
)
def test_an_s_series_refuses_by_number_and_always_by_status_200(step, order, errno):
    with running(FAMILIES["yeastar-s"]) as appliance:
        token = s(appliance, "login", S_LOGIN)["token"]
        assert s(appliance, step.format(token), order) == {"status": "Failed", "errno": errno}
        assert told(appliance) == []


def test_an_s_series_takes_nothing_but_posts_of_json():
    with running(FAMILIES["yeastar-s"]) as appliance:
        assert s(appliance, "login", S_LOGIN, method="GET")["errno"] == "20001"
        assert (
            requests.post(f"{appliance.address}/api/v1.1.0/login", data=S_LOGIN, timeout=5).json()["errno"] == "20000"
        )
        assert requests.post(f"{appliance.address}/api/v9/login", json=S_LOGIN, timeout=5).status_code == 404


def test_five_wrong_logins_lock_an_s_series():
    with running(FAMILIES["yeastar-s"]) as appliance:
        wrong = {**S_LOGIN, "password": "0"}
        assert [s(appliance, "login", wrong)["errno"] for _ in range(6)] == ["20003"] * 5 + ["20002"]
        assert s(appliance, "login", S_LOGIN)["errno"] == "20002"


def test_a_p_series_gives_a_token_and_dials_with_it_until_it_is_revoked():
    with running(FAMILIES["yeastar-p"]) as appliance:
        given = p(appliance, "get_token", P_LOGIN).json()
        assert given | {"errcode": 0, "errmsg": "SUCCESS", "access_token_expire_time": 1800} == given
        token = given["access_token"]
        call = p(appliance, f"call/dial?access_token={token}", DIAL).json()
        assert call == {"errcode": 0, "errmsg": "SUCCESS", "call_id": appliance.received[0].call_id}
        assert p(appliance, f"del_token?access_token={token}", method="GET").json()["errcode"] == 0
        assert p(appliance, f"call/dial?access_token={token}", DIAL).json()["errcode"] == 10004
        assert told(appliance) == [("1002", "4799998888")]
        assert all("secret" not in one.raw and token not in one.raw for one in appliance.seen)


def test_a_p_series_wants_its_header_each_time():
    with running(FAMILIES["yeastar-p"]) as appliance:
        assert p(appliance, "get_token", P_LOGIN, headers={}).status_code == 404
        token = p(appliance, "get_token", P_LOGIN).json()["access_token"]
        assert p(appliance, f"call/dial?access_token={token}", DIAL, headers={}).status_code == 404
        assert told(appliance) == []


def test_a_p_series_refuses_a_wrong_secret_and_a_ninth_token():
    with running(FAMILIES["yeastar-p"]) as appliance:
        assert p(appliance, "get_token", {**P_LOGIN, "password": "nope"}).json()["errcode"] != 0
        codes = [p(appliance, "get_token", P_LOGIN).json()["errcode"] for _ in range(9)]
        assert codes[:8] == [0] * 8
        assert codes[8] != 0


@pytest.mark.parametrize(("preset", "login"), [("yeastar-s", "login"), ("yeastar-p", "get_token")])
def test_the_preset_logs_in_again_when_its_token_has_expired(preset, login):
    with simulated(preset) as appliance, dialling(preset, appliance) as adapter:
        assert adapter.deliver(ORDER).outcome is Outcome.ACCEPTED
        assert adapter.deliver(ORDER).outcome is Outcome.ACCEPTED
        assert steps(appliance).count(login) == 1
        appliance.forget()
        assert adapter.deliver(ORDER).outcome is Outcome.ACCEPTED
        assert steps(appliance).count(login) == 2
        assert len(appliance.received) == 3


@pytest.mark.parametrize("preset", ["yeastar-s", "yeastar-p"])
def test_the_preset_sends_a_refused_order_once(preset):
    with simulated(preset, fail="busy") as appliance, dialling(preset, appliance) as adapter:
        for _ in range(3):
            assert adapter.deliver(ORDER).outcome is Outcome.REFUSED
        assert len([one for one in appliance.seen if one.number]) == 3


def test_the_preset_of_the_p_series_leaves_no_token_behind():
    with simulated("yeastar-p") as appliance:
        for _ in range(9):
            with dialling("yeastar-p", appliance) as adapter:
                assert adapter.deliver(ORDER).outcome is Outcome.ACCEPTED
