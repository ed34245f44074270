"""One function for each message: decide with the domain, remember with the journal, answer.

What an event does to a call is the rule book's to say (``domain/calls/book.py``). It needs the calls that are known at
that moment, so the journal asks it inside the transaction that writes its answer.
Nothing here knows how a message came in or how the answer is rendered.
"""

import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from gateway.adapter import Delivery, Outcome
from gateway.domain.calls.direction import Sides
from gateway.domain.calls.heard import (
    LONGEST_EXTENSION,
    HeardEvent,
    heard_answer,
    heard_end,
    heard_hold,
    heard_note,
    heard_queue,
    heard_start,
    heard_transfer,
)
from gateway.domain.dialplan.plan import BecomesService, BlockedNumber, Dialled, NothingToDial, TooLong, TooSlow, dial
from gateway.domain.dialplan.undialling import sides_of
from gateway.domain.messages import (
    AgentStateChanged,
    CallAnswered,
    CallEnded,
    CallHeld,
    CallMessage,
    CallNoted,
    CallResumed,
    CallStarted,
    CallTransferred,
    HangUp,
    Message,
    PlaceCall,
    QueueEntered,
    QueueLeft,
)
from gateway.domain.numbering.number_text import typed
from gateway.domain.numbering.numbers import read
from gateway.domain.records import record
from gateway.domain.tenant import Appliance, Tenant
from gateway.errors import (
    DialError,
    NoAppliance,
    NotDiallable,
    NumberBlocked,
    StoreUnavailable,
    UnknownAppliance,
    UnknownTenant,
)
from gateway.store.writing.drafts import AgentStateDraft, EventDraft, OrderDraft, Recorded, Way
from gateway.texts.text import Text

AnyCall = TypeVar("AnyCall", bound=CallMessage)

EXTENSION = re.compile(r"[0-9*#]{1,32}")
"""What an appliance can be told to ring: nothing that could be more than one parameter, header or channel."""


REGISTERED = Text("call registered")
ANSWERED = Text("call answered")
TRANSFERRED = Text("call transferred")
ENDED = Text("call ended")
HELD = Text("call on hold")
RESUMED = Text("call resumed")
QUEUED = Text("caller waits in the queue")
LEFT_QUEUE = Text("caller left the queue")
NOTED = Text("noted")
KEPT = Text("kept on this node; it has no number yet")
"""While the database is away, with ``server.spool``."""


class DraftWriter(Protocol):
    """Where decisions are remembered: ``write`` returns once the draft is durable."""

    def write(self, draft: EventDraft | AgentStateDraft | OrderDraft, *, within_s: float | None = None) -> Recorded: ...


class Dialler(Protocol):
    """Who makes the one immediate attempt of an order, and settles it."""

    def admitted(self, draft: OrderDraft) -> AbstractContextManager[None]: ...

    def dial(self, order: Recorded, draft: OrderDraft) -> Delivery: ...

    def hang_up(self, tenant: str, call_id: int) -> Delivery: ...


