"""From an event as a mapping made it to the message that the handlers know."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.domain.messages import CallAnswered, CallEnded, CallMessage, CallStarted, CallTransferred, Origin
from gateway.mapping.events import MappedEvent

OPERATIONS: Mapping[str, str] = {
    "started": "ConsultaRamal",
    "answered": "AtendeLigacao",
    "transferred": "TransfereLigacao",
    "ended": "FinalizaLigacao",
}
"""What the operations of the other wires call an event, by its kind; metrics are counted by them."""


def message_of(event: MappedEvent, tenant: str, origin: Origin, received_at: int) -> CallMessage | None:
    """Return the message that ``event`` is; None for a kind that the handlers do not know yet."""
    build = BUILD.get(event.kind)
    return None if build is None else build(event, _common(event, tenant, origin, received_at))


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
    }


def _ended(event: MappedEvent, common: dict[str, Any]) -> CallMessage:
    return CallEnded(recording_url=event.recording, duration_s=event.duration, result=event.result, **common)


BUILD: Mapping[str, Callable[[MappedEvent, dict[str, Any]], CallMessage]] = {
    "started": lambda _event, common: CallStarted(**common),
    "answered": lambda _event, common: CallAnswered(**common),
    "transferred": lambda event, common: CallTransferred(to=event.to or "", **common),
    "ended": _ended,
}
