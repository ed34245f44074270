"""Everything that happens on a phone, or is asked of one, as one small frozen message.

Times are milliseconds since 1970-01-01 UTC. Numbers and extensions are the text that the peer sent, trimmed:
reading them is the handlers' work, so that nothing of what was received is lost on the way.
"""

from collections.abc import Callable, Mapping
from dataclasses import field, fields
from enum import StrEnum
from operator import attrgetter
from typing import Any

from gateway.domain.records import record
from gateway.texts.text import Text


class Direction(StrEnum):
    """Seen from the tenant: *incoming* from outside, *outgoing* to outside, *internal* between two extensions."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"
    INTERNAL = "internal"


@record(frozen=True, slots=True)
class SourceMark:
    """What a source of events says of one of them beside the call: its own id, where it stands among the others.

    ``source`` is the name in which the source's ids are kept, which sources of one exchange share; it is empty for the
    plain listeners'. Of two events with one ``event_id`` the first counts. ``sequence`` grows with the events of
    ``sequence_of``, else of the call; ``also_known_as`` are other ids of the same call.
    """

    source: str
    event_id: str | None = None
    sequence: int | None = None
    sequence_of: str | None = None
    also_known_as: tuple[str, ...] = ()


@record(frozen=True, slots=True)
class Origin:
    """How a message reached us: the wire (``get``, ``soap``, ``xmlrpc``, ``desk``, ``cli``), the client's address.

    ``replay_of`` is the number of the entry in the traffic log that somebody had sent again; ``mark`` is what a source
    of events says of this one.
    """

    wire: str
    client: str
    replay_of: int | None = None
    mark: SourceMark | None = None


def attached_field(parameter: str, text: Text) -> Any:
    """Return a field that wires and forwards know as ``parameter``; ``text`` names it for people."""
    return field(default=None, metadata={"parameter": parameter, "text": text})


@record(frozen=True, slots=True, kw_only=True)
class AttachedData:
    """What an exchange may tell of a call in words of its own, when it begins or when it ends; the first words count.

    Each is a text, a parameter on every wire, a field of forwards, and a column of the call log.
    """

    queue: str | None = attached_field("fila", Text("Queue or group"))
    line: str | None = attached_field("linha", Text("Called line"))
    caller_name: str | None = attached_field("nome", Text("Caller's name as sent"))
    hung_up_by: str | None = attached_field("desligou", Text("Hung up by"))

    @property
    def attached(self) -> dict[str, str]:
        """What was told, by the fields' names."""
        texts = texts_attached(self)
        if texts.count(None) == len(texts):
            return {}
        return {name: text for name, text in zip(ATTACHED, texts, strict=True) if text is not None}

    @property
    def labelled(self) -> list[tuple[Text, str]]:
        """What was told, each with its name for people."""
        named = ((each.metadata["text"], getattr(self, each.name)) for each in fields(AttachedData))
        return [(label, text) for label, text in named if text is not None]


ATTACHED: Mapping[str, str] = {each.name: each.metadata["parameter"] for each in fields(AttachedData)}
"""The parameters' names by the fields'."""
texts_attached: Callable[[AttachedData], tuple[str | None, ...]] = attrgetter(*ATTACHED)
"""Return the texts in the order of ``ATTACHED``, None where one was not told."""


@record(frozen=True, slots=True, kw_only=True)
class CallData(AttachedData):
    """What any event of a call may tell besides.

    ``fields`` are free fields by their names (*campos*: cpf, protocolo ...), ``waited_s`` the seconds that the caller
    waited in a queue (*espera*), ``answered_at`` when somebody took the call, as the exchange says it (*atendida_em*).
    """

    fields: Mapping[str, str] | None = None
    waited_s: int | None = None
    answered_at: int | None = None


@record(frozen=True, slots=True)
class CallStarted(CallData):
    """A call began to ring (``ConsultaRamal``).

    ``ramal`` is the destination and ``telefone`` the origin, as WConnect's manual has it; which of the two is an
    extension of the tenant decides the direction. The fields behind ``received_at`` are optional extras;
    ``also_rings`` are further extensions at which the same call rings. ``rings_anew`` says that the exchange surely
    does not repeat itself: an extension that rang in vain rings once more.
    """

    tenant: str
    ramal: str
    telefone: str
    origin: Origin
    received_at: int
    call_ref: str | None = None
    occurred_at: int | None = None
    direction: Direction | None = None
    also_rings: tuple[str, ...] = ()
    rings_anew: bool = False


