"""Every parameter of every operation is stored, and shown in the call log, to scripts and in the API's description."""

from datetime import UTC
from typing import Any

import pytest
from sqlalchemy import select

from gateway.adapter import Outcome
from gateway.desk import api
from gateway.domain.dialplan.plan import DialPlan
from gateway.domain.tenant import Appliance, Tenant
from gateway.handlers import Core
from gateway.store import tables
from gateway.store.calls import iso
from gateway.store.writing.journal import Journal
from gateway.wire.operations import ESTADO_AGENTE, EVENTS, OPERATIONS, Operation
from gateway.wire.parameters import Parameter, Sender
from tests.store.conftest import HERE, PLAN, T0, Store
from tests.store.conftest import open_store as open_store
from tests.store.conftest import store as store
from tests.store.test_undialled import Accepting

ALL = [(operation, parameter) for operation in OPERATIONS.values() for parameter in operation.parameters]
OF_CALLS = [
    (operation, parameter) for operation, parameter in ALL if parameter.field and operation is not ESTADO_AGENTE
]
OF_AGENTS = [(operation, parameter) for operation, parameter in ALL if operation is ESTADO_AGENTE]
UNKEPT = {("RetomaLigacao", "data_hora"), ("AnotaLigacao", "data_hora"), ("EntraFila", "ramal"), ("SaiFila", "ramal")}
"""What no call keeps: when somebody spoke again or wrote a note, and the queue's own number."""
LEAST = {"ramal": "3501", "telefone": "4732100123"}
BESIDES: dict[str, dict[str, str]] = {
    "TransfereLigacao": {"ramal_destino": "3505"},
    "EntraFila": {"fila": "Vendas"},
    "SaiFila": {"fila": "Vendas"},
    "AnotaLigacao": {"custo": "R$ 1,00"},
}
"""What an operation cannot do without, beside the two that all have."""
BEFORE: dict[str, tuple[str, ...]] = {
    "TransfereLigacao": ("ConsultaRamal",),
    "EsperaLigacao": ("ConsultaRamal", "AtendeLigacao"),
    "RetomaLigacao": ("ConsultaRamal", "AtendeLigacao", "EsperaLigacao"),
    "SaiFila": ("EntraFila",),
}
"""What happened to the call before, which is what the operation is about."""
MOMENT = T0 - 5_000
NOTE = {"at": iso(T0), "recording_url": None, "cost": None, "transcript": None}
OWN_VALUES: dict[tuple[str, str], tuple[str, Any]] = {
    ("AnotaLigacao", "transcricao"): ("olá", [NOTE | {"cost": "R$ 1,00", "transcript": "olá"}]),
}
VALUES: dict[str, tuple[str, Any]] = {
    "ramal": ("3502", "3502"),
    "telefone": ("47999998888", "47999998888"),
    "direcao": ("saida", "outgoing"),
    "data_hora": (str(MOMENT), iso(MOMENT)),
    "url_audio": ("http://pbx/a.wav", "http://pbx/a.wav"),
    "duracao": ("00:01:15", 75),
    "central": ("filial", "filial"),
    "ramal_destino": ("3507", "3507"),
    "espera": ("00:00:42", 42),
    "atendida_em": (str(MOMENT), iso(MOMENT)),
    "campos": ("cpf=123;protocolo=7", {"cpf": "123", "protocolo": "7"}),
    "ramais": ("3506,3507", ["3501", "3506", "3507"]),
    "tipo": ("assistida", "attended"),
    "abandonada": ("sim", "abandoned"),
    "custo": ("R$ 0,32", [NOTE | {"cost": "R$ 0,32"}]),
    "estado": ("em pausa", "pause"),
}
"""What is sent, and what the log then tells; any other parameter is a text that is told as it came."""


def core_of(journal: Journal) -> Core:
    appliances = tuple(Appliance(name, name, DialPlan("")) for name in ("pbx", "filial"))
    return Core({"acme": Tenant("acme", PLAN, appliances)}, journal, Accepting())


