"""What can happen to a call, as the rule book takes it: events that were heard, orders, agents, time-outs.

Texts are cut here to what a call holds of them; the message keeps what was received.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from gateway.domain.calls.call import NOTHING_ATTACHED
from gateway.domain.calls.direction import Sides
from gateway.domain.calls.results import Result, sure_result
from gateway.domain.calls.states import STATES, Event, State
from gateway.domain.messages import (
    CallAnswered,
    CallEnded,
    CallHeld,
    CallMessage,
    CallNoted,
    CallResumed,
    CallStarted,
    CallTransferred,
    Direction,
    PlaceCall,
    QueueEntered,
    QueueLeft,
    texts_attached,
)
from gateway.domain.numbering.reading import NumberKind, Reading

NOBODY = (NumberKind.WITHHELD, NumberKind.UNKNOWN)
LONGEST_EXTENSION, LONGEST_NUMBER, LONGEST_AS_SENT, LONGEST_LOGIN = 32, 64, 255, 64
LONGEST_CAUSE = 64
LONGEST_TRANSCRIPT = 65_536
LONGEST_ORDER_ID = 18
ORDERED = "gw-"
"""What the ids begin with that adapters give to the calls that they place: ``gw-TENANT-ORDER``."""
MOST_RINGING = 64
"""Extensions that one start may let ring besides the first."""


class HeardEvent(NamedTuple):
    """A start, answer, transfer or end that an exchange told of. Times are milliseconds since 1970 UTC.

    ``number`` is the other party's canonical form and ``forms`` how a directory may have it; ``perhaps`` is its other
    reading, which only an order makes the right one. ``known`` is false for a withheld or unreadable number, by which
    no two calls can be told to be the same. ``at`` is when it was heard, ``occurred_at`` when the exchange says it was.
    ``agent`` is the login of who sat at the extension, where that is known; ``to`` is where a transferred call goes on,
    which is an extension of ours if it ``stays_inside``; ``attended`` whether that one was spoken with before, where
    the exchange says so. ``also_rings`` are further extensions that ring. ``fields`` are free fields, ``line_name`` is
    the configured name of the line, ``cost`` and ``transcript`` are what a note says, ``started_at`` is
    what an end says of the call's start. ``ref_space`` says whose ``call_ref`` is: the same id of another exchange is
    another call's. The book has to see the calls of the ``numbers``, and those with the same ``call_ref``, and the call
    of the click-to-call ``order_id``, which an id may name. ``rings_anew`` says that an extension which rang in vain
    surely rings once more, ``goes_on`` of an end whether the call goes on otherwise; None where nobody says.
    ``joined_to`` is the exchange's id of another call, which the book has to see too: this one became a part of it.
    ``kept``: a node kept the event back, so that later ones may have been told of before it.
    """

    event: Event
    direction: Direction
    extension: str
    number: str
    known: bool
    at: int
    numbers: tuple[str, ...] = ()
    number_as_sent: str = ""
    forms: tuple[str, ...] = ()
    perhaps: str | None = None
    call_ref: str | None = None
    occurred_at: int | None = None
    duration_s: int | None = None
    recording_url: str | None = None
    result_text: str | None = None
    attached: tuple[str | None, ...] = NOTHING_ATTACHED
    agent: str | None = None
    to: str | None = None
    stays_inside: bool = True
    also_rings: tuple[str, ...] = ()
    attended: bool | None = None
    answered_at: int | None = None
    waited_s: int | None = None
    cause: str | None = None
    fields: Mapping[str, str] | None = None
    line_name: str | None = None
    cost: str | None = None
    transcript: str | None = None
    ref_space: str = ""
    order_id: int | None = None
    rings_anew: bool = False
    goes_on: bool | None = None
    started_at: int | None = None
    kept: bool = False
    joined_to: str | None = None

    @property
    def moment(self) -> int:
        """When it was: as the exchange says, else when it was heard."""
        return self.occurred_at or self.at

    @property
    def internal(self) -> bool:
        return self.direction is Direction.INTERNAL

    @property
    def result(self) -> Result | None:
        """How the call surely ended; None where the exchange did not say it clearly."""
        return sure_result(self.result_text, self.duration_s)


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """A click-to-call that is written down before it is tried."""

    event: ClassVar[Event] = Event.ORDER
    order_id: int
    direction: Direction
    extension: str
    number: str
    number_as_sent: str
    at: int


@dataclass(frozen=True, slots=True)
class SettledOrder:
    """How the attempt to place a call ended: ``outcome`` is the call's status unless the exchange knows more."""

    outcome: str
    at: int

    @property
    def event(self) -> Event:
        return Event.FAILED if STATES[self.outcome] is State.FAILED else Event.ACCEPTED


