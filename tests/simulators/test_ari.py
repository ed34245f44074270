"""The simulated Asterisk REST interface answers as the real one was recorded."""

import json

import pytest
import requests

from gateway.simulators.ari import AsteriskAri
from tests.simulators.peers import cases, masked, running, told, wire

USER = ("ariuser", "aripass")
ORDER = {
    "endpoint": "Local/3501@phones",
    "extension": "4732100123",
    "context": "outbound",
    "priority": 1,
    "callerId": "3501",
    "timeout": 30,
    "channelId": "gw-a1",
}
RECORDED = {
    "id": "gw-a1",
    "name": "Local/3501@phones-00000025;1",
    "state": "Down",
    "protocol_id": "",
    "caller": {"name": "", "number": "3501"},
    "connected": {"name": "", "number": "3501"},
    "accountcode": "",
    "dialplan": {
        "context": "phones",
        "exten": "3501",
        "priority": 1,
        "app_name": "AppDial2",
        "app_data": "(Outgoing Line)",
    },
    "creationtime": "…",
    "language": "en",
}
HEAD = """HTTP/1.1 200 OK
Server: Asterisk
Date: …
Cache-Control: no-cache, no-store
Content-type: application/json"""


def post(appliance, order, **wanted):
    return requests.post(f"{appliance.address}/ari/channels", **{"json": order, "auth": USER, "timeout": 5} | wanted)


def test_an_order_is_answered_as_recorded():
    with running(AsteriskAri) as appliance:
        body = json.dumps(ORDER)
        lines = ["POST /ari/channels HTTP/1.1", "Host: pbx", "Authorization: Basic YXJpdXNlcjphcmlwYXNz"]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        head, said = wire(appliance, "\n".join(lines) + f"\n\n{body}")
        assert masked(head).rsplit("\n", 1)[0] == HEAD
        assert json.loads(said) | {"creationtime": "…"} == RECORDED
        assert list(json.loads(said)) == list(RECORDED)
        assert told(appliance) == [("3501", "4732100123")]
        assert appliance.received[0].call_id == "gw-a1"


@pytest.mark.parametrize("how", ["json", "data", "params"])
def test_parameters_are_taken_as_json_as_a_form_and_in_the_query(how):
    with running(AsteriskAri) as appliance:
        answer = post(appliance, None, **{"json": None, how: ORDER})
        assert (answer.status_code, answer.json()["id"]) == (200, "gw-a1")
        key = {"api_key": ":".join(USER)}
        assert requests.post(f"{appliance.address}/ari/channels/gw-a2", params=ORDER | key, timeout=5).ok
        assert [one.call_id for one in appliance.received] == ["gw-a1", "gw-a2"]


@pytest.mark.parametrize(("sent", "status", "message"), cases("ari.tsv"))
def test_each_bad_order_is_refused_as_recorded(sent, status, message):
    with running(AsteriskAri) as appliance:
        answer = post(appliance, None, json=None, data=sent.encode(), headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json(), told(appliance)) == (int(status), {"message": message}, [])


def test_a_channel_id_in_use_is_a_conflict_until_its_call_is_over():
    with running(AsteriskAri) as appliance:
        assert post(appliance, ORDER).ok
        again = post(appliance, ORDER)
        assert (again.status_code, again.json()["message"]) == (409, "Channel with given unique ID already exists")
        url = f"{appliance.address}/ari/channels/gw-a1"
        assert requests.get(url, auth=USER, timeout=5).json()["state"] == "Up"
        gone = requests.delete(url, auth=USER, timeout=5)
        assert (gone.status_code, gone.headers["Content-Length"], gone.content) == (204, "0", b"")
        for method in ("GET", "DELETE"):
            over = requests.request(method, url, auth=USER, timeout=5)
            assert (over.status_code, over.json()) == (404, {"message": "Channel not found"})
        assert post(appliance, ORDER).ok


def test_a_busy_extension_is_a_success_whose_channel_is_gone():
    with running(AsteriskAri, fail="busy") as appliance:
        assert post(appliance, ORDER).json()["id"] == "gw-a1"
        assert requests.get(f"{appliance.address}/ari/channels/gw-a1", auth=USER, timeout=5).status_code == 404
        assert told(appliance) == []


@pytest.mark.parametrize(
    ("failure", "status", "said"),
    [
        ("auth", 401, {"message": "Authentication required"}),
        ("privilege", 403, {"message": "Write access denied"}),
        ("no-technology", 500, {"error": "Allocation failed"}),
    ],
)
def test_each_failure_is_told_as_recorded(failure, status, said):
    with running(AsteriskAri, fail=failure) as appliance:
        answer = post(appliance, ORDER)
        assert (answer.status_code, answer.json(), told(appliance)) == (status, said, [])
        if failure == "auth":
            assert answer.headers["WWW-Authenticate"] == 'Basic realm="Asterisk REST Interface"'


def test_ping_and_what_is_not_there():
    with running(AsteriskAri) as appliance:
        ping = requests.get(f"{appliance.address}/ari/asterisk/ping", auth=USER, timeout=5)
        assert ping.json()["ping"] == "pong"
        nothing = requests.get(f"{appliance.address}/ari/nothing", auth=USER, timeout=5)
        assert (nothing.status_code, nothing.json()) == (404, {"message": "Resource not found"})
        assert requests.get(f"{appliance.address}/ari/asterisk/ping", auth=("a", "b"), timeout=5).status_code == 401
