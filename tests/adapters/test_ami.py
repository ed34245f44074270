"""Click-to-call by Asterisk's manager interface over TCP, held against what a real one was recorded to answer."""

import re
import time
from contextlib import closing
from functools import partial
from hashlib import md5
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from adapters.ami.adapter import AmiAdapter
from adapters.ami.settings import AmiConfig
from gateway.adapter import Outcome, Outgoing, overheard
from gateway.errors import AdapterError
from tests.adapters.bad_peers import free_port, hang
from tests.adapters.dialects import DIAL, PASSWORD, make
from tests.adapters.protocols import AMI, EVENT, SALUTE, again_and_again, manager, named, say

RECORDED = Path(__file__).with_name("recorded")
QUEUED = b"Response: Success\r\nActionID: gw-acme-o-1\r\nMessage: Originate successfully queued\r\n\r\n"
CHANNEL = "gw-acme-o-1"


def recorded(name: str, channel: str) -> bytes:
    """The recorded stream as it came, for an order whose channel had the id ``channel`` there."""
    lines = (RECORDED / name).read_text(encoding="utf-8").splitlines()
    text = "\r\n".join(line for line in lines if not line.startswith("; +")) + "\r\n"
    assert channel in text
    return text.replace(channel, CHANNEL).encode()


def delivered(order, *, greet=None, login=None, message=DIAL, **settings):
    """The delivery of ``message`` to a peer that answers the order so, and the requests that it saw."""
    with (
        AMI.serving(manager(order, login=login), greet) as peer,
        closing(make("ami", peer.address, **{"timeout_s": 3, **settings})) as adapter,
    ):
        return adapter.deliver(message), peer.requests


def failure(reason: int, channel: str = CHANNEL) -> bytes:
    return (
        f"Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: {channel}\r\nResponse: Failure\r\n"
        f"Channel: PJSIP/2000\r\nReason: {reason}\r\nUniqueid: {channel}\r\n\r\n"
    ).encode()


def order_of(**more):
    """The lines of the Originate that a delivery with these settings sends."""
    _, requests = delivered(say(QUEUED), **more)
    return named(requests[-1])


def test_an_order_is_queued_under_the_order_s_id():
    assert order_of() == {
        "Action": "Originate",
        "ActionID": CHANNEL,
        "Channel": "PJSIP/2000",
        "Context": "from-internal",
        "Exten": "04799998888",
        "Priority": "1",
        "CallerID": "2000",
        "Timeout": "30000",
        "ChannelId": CHANNEL,
        "Async": "true",
    }


def test_every_setting_of_an_order_has_its_line():
    order = order_of(
        channel="Local/{{ extension }}@phones",
        caller_id='"CRM" <{{ number }}>',
        context="outbound",
        priority=3,
        ring_timeout_s=12,
        variables={"CRM_ID": "{{ call_id }}", "CHANNEL(accountcode)": "{{ tenant }}"},
    )
    assert order["Channel"] == "Local/2000@phones"
    assert order["CallerID"] == '"CRM" <04799998888>'
    assert (order["Context"], order["Priority"], order["Timeout"]) == ("outbound", "3", "12000")
    _, requests = delivered(say(QUEUED), variables={"CRM_ID": "{{ call_id }}", "CHANNEL(accountcode)": "{{ tenant }}"})
    variables = re.findall(rb"(?m)^Variable: (.*)\r$", requests[-1])
    assert variables == [b"CRM_ID=c-1", b"CHANNEL(accountcode)=acme"]


def test_an_extension_may_have_a_channel_of_its_own_and_no_caller_id_is_no_line():
    order = order_of(channels={"2000": "SIP/sala"}, caller_id="")
    assert order["Channel"] == "SIP/sala"
    assert "CallerID" not in order


