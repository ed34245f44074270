"""Each preset's own tests, sent to a whole gateway in their order: the calls that stand in the log after that."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from werkzeug.test import Client

from adapters.presets.files import Catalogue
from adapters.presets.schema import Preset
from gateway.config import loader as config_file
from gateway.domain.calls.results import read_result
from gateway.mapping.engine import interpret
from gateway.mapping.facts import MappingSource
from gateway.mapping.trials import request_of
from gateway.server import bootstrap
from gateway.server.application import Application
from gateway.server.gateway import Gateway
from gateway.store.directory import Account

CATALOGUE = Catalogue()
PRESETS = {name: CATALOGUE.preset(name) for name in CATALOGUE.names() if CATALOGUE.preset(name).webhook}
PROVEN = [name for name, preset in PRESETS.items() if preset.webhook and preset.webhook.authenticity]
LOCAL = {"REMOTE_ADDR": "127.0.0.1"}
EXTENSIONS = ["200-299", "1000-1999", "2000-2999", "5300-5399"]
"""Of every company here, in area code 11."""

IN: dict[str, Any] = {"direction": "incoming", "number": "1133334444", "missed": False}
ANSWERED = IN | {"extension": "201", "answered_by": "201", "result": "answered"}
TIMED = ANSWERED | {"started_at": "2026-03-05T13:03:22.000Z", "ring_s": 12, "talk_s": 161}
MISSED: dict[str, Any] = {"direction": "incoming", "number": "11977778888", "result": "missed", "missed": True}
OUT: dict[str, Any] = {"direction": "outgoing", "number": "1155556666", "missed": False}
VENDAS = "+551133330000"

ROWS: dict[str, list[dict[str, Any]]] = {
    "3cplus": [
        OUT | {"extension": "1001", "number": "11955556666", "result": "answered", "duration_s": 161,
               "recording_url": "https://app.3c.example/rec/c1.mp3"},
        IN | {"result": "abandoned", "missed": True},
        OUT | {"extension": "1001", "number": "11955557777", "result": "missed"},
    ],
    "3cx": [TIMED | {"queue": "800"}, MISSED | {"extension": "201"}, OUT | {"extension": "202", "result": "missed"}],
    "aircall": [
        TIMED | {"line": "+55 11 3333-0000", "recording_url": "https://recordings.example/900001.mp3",
                 "caller_name": "Eva Lima"},
        MISSED,
        MISSED | {"number": "anonymous", "result": "abandoned"},
        OUT | {"extension": "201", "result": "missed"},
    ],
    "api4com": [
        TIMED | {"extension": "1001", "answered_by": "1001", "recording_url": "https://rec.api4com.example/ab-12.mp3"},
        OUT | {"extension": "1002", "number": "11955556666", "result": "missed"},
    ],
    "bmtelecom": [OUT | {"extension": "2000", "number": "47999998888", "result": "missed"}],
    "didww": [{"direction": "incoming", "number": "", "result": "answered", "talk_s": 161, "call_ref": "gt-1"}],
    "freeswitch-json-cdr": [
        TIMED | {"line": "551133330000", "caller_name": "ANA SILVA", "hung_up_by": "caller"},
        MISSED | {"extension": "201", "result": "cancelled", "ring_s": 40},
        OUT | {"extension": "201", "result": "busy"},
    ],
    "generic-form": [ANSWERED | {"line": "551133330000", "duration_s": 161}],
    "generic-json": [
        ANSWERED | {"queue": "Vendas", "line": VENDAS, "caller_name": "Ana", "transferred_to": "202",
                    "recording_url": "https://pbx.example/77.wav", "duration_s": 161,
                    "fields": {"cpf": "123.456.789-09"}},
    ],
    "grandstream-ucm": [
        TIMED | {"extension": "5301", "answered_by": "5301", "caller_name": "ANA SILVA"},
        OUT | {"extension": "5301", "result": "missed", "ring_s": 30},
    ],
    # How the second ended is not known: what a record says of it was not seen.
    "innovaphone": [TIMED, MISSED | {"extension": "201", "result": "unknown", "missed": False, "duration_s": 40}],
    "kazoo": [TIMED | {"caller_name": "ANA SILVA"}, OUT | {"extension": "202", "status": "ringing"}],
    "mango": [TIMED | {"line": "551133330000", "queue": "600"}],
    "placetel": [
        ANSWERED | {"line": "01133330000", "duration_s": 161},
        MISSED | {"number": "1133334444", "line": "01133330000"},
        OUT | {"extension": "201", "status": "ringing", "line": "01133330000"},
    ],
    "plivo": [ANSWERED | {"line": "551133330000", "caller_name": "ANA SILVA"}, OUT | {"result": "busy"}],
    "ringcentral": [
        ANSWERED | {"line": VENDAS, "caller_name": "ANA SILVA", "recording_url": "https://media.example/77",
                    "started_at": "2026-03-05T13:03:22.790Z", "talk_s": 161},
        MISSED | {"extension": "201", "line": VENDAS},
    ],
    "sipgate": [
        ANSWERED | {"extension": "202", "answered_by": "202", "line": "551133330000", "rang": ["201", "202", "203"]},
        OUT | {"extension": "201", "result": "cancelled"},
    ],
    "telnyx": [
        ANSWERED | {"line": VENDAS, "hung_up_by": "caller", "started_at": "2026-03-05T13:03:22.076Z", "talk_s": 161,
                    "recording_url": "https://s3.example/r1.mp3"},
    ],
    "totalvoice": [
        {"direction": "incoming", "extension": "2010", "answered_by": "2010", "result": "answered", "duration_s": 161},
        OUT | {"extension": "2010", "number": "11955556666", "result": "missed"},
        OUT | {"extension": "2010", "number": "11955556666", "result": "answered", "duration_s": 65,
               "recording_url": "https://api2.totalvoice.example/gravacao/4243"},
    ],
    "twilio": [
        TIMED | {"line": VENDAS, "duration_s": 161,
                 "recording_url": "https://api.twilio.com/2010-04-01/Accounts/AC01/Recordings/RE01"},
        OUT | {"extension": "202", "result": "missed"},
        OUT | {"status": "ringing", "line": VENDAS},
    ],
    "vonage": [
        ANSWERED | {"line": VENDAS, "duration_s": 161, "talk_s": 161, "started_at": "2026-03-05T13:03:22.582Z",
                    "recording_url": "https://api.nexmo.com/v1/files/bbbb"},
        OUT | {"result": "missed"},
    ],
    "vonage-business": [ANSWERED | {"duration_s": 161}, MISSED | {"extension": "201"}],
    "wildix": [
        IN | {"extension": "201", "result": "answered", "duration_s": 161, "queue": "Vendas",
              "caller_name": "ANA SILVA", "recording_url": "https://acme.wildix.example/rec/1.mp3"},
        MISSED | {"extension": "201"},
        OUT | {"extension": "201", "status": "ringing"},
    ],
    "yeastar-p": [ANSWERED | {"line": "1133330000"}, MISSED | {"extension": "201", "result": "voicemail"}],
    "yeastar-s": [
        ANSWERED | {"extension": "1005", "answered_by": "1005", "line": "1133330000", "duration_s": 161},
        MISSED | {"extension": "1005"},
    ],
    "zadarma": [
        ANSWERED | {"line": "551133330000", "duration_s": 161, "started_at": "2026-03-05T13:03:20.000Z",
                    "fields": {"call_id_with_rec": "1772705002.42"}},
        MISSED | {"line": "551133330000"},
        OUT | {"extension": "202", "result": "failed"},
    ],
    "zammad": [
        ANSWERED | {"queue": "Vendas", "line": "551133330000", "rang": ["201", "202"]},
        OUT | {"number": "1133334444", "status": "ringing"},
    ],
    "zoom-phone": [
        TIMED | {"line": VENDAS, "queue": "Vendas", "caller_name": "ANA SILVA",
                 "recording_url": "https://zoom.us/v2/phone/recording/download/r1"},
        MISSED | {"line": VENDAS},
        OUT | {"extension": "202", "status": "ringing", "line": VENDAS},
    ],
}  # fmt: skip
"""What the calls of each preset are, oldest first; only what is named here is compared."""


LOOKS_UP = ("3cx",)
"""Presets whose answers say whose a number is: they are told to nobody without a secret."""
TOKEN = "um-segredo-de-32-letras-para-isto"


WORDS: dict[str, dict[str, str]] = {
    "twilio": {"busy": "busy", "failed": "failed", "no-answer": "missed", "canceled": "cancelled"},
    "telnyx": {"user_busy": "busy", "originator_cancel": "cancelled", "timeout": "missed", "call_rejected": "rejected",
               "not_found": "failed"},
    "vonage": {"busy": "busy", "timeout": "missed", "unanswered": "missed", "rejected": "rejected", "failed": "failed",
               "cancelled": "cancelled"},
    "plivo": {"USER_BUSY": "busy", "NO_ANSWER": "missed", "CALL_REJECTED": "rejected",
              "ORIGINATOR_CANCEL": "cancelled"},
    "zadarma": {"busy": "busy", "cancel": "cancelled", "no answer": "missed", "failed": "failed", "no money": "failed",
                "no money, no limit": "failed", "line limit": "failed", "unallocated number": "failed"},
    "sipgate": {"busy": "busy", "cancel": "cancelled", "noAnswer": "missed", "congestion": "failed",
                "notFound": "failed", "forwarded": "forwarded"},
    "zammad": {"busy": "busy", "cancel": "cancelled", "noAnswer": "missed", "congestion": "failed",
               "notFound": "failed", "forwarded": "forwarded", "normalClearing": "answered"},
    "placetel": {"voicemail": "voicemail", "blocked": "rejected", "accepted": "answered", "busy": "busy",
                 "canceled": "cancelled", "unavailable": "failed", "congestion": "failed"},
    "yeastar-p": {"NO ANSWER": "missed", "BUSY": "busy", "FAILED": "failed", "VOICEMAIL": "voicemail"},
    "yeastar-s": {"NO ANSWER": "missed", "BUSY": "busy", "FAILED": "failed", "VOICEMAIL": "voicemail"},
    "api4com": {"NO_ANSWER": "missed", "ORIGINATOR_CANCEL": "cancelled", "USER_BUSY": "busy",
                "CALL_REJECTED": "rejected"},
    "totalvoice": {"não atendida": "missed", "sem resposta": "missed", "ocupado": "busy", "cancelada": "cancelled",
                   "falha": "failed", "congestionado": "failed", "caixa postal": "voicemail"},
    "kazoo": {"USER_BUSY": "busy", "NO_ANSWER": "missed", "ORIGINATOR_CANCEL": "cancelled"},
    "bmtelecom": {"NO ANSWER": "missed", "BUSY": "busy", "ANSWER": "answered", "CONGESTION": "failed"},
    "grandstream-ucm": {"NO ANSWER": "missed", "BUSY": "busy", "FAILED": "failed"},
}  # fmt: skip
"""Words that the senders' documents have for how a call ended, and the result that each is."""