def shown(store: Store, operation: Operation, texts: dict[str, str]) -> dict[str, Any]:
    """The call that ``operation`` makes of ``texts``, as scripts get it; of a transfer with what the first call has."""
    core, began = core_of(store.journal), 0
    for at, name in enumerate(BEFORE.get(operation.name, ())):
        known = {name: texts[name] for name in LEAST | {"id_ligacao": "", "direcao": "", "fila": ""} if name in texts}
        message = OPERATIONS[name].build(known, Sender("acme", UTC, HERE, T0 - 9_000 + at))
        assert message is not None
        began = core.handle(message).call_id
    message = operation.build(texts, Sender("acme", UTC, HERE, T0))
    assert message is not None
    reply = core.handle(message)
    found = store.calls.get("acme", reply.call_id)
    assert found is not None
    assert reply.outcome in (None, Outcome.ACCEPTED)
    if operation.name != "TransfereLigacao":
        return found.as_json()
    first = store.calls.get("acme", began)
    assert first is not None
    of_first = ("extension", "transferred_to", "ended_at", "transfer")
    return found.as_json() | {name: first.as_json()[name] for name in of_first}


@pytest.mark.parametrize(
    ("operation", "parameter"), OF_CALLS, ids=[f"{each.name}-{one.name}" for each, one in OF_CALLS]
)
def test_a_parameter_is_stored_and_shown(store: Store, operation: Operation, parameter: Parameter) -> None:
    usual = VALUES.get(parameter.name, ("Posição 7", "Posição 7"))
    sent, told = OWN_VALUES.get((operation.name, parameter.name), usual)
    besides = BESIDES.get(operation.name, {})
    assert shown(store, operation, LEAST | besides | {parameter.name: sent})[parameter.field] == told
    other = {"ramal": "3509", "telefone": "4733330000"} | besides
    if parameter.name in other and parameter.name not in LEAST:
        other[parameter.name] = "Suporte"
    assert shown(store, operation, other)[parameter.field] != told, "it is told whatever was sent"


@pytest.mark.parametrize(("operation", "parameter"), OF_AGENTS, ids=[one.name for _, one in OF_AGENTS])
def test_a_parameter_of_an_agent_s_state_is_stored(store: Store, operation: Operation, parameter: Parameter) -> None:
    sent, told = VALUES.get(parameter.name, ("Posição 7", "Posição 7"))
    told = MOMENT if parameter.name == "data_hora" else told
    for texts in ({"ramal": "3509", "estado": "login"}, {"ramal": "3501", "estado": "login", parameter.name: sent}):
        message = operation.build(texts, Sender("acme", UTC, HERE, T0))
        assert message is not None
        assert core_of(store.journal).handle(message).ok
    with store.engine.connect() as connection:
        first, second = connection.execute(select(tables.agent_states).order_by(tables.agent_states.c.id))
    assert getattr(second, parameter.field) == told
    assert getattr(first, parameter.field) != told


def test_a_transferred_call_takes_along_what_is_known_of_it(store: Store) -> None:
    core = Core({"acme": Tenant("acme", PLAN, lines={"33330000": "Vendas"})}, store.journal, Accepting())
    ids = []
    for name, more in (("ConsultaRamal", {"linha": "33330000", "campos": "cpf=123"}), ("TransfereLigacao", {})):
        texts = LEAST | {"ramal_destino": "3505"} | more
        message = OPERATIONS[name].build(texts, Sender("acme", UTC, HERE, T0))
        assert message is not None
        ids.append(core.handle(message).call_id)
    calls = [store.calls.get("acme", call_id) for call_id in ids]
    assert ids[0] != ids[1]
    assert [call and (call.line_name, call.fields) for call in calls] == [("Vendas", {"cpf": "123"})] * 2


def test_no_other_parameter_is_left_out() -> None:
    assert {(operation.name, parameter.name) for operation, parameter in ALL if not parameter.field} == UNKEPT
    assert set(BEFORE) <= {event.name for event in EVENTS}


@pytest.mark.parametrize(
    ("operation", "parameter"), OF_CALLS, ids=[f"{each.name}-{one.name}" for each, one in OF_CALLS]
)
def test_a_parameter_is_in_the_description_of_the_api(operation: Operation, parameter: Parameter) -> None:
    call = api.document()["components"]["schemas"]["Call"]
    assert parameter.field in call["properties"]
    assert parameter.field in call["required"]