def test_a_value_cannot_set_another_variable():
    """Asterisk splits a line Variable at commas, and takes quotes and backslashes off."""
    message = Outgoing("dial", "o-1", {**DIAL.fields, "extension": '20,CDR(x)="1\\'})
    _, requests = delivered(say(QUEUED), message=message, variables={"WHO": "{{ extension }}"})
    assert b'\r\nVariable: WHO=20\\,CDR(x)=\\"1\\\\\r\n' in requests[-1]


@pytest.mark.parametrize(("size", "sent"), [(1000, True), (1001, False)])
def test_a_line_that_asterisk_would_split_is_never_sent(size, sent):
    text = "x" * (size - len("Variable: A="))
    delivery, requests = delivered(say(QUEUED), variables={"A": text})
    assert delivery.outcome is (Outcome.ACCEPTED if sent else Outcome.UNREACHABLE), delivery.detail
    assert len(requests) == (2 if sent else 0)
    assert sent or "a linha tem 1001 bytes; o Asterisk aceita até 1000" in delivery.detail


def test_the_recorded_answer_to_an_order_is_a_yes():
    delivery, _ = delivered(say(recorded("originate_ext.ami", "cti-77-1")), watch_s=1)
    assert (delivery.outcome, delivery.peer_ref) == (Outcome.ACCEPTED, CHANNEL)


@pytest.mark.parametrize(
    ("recording", "channel", "said"),
    [
        ("originate_offline.ami", "cti-90-3505", "o ramal não está registrado, não existe ou recusou"),
        ("originate_noagent.ami", "cti-79-1", "o ramal não atendeu (OriginateResponse, Reason 3)"),
    ],
)
def test_an_extension_that_was_recorded_not_to_ring_refuses(recording, channel, said):
    delivery, _ = delivered(say(recorded(recording, channel)), watch_s=1)
    assert delivery.outcome is Outcome.REFUSED
    assert said in delivery.detail


def test_other_people_s_events_say_nothing_of_this_order():
    others = EVENT * 3 + failure(5, "gw-acme-o-11") + failure(5, "1796007551.3")
    for answer in (others + QUEUED, QUEUED + others):
        delivery, _ = delivered(say(answer), watch_s=0.1)
        assert delivery.outcome is Outcome.ACCEPTED, delivery.detail
    delivery, _ = delivered(say(QUEUED + others + failure(5)), watch_s=0.1)
    assert (delivery.outcome, "está ocupado" in delivery.detail) == (Outcome.REFUSED, True)


@pytest.mark.parametrize(("watch_s", "events"), [(0, "off"), (0.1, "call")])
def test_events_are_asked_for_only_by_who_watches(watch_s, events):
    _, requests = delivered(say(QUEUED), watch_s=watch_s)
    assert named(requests[0])["Events"] == events


@pytest.mark.parametrize("after", [b"", failure(0)[:40]])
def test_an_accepted_order_stays_accepted_when_the_peer_hangs_up_behind_it(after):
    delivery, _ = delivered(say(QUEUED + after, stays=False), watch_s=2)
    assert delivery.outcome is Outcome.ACCEPTED


def test_the_watch_ends_with_the_attempt():
    delivery, _ = delivered(say(QUEUED), watch_s=10, timeout_s=0.5)
    assert delivery.outcome is Outcome.ACCEPTED


def test_a_peer_that_says_nothing_more_is_watched_no_longer_than_it_should():
    began = time.monotonic()
    delivery, _ = delivered(say(QUEUED), watch_s=0.1, timeout_s=20)
    assert (delivery.outcome, time.monotonic() - began < 10) == (Outcome.ACCEPTED, True)


@pytest.mark.parametrize("endless", [EVENT * 100, b"Response " * 8000, b"Response: Success\r\n" * 100])
def test_an_answer_without_end_is_read_up_to_a_limit_not_for_all_the_attempt_s_time(endless):
    delivery, _ = delivered(again_and_again(endless), timeout_s=20)
    assert delivery.outcome is Outcome.UNKNOWN
    assert "a resposta é grande demais" in delivery.detail


