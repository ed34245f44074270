"""How a CRM is told of events by a preset: steps with conditions, and what is kept of a call for its later events."""

import itertools
import json
import re
import tomllib
from dataclasses import replace

import pytest

from adapters.presets.adapter import PresetAdapter
from adapters.presets.files import Catalogue
from adapters.presets.trials import forward_failures
from gateway.adapter import Outcome, Outgoing
from gateway.cli.presets import example
from gateway.config.loader import parse
from gateway.domain.event_fields import SAMPLE
from gateway.errors import AdapterError
from tests.adapters.bad_peers import answer, hang, serving
from tests.adapters.dialects import DIAL
from tests.adapters.test_preset_engine import DIALS, LOGOUT, Exchange, adapter, preset, running

PRESETS = {name: Catalogue().preset(name) for name in Catalogue().names()}
TOLD = {name: found for name, found in PRESETS.items() if found.forward}
TRIALS = [(name, trial) for name, found in TOLD.items() for trial in found.forward.tests]
ENTER = """
[[login]]
get = "/login?pw={{ password }}"
success = "^in"
capture.session = { matches = "in (\\\\S+)" }
"""
FORWARD = """
[forward]
only = "direction == 'incoming'"
idempotent = true

[[forward.call_started]]
when = "not crm_call"
post = "/calls?s={{ session }}"
json = { phone = "{{ number_e164 }}", user = "{{ user }}", site = "{{ site }}", made = "{{ crm_call }}" }
success = "^made"
capture = { crm_call = { matches = "made (.+)" } }

[[forward.call_started]]
note = "shows it"
when = "site == 'x' and event == 'call_started'"
get = "/show/{{ crm_call }}"
success = "^shown"
refused = "^no"

[[forward.call_ended]]
when = "crm_call"
get = "/finish/{{ crm_call }}/{{ talk_s or 0 }}"
success = "^done"

[parameters.site]
help = "A site."
default = "x"

[origin.user]
help = "The user."
"""
STARTED = Outgoing("call_started", "1", {**SAMPLE, "call_id": "7", "talk_s": "60"})
ENDED = replace(STARTED, kind="call_ended")
KNOWN = {"crm_call": "c-9"}


def knowing(message: Outgoing, **known: str) -> Outgoing:
    return replace(message, fields={**message.fields, **known})


def test_an_event_takes_its_steps_and_keeps_what_the_target_said():
    exchange = Exchange({"/login": "in s1", "/calls": "made c-9", "/show/c-9": "shown", "/logout": "bye"})
    with running(exchange, preset(ENTER, FORWARD, LOGOUT), origins={"3501": "ana"}) as crm:
        assert crm.keeps == {"crm_call"}
        assert (crm.idempotent, crm.carries_time) == (True, False)
        delivery = crm.deliver(STARTED)
    assert (delivery.outcome, dict(delivery.kept)) == (Outcome.ACCEPTED, KNOWN)
    assert exchange.asked == ["/login?pw=s3nha", "/calls?s=s1", "/show/c-9", "/logout?s=s1"]


def test_a_later_event_knows_what_was_kept_and_what_is_missing_is_empty():
    exchange = Exchange({"/calls": "made c-9", "/show/c-9": "shown", "/finish/c-9/60": "done"})
    with running(exchange, preset(FORWARD.replace("?s={{ session }}", ""))) as crm:
        assert crm.deliver(knowing(ENDED, **KNOWN)).outcome is Outcome.ACCEPTED
        assert crm.deliver(STARTED).outcome is Outcome.ACCEPTED
        (shown, _) = crm.preview(STARTED)
    body = json.loads(shown.data.partition(b"\r\n\r\n")[2])
    assert body["user"] == ""
    assert exchange.asked == ["/finish/c-9/60", "/calls", "/show/c-9"]


def test_what_one_step_captured_is_kept_though_the_next_one_fails_and_the_next_attempt_goes_on_from_there():
    exchange = Exchange({"/calls": "made c-9", "/show/c-9": ["no, busy", "shown"]})
    with running(exchange, preset(FORWARD.replace("?s={{ session }}", ""))) as crm:
        first = crm.deliver(STARTED)
        again = crm.deliver(knowing(STARTED, **first.kept))
    assert (first.outcome, dict(first.kept)) == (Outcome.REFUSED, KNOWN)
    assert "no, busy" in first.detail
    assert (again.outcome, dict(again.kept)) == (Outcome.ACCEPTED, {})
    assert exchange.asked == ["/calls", "/show/c-9", "/show/c-9"]


def test_an_event_that_no_step_follows_is_not_wanted_and_sends_nothing():
    exchange = Exchange({"/login": "in s1"})
    with running(exchange, preset(ENTER, FORWARD)) as crm:
        assert "nothing to say" in str(crm.unwanted(ENDED))
        assert crm.unwanted(knowing(ENDED, **KNOWN)) is None
        assert crm.unwanted(STARTED) is None
        assert "nothing to say" in str(crm.unwanted(replace(STARTED, kind="call_held")))
        assert crm.deliver(replace(STARTED, kind="call_held")).outcome is Outcome.ACCEPTED
    assert "/calls" not in "".join(exchange.asked)