@dataclass(frozen=True, slots=True)
class MarkedOver:
    """An agent (``by``, a login) says that the call is over."""

    event: ClassVar[Event] = Event.MARKED_OVER
    by: str
    at: int


@dataclass(frozen=True, slots=True)
class NoEnd:
    """The end of the call is not waited for any more."""

    event: ClassVar[Event] = Event.NO_END


@dataclass(frozen=True, slots=True)
class FellSilent:
    """Of the legs that still ring nothing more will be heard: the call ended with the last leg that did."""

    event: ClassVar[Event] = Event.FELL_SILENT


@dataclass(frozen=True, slots=True)
class TakenElsewhere:
    """Another extension of the call's group took it (``by``, with its ``agent``), so it stopped ringing ``at`` then."""

    event: ClassVar[Event] = Event.TAKEN_ELSEWHERE
    at: int
    by: str | None = None
    agent: str | None = None


def heard_start(message: CallStarted, sides: Sides) -> HeardEvent:
    """Return what ``message`` tells of a call's start."""
    heard = _heard(Event.START, message, sides)
    if message.rings_anew:
        heard = heard._replace(rings_anew=True)
    if not message.also_rings:
        return heard
    others = (extension.strip()[:LONGEST_EXTENSION] for extension in message.also_rings)
    also = dict.fromkeys(other for other in others if other and other != heard.extension)
    return heard._replace(also_rings=tuple(also)[:MOST_RINGING])


def kept_back(heard: HeardEvent) -> HeardEvent:
    """Return an event that a node kept back, as long as its database was away."""
    return heard._replace(kept=True)


def heard_answer(message: CallAnswered, sides: Sides) -> HeardEvent:
    """Return what ``message`` tells of who took a call."""
    return _heard(Event.ANSWER, message, sides)


def heard_hold(message: CallHeld | CallResumed, sides: Sides) -> HeardEvent:
    """Return what ``message`` tells of a call that is put on hold, or is spoken in again."""
    return _heard(Event.HOLD if isinstance(message, CallHeld) else Event.RESUME, message, sides)


def heard_transfer(message: CallTransferred, sides: Sides, to: Reading) -> HeardEvent:
    """Return what ``message`` tells of where a call goes on, read as ``to``."""
    inside = to.kind is NumberKind.EXTENSION
    heard = _heard(Event.TRANSFER, message, sides)
    return heard._replace(to=number_of(to)[:LONGEST_EXTENSION], stays_inside=inside, attended=message.attended)


def heard_queue(message: QueueEntered | QueueLeft, sides: Sides) -> HeardEvent:
    """Return what ``message`` tells of a caller who waits in a queue, or does so no more."""
    left = Event.ABANDON if isinstance(message, QueueLeft) and message.abandoned else Event.LEAVE_QUEUE
    event = Event.QUEUE if isinstance(message, QueueEntered) else left
    heard = _heard(event, message, sides)._replace(extension="")
    return heard if sides.direction is not Direction.OUTGOING else _from_inside(heard, sides)


