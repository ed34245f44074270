"""What an event does to a call: one table of states and events. ``docs/pairing.md`` shows it.

Exchanges repeat events, lose them, send them late or in the wrong order, and most give no id of the call. So an event
first *finds* its call (``pairing.py``); then ``TABLE`` says what it does to a call in that state, and the rule book
(``book.py``) does it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """What is known of a call. *None* means that there is no call yet, *noted* that only notes of it were heard."""

    NONE = "none"
    ORDERED = "ordered"
    NOTED = "noted"
    WAITING = "waiting"
    RINGING = "ringing"
    TALKING = "talking"
    ENDED = "ended"
    LOST = "lost"
    ELSEWHERE = "elsewhere"
    OVER = "over"
    FAILED = "failed"


class Event(StrEnum):
    """What can happen to a call. *No end* is the time-out after which an end is not waited for any more, *marked over*
    somebody who knows that it is over although no end was heard.

    Of a call with several legs (``legs.py``) a start, transfer or end may be about one of them only: that it *rings
    too* at another extension, is *handed on* to one that rings or to one that *talks already*; that a *leg ended* while
    the call goes on as it was, *rings on* or *waits on*; or that its legs *fell silent*, for no end of the last came.
    """

    ORDER = "order"
    ACCEPTED = "accepted"
    FAILED = "failed"
    START = "start"
    RINGS_TOO = "rings too"
    ANSWER = "answer"
    HOLD = "hold"
    RESUME = "resume"
    TRANSFER = "transfer"
    HANDED_ON = "handed on"
    TALKS_ALREADY = "talks already"
    QUEUE = "queue entered"
    LEAVE_QUEUE = "queue left"
    ABANDON = "queue abandoned"
    LEG_ENDED = "leg ended"
    RINGS_ON = "rings on"
    WAITS_ON = "waits on"
    END = "end"
    NOTE = "note"
    TAKEN_ELSEWHERE = "taken elsewhere"
    FELL_SILENT = "fell silent"
    NO_END = "no end"
    MARKED_OVER = "marked over"


class Effect(StrEnum):
    """What an event does to the call that it found."""

    OPEN = "a new call"
    ACCEPT = "the appliance took it"
    RING = "the ordered call rings"
    RING_HERE = "it rings at an extension"
    RING_AGAIN = "it rings once more"
    REPEAT = "heard again: nothing new"
    ADD_START = "its start is added"
    ADD_LEG = "a leg is added"
    ANSWER = "it is answered"
    ADD_ANSWER = "its answer is added"
    HOLD = "it is on hold"
    RESUME = "it is spoken in again"
    MOVE = "it goes on at another extension"
    HAND_ON = "its next leg is another's"
    QUEUE = "it waits in a queue"
    LEAVE_QUEUE = "it leaves the queue"
    ABANDON = "its caller gave up waiting"
    ADD_QUEUE = "its wait is added"
    LEAVE = "a leg ends"
    CLOSE = "it ends"
    ADD_END = "heard again: a recording or duration is added"
    NOTE = "a note is added"
    ELSEWHERE = "another extension of its group took it"
    SILENCE = "its last leg's end is its end"
    GIVE_UP = "no end was received"
    MARK = "an agent says that it is over"
    FAIL = "it was not placed"
    NOTHING = "nothing"


class Transition(NamedTuple):
    """The state that follows and what is done."""

    state: State
    effect: Effect


def _row(state: State, **does: Transition) -> dict[tuple[State, Event], Transition]:
    nothing = Transition(state, Effect.NOTHING)
    return {(state, event): does.get(event.name.lower(), nothing) for event in Event}


def _heard_again(state: State, *events: Event) -> dict[str, Transition]:
    return {event.name.lower(): Transition(state, Effect.REPEAT) for event in events}


def _noted(state: State) -> dict[str, Transition]:
    return {"note": Transition(state, Effect.NOTE)}


IN_A_CALL = (Event.HOLD, Event.RESUME)
QUEUEING = (Event.QUEUE, Event.LEAVE_QUEUE, Event.ABANDON)

TABLE: Mapping[tuple[State, Event], Transition] = {
    **_row(
        State.NONE,
        order=Transition(State.ORDERED, Effect.OPEN),
        start=Transition(State.RINGING, Effect.OPEN),
        answer=Transition(State.TALKING, Effect.OPEN),
        hold=Transition(State.TALKING, Effect.OPEN),
        resume=Transition(State.TALKING, Effect.OPEN),
        transfer=Transition(State.RINGING, Effect.OPEN),
        queue=Transition(State.WAITING, Effect.OPEN),
        leave_queue=Transition(State.NOTED, Effect.OPEN),
        abandon=Transition(State.ENDED, Effect.OPEN),
        end=Transition(State.ENDED, Effect.OPEN),
        note=Transition(State.NOTED, Effect.OPEN),
    ),
    **_row(
        State.ORDERED,
        accepted=Transition(State.ORDERED, Effect.ACCEPT),
        failed=Transition(State.FAILED, Effect.FAIL),
        start=Transition(State.RINGING, Effect.RING),
        rings_too=Transition(State.RINGING, Effect.ADD_LEG),
        answer=Transition(State.TALKING, Effect.ANSWER),
        hold=Transition(State.TALKING, Effect.HOLD),
        resume=Transition(State.TALKING, Effect.RESUME),
        transfer=Transition(State.ENDED, Effect.MOVE),
        handed_on=Transition(State.RINGING, Effect.HAND_ON),
        talks_already=Transition(State.TALKING, Effect.HAND_ON),
        end=Transition(State.ENDED, Effect.CLOSE),
        marked_over=Transition(State.OVER, Effect.MARK),
        **_heard_again(State.ORDERED, *QUEUEING),
        **_noted(State.ORDERED),
    ),
    # What is noted says nothing of how the call stands: what comes tells, as of one of which nothing was heard.
    **_row(
        State.NOTED,
        start=Transition(State.RINGING, Effect.RING_HERE),
        rings_too=Transition(State.RINGING, Effect.ADD_LEG),
        answer=Transition(State.TALKING, Effect.ANSWER),
        hold=Transition(State.TALKING, Effect.HOLD),
        resume=Transition(State.TALKING, Effect.RESUME),
        transfer=Transition(State.ENDED, Effect.MOVE),
        handed_on=Transition(State.RINGING, Effect.HAND_ON),
        talks_already=Transition(State.TALKING, Effect.HAND_ON),
        queue=Transition(State.WAITING, Effect.QUEUE),
        leave_queue=Transition(State.NOTED, Effect.LEAVE_QUEUE),
        abandon=Transition(State.ENDED, Effect.ABANDON),
        end=Transition(State.ENDED, Effect.CLOSE),
        **_noted(State.NOTED),
    ),
    **_row(
        State.WAITING,
        start=Transition(State.RINGING, Effect.RING_HERE),
        rings_too=Transition(State.RINGING, Effect.ADD_LEG),
        answer=Transition(State.TALKING, Effect.ANSWER),
        hold=Transition(State.TALKING, Effect.HOLD),
        resume=Transition(State.TALKING, Effect.RESUME),
        transfer=Transition(State.ENDED, Effect.MOVE),
        handed_on=Transition(State.RINGING, Effect.HAND_ON),
        talks_already=Transition(State.TALKING, Effect.HAND_ON),
        queue=Transition(State.WAITING, Effect.QUEUE),
        leave_queue=Transition(State.RINGING, Effect.LEAVE_QUEUE),
        abandon=Transition(State.ENDED, Effect.ABANDON),
        leg_ended=Transition(State.WAITING, Effect.LEAVE),
        waits_on=Transition(State.WAITING, Effect.LEAVE),
        end=Transition(State.ENDED, Effect.CLOSE),
        fell_silent=Transition(State.ENDED, Effect.SILENCE),
        no_end=Transition(State.LOST, Effect.GIVE_UP),
        marked_over=Transition(State.OVER, Effect.MARK),
        **_noted(State.WAITING),
    ),
    **_row(
        State.RINGING,
        start=Transition(State.RINGING, Effect.REPEAT),
        rings_too=Transition(State.RINGING, Effect.ADD_LEG),
        answer=Transition(State.TALKING, Effect.ANSWER),
        hold=Transition(State.TALKING, Effect.HOLD),
        resume=Transition(State.TALKING, Effect.RESUME),
        transfer=Transition(State.ENDED, Effect.MOVE),
        handed_on=Transition(State.RINGING, Effect.HAND_ON),
        talks_already=Transition(State.TALKING, Effect.HAND_ON),
        queue=Transition(State.RINGING, Effect.QUEUE),
        leave_queue=Transition(State.RINGING, Effect.LEAVE_QUEUE),
        abandon=Transition(State.ENDED, Effect.ABANDON),
        leg_ended=Transition(State.RINGING, Effect.LEAVE),
        rings_on=Transition(State.RINGING, Effect.LEAVE),
        waits_on=Transition(State.WAITING, Effect.LEAVE),
        end=Transition(State.ENDED, Effect.CLOSE),
        taken_elsewhere=Transition(State.ELSEWHERE, Effect.ELSEWHERE),
        fell_silent=Transition(State.ENDED, Effect.SILENCE),
        no_end=Transition(State.LOST, Effect.GIVE_UP),
        marked_over=Transition(State.OVER, Effect.MARK),
        **_noted(State.RINGING),
    ),
    # Told to have been taken elsewhere, it is still spoken at here: an attended transfer.
    **_row(
        State.TALKING,
        start=Transition(State.TALKING, Effect.ADD_START),
        rings_too=Transition(State.TALKING, Effect.ADD_LEG),
        answer=Transition(State.TALKING, Effect.ADD_ANSWER),
        hold=Transition(State.TALKING, Effect.HOLD),
        resume=Transition(State.TALKING, Effect.RESUME),
        transfer=Transition(State.ENDED, Effect.MOVE),
        handed_on=Transition(State.RINGING, Effect.HAND_ON),
        talks_already=Transition(State.TALKING, Effect.HAND_ON),
        queue=Transition(State.TALKING, Effect.ADD_QUEUE),
        leave_queue=Transition(State.TALKING, Effect.LEAVE_QUEUE),
        abandon=Transition(State.TALKING, Effect.REPEAT),
        leg_ended=Transition(State.TALKING, Effect.LEAVE),
        rings_on=Transition(State.RINGING, Effect.LEAVE),
        waits_on=Transition(State.WAITING, Effect.LEAVE),
        end=Transition(State.ENDED, Effect.CLOSE),
        fell_silent=Transition(State.ENDED, Effect.SILENCE),
        no_end=Transition(State.LOST, Effect.GIVE_UP),
        marked_over=Transition(State.OVER, Effect.MARK),
        **_noted(State.TALKING),
    ),
    **_row(
        State.ENDED,
        start=Transition(State.ENDED, Effect.ADD_START),
        rings_too=Transition(State.RINGING, Effect.RING_AGAIN),
        answer=Transition(State.ENDED, Effect.ADD_ANSWER),
        queue=Transition(State.ENDED, Effect.ADD_QUEUE),
        leave_queue=Transition(State.ENDED, Effect.ADD_QUEUE),
        abandon=Transition(State.ENDED, Effect.ADD_QUEUE),
        end=Transition(State.ENDED, Effect.ADD_END),
        **_heard_again(State.ENDED, *IN_A_CALL, Event.TRANSFER),
        **_noted(State.ENDED),
    ),
    **_row(
        State.LOST,
        rings_too=Transition(State.RINGING, Effect.RING_AGAIN),
        answer=Transition(State.LOST, Effect.ADD_ANSWER),
        abandon=Transition(State.ENDED, Effect.ABANDON),
        end=Transition(State.ENDED, Effect.CLOSE),
        **_heard_again(State.LOST, Event.START, *IN_A_CALL, Event.TRANSFER, Event.QUEUE, Event.LEAVE_QUEUE),
        **_noted(State.LOST),
    ),
    **_row(
        State.ELSEWHERE,
        rings_too=Transition(State.RINGING, Effect.RING_AGAIN),
        answer=Transition(State.TALKING, Effect.ANSWER),
        hold=Transition(State.TALKING, Effect.HOLD),
        resume=Transition(State.TALKING, Effect.RESUME),
        end=Transition(State.ENDED, Effect.CLOSE),
        **_heard_again(State.ELSEWHERE, Event.START, Event.TRANSFER, *QUEUEING),
        **_noted(State.ELSEWHERE),
    ),
    **_row(
        State.OVER,
        rings_too=Transition(State.RINGING, Effect.RING_AGAIN),
        answer=Transition(State.OVER, Effect.ADD_ANSWER),
        abandon=Transition(State.ENDED, Effect.ABANDON),
        end=Transition(State.ENDED, Effect.CLOSE),
        **_heard_again(State.OVER, Event.START, *IN_A_CALL, Event.TRANSFER, Event.QUEUE, Event.LEAVE_QUEUE),
        **_noted(State.OVER),
    ),
    # What the exchange reports is right: the phone rang although the appliance had said no.
    **_row(
        State.FAILED,
        start=Transition(State.RINGING, Effect.RING),
        rings_too=Transition(State.RINGING, Effect.RING_AGAIN),
        answer=Transition(State.TALKING, Effect.ANSWER),
        hold=Transition(State.TALKING, Effect.HOLD),
        resume=Transition(State.TALKING, Effect.RESUME),
        end=Transition(State.ENDED, Effect.CLOSE),
        **_heard_again(State.FAILED, Event.TRANSFER, *QUEUEING),
        **_noted(State.FAILED),
    ),
}
GOING_ON = (State.WAITING, State.RINGING, State.TALKING)
"""What an exchange told of and has not ended."""
OPEN = (State.ORDERED, *GOING_ON)
STATES: Mapping[str, State] = {
    "ordered": State.ORDERED,
    "accepted": State.ORDERED,
    "unknown": State.ORDERED,
    "refused": State.FAILED,
    "unreachable": State.FAILED,
    "noted": State.NOTED,
    "waiting": State.WAITING,
    "ringing": State.RINGING,
    "talking": State.TALKING,
    "ended": State.ENDED,
    "lost": State.LOST,
    "elsewhere": State.ELSEWHERE,
    "over": State.OVER,
}
"""What is known of a call, by its status in the log: an order's outcome says nothing yet of the call itself."""


def after(state: State, event: Event) -> Transition:
    """Return what ``event`` does to a call in ``state``."""
    return TABLE[state, event]