@pytest.mark.parametrize(
    ("status", "body", "outcome", "later"),
    [
        ("503 Service Unavailable", b"busy", Outcome.REFUSED, 30.0),
        ("503 Service Unavailable", b"no, never", Outcome.REFUSED, None),
        ("429 Too Many Requests", b"slower", Outcome.REFUSED, 30.0),
        ("200 OK", b"<html>", Outcome.UNKNOWN, None),
    ],
)
def test_a_target_that_cannot_now_says_when_to_ask_again_unless_a_rule_says_no(status, body, outcome, later):
    show = FORWARD.replace("?s={{ session }}", "").replace('when = "not crm_call"', 'when = "false"')
    with serving(answer(status, body, "text/plain", "Retry-After: 30")) as peer:
        crm = adapter(preset(show), f"127.0.0.1:{peer.port}")
        delivery = crm.deliver(knowing(STARTED, **KNOWN))
        crm.close()
    assert (delivery.outcome, delivery.retry_after_s) == (outcome, later)


def test_a_target_that_does_not_answer_leaves_the_end_unknown_and_a_refused_login_says_that_nothing_was_done():
    with serving(hang) as peer:
        crm = adapter(preset(FORWARD.replace("?s={{ session }}", "")), f"127.0.0.1:{peer.port}", timeout_s=0.3)
        assert crm.deliver(STARTED).outcome is Outcome.UNKNOWN
        crm.close()
    with serving(hang) as peer:
        crm = adapter(preset(ENTER, FORWARD), f"127.0.0.1:{peer.port}", timeout_s=0.3)
        assert crm.deliver(STARTED).outcome is Outcome.UNREACHABLE
        crm.close()


def test_a_value_that_a_target_said_cannot_change_the_host_or_the_path():
    exchange = Exchange({})
    with running(exchange, preset(FORWARD.replace("?s={{ session }}", ""))) as crm:
        assert crm.deliver(knowing(ENDED, crm_call="..")).outcome is Outcome.UNREACHABLE
        (shown,) = crm.preview(knowing(ENDED, crm_call="@evil.example.com/?x"))
    assert shown.data.startswith(b"GET /finish/%40evil.example.com%2F%3Fx/60 ")
    assert exchange.asked == []


def test_a_preset_may_dial_and_be_told_of_events():
    exchange = Exchange({"/dial": "yes id=77", "/finish/c-9/60": "done"})
    both = preset(DIALS.replace("&s={{ session }}", ""), FORWARD.replace("?s={{ session }}", ""))
    with running(exchange, both, origins={"2000": "ana"}) as pabx:
        assert pabx.deliver(DIAL).peer_ref == "77"
        assert pabx.deliver(knowing(ENDED, **KNOWN)).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('success = "^done"', "", "call_ended needs success"),
        ("capture = { crm_call", "capture = { status", "'status' means something else in a forward"),
        ("[parameters.site]", "[parameters.account]", "'account' means something else in a forward"),
        ("[parameters.site]", "[parameters.crm_call]", "'crm_call' means something else in a forward"),
        ("[parameters.site]", "[parameters.only]", "'only' means something else in a forward"),
        ("[[forward.call_ended]]", "[[forward.call_over]]", "call_over"),
    ],
)
def test_a_preset_that_cannot_be_right_is_refused(before, after, told):
    with pytest.raises(ValueError, match=told):
        preset(FORWARD.replace(before, after))


def test_a_condition_belongs_to_a_forward():
    with pytest.raises(ValueError, match="when belongs to the steps of a forward"):
        preset(DIALS.replace("get =", 'when = "missed"\nget ='))


@pytest.mark.parametrize("when", ["crm_cal", "direction == 'in'", "session = 1"])
def test_a_step_s_condition_that_cannot_be_understood_is_told_with_its_place(when):
    wrong = FORWARD.replace('when = "crm_call"', f'when = "{when}"').replace("?s={{ session }}", "")
    with pytest.raises(AdapterError, match="call_ended 1: when: "):
        adapter(preset(wrong), "127.0.0.1:1")


@pytest.mark.parametrize(("name", "trial"), TRIALS, ids=[f"{name}: {trial.name}" for name, trial in TRIALS])
def test_exactly_this_goes_out_and_this_comes_of_it(name, trial):
    assert forward_failures(PRESETS[name], trial) == []


@pytest.mark.parametrize("name", TOLD)
def test_every_preset_shows_a_success_a_failure_and_each_kind_of_event(name):
    trials = TOLD[name].forward.tests
    assert {"accepted"} < {trial.outcome for trial in trials if trial.exchange}


@pytest.mark.parametrize("name", TOLD)
def test_the_printed_example_is_a_forward_that_knows_its_events(name, tmp_path):
    lines = list(example(name, TOLD[name], "acme"))
    begin = lines.index("[tenants.acme.forwards.crm]")
    table = itertools.takewhile(bool, (line.removeprefix("# ") for line in lines[begin:]))
    for named in re.findall(r"file:([\w.]+)", "\n".join(lines)):
        (tmp_path / named).write_text("s3nha0")
    loaded = parse(tomllib.loads("\n".join(table)), source="printed", base=tmp_path).tenants["acme"].forwards["crm"]
    assert loaded.on == TOLD[name].forward.kinds
    assert (loaded.only or "") == TOLD[name].forward.only
    made = PresetAdapter(loaded.settings, name="crm")
    if name != "wconnect-soap":  # which reads its WSDL first
        for kind in loaded.on:
            assert made.preview(replace(STARTED, kind=kind))
    made.close()


def test_a_test_that_does_not_hold_says_what_is_wrong():
    trial = TOLD["hubspot"].forward.tests[0]
    wrong = trial.model_copy(update={"keeps": {}, "fields": {**trial.fields, "talk_s": "62"}})
    told = "\n".join(map(str, forward_failures(PRESETS["hubspot"], wrong)))
    assert "62000" in told
    assert "it keeps {'hubspot_call': '123'}, expected {}" in told
    strange = trial.model_copy(update={"fields": {"talks": "1"}})
    assert forward_failures(PRESETS["hubspot"], strange) == ["an event has no field 'talks'"]
