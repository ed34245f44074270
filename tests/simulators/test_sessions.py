"""The simulated exchanges with a session or a login of their own: VICIdial, Avaya AES, Sippy, Grandstream UCM."""

import xmlrpc.client
from hashlib import md5

import pytest
import requests
from lxml import etree
from requests.auth import HTTPDigestAuth

from gateway.simulators import FAMILIES
from tests.simulators.peers import running, steps, told

DIAL = {
    "source": "crm",
    "user": "6666",
    "pass": "1234",
    "agent_user": "1000",
    "function": "external_dial",
    "value": "4799998888",
}


def vicidial(appliance, **fields):
    return requests.get(f"{appliance.address}/agc/api.php", params=DIAL | fields, timeout=5).text


def test_vicidial_tells_by_the_first_word_and_always_by_status_200():
    with running(FAMILIES["vicidial"]) as appliance:
        assert vicidial(appliance).startswith("SUCCESS: external_dial function set - ")
        assert vicidial(appliance, function="external_hangup", value="1").startswith("SUCCESS: external_hangup")
        assert vicidial(appliance, **{"pass": "nope"}).startswith("ERROR: Invalid Username/Password")
        assert vicidial(appliance, agent_user="").startswith("ERROR: no user found")
        assert vicidial(appliance, function="reboot").startswith("ERROR: ")
        assert told(appliance) == [("1000", "4799998888")]
        assert "1234" not in appliance.seen[0].raw
    with running(FAMILIES["vicidial"], fail="logged-out") as appliance:
        assert vicidial(appliance) == "ERROR: agent_user is not logged in - 1000\n"


ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
    '<a:sessionID xmlns:a="http://xml.avaya.com/ws/session">{session}</a:sessionID></s:Header><s:Body>'
    '<t:{name} xmlns:t="http://TelephonyService.ws.avaya.com">{parts}</t:{name}></s:Body></s:Envelope>'
)
CALL = "<originatingExtension>2000</originatingExtension><destinationNumber>904799998888</destinationNumber>"


def avaya(appliance, name, parts="", session="", auth=("ctiuser@CM1", "secret")):
    body = ENVELOPE.format(name=name, parts=parts, session=session)
    return requests.post(f"{appliance.address}/axis/services/TelephonyService", data=body, auth=auth, timeout=5)


def attached(appliance):
    answer = etree.fromstring(avaya(appliance, "attach").content)
    return answer.findtext("{*}Header/{http://xml.avaya.com/ws/session}sessionID")


def test_avaya_s_session_comes_and_goes_in_the_soap_header():
    with running(FAMILIES["avaya-aes"]) as appliance:
        assert avaya(appliance, "attach", auth=None).status_code == 401
        session = attached(appliance)
        assert avaya(appliance, "makeCall", CALL, session="other").status_code == 500
        assert "makeCallResponse" in avaya(appliance, "makeCall", CALL, session=session).text
        assert avaya(appliance, "disconnectActiveCall", "<extension>2000</extension>", session=session).ok
        assert avaya(appliance, "release", session=session).ok
        assert "no session" in avaya(appliance, "makeCall", CALL, session=session).text
        assert told(appliance) == [("2000", "904799998888")]


def test_avaya_s_failures():
    with running(FAMILIES["avaya-aes"], fail="session") as appliance:
        assert attached(appliance) is None
    with running(FAMILIES["avaya-aes"], fail="busy") as appliance:
        assert avaya(appliance, "makeCall", CALL, session=attached(appliance)).status_code == 500
        assert told(appliance) == []


def test_sippy_takes_one_struct_with_digest():
    order = {
        "authname": "5547333",
        "cld_first": "3501",
        "cld_second": "4799998888",
        "cli_first": "1",
        "cli_second": "1",
    }

    def ask(appliance, auth, *params):
        body = xmlrpc.client.dumps(params, "make2WayCallback")
        answer = requests.post(f"{appliance.address}/xmlapi/xmlapi", data=body, auth=auth, timeout=5)
        return xmlrpc.client.loads(answer.content)[0][0] if answer.ok else answer.status_code

    login = HTTPDigestAuth("crm", "secret")
    with running(FAMILIES["sippy"]) as appliance:
        assert ask(appliance, login, order)["i_callback_request"] == 1
        assert ask(appliance, ("crm", "secret"), order) == 401
        with pytest.raises(xmlrpc.client.Fault, match="missing"):
            ask(appliance, login, "3501", "4799998888")
        assert told(appliance) == [("3501", "4799998888")]


def test_a_ucm_s_challenge_is_answered_once_with_its_md5():
    def ask(appliance, **fields):
        return requests.post(f"{appliance.address}/api", json={"request": fields}, timeout=5).json()

    with running(FAMILIES["grandstream-ucm"]) as appliance:
        challenge = ask(appliance, action="challenge", user="cdrapi", version="1.0")["response"]["challenge"]
        token = md5(f"{challenge}secret".encode()).hexdigest()
        wrong = md5(f"{challenge}nope".encode()).hexdigest()
        assert ask(appliance, action="login", user="cdrapi", token=wrong)["status"] != 0
        cookie = ask(appliance, action="login", user="cdrapi", token=token)["response"]["cookie"]
        assert ask(appliance, action="login", user="cdrapi", token=token)["status"] != 0
        order = {"action": "dialOutbound", "caller": "2000", "outbound": "4799998888"}
        assert ask(appliance, **order, cookie="other")["status"] != 0
        assert ask(appliance, **order, cookie=cookie)["status"] == 0
        assert ask(appliance, action="dialExtension", caller="2000", callee="2001", cookie=cookie)["status"] == 0
        assert told(appliance) == [("2000", "4799998888"), ("2000", "2001")]
        assert steps(appliance)[0] == "challenge"
