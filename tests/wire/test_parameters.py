"""Every parameter of every operation is stored, and shown in the call log, to scripts and in the API's description."""

from datetime import UTC
from typing import Any

import pytest

from gateway.adapter import Outcome
from gateway.desk import api
from gateway.domain.dialplan.plan import DialPlan
from gateway.domain.tenant import Appliance, Tenant
from gateway.handlers import Core
from gateway.store.calls import iso
from gateway.wire.operations import OPERATIONS
from gateway.wire.parameters import Operation, Parameter, Sender
from tests.store.conftest import HERE, PLAN, T0, Store
from tests.store.conftest import open_store as open_store
from tests.store.conftest import store as store
from tests.store.test_undialled import Accepting

ALL = [(operation, parameter) for operation in OPERATIONS.values() for parameter in operation.parameters]
LEAST = {"ramal": "3501", "telefone": "4732100123"}
BESIDES = {"TransfereLigacao": {"ramal_destino": "3505"}}
"""What an operation cannot do without, beside the two that all have."""
MOMENT = T0 - 5_000
VALUES: dict[str, tuple[str, Any]] = {
    "ramal": ("3502", "3502"),
    "telefone": ("47999998888", "47999998888"),
    "direcao": ("saida", "outgoing"),
    "data_hora": (str(MOMENT), iso(MOMENT)),
    "url_audio": ("http://pbx/a.wav", "http://pbx/a.wav"),
    "duracao": ("00:01:15", 75),
    "central": ("filial", "filial"),
    "ramal_destino": ("3507", "3507"),
}
"""What is sent, and what the log then tells; any other parameter is a text that is told as it came."""


def shown(store: Store, operation: Operation, texts: dict[str, str]) -> dict[str, Any]:
    """The call that ``operation`` makes of ``texts``, as scripts get it; of a transfer with what the first call has."""
    appliances = tuple(Appliance(name, name, DialPlan("")) for name in ("pbx", "filial"))
    core = Core({"acme": Tenant("acme", PLAN, appliances)}, store.journal, Accepting())
    if operation.name == "TransfereLigacao":
        known = {name: texts[name] for name in LEAST | {"id_ligacao": "", "direcao": ""} if name in texts}
        began = core.handle(OPERATIONS["ConsultaRamal"].build(known, Sender("acme", UTC, HERE, T0 - 9_000)))
    message = operation.build(texts, Sender("acme", UTC, HERE, T0))
    assert message is not None
    reply = core.handle(message)
    found = store.calls.get("acme", reply.call_id)
    assert found is not None
    assert reply.outcome in (None, Outcome.ACCEPTED)
    if operation.name == "TransfereLigacao":
        first = store.calls.get("acme", began.call_id)
        assert first is not None
        return found.as_json() | {name: first.as_json()[name] for name in ("extension", "transferred_to", "ended_at")}
    return found.as_json()


@pytest.mark.parametrize(("operation", "parameter"), ALL, ids=[f"{each.name}-{one.name}" for each, one in ALL])
def test_a_parameter_is_stored_and_shown(store: Store, operation: Operation, parameter: Parameter) -> None:
    sent, told = VALUES.get(parameter.name, ("Posição 7", "Posição 7"))
    besides = BESIDES.get(operation.name, {})
    assert shown(store, operation, LEAST | besides | {parameter.name: sent})[parameter.field] == told
    other = {"ramal": "3509", "telefone": "4733330000"} | besides
    assert shown(store, operation, other)[parameter.field] != told, "it is told whatever was sent"


@pytest.mark.parametrize(("operation", "parameter"), ALL, ids=[f"{each.name}-{one.name}" for each, one in ALL])
def test_a_parameter_is_in_the_description_of_the_api(operation: Operation, parameter: Parameter) -> None:
    call = api.document()["components"]["schemas"]["Call"]
    assert parameter.field in call["properties"]
    assert parameter.field in call["required"]
