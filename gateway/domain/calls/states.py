"""What an event does to a call: one table of states and events. ``docs/pairing.md`` shows it.

Exchanges repeat events, lose them, send them late or in the wrong order, and most give no id of the call. So an event
first *finds* its call (``pairing.py``); then ``TABLE`` says what it does to a call in that state, and the rule book
(``book.py``) does it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """What is known of a call. *None* means that there is no call yet."""

    NONE = "none"
    ORDERED = "ordered"
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
    """

    ORDER = "order"
    ACCEPTED = "accepted"
    FAILED = "failed"
    START = "start"
    ANSWER = "answer"
    TRANSFER = "transfer"
    END = "end"
    TAKEN_ELSEWHERE = "taken elsewhere"
    NO_END = "no end"
    MARKED_OVER = "marked over"


class Effect(StrEnum):
    """What an event does to the call that it found."""

    OPEN = "a new call"
    ACCEPT = "the appliance took it"
    RING = "the ordered call rings"
    REPEAT = "heard again: nothing new"
    ADD_START = "its start is added"
    ANSWER = "it is answered"
    ADD_ANSWER = "its answer is added"
    MOVE = "it goes on at another extension"
    CLOSE = "it ends"
    ADD_END = "heard again: a recording or duration is added"
    ELSEWHERE = "another extension of its group took it"
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


TABLE: Mapping[tuple[State, Event], Transition] = {
    **_row(
        State.NONE,
        order=Transition(State.ORDERED, Effect.OPEN),
        start=Transition(State.RINGING, Effect.OPEN),
        answer=Transition(State.TALKING, Effect.OPEN),
        transfer=Transition(State.RINGING, Effect.OPEN),
        end=Transition(State.ENDED, Effect.OPEN),
    ),
    **_row(
        State.ORDERED,
        accepted=Transition(State.ORDERED, Effect.ACCEPT),
        failed=Transition(State.FAILED, Effect.FAIL),
        start=Transition(State.RINGING, Effect.RING),
        answer=Transition(State.TALKING, Effect.ANSWER),
        transfer=Transition(State.ENDED, Effect.MOVE),
        end=Transition(State.ENDED, Effect.CLOSE),
        marked_over=Transition(State.OVER, Effect.MARK),
    ),
    **_row(
        State.RINGING,
        start=Transition(State.RINGING, Effect.REPEAT),
        answer=Transition(State.TALKING, Effect.ANSWER),
        transfer=Transition(State.ENDED, Effect.MOVE),
        end=Transition(State.ENDED, Effect.CLOSE),
        taken_elsewhere=Transition(State.ELSEWHERE, Effect.ELSEWHERE),
        no_end=Transition(State.LOST, Effect.GIVE_UP),
        marked_over=Transition(State.OVER, Effect.MARK),
    ),
    # Told to have been taken elsewhere, it is still spoken at here: an attended transfer.
    **_row(
        State.TALKING,
        start=Transition(State.TALKING, Effect.ADD_START),
        answer=Transition(State.TALKING, Effect.ADD_ANSWER),
        transfer=Transition(State.ENDED, Effect.MOVE),
        end=Transition(State.ENDED, Effect.CLOSE),
        no_end=Transition(State.LOST, Effect.GIVE_UP),
        marked_over=Transition(State.OVER, Effect.MARK),
    ),
    **_row(
        State.ENDED,
        start=Transition(State.ENDED, Effect.ADD_START),
        answer=Transition(State.ENDED, Effect.ADD_ANSWER),
        transfer=Transition(State.ENDED, Effect.REPEAT),
        end=Transition(State.ENDED, Effect.ADD_END),
    ),
    **_row(
        State.LOST,
        start=Transition(State.LOST, Effect.REPEAT),
        answer=Transition(State.LOST, Effect.ADD_ANSWER),
        transfer=Transition(State.LOST, Effect.REPEAT),
        end=Transition(State.ENDED, Effect.CLOSE),
    ),
    **_row(
        State.ELSEWHERE,
        start=Transition(State.ELSEWHERE, Effect.REPEAT),
        answer=Transition(State.TALKING, Effect.ANSWER),
        transfer=Transition(State.ELSEWHERE, Effect.REPEAT),
        end=Transition(State.ENDED, Effect.CLOSE),
    ),
    **_row(
        State.OVER,
        start=Transition(State.OVER, Effect.REPEAT),
        answer=Transition(State.OVER, Effect.ADD_ANSWER),
        transfer=Transition(State.OVER, Effect.REPEAT),
        end=Transition(State.ENDED, Effect.CLOSE),
    ),
    # What the exchange reports is right: the phone rang although the appliance had said no.
    **_row(
        State.FAILED,
        start=Transition(State.RINGING, Effect.RING),
        answer=Transition(State.TALKING, Effect.ANSWER),
        transfer=Transition(State.FAILED, Effect.REPEAT),
        end=Transition(State.ENDED, Effect.CLOSE),
    ),
}
OPEN = (State.ORDERED, State.RINGING, State.TALKING)
STATES: Mapping[str, State] = {
    "ordered": State.ORDERED,
    "accepted": State.ORDERED,
    "unknown": State.ORDERED,
    "refused": State.FAILED,
    "unreachable": State.FAILED,
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