def _from_inside(heard: HeardEvent, sides: Sides) -> HeardEvent:
    """Return a queue's event of which one of our extensions is the caller."""
    caller = sides.extension[:LONGEST_NUMBER]
    return heard._replace(
        direction=Direction.INTERNAL, number=caller, number_as_sent=caller, numbers=(caller,), known=True, perhaps=None
    )


def heard_end(message: CallEnded, sides: Sides) -> HeardEvent:
    """Return what ``message`` tells of a call's end."""
    heard = _heard(Event.END, message, sides, message.duration_s, message.recording_url, message.result)
    if message.goes_on is not None:
        heard = heard._replace(goes_on=message.goes_on)
    if message.started_at is not None:
        heard = heard._replace(started_at=message.started_at)
    if message.joined_to is not None:
        heard = heard._replace(joined_to=message.joined_to)
    if message.cause is None:
        return heard
    return heard._replace(cause=message.cause[:LONGEST_CAUSE], result_text=message.result or message.cause)


def heard_note(message: CallNoted, sides: Sides) -> HeardEvent:
    """Return what ``message`` has to be kept with a call."""
    heard = _heard(Event.NOTE, message, sides, recording_url=message.recording_url)
    transcript = None if message.transcript is None else message.transcript[:LONGEST_TRANSCRIPT]
    return heard._replace(cost=message.cost, transcript=transcript)


def _heard(
    event: Event,
    message: CallMessage,
    sides: Sides,
    duration_s: int | None = None,
    recording_url: str | None = None,
    result_text: str | None = None,
) -> HeardEvent:
    extension, number = sides.extension[:LONGEST_EXTENSION], number_of(sides.other)
    perhaps = None if sides.perhaps is None else sides.perhaps.national[:LONGEST_NUMBER]
    numbers = (number,) if perhaps is None else (number, perhaps)
    heard = HeardEvent(
        event,
        sides.direction,
        extension,
        number,
        sides.other.kind not in NOBODY,
        message.received_at,
        (*numbers, extension) if sides.direction is Direction.INTERNAL else numbers,
        sides.other.input[:LONGEST_AS_SENT],
        sides.other.candidates,
        perhaps,
        message.call_ref,
        message.occurred_at,
        duration_s,
        recording_url,
        result_text,
        texts_attached(message),
    )
    if message.origin.mark is not None:
        heard = heard._replace(ref_space=message.origin.mark.source)
    if message.call_ref is not None and message.call_ref.startswith(ORDERED):
        heard = heard._replace(order_id=order_in(message.call_ref, message.tenant))
    if message.fields is None and message.waited_s is None and message.answered_at is None:
        return heard
    return heard._replace(fields=message.fields, waited_s=message.waited_s, answered_at=message.answered_at)


def order_in(call_ref: str, tenant: str) -> int | None:
    """Return the order whose call has the id ``call_ref``, as adapters name the channel that they have rung.

    >>> order_in("gw-acme-17", "acme"), order_in("gw-acme-17", "other"), order_in("1796007130.7", "acme")
    (17, None, None)
    """
    prefix, _, number = call_ref.rpartition("-")
    is_ours = prefix == f"{ORDERED}{tenant}" and number.isascii() and number.isdigit()
    return int(number) if is_ours and len(number) <= LONGEST_ORDER_ID else None


def placed_order(message: PlaceCall, extension: str, other: Reading, order_id: int) -> PlacedOrder:
    """Return the order that ``message`` gives, by ``extension`` to the number read as ``other``."""
    direction = Direction.INTERNAL if other.kind is NumberKind.EXTENSION else Direction.OUTGOING
    as_sent = message.number[:LONGEST_AS_SENT]
    return PlacedOrder(
        order_id, direction, extension[:LONGEST_EXTENSION], number_of(other), as_sent, message.received_at
    )


def number_of(other: Reading) -> str:
    """Return the other party's number as the log has it: in canonical form, else as it came."""
    return (other.national or other.input)[:LONGEST_NUMBER]