@record(frozen=True, slots=True)
class CallAnswered(CallData):
    """Somebody took the call (``AtendeLigacao``): the extension, or the outside party of a call that we made."""

    tenant: str
    ramal: str
    telefone: str
    origin: Origin
    received_at: int
    call_ref: str | None = None
    occurred_at: int | None = None
    direction: Direction | None = None


@record(frozen=True, slots=True)
class CallHeld(CallData):
    """The extension put the call on hold."""

    tenant: str
    ramal: str
    telefone: str
    origin: Origin
    received_at: int
    call_ref: str | None = None
    occurred_at: int | None = None
    direction: Direction | None = None


@record(frozen=True, slots=True)
class CallResumed(CallData):
    """The extension speaks again in a call that it had put on hold."""

    tenant: str
    ramal: str
    telefone: str
    origin: Origin
    received_at: int
    call_ref: str | None = None
    occurred_at: int | None = None
    direction: Direction | None = None


@record(frozen=True, slots=True)
class CallTransferred(CallData):
    """A call that was at ``ramal`` goes on at the extension ``to`` (``TransfereLigacao``).

    ``attended`` says whether who transferred it spoke with ``to`` before; None: the exchange does not say.
    """

    tenant: str
    ramal: str
    telefone: str
    to: str
    origin: Origin
    received_at: int
    call_ref: str | None = None
    occurred_at: int | None = None
    direction: Direction | None = None
    attended: bool | None = None


@record(frozen=True, slots=True)
class QueueEntered(CallData):
    """The caller waits in the queue ``queue``; ``ramal`` is empty, for the call rings nowhere yet, or the queue's own
    number.
    """

    tenant: str
    ramal: str
    telefone: str
    origin: Origin
    received_at: int
    call_ref: str | None = None
    occurred_at: int | None = None
    direction: Direction | None = None


@record(frozen=True, slots=True)
class QueueLeft(CallData):
    """The caller waits in the queue no more: somebody takes the call, or, where ``abandoned``, the caller gave up."""

    tenant: str
    ramal: str
    telefone: str
    origin: Origin
    received_at: int
    call_ref: str | None = None
    occurred_at: int | None = None
    direction: Direction | None = None
    abandoned: bool = False


@record(frozen=True, slots=True)
class CallEnded(CallData):
    """A call was hung up (``FinalizaLigacao``); ``recording_url`` is where its audio can be fetched.

    ``result`` says how it ended in the exchange's words, ``cause`` why, as a code of Q.850 or SIP; ``started_at`` is
    when the call began, which counts where nothing was heard of that. ``goes_on`` says whether the call goes on
    otherwise, so that it is over at this extension only; None where the exchange does not say. ``joined_to`` is the
    exchange's id of the call that this one became a part of, as a consultation does by an attended transfer.
    """

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
    cause: str | None = None
    started_at: int | None = None
    goes_on: bool | None = None
    joined_to: str | None = None


@record(frozen=True, slots=True)
class CallNoted(CallData):
    """Something to be kept with a call: a recording's address, what it cost, what was said; also long after its end.

    ``ramal`` and ``telefone`` may be empty where ``call_ref`` names the call. ``cost`` is a text, such as ``R$ 0,32``.
    """

    tenant: str
    ramal: str
    telefone: str
    origin: Origin
    received_at: int
    call_ref: str | None = None
    occurred_at: int | None = None
    direction: Direction | None = None
    recording_url: str | None = None
    cost: str | None = None
    transcript: str | None = None


class AgentState(StrEnum):
    """What an exchange says of an agent."""

    LOGIN = "login"
    LOGOUT = "logout"
    PAUSE = "pause"
    READY = "ready"


@record(frozen=True, slots=True)
class AgentStateChanged:
    """An agent logged in at the exchange or out, pauses, or is ready again: kept and shown, it decides nothing.

    ``ramal`` is the agent's extension and ``agent`` the name or id, as the exchange has them; one of them may be empty.
    ``reason`` is that of a pause, ``queue`` the queue that it is about where it is one only.
    """

    tenant: str
    ramal: str
    agent: str
    state: AgentState
    origin: Origin
    received_at: int
    occurred_at: int | None = None
    reason: str | None = None
    queue: str | None = None


@record(frozen=True, slots=True)
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


@record(frozen=True, slots=True)
class HangUp:
    """End a call that was placed by us, while it rings."""

    tenant: str
    call_id: int
    origin: Origin
    requested_by: str | None = None


CallMessage = (
    CallStarted
    | CallAnswered
    | CallHeld
    | CallResumed
    | CallTransferred
    | QueueEntered
    | QueueLeft
    | CallEnded
    | CallNoted
)
"""What an exchange tells of a call."""
Message = CallMessage | AgentStateChanged | PlaceCall | HangUp
