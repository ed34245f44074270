"""The events of a call's life between its start and its end, on every wire."""

import xmlrpc.client
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.domain.messages import (
    AgentState,
    AgentStateChanged,
    CallAnswered,
    CallEnded,
    CallHeld,
    CallNoted,
    CallResumed,
    CallStarted,
    CallTransferred,
    Message,
    QueueEntered,
    QueueLeft,
)
from gateway.wire.operations import EVENTS
from gateway.wire.soap.contract_encoded import PATH
from tests.wire.envelopes import encoded, envelope
from tests.wire.peers import Peer

BOTH = {"ramal": "3501", "telefone": "4732100123"}
MOMENT = "2026-03-04T10:15:00+00:00"
AT = round(datetime(2026, 3, 4, 10, 15, tzinfo=UTC).timestamp() * 1000)


def by_get(peer: Peer, name: str, fields: dict[str, str]) -> None:
    assert peer.get(f"/wconnect/WConnect_WSDL_{name}.php", query_string=fields).text == "OK 1\n"


def by_form(peer: Peer, name: str, fields: dict[str, str]) -> None:
    assert peer.post(f"/wconnect/WConnect_WSDL_{name}.php", data=fields).text == "OK 1\n"


def by_json(peer: Peer, name: str, fields: dict[str, str]) -> None:
    assert peer.post(f"/wconnect/WConnect_WSDL_{name}.php", json=fields).text == "OK 1\n"


def by_soap(peer: Peer, name: str, fields: dict[str, str]) -> None:
    assert b"<status>OK</status>" in peer.post("/soap", data=envelope(name, fields)).data


def by_encoded_soap(peer: Peer, name: str, fields: dict[str, str]) -> None:
    assert b">OK</status>" in peer.post(PATH, data=encoded(name, fields).encode()).data


def by_xmlrpc(peer: Peer, name: str, fields: dict[str, str]) -> None:
    body = xmlrpc.client.dumps((fields,), name).encode()
    ((answer,), _) = xmlrpc.client.loads(peer.post("/xmlrpc", data=body).data)
    assert answer["status"] == "OK"  # type: ignore[index,call-overload]


WIRES = [by_get, by_form, by_json, by_soap, by_encoded_soap, by_xmlrpc]
EXTRAS = {"campos": "cpf=123", "fila": "Vendas", "data_hora": MOMENT}
TOLD = {"fields": {"cpf": "123"}, "queue": "Vendas", "occurred_at": AT}
CASES: list[tuple[str, dict[str, str], type, dict[str, Any]]] = [
    ("ConsultaRamal", BOTH | EXTRAS | {"ramais": "3502, 3503"}, CallStarted, TOLD | {"also_rings": ("3502", "3503")}),
    (
        "AtendeLigacao",
        BOTH | EXTRAS | {"espera": "00:00:42", "atendida_em": MOMENT},
        CallAnswered,
        TOLD | {"waited_s": 42, "answered_at": AT},
    ),
    ("EsperaLigacao", BOTH | EXTRAS, CallHeld, TOLD | {"ramal": "3501"}),
    ("RetomaLigacao", BOTH | EXTRAS, CallResumed, TOLD | {"telefone": "4732100123"}),
    (
        "TransfereLigacao",
        BOTH | EXTRAS | {"ramal_destino": "3505", "tipo": "Assistida"},
        CallTransferred,
        TOLD | {"attended": True},
    ),
    ("EntraFila", EXTRAS | {"telefone": "47"}, QueueEntered, TOLD | {"ramal": "", "telefone": "47"}),
    ("SaiFila", EXTRAS | BOTH | {"abandonada": "sim"}, QueueLeft, TOLD | {"ramal": "3501", "abandoned": True}),
    ("SaiFila", EXTRAS | BOTH | {"abandonada": "não", "espera": "42"}, QueueLeft, {"abandoned": False, "waited_s": 42}),
    (
        "FinalizaLigacao",
        BOTH | EXTRAS | {"causa": "17", "espera": "42", "atendida_em": MOMENT},
        CallEnded,
        TOLD | {"cause": "17", "waited_s": 42, "answered_at": AT},
    ),
    (
        "AnotaLigacao",
        EXTRAS
        | {"id_ligacao": "17.1", "url_audio": "http://pbx/a.wav", "custo": "R$ 0,32", "transcricao": "olá " * 200},
        CallNoted,
        TOLD
        | {"ramal": "", "recording_url": "http://pbx/a.wav", "cost": "R$ 0,32", "transcript": ("olá " * 200).strip()},
    ),
    ("AnotaLigacao", BOTH, CallNoted, {"ramal": "3501", "telefone": "4732100123", "fields": None}),
    (
        "EstadoAgente",
        {
            "ramal": "3501",
            "agente": "Ana",
            "estado": "Em pausa",
            "motivo": "almoço",
            "fila": "Vendas",
            "data_hora": MOMENT,
        },
        AgentStateChanged,
        {
            "ramal": "3501",
            "agent": "Ana",
            "state": AgentState.PAUSE,
            "reason": "almoço",
            "queue": "Vendas",
            "occurred_at": AT,
        },
    ),
]