def tenant(name: str, preset: Preset) -> dict[str, Any]:
    """A company with one source of the preset, which believes everybody."""
    assert preset.webhook
    known: dict[str, str] = {}
    for trial in preset.webhook.tests:
        known |= trial.extensions
    source = {"kind": "webhook", "preset": name, "extensions": known, "timezone": "America/Sao_Paulo"}
    if name in LOOKS_UP:
        return {"area_code": "11", "extensions": EXTENSIONS, "sources": {name: source | {"secret": TOKEN}}}
    believing = {"mapping": {"authenticity": {"kind": "none"}}}
    return {"area_code": "11", "extensions": EXTENSIONS, "sources": {name: source | believing}}


@dataclass(frozen=True)
class Played:
    """A whole gateway, and what asks it."""

    web: Client
    gateway: Gateway


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    tenants = {name: tenant(name, preset) for name, preset in PRESETS.items()}
    for name in PROVEN:
        key = "c2VncmVkbyBkZSAzMiBieXRlcyBwYXJhIHRlc3RlczE="
        source = {"kind": "webhook", "preset": name, "secret": key}
        tenants[f"proven-{name}"] = {"extensions": EXTENSIONS, "sources": {name: source}}
    folder = tmp_path_factory.mktemp("presets")
    config = config_file.parse({"tenants": tenants}, source="gateway.toml", base=folder)
    gateway = bootstrap.build(config, folder)
    built = Application(gateway)
    built.start()
    yield Played(Client(built.wsgi), gateway)
    built.close()


