"""Simulated CRMs take events as their models are documented to, and fail as CRMs do."""

import re
import tomllib
from pathlib import Path

import pytest
import requests

from gateway.adapter import Outcome, Outgoing
from gateway.cli.simulate import _to_paste
from gateway.config import loader as config_file
from gateway.domain.event_fields import SAMPLE
from gateway.server.adapters import configured_adapter
from gateway.simulators import CRMS, Behaviour
from gateway.simulators.crms import AGAIN_S, CrmBitrix24, CrmWConnect, CrmZammad
from tests.simulators.conftest import PEM
from tests.simulators.peers import running

STARTED = Outgoing("call_started", "1", {**SAMPLE, "call_id": "7", "direction": "incoming"})
CALL = {"USER_ID": "12", "PHONE_NUMBER": "+554732100123", "TYPE": "2"}
NEW = {"event": "newCall", "callId": "7", "from": "554732100123", "to": "3501", "direction": "in", "user": "3501"}


def started(name, **behaviour):
    return running(CRMS[name], events={"certificate": PEM} if name == "crm-bitrix24" else None, **behaviour)


def tell(crm, message=STARTED):
    """What the gateway makes of telling ``crm``, by the very table that ``simulate`` prints."""
    config = config_file.parse(tomllib.loads(_to_paste(crm).partition("\n\n")[2]), source="pasted")
    adapter = configured_adapter("pasted", crm.name, config.tenants["default"].forwards[crm.name], lambda made: made)
    try:
        return adapter.deliver(message)
    finally:
        adapter.close()


@pytest.mark.parametrize("name", CRMS)
def test_the_printed_table_tells_it_of_calls(name):
    with started(name) as crm:
        assert tell(crm).outcome is Outcome.ACCEPTED
        ((told,),) = crm.calls.values()
        assert told["event"] in ("ConsultaRamal", "register", "newCall")
        (seen,) = crm.seen
        assert seen.number
        if crm.address.startswith("http:"):
            assert "newCall" in requests.get(f"{crm.address}/", timeout=5).text or name == "crm-wconnect"


@pytest.mark.parametrize(
    ("fail", "outcome", "later"),
    [
        ("down", Outcome.UNKNOWN, None),
        ("busy", Outcome.REFUSED, AGAIN_S),
        ("refuse", Outcome.REFUSED, None),
        ("page", Outcome.UNKNOWN, None),
        ("fault", Outcome.UNKNOWN, None),
    ],
)
@pytest.mark.parametrize("name", CRMS)
def test_it_fails_as_crms_do(name, fail, outcome, later):
    with started(name, fail=fail) as crm:
        delivery = tell(crm)
        assert (delivery.outcome, delivery.retry_after_s) == (outcome, later)
        assert crm.calls == {}


@pytest.mark.parametrize("name", ["crm-bitrix24", "crm-zammad"])
def test_a_wrong_secret_is_refused(name):
    with started(name, fail="auth") as crm:
        assert tell(crm).outcome is Outcome.REFUSED


def test_only_every_third_event_fails_where_it_is_told_so():
    with started("crm-zammad", fail="page", fail_every=3) as crm:
        outcomes = [tell(crm).outcome.value for _ in range(6)]
    assert outcomes == ["accepted", "accepted", "unknown"] * 2


def test_a_slow_one_answers_late():
    with started("crm-wconnect", delay_s=0.2) as crm:
        address = f"{crm.address}/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=3501&telefone=4732100123"
        with pytest.raises(requests.ReadTimeout):
            requests.get(address, timeout=0.05)
        assert requests.get(address, timeout=5).text == "OK"


def post(crm, method, **asked):
    path = f"/rest/1/demo-secret/telephony.{method}.json"
    return requests.post(f"{crm.address}{path}", json=asked, timeout=5)


def test_bitrix24_knows_a_call_by_its_id_from_its_registration_to_its_end():
    with running(CrmBitrix24) as crm:
        first = post(crm, "externalcall.register", **CALL).json()["result"]["CALL_ID"]
        assert post(crm, "externalcall.register", **CALL).json()["result"]["CALL_ID"] == first
        assert post(crm, "externalcall.show", CALL_ID=first, USER_ID="13").json() == {"result": True}
        assert post(crm, "externalcall.finish", CALL_ID=first, USER_ID="12", DURATION="61").ok
        assert post(crm, "externalCall.attachRecord", CALL_ID=first, FILENAME="a.mp3").ok
        assert post(crm, "externalcall.register", **CALL).json()["result"]["CALL_ID"] != first
        assert [told["event"] for told in crm.calls[first]] == [
            *("register", "register", "show", "finish", "attachrecord")
        ]


@pytest.mark.parametrize(
    ("method", "asked", "status", "error"),
    [
        ("externalcall.register", {"USER_ID": "12"}, 400, "ERROR_ARGUMENT"),
        ("externalcall.finish", {"CALL_ID": "x", "USER_ID": "1", "DURATION": "1"}, 400, "ERROR_NOT_FOUND"),
        ("externalcall.dial", {}, 404, "ERROR_METHOD_NOT_FOUND"),
    ],
)
def test_bitrix24_refuses_in_its_words(method, asked, status, error):
    with running(CrmBitrix24) as crm:
        answer = post(crm, method, **asked)
        assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_zammad_takes_json_and_forms_and_says_what_is_missing():
    with running(CrmZammad) as crm:
        address = f"{crm.address}/api/v1/cti/demo-token"
        assert requests.post(address, json=NEW, timeout=5).json() == {}
        assert requests.post(address, data={**NEW, "event": "hangup"}, timeout=5).json() == {}
        assert [told["event"] for told in crm.calls["7"]] == ["newCall", "hangup"]
        assert requests.post(address, json={"event": "newCall"}, timeout=5).status_code == 422
        assert requests.post(f"{crm.address}/api/v1/cti/other", json=NEW, timeout=5).status_code == 401
        assert requests.get(address, timeout=5).status_code == 404


def test_wconnect_wants_both_numbers():
    with running(CrmWConnect) as crm:
        listener = f"{crm.address}/wconnect/WConnect_WSDL_FinalizaLigacao.php"
        assert requests.get(f"{listener}?ramal=3501", timeout=5).status_code == 400
        assert requests.get(f"{listener}?ramal=3501&telefone=47&url_audio=http://x", timeout=5).ok
        assert crm.calls["3501 47"][0]["url_audio"] == "http://x"
        assert requests.post(listener, timeout=5).status_code == 404


def test_one_that_speaks_https_only_says_so():
    with running(CrmBitrix24) as crm:
        assert "--certificate" in _to_paste(crm)


@pytest.mark.parametrize("name", CRMS)
def test_each_is_documented_with_its_evidence_its_login_and_its_failures(name):
    cls = CRMS[name]
    text = (Path(__file__).parents[2] / "docs" / "simulators.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `{name}` \|.*$", text, re.MULTILINE)[0]
    assert f"| {cls.evidence} |" in row
    assert (f"`{':'.join(cls.login)}`" in row) == any(cls.login)
    section = text.partition("## CRMs")[2].partition("\n## ")[0]
    assert all(f"`{failure}`" in section or f"--fail {failure}`" in section for failure in cls.failures)
    with pytest.raises(ValueError, match=f"{name} has no failure 'x'"):
        cls(behaviour=Behaviour(fail="x"))
