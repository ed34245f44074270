"""Our own webhooks: the official library takes them, and they are what their schema says."""

import json
from contextlib import closing

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import TypeAdapter, ValidationError
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from adapters.webhook import WebhookAdapter, WebhookConfig, id_of
from gateway.adapter import Outcome, Outgoing
from gateway.domain.event_fields import EVENT_KINDS, FIELDS, SAMPLE, About, fields_of, key_of
from gateway.domain.webhook_documents import document, schema
from tests.adapters.bad_peers import Peer, answer, serving

OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
AT = 1_772_731_231.9
STARTED = Outgoing("call_started", "17", SAMPLE)
VALIDATOR = Draft202012Validator(schema(), format_checker=FormatChecker())


def adapter(address: str, *secrets: str, clock=None) -> WebhookAdapter:
    settings = {"url": f"{address}/hooks/calls", "secret": list(secrets or [OLD]), "timeout_s": 5}
    config = TypeAdapter(WebhookConfig).validate_python(settings)
    return WebhookAdapter(config, name="erp", **({"clock": clock} if clock else {}))


def received(peer: Peer) -> tuple[dict[str, str], str]:
    head, _, body = peer.requests[-1].decode().partition("\r\n\r\n")
    lines = head.split("\r\n")
    assert lines[0] == "POST /hooks/calls HTTP/1.1"
    return {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}, body


@pytest.fixture(scope="module")
def crm():
    with serving(answer("204 No Content")) as peer:
        yield peer


def send(peer: Peer, message: Outgoing = STARTED, *secrets: str, clock=None):
    with closing(adapter(peer.address, *secrets, clock=clock)) as made:
        return made.deliver(message)


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_the_official_library_takes_every_kind_of_event(crm, kind):
    assert send(crm, Outgoing(kind, "17", SAMPLE)).outcome is Outcome.ACCEPTED
    headers, body = received(crm)
    assert Webhook(OLD).verify(body, headers)["type"] == kind
    VALIDATOR.validate(json.loads(body))


def test_the_official_library_refuses_another_body_and_another_secret(crm):
    send(crm)
    headers, body = received(crm)
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(body.replace("3501", "3502"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body, headers)


def test_while_a_secret_takes_the_place_of_another_each_of_them_verifies(crm):
    send(crm, STARTED, NEW, OLD)
    headers, body = received(crm)
    assert Webhook(NEW).verify(body, headers) == Webhook(OLD).verify(body, headers)


def test_the_id_is_the_same_for_each_attempt_and_the_time_is_the_attempts_own(crm):
    seen = []
    for at in (AT, AT + 60):
        send(crm, STARTED, clock=lambda at=at: at)
        headers, _ = received(crm)
        seen.append((headers["webhook-id"], headers["webhook-timestamp"]))
    assert seen[0][0] == seen[1][0]
    assert [at for _, at in seen] == ["1772731231", "1772731291"]
    assert "." not in seen[0][0]


@pytest.mark.parametrize(
    "other",
    [
        Outgoing("call_started", "18", SAMPLE),
        Outgoing("call_ended", "17", SAMPLE),
        Outgoing("call_started", "17", {**SAMPLE, "revision": "2"}),
        Outgoing("call_started", "17", {**SAMPLE, "occurred_at": "2027-01-01T00:00:00.000Z"}),
        Outgoing("call_started", "17", {**SAMPLE, "tenant": "other"}),
    ],
)
def test_every_other_event_has_another_id(other):
    assert id_of(other, "erp") != id_of(STARTED, "erp")
    assert id_of(STARTED, "erp") != id_of(STARTED, "crm")


def test_a_preview_is_byte_for_byte_what_a_delivery_sends(crm):
    with closing(adapter(crm.address, clock=lambda: AT)) as made:
        (shown,) = made.preview(STARTED)
        made.deliver(STARTED)
        assert shown.data == crm.requests[-1]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("400 Bad Request", "refused"),
        ("410 Gone", "refused"),
        ("302 Found", "unknown"),
        ("500 Internal Server Error", "unknown"),
    ],
)
def test_another_status_is_told_with_the_targets_words(status, outcome):
    with serving(answer(status, b"<html>Sem acesso</html>")) as peer:
        delivery = send(peer)
    assert delivery.outcome == outcome
    assert "Sem acesso" in delivery.detail