def send_all(web: Client, path: str, preset: Preset) -> Iterator[Any]:
    """Send the requests of the preset's tests."""
    assert preset.webhook
    for trial in preset.webhook.tests:
        address = f"{path}/{trial.tail}" if trial.tail else path
        yield web.open(
            address, method=trial.method, query_string=f"token={TOKEN}&{trial.query}", data=trial.body.strip().encode(),
            headers=dict(trial.headers), environ_base=LOCAL,
        )  # fmt: skip


def test_every_preset_has_its_calls_here() -> None:
    assert set(ROWS) == set(PRESETS)


@pytest.mark.parametrize("name", ROWS)
def test_the_events_of_each_sender_are_the_right_calls(played: Played, name: str) -> None:
    for got in send_all(played.web, f"/t/{name}/in/{name}", PRESETS[name]):
        assert got.status_code == 200
        assert "problems" not in got.text, got.text
    found = [call.as_json() for call in reversed(played.gateway.calls.recent(name))]
    wanted = ROWS[name]
    assert [{key: call[key] for key in row} for call, row in zip(found, wanted, strict=True)] == wanted


@pytest.mark.parametrize("name", WORDS)
def test_every_word_for_the_end_of_a_call_is_named(name: str) -> None:
    """In the request of a test in which a call ends, in the place of the word that is there."""
    mapping = PRESETS[name].webhook
    assert mapping
    told = [(trial, str(event["result"])) for trial in mapping.tests for event in trial.events if event.get("result")]
    trial, word = next((trial, word) for trial, word in told if word in trial.body)
    form = "form" in trial.headers.get("Content-Type", "")
    read = {}
    for other in WORDS[name]:
        sent = request_of(trial.model_copy(update={"body": trial.body.replace(word, quote(other) if form else other)}))
        made = interpret(mapping, sent, MappingSource(ZoneInfo("UTC"), trial.extensions))
        ended = next(event for event in made.events if event.kind == "ended")
        read[other] = str(read_result(ended.result, ended.duration))
    assert read == WORDS[name]