def test_a_challenge_is_answered_and_the_secret_stays_here():
    with (
        AMI.serving(manager(say(QUEUED))) as peer,
        closing(make("ami", peer.address, auth="md5")) as adapter,
    ):
        heard = []
        shown = [request.shown() for request in adapter.preview(DIAL)]
        with overheard(heard.append):
            assert adapter.deliver(DIAL).outcome is Outcome.ACCEPTED
    key = md5(f"176956002{PASSWORD}".encode()).hexdigest()
    assert [named(request)["Action"] for request in peer.requests] == ["Challenge", "Login", "Originate"]
    assert named(peer.requests[1])["Key"] == key
    assert shown == [request.decode().replace(key, "****") for request in peer.requests]
    told = "".join(one.request.shown() for one in heard)
    assert key not in told
    assert PASSWORD not in told + b"".join(peer.requests).decode()


def test_a_refused_challenge_is_a_refused_login():
    delivery, requests = delivered(hang, login=say(b"Response: Error\r\nMessage: Must specify AuthType\r\n\r\n"))
    assert (delivery.outcome, len(requests)) == (Outcome.REFUSED, 1)
    assert "A central 'pabx' recusou o login" in delivery.detail


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("Permission denied", "write=originate,call"),
        ("Extension does not exist.", "não existe no context"),
        ("Failed to parse message: line too long", "line too long"),
    ],
)
def test_a_refusal_says_what_to_do_about_it(message, hint):
    delivery, _ = delivered(say(f"Response: Error\r\nMessage: {message}\r\n\r\n".encode()))
    assert (delivery.outcome, hint in delivery.detail) == (Outcome.REFUSED, True), delivery.detail


def test_the_wire_log_keeps_the_news_and_nothing_of_other_people_s_calls():
    heard = []
    answer = EVENT + QUEUED + EVENT + failure(5)
    with (
        AMI.serving(manager(say(answer))) as peer,
        closing(make("ami", peer.address, watch_s=1, timeout_s=3)) as adapter,
        overheard(heard.append),
    ):
        adapter.deliver(DIAL)
    assert heard[-1].answer == QUEUED + failure(5)
    heard.clear()
    with (
        AMI.serving(manager(say(QUEUED + EVENT))) as peer,
        closing(make("ami", peer.address, watch_s=0.1, timeout_s=3)) as adapter,
        overheard(heard.append),
    ):
        adapter.deliver(DIAL)
    assert heard[-1].answer == QUEUED


def test_old_text_in_latin_1_is_read():
    delivery, _ = delivered(say("Response: Error\r\nMessage: Número inválido\r\n\r\n".encode("latin-1")))
    assert "Número inválido" in delivery.detail


def test_a_call_is_hung_up_by_its_reference_or_else_by_the_order_s_own_id():
    for ref, channel in (("1796007551.3", "1796007551.3"), ("", CHANNEL)):
        message = Outgoing("hangup", "o-1", {**DIAL.fields, "peer_ref": ref})
        with AMI.serving(manager(say(QUEUED))) as peer, closing(make("ami", peer.address)) as adapter:
            assert adapter.hangup(message).outcome is Outcome.ACCEPTED
        assert named(peer.requests[-1]) == {"Action": "Hangup", "ActionID": f"{CHANNEL}-end", "Channel": channel}


@pytest.mark.parametrize("ref", ["x\r\nAction: Command", "x\n", "x\x85"])
def test_a_reference_with_control_characters_is_never_sent(ref):
    message = Outgoing("hangup", "o-1", {**DIAL.fields, "peer_ref": ref})
    with AMI.serving(manager(say(QUEUED))) as peer, closing(make("ami", peer.address)) as adapter:
        assert adapter.hangup(message).outcome is Outcome.UNREACHABLE
        with pytest.raises(AdapterError, match="control characters"):
            adapter.preview(message)
        assert peer.requests == []


