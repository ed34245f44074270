"""The simulated providers take what their documents show, from a plain client."""

import pytest
import requests

from gateway.simulators import FAMILIES
from tests.simulators.peers import running, told

TOKEN = "demo-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
CHAMADA = {"numero_origem": "3501", "numero_destino": "4799998888", "gravar_audio": False}
SIPGATE = {"deviceId": "e0", "callerId": "+554732100123", "caller": "e0", "callee": "4799998888"}
UTECH = "/utech/v1/call/makecall/?source=3501&destination=4799998888&token="

ORDERS = [
    ("bmtelecom", "GET", "/api/call/3501/4799998888", {}, {"apiStatus": "CONECTION_OK"}),
    ("utech", "GET", UTECH + TOKEN, {}, {"status": "ok", "cause": ""}),
    (
        "evolux",
        "POST",
        "/api/v1/call",
        {"data": {"from": "3501", "to": "4799998888"}, "headers": {"token": TOKEN}},
        {"meta": {"status": 200, "message": "OK"}},
    ),
    (
        "totalvoice",
        "POST",
        "/chamada",
        {"json": CHAMADA, "headers": {"Access-Token": TOKEN}},
        {"status": 200, "sucesso": True, "motivo": 0, "mensagem": "chamada criada com sucesso", "dados": {"id": 1}},
    ),
    (
        "api4com",
        "POST",
        "/api/v1/dialer",
        {
            "json": {"extension": "3501", "phone": "4799998888", "metadata": {"gateway": "x"}},
            "headers": {"Authorization": TOKEN},
        },
        {},
    ),
    ("sipgate", "POST", "/v2/sessions/calls", {"json": SIPGATE, "auth": ("token-DEMO", TOKEN)}, {}),
]


def ask(appliance, method, target, **wanted):
    return requests.request(method, appliance.address + target, timeout=5, **wanted)


@pytest.mark.parametrize(("name", "method", "target", "wanted", "said"), ORDERS)
def test_each_takes_the_order_of_its_documents(name, method, target, wanted, said):
    with running(FAMILIES[name]) as appliance:
        answer = ask(appliance, method, target, **wanted)
        assert answer.status_code == 200
        assert answer.json() | said == answer.json()
        assert told(appliance) == [("3501", "4799998888")]
        assert TOKEN not in appliance.seen[0].raw


@pytest.mark.parametrize(("name", "method", "target", "wanted", "said"), ORDERS[1:])
def test_each_refuses_without_its_token(name, method, target, wanted, said):
    with running(FAMILIES[name]) as appliance:
        bare = {key: value for key, value in wanted.items() if key not in ("headers", "auth")}
        answer = ask(appliance, method, target.replace(TOKEN, "nope"), **bare)
        assert answer.status_code in (400, 401, 403) or answer.json()["status"] == "error"
        assert told(appliance) == []


def test_another_token_may_be_set():
    with running(FAMILIES["utech"], password="other") as appliance:
        assert ask(appliance, "GET", UTECH + "other").json()["status"] == "ok"
        assert ask(appliance, "GET", UTECH + TOKEN).json()["status"] == "error"


def test_nvoip_gives_a_token_first_and_a_cause_in_place_of_an_id():
    login = {"username": "140912001", "password": TOKEN, "grant_type": "password"}
    order = {"caller": "3501", "called": "4799998888"}
    for failure, said in (("", None), ("busy", " UNALLOCATED_NUMBER")):
        with running(FAMILIES["nvoip"], fail=failure) as appliance:
            assert ask(appliance, "POST", "/v2/oauth/token", data=login).status_code == 401
            token = ask(appliance, "POST", "/v2/oauth/token", data=login, auth=("a", "b")).json()["access_token"]
            assert ask(appliance, "POST", "/v2/calls/", json=order, headers=BEARER).status_code == 401
            headers = {"Authorization": f"Bearer {token}"}
            call = ask(appliance, "POST", "/v2/calls/", json=order, headers=headers).json()
            assert call["state"] == "success"
            assert call["callId"] == (said or appliance.received[0].call_id)


def test_an_agent_of_3c_plus_enters_manual_mode_once_and_dials_only_then():
    place = "/api/v1/agent/manual_call"
    with running(FAMILIES["3cplus"]) as appliance:
        dial = {"json": {"phone": "4799998888"}, "headers": BEARER}
        assert ask(appliance, "POST", f"{place}/dial", **dial).status_code == 422
        assert ask(appliance, "POST", f"{place}/enter", headers=BEARER).status_code == 204
        assert ask(appliance, "POST", f"{place}/enter", headers=BEARER).status_code == 422
        assert ask(appliance, "POST", f"{place}/dial", **dial).status_code == 204
        assert ask(appliance, "POST", f"{place}/dial", json={}).status_code == 401
        assert told(appliance) == [("3501", "4799998888")]


@pytest.mark.parametrize("name", [order[0] for order in ORDERS])
def test_any_other_address_is_not_found(name):
    with running(FAMILIES[name]) as appliance:
        headers = {"Access-Token": TOKEN}
        assert ask(appliance, "GET", "/nada", headers=headers, auth=("token-DEMO", TOKEN)).status_code == 404
