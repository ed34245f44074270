"""Everything that happens on a phone, or is asked of one, as one small frozen message.

Times are milliseconds since 1970-01-01 UTC. Numbers and extensions are the text that the peer sent, trimmed:
reading them is the handlers' work, so that nothing of what was received is lost on the way.
"""

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Seen from the tenant: *incoming* from outside, *outgoing* to outside, *internal* between two extensions."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Origin:
    """How a message reached us: the wire (``get``, ``soap``, ``xmlrpc``, ``desk``, ``cli``), the client's address.

    ``replay_of`` is the number of the entry in the traffic log that somebody had sent again.
    """

    wire: str
    client: str
    replay_of: int | None = None


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A call began to ring (``ConsultaRamal``).

    ``ramal`` is the destination and ``telefone`` the origin, as WConnect's manual has it; which of the two is an
    extension of the tenant decides the direction. The fields behind ``received_at`` are optional extras.
    """

    tenant: str
    ramal: str
    telefone: str
    origin: Origin
    received_at: int
    call_ref: str | None = None
    occurred_at: int | None = None
    direction: Direction | None = None


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """Somebody took the call (``AtendeLigacao``): the extension, or the outside party of a call that we made."""

    tenant: str
    ramal: str
    telefone: str
    origin: Origin
    received_at: int
    call_ref: str | None = None
    occurred_at: int | None = None
    direction: Direction | None = None


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call was hung up (``FinalizaLigacao``); ``recording_url`` is where its audio can be fetched."""

    tenant: str
    ramal: str
    telefone: str
    origin: Origin
    received_at: int
    recording_url: str | None = None
    call_ref: str | None = None
    occurred_at: int | None = None
    direction: Direction | None = None
    duration_s: int | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """Click-to-call: let ``extension`` call ``number`` by an appliance (the tenant's default one if not named).

    ``request_key`` is the asker's own name of this order: the same key never dials twice.
    """

    tenant: str
    extension: str
    number: str
    origin: Origin
    received_at: int
    appliance: str | None = None
    requested_by: str | None = None
    request_key: str | None = None


@dataclass(frozen=True, slots=True)
class HangUp:
    """End a call that was placed by us, while it rings."""

    tenant: str
    call_id: int
    origin: Origin
    requested_by: str | None = None


CallMessage = CallStarted | CallAnswered | CallEnded
"""What an exchange tells of a call."""
Message = CallMessage | PlaceCall | HangUp