def test_a_target_that_cannot_now_says_when_to_ask_again():
    with serving(answer("503 Service Unavailable", b"", "text/plain", "Retry-After: 30")) as peer:
        assert send(peer).retry_after_s == 30


@pytest.mark.parametrize("body", [b"", b"ok", b"{}", b"<ok/>", b"received <b>it</b>"])
def test_a_2xx_is_a_yes(body):
    with serving(answer("202 Accepted", body)) as peer:
        assert send(peer).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("body", [b"<html>Login</html>", b"\n <!DOCTYPE html><title>Login</title>", b"<BODY>Login"])
def test_a_page_is_no_yes_whatever_its_status(body):
    with serving(answer("200 OK", body)) as peer:
        delivery = send(peer)
    assert delivery.outcome is Outcome.UNKNOWN
    assert "Login" in delivery.detail


def test_texts_with_line_ends_and_half_characters_are_told(crm):
    fields = {**SAMPLE, "transcript": "Alô?\r\n“Sim” 😀 \x00", "account": "a\ud800b"}
    assert send(crm, Outgoing("call_noted", "1", fields)).outcome is Outcome.ACCEPTED
    headers, body = received(crm)
    told = Webhook(OLD).verify(body, headers)["data"]
    assert (told["transcript"], told["account_name"]) == ("Alô?\r\n“Sim” 😀 \x00", "a?b")


@pytest.mark.parametrize("kind", EVENT_KINDS)
@pytest.mark.parametrize("fields", [SAMPLE, dict.fromkeys(FIELDS, ""), {}], ids=["known", "unknown", "none"])
def test_an_event_is_what_the_schema_says_and_nothing_else(kind, fields):
    always = {"tenant": "acme", "revision": "7", "occurred_at": SAMPLE["occurred_at"]}
    told = document(kind, {**fields, **always})
    VALIDATOR.validate(told)
    assert told["data"].keys() == schema()["$defs"][kind]["properties"]["data"]["properties"].keys()


@pytest.mark.parametrize(
    ("name", "value"),
    [("duration_s", "60"), ("missed", "true"), ("rang", "3501"), ("fields", {"cpf": 1}), ("direction", "inbound")],
)
def test_the_schema_refuses_what_no_event_has(name, value):
    told = document("call_ended", SAMPLE)
    told["data"][key_of(name)] = value
    assert not VALIDATOR.is_valid(told)


def test_numbers_switches_lists_and_tables_are_json_s_own():
    fields = {**SAMPLE, "duration_s": "60", "missed": "true", "rang": "3501 3502", "ring_s": "", "talk_s": "x"}
    data = document("call_ended", fields)["data"]
    assert (data["duration_s"], data["missed"], data["rang"]) == (60, True, ["3501", "3502"])
    assert (data["ring_s"], data["talk_s"], data["fields"]) == (None, None, {"cpf": "12345678909"})
    assert (data["extension"], data["number"], data["queue"]) == ("3501", "4732100123", "1")


def test_an_event_that_an_older_version_wrote_is_older_than_any_and_as_the_schema_says():
    old = {**dict.fromkeys(FIELDS, ""), "tenant": "acme", "occurred_at": SAMPLE["occurred_at"]}
    told = document("call_ended", old)
    VALIDATOR.validate(told)
    assert told["data"]["revision"] == 0


def test_an_agents_state_has_fields_of_its_own():
    names = fields_of("agent_state_changed").keys()
    assert {"state", "reason", "agent", "ramal", "fila"} <= names
    assert not any(FIELDS[name].about is About.CALL for name in names)


@pytest.mark.parametrize(
    "secret", ["", "x", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!", OLD.removeprefix("whsec_"), "whsec_" + "QUJD" * 30]
)
def test_a_secret_that_is_none_is_refused_with_how_to_make_one(secret):
    with pytest.raises(ValidationError, match="make one with: echo whsec_"):
        adapter("http://127.0.0.1:1", secret)


def test_no_secret_and_an_address_with_a_template_are_refused():
    for settings in ({"secret": []}, {"secret": OLD, "url": "http://127.0.0.1/{{ ramal }}"}):
        with pytest.raises(ValidationError):
            TypeAdapter(WebhookConfig).validate_python({"url": "http://127.0.0.1/", **settings})


def test_one_secret_may_stand_alone():
    config = TypeAdapter(WebhookConfig).validate_python({"url": "http://127.0.0.1/", "secret": OLD})
    assert len(config.secret) == 1
    assert OLD not in repr(config)
