"""What handlers hand to the journal, and what they get back."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from gateway.adapter import Delivery
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.scope import EVERYTHING, CallScope
from gateway.domain.messages import AgentStateChanged, CallMessage, PlaceCall
from gateway.domain.numbering.numbers import Reading
from gateway.domain.records import record
from gateway.domain.telling import NO_RULES, TellingRules


class SourceFence(NamedTuple):
    """Which source of the tenant told something, and the token of the lease with which it was run."""

    source: str
    token: int


@record(frozen=True, slots=True)
class EventDraft:
    """What a message tells of a call, for the rule book; ``forwards`` names who is told of it if ``rules`` agree.

    ``late``: it was kept by the node while the database was away, for longer than a screen should still pop up.
    With a ``fence`` it is written only while no other process has taken the source.
    """

    message: CallMessage
    event: HeardEvent
    forwards: tuple[str, ...] = ()
    rules: TellingRules = NO_RULES
    late: bool = False
    fence: SourceFence | None = None

    @property
    def tenant(self) -> str:
        return self.message.tenant


@dataclass(frozen=True, slots=True)
class AgentStateDraft:
    """What a message tells of an agent, at ``extension`` as the log has it; the rest as in ``EventDraft``."""

    message: AgentStateChanged
    extension: str
    forwards: tuple[str, ...] = ()
    rules: TellingRules = NO_RULES
    fence: SourceFence | None = None

    @property
    def tenant(self) -> str:
        return self.message.tenant


@dataclass(frozen=True, slots=True)
class Way:
    """One way to place a call: the appliance, and the digits that its dial plan makes of the number."""

    appliance: str
    digits: str


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """A call to be placed: ``extension`` calls ``digits`` (dial plan applied) by ``appliance``.

    ``fallback`` is tried when ``appliance`` was surely not reached. Within ``repeat_within_ms`` the same order again
    is not a new one.
    """

    message: PlaceCall
    extension: str
    appliance: str
    digits: str
    other: Reading
    fallback: Way | None = None
    repeat_within_ms: int = 0

    @property
    def tenant(self) -> str:
        return self.message.tenant

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways to try, in their order."""
        first = Way(self.appliance, self.digits)
        return (first, self.fallback) if self.fallback else (first,)


@record(frozen=True, slots=True)
class Recorded:
    """What became durable: our call id, the last event's ``seq`` and, for an order, its id.

    Of an order that is not new (``repeated``) nothing is written; the ids are the first one's. An event that this node
    keeps until the database is back (``kept``) has no number yet, only zeros.
    """

    call_id: int
    seq: int
    order_id: int | None = None
    repeated: bool = False
    kept: bool = False


@dataclass(frozen=True, slots=True)
class OrderAttempt:
    """One attempt at one appliance. Times are milliseconds since 1970 UTC.

    ``kind`` is ``dial``, ``hangup``, or ``held`` when nothing was sent: its turn did not come, or the appliance is left
    alone.
    """

    appliance: str
    delivery: Delivery
    began_at: int
    ended_at: int
    kind: str = "dial"


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an order ended, with the attempts that were made of it."""

    tenant: str
    order_id: int
    delivery: Delivery
    at: int
    attempts: tuple[OrderAttempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """An agent says whose a call is; ``number``, in canonical form, is that account's from now on ("" for none).

    ``account_id`` 0 with a ``name`` opens an account, without one says that the call is nobody's. ``forms`` are the
    forms of the number in the directory. With ``attach`` the account gets the number if it has none of them, and the
    account ``wrong`` loses it. ``seen`` is what the page showed of the number's owners (``choosing.Standing.seen``),
    ``shown`` the account that it showed for the call, 0 for none; None where it did not say.
    """

    tenant: str
    call_id: int
    account_id: int
    contact: str
    number: str
    by: str
    at: int
    forms: tuple[str, ...] = ()
    seen: str | None = None
    name: str = ""
    attach: bool = False
    wrong: int = 0
    shown: int | None = None


@dataclass(frozen=True, slots=True)
class Over:
    """An agent (``by``, a login) says that a call is over, of which no end was heard."""

    tenant: str
    call_id: int
    by: str
    at: int


class MissedAction(StrEnum):
    """What people do with customers in the list of missed calls."""

    CLEAR = "cleared"
    RESTORE = "restored"
    CLAIM = "claimed"
    RELEASE = "released"


@dataclass(frozen=True, slots=True)
class MissedDraft:
    """An agent (``by``, a login) takes the customers of missed calls off the list, puts them back, or says that she
    calls one back: until ``until`` (milliseconds) nobody else does. Calls that ``scope`` does not admit stay
    as they are. The list goes back to ``listed_since``.
    """

    tenant: str
    action: MissedAction
    call_ids: tuple[int, ...]
    by: str
    at: int
    name: str = ""
    extension: str = ""
    until: int = 0
    scope: CallScope = EVERYTHING
    listed_since: int = 0


@dataclass(frozen=True, slots=True)
class NoteDraft:
    """An agent (``by``, called ``name``) writes of a call: the whole note, made of its revision ``base`` (0: of none).

    Of a ``finished`` one the log and ``forwards`` are told; others are saved while they are typed. Times are
    milliseconds.
    """

    tenant: str
    call_id: int
    text: str
    outcome: str | None
    follow_up_at: int | None
    base: int
    by: str
    name: str
    at: int
    finished: bool = False
    forwards: tuple[str, ...] = ()
    rules: TellingRules = NO_RULES


@dataclass(frozen=True, slots=True)
class UntoldNote:
    """Nobody has changed the note of a call since ``before``, so that it is told as it is."""

    tenant: str
    call_id: int
    before: int
    at: int
    forwards: tuple[str, ...] = ()
    rules: TellingRules = NO_RULES


@dataclass(frozen=True, slots=True)
class FollowUpDone:
    """An agent (``by``, a login) says that the follow-up of a call's note is done."""

    tenant: str
    call_id: int
    by: str
    at: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Calls of ``tenant`` first heard of from ``since`` on and before ``before``: their ends are not waited for."""

    tenant: str
    since: int
    before: int
    at: int


@dataclass(frozen=True, slots=True)
class InVain:
    """Calls of ``tenant`` that still go on and whose ends are not waited for any more."""

    tenant: str
    call_ids: tuple[int, ...]
    at: int


@dataclass(frozen=True, slots=True)
class WriteJob:
    """Anything else that writes (accounts, agents, outbox): a function of the connection, run in its turn.

    With a ``tenant`` nobody else writes of that company meanwhile, on any node; with a ``lock``, no other job of that
    name runs, and with ``parts`` of it none of the same parts or of all. SQLite, where only one process writes at a
    time, needs none of them. ``news``: screens have to look.
    """

    run: Callable[[Any], Any]
    tenant: str | None = None
    lock: str | None = None
    news: bool = False
    parts: tuple[str, ...] | None = None