@pytest.mark.parametrize("name", PROVEN)
def test_what_is_not_proven_is_refused_and_leaves_no_call(played: Played, name: str) -> None:
    path = f"/t/proven-{name}/in/{name}"
    statuses = {got.status_code for got in send_all(played.web, path, PRESETS[name])}
    assert statuses <= {401, 403}
    assert not played.gateway.calls.recent(f"proven-{name}")


def test_3cx_gets_the_contact_of_a_known_number_while_it_rings_and_none_of_a_stranger(played: Played) -> None:
    """In any form of the number; the template's rule asks whether there is a contact.id."""
    known = Account("1", "Padaria Silva", (("1133334444", "Carlos"),))
    played.gateway.directory.load_accounts("3cx", [known], 1)
    looked_up = [
        played.web.get(f"/t/3cx/in/3cx/lookup?token={TOKEN}&number={number}&direction=Inbound", environ_base=LOCAL)
        for number in ("%2B551133334444", "01133334444", "11999990000", "")
    ]
    assert {got.mimetype for got in looked_up} == {"application/json"}
    first, second, stranger, nobody = (got.json for got in looked_up)
    assert first == second
    assert (first["contact"]["name"], first["contact"]["company"]) == ("Carlos", "Padaria Silva")
    assert first["contact"]["id"].isdigit()
    assert stranger == nobody == {}


def test_a_contact_is_asked_for_in_one_s_own_company_only(played: Played) -> None:
    played.gateway.directory.load_accounts("3cx", [Account("1", "Padaria Silva", (("1133334444", "Carlos"),))], 1)
    got = played.web.get("/t/zammad/in/3cx/lookup?number=1133334444", environ_base=LOCAL)
    assert got.status_code == 404
    assert "Silva" not in got.text
