"""What the rule book answers: a call's next version, and what the log is told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from gateway.domain.calls.call import Call
from gateway.domain.calls.states import Event


class EventKind(StrEnum):
    """What the event log calls an event of a call."""

    CALL_STARTED = "call_started"
    CALL_ANSWERED = "call_answered"
    CALL_HELD = "call_held"
    CALL_RESUMED = "call_resumed"
    CALL_TRANSFERRED = "call_transferred"
    QUEUE_ENTERED = "queue_entered"
    QUEUE_LEFT = "queue_left"
    CALL_ENDED = "call_ended"
    CALL_NOTED = "call_noted"
    CALL_LOST = "call_lost"
    ORDER_PLACED = "order_placed"
    ORDER_SETTLED = "order_settled"
    ACCOUNT_CHOSEN = "account_chosen"
    AGENT_STATE_CHANGED = "agent_state_changed"
    MISSED_CHANGED = "missed_changed"


KINDS: Mapping[Event, EventKind] = {
    Event.ORDER: EventKind.ORDER_PLACED,
    Event.ACCEPTED: EventKind.ORDER_SETTLED,
    Event.FAILED: EventKind.ORDER_SETTLED,
    Event.START: EventKind.CALL_STARTED,
    Event.ANSWER: EventKind.CALL_ANSWERED,
    Event.RINGS_TOO: EventKind.CALL_STARTED,
    Event.HOLD: EventKind.CALL_HELD,
    Event.RESUME: EventKind.CALL_RESUMED,
    Event.TRANSFER: EventKind.CALL_TRANSFERRED,
    Event.HANDED_ON: EventKind.CALL_STARTED,
    Event.TALKS_ALREADY: EventKind.CALL_TRANSFERRED,
    Event.QUEUE: EventKind.QUEUE_ENTERED,
    Event.LEAVE_QUEUE: EventKind.QUEUE_LEFT,
    Event.ABANDON: EventKind.QUEUE_LEFT,
    Event.LEG_ENDED: EventKind.CALL_ENDED,
    Event.RINGS_ON: EventKind.CALL_ENDED,
    Event.WAITS_ON: EventKind.CALL_ENDED,
    Event.END: EventKind.CALL_ENDED,
    Event.NOTE: EventKind.CALL_NOTED,
    Event.FELL_SILENT: EventKind.CALL_ENDED,
    Event.TAKEN_ELSEWHERE: EventKind.CALL_ENDED,
    Event.NO_END: EventKind.CALL_LOST,
    Event.MARKED_OVER: EventKind.CALL_ENDED,
}


@dataclass(frozen=True, slots=True)
class CallChange:
    """A call as it is from now on; ``kind`` None: nothing that the log is told of has happened to it."""

    call: Call
    kind: EventKind | None


class Note(NamedTuple):
    """What is kept with a call besides its own fields: a further recording's address, what it cost, what was said."""

    at: int
    recording_url: str | None
    cost: str | None
    transcript: str | None


class LegNews(NamedTuple):
    """What the log is told of a leg at ``extension``, with the call."""

    extension: str
    kind: EventKind


class Decision(NamedTuple):
    """What an event changes: its own ``call``, and ``others``, of which the log tells first; then of ``legs``.

    A ``repeat`` is logged, but shown nowhere as something new. ``is_news``: whether those who asked to be told of
    events hear of it. ``at`` is the extension that it is about, where that is not simply the call's. A ``note`` is kept
    with the call. ``returns``: somebody speaks with its outside party now, whose missed calls are called back by that.
    """

    call: Call
    kind: EventKind
    is_new: bool = False
    repeat: bool = False
    is_news: bool = False
    others: tuple[CallChange, ...] = ()
    at: str | None = None
    legs: tuple[LegNews, ...] = ()
    note: Note | None = None
    returns: bool = False

    @property
    def extension(self) -> str:
        """The extension that is told of it."""
        return self.call.extension if self.at is None else self.at

    @property
    def also_started(self) -> tuple[str, ...]:
        """Further extensions that begin to ring by it."""
        if self.kind is not EventKind.CALL_STARTED:
            return ()
        return tuple(leg.extension for leg in self.legs if leg.kind is EventKind.CALL_STARTED)