GOOD = {"host": "192.0.2.10", "username": "crm", "secret": "s3nha", "context": "from-internal"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"host": "http://192.0.2.10"}, "is no host name or address"),
        ({"host": "192.0.2.10:5038"}, "the port is a key of its own"),
        ({"host": "[::1]:5038"}, "the port is a key of its own"),
        ({"host": ""}, "is no host name or address"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"username": ""}, "must not be empty"),
        ({"secret": ""}, "must not be empty"),
        ({"secret": "a\nAction: Command"}, "secret has a control character"),
        ({"context": "x\r\nVariable: A=1"}, "context has a control character"),
        ({"channel": "PJSIP/{{ extension }}\nVariable: A=1"}, "channel has a control character"),
        ({"channels": {"3501": "SIP/1\r\nX: y"}}, "channels.3501 has a control character"),
        ({"variables": {"A": "1\n2"}}, "variables.A has a control character"),
        ({"variables": {"A=1,B": "2"}}, "is no name of a variable"),
        ({"ring_timeout_s": 0}, "greater than or equal to 1"),
        ({"watch_s": 60}, "less than or equal to 10"),
        ({"auth": "basic"}, "'md5' or 'plain'"),
        ({"tls_pin": "sha256:00"}, "tls_pin must be sha256:"),
        ({"headers": {"X": "y"}}, "headers"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_and_the_secret_is_not_quoted(wrong, said):
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(AmiConfig).validate_python({**GOOD, **wrong})
    told = str([{**error, "input": None, "ctx": None} for error in refused.value.errors(include_input=False)])
    assert said in told
    assert "s3nha" not in told


@pytest.mark.parametrize("text", ["{{ exten }}", "{{ extension"])
def test_a_template_that_cannot_be_used_is_refused_by_its_key(text):
    config = TypeAdapter(AmiConfig).validate_python({**GOOD, "channel": text})
    with pytest.raises(AdapterError, match=r"^channel: "):
        AmiAdapter(config, name="pabx")


@pytest.mark.parametrize(("host", "peer"), [("pabx", "pabx:5038"), ("::1", "[::1]:5038"), ("[::1]", "[::1]:5038")])
def test_an_address_is_shown_with_its_port(host, peer):
    config = TypeAdapter(AmiConfig).validate_python({**GOOD, "host": host})
    assert {request.peer for request in AmiAdapter(config, name="pabx").preview(DIAL)} == {peer}


def probed(behave, greet=None, **settings):
    with (
        AMI.serving(behave, greet) as peer,
        closing(make("ami", peer.address, **{"timeout_s": 0.5, **settings})) as adapter,
    ):
        return adapter.probe()


REFUSED = say(b"Response: Error\r\nMessage: Authentication failed\r\n\r\n", stays=False)


@pytest.mark.parametrize(
    ("behave", "greet", "said"),
    [
        (manager(hang, login=REFUSED), None, "confira username e secret, e o permit do usuário no manager.conf"),
        (hang, say(b"SSH-2.0-OpenSSH_9.2\r\n"), 'respondeu "SSH-2.0-OpenSSH_9.2", que não é a saudação do AMI'),
        (hang, hang, "está travada, espera TLS (tls = true), ou é outro serviço"),
        (hang, partial(lambda *_: False), "ela espera TLS (tls = true)"),
    ],
)
def test_a_probe_that_fails_says_what_to_do(behave, greet, said):
    found = probed(behave, greet)
    assert (found.ok, said in found.detail) == (False, True), found.detail


def test_a_probe_tells_a_port_without_tls_from_a_peer_that_is_not_there():
    assert "confira port e tls" in probed(hang, SALUTE, tls=True).detail
    with closing(make("ami", f"http://127.0.0.1:{free_port()}")) as adapter:
        assert "confira port e, no manager.conf, enabled e bindaddr" in adapter.probe().detail
