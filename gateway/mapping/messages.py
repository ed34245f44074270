"""From an event as a mapping made it to the message that the handlers know."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.domain.messages import (
    AgentState,
    AgentStateChanged,
    CallAnswered,
    CallEnded,
    CallHeld,
    CallMessage,
    CallNoted,
    CallResumed,
    CallStarted,
    CallTransferred,
    Origin,
    QueueEntered,
    QueueLeft,
    SourceMark,
)
from gateway.mapping.events import MappedEvent

OPERATIONS: Mapping[str, str] = {
    "started": "ConsultaRamal",
    "answered": "AtendeLigacao",
    "held": "EsperaLigacao",
    "resumed": "RetomaLigacao",
    "transferred": "TransfereLigacao",
    "queue_entered": "EntraFila",
    "queue_left": "SaiFila",
    "ended": "FinalizaLigacao",
    "noted": "AnotaLigacao",
    "agent_state": "EstadoAgente",
}
"""What the operations of the other wires call an event, by its kind; metrics are counted by them."""


def message_of(event: MappedEvent, tenant: str, origin: Origin, received_at: int) -> CallMessage | AgentStateChanged:
    """Return the message that ``event`` is."""
    if event.kind == "agent_state":
        return _agent_state(event, tenant, origin, received_at)
    return BUILD[event.kind](event, _common(event, tenant, origin, received_at))


def mark_of(event: MappedEvent, exchange: str) -> SourceMark:
    """Return what a source of ``exchange`` says of ``event`` beside the call; its call may be known by another id
    already.
    """
    return SourceMark(exchange, event.event_id, event.sequence, event.sequence_of, event.also_known_as)


def _common(event: MappedEvent, tenant: str, origin: Origin, received_at: int) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "ramal": event.extension or "",
        "telefone": event.number or "",
        "origin": origin,
        "received_at": received_at,
        "call_ref": event.id,
        "occurred_at": event.at,
        "direction": event.direction,
        "queue": event.queue,
        "line": event.line,
        "caller_name": event.caller_name,
        "hung_up_by": event.hung_up_by,
        "fields": event.fields or None,
        "waited_s": event.waited,
        "answered_at": event.answered_at,
    }


def _started(event: MappedEvent, common: dict[str, Any]) -> CallMessage:
    return CallStarted(also_rings=tuple(each for each in event.rang if each != event.extension), **common)


def _ended(event: MappedEvent, common: dict[str, Any]) -> CallMessage:
    return CallEnded(
        recording_url=event.recording,
        duration_s=event.duration,
        result=event.result,
        cause=event.cause,
        started_at=event.started_at,
        goes_on=False if event.joined_to else None,
        joined_to=event.joined_to,
        **common,
    )


def _noted(event: MappedEvent, common: dict[str, Any]) -> CallMessage:
    return CallNoted(recording_url=event.recording, cost=event.cost, transcript=event.transcript, **common)


def _agent_state(event: MappedEvent, tenant: str, origin: Origin, received_at: int) -> AgentStateChanged:
    return AgentStateChanged(
        tenant=tenant,
        ramal=event.extension or "",
        agent=event.agent or "",
        state=AgentState(event.state or ""),
        origin=origin,
        received_at=received_at,
        occurred_at=event.at,
        reason=event.reason,
        queue=event.queue,
    )


BUILD: Mapping[str, Callable[[MappedEvent, dict[str, Any]], CallMessage]] = {
    "started": _started,
    "answered": lambda _event, common: CallAnswered(**common),
    "held": lambda _event, common: CallHeld(**common),
    "resumed": lambda _event, common: CallResumed(**common),
    "transferred": lambda event, common: CallTransferred(to=event.to or "", attended=event.attended, **common),
    "queue_entered": lambda _event, common: QueueEntered(**common),
    "queue_left": lambda event, common: QueueLeft(abandoned=bool(event.abandoned), **common),
    "ended": _ended,
    "noted": _noted,
}