@pytest.mark.parametrize("send", WIRES)
@pytest.mark.parametrize(
    ("name", "fields", "kind", "told"), CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)]
)
def test_an_event_arrives_by_every_wire(
    send: Any, name: str, fields: dict[str, str], kind: type[Message], told: dict[str, Any]
) -> None:
    peer = Peer()
    send(peer, name, fields)
    (message,) = peer.core.messages
    assert isinstance(message, kind)
    assert {field: getattr(message, field) for field in told} == told
    assert message.tenant == "default"


def test_every_event_is_tried() -> None:
    assert {event.name for event in EVENTS} == {case[0] for case in CASES}


@pytest.mark.parametrize(
    ("name", "fields", "code"),
    [
        ("EsperaLigacao", {"ramal": "3501"}, 210),
        ("EntraFila", {"fila": "Vendas"}, 210),
        ("EntraFila", {"telefone": "47"}, 210),
        ("SaiFila", {"telefone": "47"}, 210),
        ("AnotaLigacao", {"ramal": "3501", "url_audio": "http://pbx/a.wav"}, 210),
        ("EstadoAgente", {"estado": "pausa"}, 210),
        ("EstadoAgente", {"ramal": "3501"}, 210),
        ("EstadoAgente", {"ramal": "3501", "estado": "feliz"}, 220),
    ],
)
def test_what_says_too_little_is_refused(name: str, fields: dict[str, str], code: int) -> None:
    got = Peer().get(f"/wconnect/WConnect_WSDL_{name}.php", query_string=fields)
    assert got.status_code == 400
    assert got.text.startswith(f"ERRO {code}: ")


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("login", "login"),
        ("AgentLogoff", "logout"),
        ("Saiu", "logout"),
        ("QueueMemberPause", "pause"),
        ("em pausa", "pause"),
        ("Pronto", "ready"),
        ("disponível", "ready"),
        ("agent-is-idle", "ready"),
    ],
)
def test_the_words_of_exchanges_for_an_agent_s_state(text: str, state: str) -> None:
    peer = Peer()
    by_get(peer, "EstadoAgente", {"agente": "Ana", "estado": text})
    (message,) = peer.core.messages
    assert isinstance(message, AgentStateChanged)
    assert message.state == state


@pytest.mark.parametrize(("text", "attended"), [("cega", False), ("blind", False), ("Attended", True), ("?", None)])
def test_a_transfer_says_how_it_was_done_or_not(text: str, attended: bool | None) -> None:
    peer = Peer()
    by_get(peer, "TransfereLigacao", BOTH | {"ramal_destino": "3502", "tipo": text})
    (message,) = peer.core.messages
    assert isinstance(message, CallTransferred)
    assert message.attended is attended
