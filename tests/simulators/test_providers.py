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


ACCOUNT = "AC0123456789abcdef0123456789abcdef"
CALLS = f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
TWIML = '<Response><Dial callerId="+554732100123">+554799998888</Dial></Response>'
TWILIO = {"To": "client:ana", "From": "+554732100123", "Twiml": TWIML}


def test_twilio_rings_the_agent_and_dials_what_its_twiml_says():
    with running(FAMILIES["twilio"]) as appliance:
        answer = ask(appliance, "POST", CALLS, data=TWILIO, auth=(ACCOUNT, TOKEN))
        assert (answer.status_code, answer.json()["status"]) == (201, "queued")
        assert answer.json()["sid"].startswith("CA")
        assert told(appliance) == [("3501", "+554799998888")]
        assert TOKEN not in appliance.seen[0].raw


@pytest.mark.parametrize(
    ("wrong", "login", "code"),
    [
        ({}, (ACCOUNT, "nope"), 20003),
        ({"From": "47 3210-0123"}, (ACCOUNT, TOKEN), 21210),
        ({"To": "client:bob"}, (ACCOUNT, TOKEN), 21211),
        ({"Twiml": TWIML.replace("+554799998888", "4799998888")}, (ACCOUNT, TOKEN), 21211),
        ({"Twiml": "<Response/>"}, (ACCOUNT, TOKEN), 21211),
    ],
)
def test_twilio_refuses_by_its_codes(wrong, login, code):
    with running(FAMILIES["twilio"]) as appliance:
        answer = ask(appliance, "POST", CALLS, data=TWILIO | wrong, auth=login)
        assert (answer.status_code in (400, 401), answer.json()["code"]) == (True, code)
        assert told(appliance) == []


def test_zadarma_takes_what_is_signed_and_nothing_else():
    """The signature is that of the preset's own test, made of github.com/zadarma/user-api-v1's description."""
    signature = {"Authorization": "k1:ZTYwMjc5ZGJkODY1ODY2MGEwMTQ0ZDQwNjNjYjM3ZTQwM2MwNmQyOQ=="}
    place = "/v1/request/callback/?from=2000&to=554799999888"
    with running(FAMILIES["zadarma"], username="k1", password="s3nha") as appliance:
        assert ask(appliance, "GET", place + "9", headers=signature).status_code == 401
        answer = ask(appliance, "GET", place.replace("99999888", "999998888"), headers=signature)
        assert (answer.status_code, answer.json()["status"]) == (200, "success")
        assert told(appliance) == [("2000", "5547999998888")]


@pytest.mark.parametrize("name", ["twilio", "zadarma", *(order[0] for order in ORDERS)])
def test_any_other_address_is_not_found(name):
    with running(FAMILIES[name]) as appliance:
        headers = {"Access-Token": TOKEN}
        assert ask(appliance, "GET", "/nada", headers=headers, auth=("token-DEMO", TOKEN)).status_code == 404
