"""What is guessed of requests that nobody described is a mapping that already works for most of them."""

import tomllib
from zoneinfo import ZoneInfo

import pytest

from gateway.config import loader as config_file
from gateway.mapping.bodies import WebhookRequest
from gateway.mapping.clues import kind_of
from gateway.mapping.engine import interpret
from gateway.mapping.facts import MappingSource
from gateway.mapping.guessing import guess, written

SOURCE = MappingSource(ZoneInfo("UTC"))
NESTED = b"""{"type": "call.ringing", "uid": "e-1", "ts": 1772715802000, "call": {"id": "c-77", "way": "in", "seq": 1,
 "from": "+554733334444", "did": "+554730000000", "agent": {"user": "ana", "device": "PJSIP/201-00ab"}}}"""
TWILIO = (
    b"CallSid=CA0001&CallStatus=ringing&Direction=inbound&From=%2B551133334444&To=%2B551133330000&SequenceNumber=1"
    b"&Timestamp=Thu%2C+05+Mar+2026+13%3A03%3A22+%2B0000"
)
API4COM = b"""{"version": "v1.4", "eventType": "channel-answer", "id": "ab-12", "direction": "inbound",
 "caller": "551133334444", "called": "1001", "answeredAt": "2026-03-05T13:03:34.000Z"}"""
NEW = b"""{"evento": "CHAMADA_NOVA", "dados": {"protocolo": "2026-7", "sentido": "ENTRANTE", "origem": "47999998888",
 "destino": "4732100000", "ramal": {"numero": "3501", "nome": "Ana"}, "quando": "30/11/2026 12:01:02"}}"""
OVER = b"""{"evento": "CHAMADA_FIM", "dados": {"protocolo": "2026-8", "sentido": "EXTERNA", "origem": "3502",
 "destino": "47988887777", "ramal": {"numero": "3502", "nome": "Bia"}, "duracao": "00:01:05", "motivo": "OCUPADO"}}"""
XML = b'<event type="hangup"><call id="c-9"><extension>201</extension><number>4733334444</number></call></event>'


def made_of_guess(*bodies: bytes):
    requests = [WebhookRequest(body) for body in bodies]
    raw = tomllib.loads(written(guess(requests), "acme", "cloud"))
    mapping = config_file.parse(raw, source="guess").tenants["acme"].sources["cloud"].mapping
    assert mapping is not None
    return [interpret(mapping, request, SOURCE) for request in requests]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (NESTED, {"kind": "started", "id": "c-77", "event_id": "e-1", "sequence": 1, "direction": "incoming",
                  "number": "+554733334444", "extension": "201", "line": "+554730000000"}),
        (TWILIO, {"kind": "started", "id": "CA0001", "sequence": 1, "direction": "incoming", "number": "+551133334444",
                  "at": "2026-03-05T13:03:22Z"}),
        (API4COM, {"kind": "answered", "id": "ab-12", "direction": "incoming", "number": "551133334444",
                   "extension": "1001", "at": "2026-03-05T13:03:34Z"}),
        (NEW, {"kind": "started", "id": "2026-7", "direction": "incoming", "number": "47999998888", "extension": "3501",
               "line": "4732100000", "at": "2026-11-30T12:01:02Z", "caller_name": None}),
        (OVER, {"kind": "ended", "id": "2026-8", "direction": "outgoing", "number": "47988887777", "extension": "3502",
                "duration": 65, "result": "OCUPADO"}),
        (XML, {"kind": "ended", "id": "c-9", "extension": "201", "number": "4733334444"}),
    ],
)  # fmt: skip
def test_a_guess_reads_the_request_that_it_was_made_of(body, wanted):
    (made,) = made_of_guess(body)
    (event,) = made.events
    shown = event.shown()
    assert {name: shown.get(name) for name in wanted} == wanted


def test_the_kinds_are_those_that_came():
    guessed = guess(
        [WebhookRequest(b'{"event": "%s", "callid": "c1"}' % name) for name in (b"ring", b"hangup", b"fax")]
    )
    assert guessed["kinds"] == {"ring": "started", "hangup": "ended", "fax": "ignore"}


def test_a_request_in_which_nothing_is_recognised_gives_a_mapping_all_the_same():
    assert guess([WebhookRequest(b"[1, 2]"), WebhookRequest(b"{broken")]) == {"other": "started", "values": {}}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("newCall", "started"), ("NOTIFY_START", "started"), ("call.initiated", "started"),
        ("channel_create", "started"),
        ("answer", "answered"), ("call.up", "answered"), ("in-progress", "answered"), ("channel_bridge", "answered"),
        ("hangup", "ended"), ("call.hungup", "ended"), ("completed", "ended"),
        ("call-was-not-answered", "ended"),
        ("no-answer", "ended"), ("HungUp", "ended"), ("call.on_hold", "held"), ("unhold", "resumed"),
        ("call.transferred", "transferred"), ("call.recording.saved", "noted"), ("agent-is-idle", "agent_state"),
        ("queue.entered", "queue_entered"), ("dtmf", "ignore"),
        ("CHAMADA_ATENDIDA", "answered"), ("CHAMADA_PESQUISA", "noted"),
        ("naoAtendida", "ended"), ("chamada_encerrada", "ended"),
    ],
)  # fmt: skip
def test_the_name_of_an_event_says_what_it_is(name, kind):
    assert kind_of(name) == kind