class DeadlineWriter:
    """Remembers decisions until its time is over."""

    def __init__(self, journal: DraftWriter, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._journal = journal
        self._clock = clock
        self._ends_at = clock() + seconds

    def write(self, draft: EventDraft | AgentStateDraft | OrderDraft, *, within_s: float | None = None) -> Recorded:
        """Return once ``draft`` is durable. Raises ``BusyError``."""
        left = self._ends_at - self._clock()
        if left <= 0:
            raise StoreUnavailable
        return self._journal.write(draft, within_s=left if within_s is None else min(left, within_s))


class DraftNote:
    """Remembers nothing for good, only the last event's ``draft``."""

    draft: EventDraft | AgentStateDraft

    def write(self, draft: EventDraft | AgentStateDraft | OrderDraft, *, within_s: float | None = None) -> Recorded:
        assert not isinstance(draft, OrderDraft)
        self.draft = draft
        return Recorded(0, 0)


@record(frozen=True, slots=True)
class Reply:
    """The answer to any message: whether it was done, one sentence for people, our call id.

    ``outcome`` is set for ``PlaceCall`` only, and ``ok`` is then whether the appliance accepted.
    """

    ok: bool
    message: Text | str
    call_id: int
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Core:
    """What the handlers work with. ``handle`` is the one entrance for every wire and the desk."""

    tenants: Mapping[str, Tenant]
    journal: DraftWriter
    dialler: Dialler

    def handle(self, message: Message) -> Reply:
        """Do what ``message`` says and answer once it is durable.

        Raises ``UnknownTenant``, ``BusyError`` (nothing was stored) and, for ``PlaceCall``, ``DialError``.
        """
        return HANDLERS[type(message)](message, self)

    def draft_of(self, message: CallMessage | AgentStateChanged) -> EventDraft | AgentStateDraft:
        """Return what is to be written down of ``message``. Raises ``UnknownTenant``."""
        noted = DraftNote()
        replace(self, journal=noted).handle(message)
        return noted.draft

    def within(self, seconds: float) -> "Core":
        """Return these handlers for one request that is answered within so many seconds, however many messages it has.

        Afterwards they raise ``StoreUnavailable``, so that the sender repeats it.
        """
        return replace(self, journal=DeadlineWriter(self.journal, seconds))

    def tenant(self, name: str) -> Tenant:
        """Return the tenant called ``name``. Raises ``UnknownTenant``."""
        try:
            return self.tenants[name]
        except KeyError:
            raise UnknownTenant(name) from None


def call_started(message: CallStarted, core: Core) -> Reply:
    """Log a call that rings, and let its extension's screens know."""
    return _remember("call_started", message, heard_start, core, REGISTERED)


def call_answered(message: CallAnswered, core: Core) -> Reply:
    """Log who took a call, and let those who still rang for it know."""
    return _remember("call_answered", message, heard_answer, core, ANSWERED)


def call_held(message: CallHeld, core: Core) -> Reply:
    """Log since when a call is on hold."""
    return _remember("call_held", message, heard_hold, core, HELD)


def call_resumed(message: CallResumed, core: Core) -> Reply:
    """Log that somebody speaks again in a call that was on hold."""
    return _remember("call_resumed", message, heard_hold, core, RESUMED)


def call_transferred(message: CallTransferred, core: Core) -> Reply:
    """Let a call go on at another extension, with what is known of it."""
    tenant = core.tenant(message.tenant)
    sides = sides_of(message.ramal, message.telefone, tenant, message.direction)
    to = read(message.to, tenant.numbers_for(sides.extension))
    return _write_down("call_transferred", message, heard_transfer(message, sides, to), tenant, core, TRANSFERRED)


def queue_entered(message: QueueEntered, core: Core) -> Reply:
    """Log a caller who waits in a queue."""
    return _remember("queue_entered", message, heard_queue, core, QUEUED)


def queue_left(message: QueueLeft, core: Core) -> Reply:
    """Log how long a caller waited in a queue, and whether the caller gave up."""
    return _remember("queue_left", message, heard_queue, core, LEFT_QUEUE)


def call_ended(message: CallEnded, core: Core) -> Reply:
    """Close the call that this end belongs to; without one, log it as a call of its own."""
    return _remember("call_ended", message, heard_end, core, ENDED)


def call_noted(message: CallNoted, core: Core) -> Reply:
    """Keep what is told of a call besides; of one that nobody knows, log that alone."""
    return _remember("call_noted", message, heard_note, core, NOTED)


def _remember(
    kind: str, message: AnyCall, hear: Callable[[AnyCall, Sides], HeardEvent], core: Core, answer: Text
) -> Reply:
    """Have a message written down that says something of one call, as ``hear`` understands it."""
    tenant = core.tenant(message.tenant)
    sides = sides_of(message.ramal, message.telefone, tenant, message.direction)
    return _write_down(kind, message, hear(message, sides), tenant, core, answer)


def _write_down(kind: str, message: CallMessage, heard: HeardEvent, tenant: Tenant, core: Core, answer: Text) -> Reply:
    """Have what was ``heard`` written down, with the name of its line, for those too who are told of its ``kind``."""
    if message.line is not None and tenant.lines:
        heard = heard._replace(line_name=tenant.line_name(message.line))
    recorded = core.journal.write(EventDraft(message, heard, tenant.forwards.get(kind, ()), tenant.telling_rules))
    return Reply(True, KEPT if recorded.kept else answer, recorded.call_id)


def agent_state_changed(message: AgentStateChanged, core: Core) -> Reply:
    """Keep what an exchange tells of an agent, which decides nothing."""
    tenant = core.tenant(message.tenant)
    extension = (read(message.ramal, tenant.numbers).national or message.ramal)[:LONGEST_EXTENSION]
    forwards = tenant.forwards.get("agent_state_changed", ())
    recorded = core.journal.write(AgentStateDraft(message, extension, forwards, tenant.telling_rules))
    return Reply(True, KEPT if recorded.kept else NOTED, recorded.call_id)


def place_call(message: PlaceCall, core: Core) -> Reply:
    """Write the order down, then make one attempt; the reply says how it ended, of a repeat how the first one did.

    Raises ``TooManyOrders`` before anything is written when too many wait already.
    """
    tenant = core.tenant(message.tenant)
    draft = draft_order(message, tenant)
    with core.dialler.admitted(draft):
        recorded = core.journal.write(draft)
        return _reply(core.dialler.dial(recorded, draft), recorded.call_id)


def hang_up(message: HangUp, core: Core) -> Reply:
    """Ask the appliance that placed a call to end it. Raises ``NothingToHangUp``."""
    return _reply(core.dialler.hang_up(core.tenant(message.tenant).name, message.call_id), message.call_id)


def _reply(delivery: Delivery, call_id: int) -> Reply:
    return Reply(delivery.outcome is Outcome.ACCEPTED, delivery.text, call_id, delivery.outcome)


def draft_order(message: PlaceCall, tenant: Tenant) -> OrderDraft:
    """Make the order that ``message`` asks for: which appliance, which digits. Raises ``DialError``."""
    appliance = choose_appliance(message, tenant)
    dialled = dialled_by(appliance, message.number, tenant, message.extension)
    return OrderDraft(
        message,
        extension_of(message, tenant),
        appliance.name,
        dialled.digits,
        dialled.reading,
        fallback_of(appliance, message, tenant),
        tenant.repeat_within_ms,
    )


def fallback_of(appliance: Appliance, message: PlaceCall, tenant: Tenant) -> Way | None:
    """Return how the call goes when ``appliance`` is not reached: the fallback has a dial plan of its own."""
    other = tenant.appliance(appliance.fallback)
    try:
        return Way(other.name, dialled_by(other, message.number, tenant, message.extension).digits) if other else None
    except DialError:
        return None


def dialled_by(appliance: Appliance, number: str, tenant: Tenant, extension: str = "") -> Dialled:
    """Return how ``appliance`` dials ``number`` for ``extension``. Raises ``NotDiallable`` and ``NumberBlocked``."""
    try:
        return dial(number, appliance.dial_plan, tenant.numbers_for(extension))
    except NothingToDial as error:
        raise NotDiallable(number, why=_why_not(error)) from None
    except BlockedNumber as error:
        raise NumberBlocked(error.number, error.by, error.steps) from error


def _why_not(error: NothingToDial) -> Text | None:
    """Say why a number cannot be dialled, where it is not simply that there is none."""
    if isinstance(error, TooLong):
        return Text("it has {digits} digits, and no telephone has so many", digits=error.digits)
    if isinstance(error, BecomesService):
        return Text(
            "with what the dial plan puts in front it would be {digits}, the public service {service}",
            digits=error.digits,
            service=error.service,
        )
    if isinstance(error, TooSlow):
        return Text(
            "the pattern {pattern!r} of the dial plan takes too long (repetitions within repetitions)",
            pattern=error.pattern,
        )
    return None


def choose_appliance(message: PlaceCall, tenant: Tenant) -> Appliance:
    """Return the appliance asked for, or the one that dials for the extension. Raises ``UnknownAppliance`` and
    ``NoAppliance``.
    """
    if message.appliance:
        found = tenant.appliance(message.appliance)
        if found is None:
            raise UnknownAppliance(message.appliance, known=[appliance.name for appliance in tenant.appliances])
        return found
    appliance = tenant.appliance_for(extension_of(message, tenant))
    if appliance is None:
        raise NoAppliance(tenant.name)
    return appliance


def extension_of(message: PlaceCall, tenant: Tenant) -> str:
    """Return the digits of the extension that is to call. Raises ``NotDiallable`` for a text with
    anything else in it.
    """
    digits = read(message.extension, tenant.numbers).national
    if not EXTENSION.fullmatch(digits) or not typed(message.extension).one_group:
        raise NotDiallable(message.extension, why=Text("it is no extension (expected: digits only, such as 3501)"))
    return digits


HANDLERS: Mapping[type, Callable[[Any, Core], Reply]] = {
    CallStarted: call_started,
    CallAnswered: call_answered,
    CallHeld: call_held,
    CallResumed: call_resumed,
    CallTransferred: call_transferred,
    QueueEntered: queue_entered,
    QueueLeft: queue_left,
    CallEnded: call_ended,
    CallNoted: call_noted,
    AgentStateChanged: agent_state_changed,
    PlaceCall: place_call,
    HangUp: hang_up,
}
