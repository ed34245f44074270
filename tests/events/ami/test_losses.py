"""What a stream loses, repeats or mixes up: no error, no call that never was, none that goes on for ever."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.calls.call import Call
from gateway.domain.calls.direction import Sides, tell_sides
from gateway.domain.calls.heard import (
    HeardEvent,
    heard_answer,
    heard_end,
    heard_hold,
    heard_queue,
    heard_start,
    heard_transfer,
)
from gateway.domain.calls.states import GOING_ON
from gateway.domain.messages import (
    CallAnswered,
    CallEnded,
    CallHeld,
    CallMessage,
    CallResumed,
    CallStarted,
    CallTransferred,
    QueueEntered,
    QueueLeft,
)
from gateway.domain.numbering.numbers import read
from gateway.events.ami.interpreter import AmiInterpreter
from gateway.events.ami.resync import Snapshot
from gateway.events.ami.telling import Told
from tests.domain.calls.ledger import PLAN, Ledger
from tests.events.ami.playing import BASE, NAMES, SETTINGS, Timed, play, recorded

HUGE = ("forward_302_loop", "out_causes")
SMALL = [name for name in NAMES if name not in HUGE]
LATER = 3_600_000


def channels_of(event: Timed) -> set[str]:
    """The ids of the channels that an event names."""
    names = ("Uniqueid", "DestUniqueid", "TransfererUniqueid", "TransfereeUniqueid", "ParkeeUniqueid", "TargetUniqueid")
    return {uniqueid for name in names if (uniqueid := event.block.get(name))}


def refs_of(events: Sequence[Timed]) -> set[str]:
    """The ids of calls in a recording: each call that is told of has one of these."""
    names = ("Linkedid", "DestLinkedid", "Uniqueid")
    return {ref for event in events for name in names if (ref := event.block.get(name))}


def without(events: Sequence[Timed], lost: int) -> list[Timed]:
    return [*events[:lost], *events[lost + 1 :]]


def check(events: Sequence[Timed], damaged: Sequence[Timed]) -> list[Told]:
    """Play what was damaged, then let the exchange say that nothing goes on there."""
    interpreter = AmiInterpreter(SETTINGS)
    told = play(damaged, interpreter)
    last = BASE + events[-1].after_ms + LATER
    told += interpreter.tick(last)
    told += interpreter.resync(Snapshot([], asked_at=last), last)
    assert interpreter.open_calls == 0
    assert interpreter.tick(last + LATER) == []
    refs, last_of = refs_of(events), {each.call_ref: each for each in told if isinstance(each, CallMessage)}
    for ref, message in last_of.items():
        assert ref in refs
        assert is_whole_end(message), message
    return told


def still_open(told: Sequence[Told]) -> list[Call]:
    """The calls that the rule book leaves open, of all that was told."""
    ledger = Ledger()
    for message in told:
        if isinstance(message, CallMessage):
            ledger.hear(heard_in(message))
    return [call for call in ledger.calls.values() if call.state in GOING_ON]


def heard_in(message: CallMessage) -> HeardEvent:
    sides = tell_sides(message.ramal, message.telefone, PLAN, message.direction)
    if isinstance(message, CallTransferred):
        return heard_transfer(message, sides, read(message.to, PLAN))
    return HEAR[type(message)](message, sides)


HEAR: Mapping[type, Callable[[Any, Sides], HeardEvent]] = {
    CallStarted: heard_start,
    CallAnswered: heard_answer,
    CallHeld: heard_hold,
    CallResumed: heard_hold,
    QueueEntered: heard_queue,
    QueueLeft: heard_queue,
    CallEnded: heard_end,
}


def of_calls(told: Sequence[Told]) -> list[Told]:
    return [message for message in told if isinstance(message, CallMessage)]


def is_whole_end(message: Told) -> bool:
    return isinstance(message, CallEnded) and message.goes_on is False


@pytest.mark.parametrize("name", SMALL)
def test_any_event_may_be_lost(name: str) -> None:
    events = recorded(name)
    for lost in range(len(events)):
        assert still_open(check(events, without(events, lost))) == []


@pytest.mark.parametrize("name", SMALL)
def test_any_event_may_come_again(name: str) -> None:
    """At once: what is told of calls is the same as without the repetition."""
    events, once = recorded(name), of_calls(play(recorded(name)))
    for again in range(len(events)):
        told = check(events, [*events[: again + 1], events[again], *events[again + 1 :]])
        assert of_calls(told) == once


@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_several_may_be_lost_repeated_and_mixed_up(data: st.DataObject) -> None:
    """Neighbours of different channels in any order, which Asterisk itself does not fix."""
    name = data.draw(st.sampled_from(SMALL))
    events = list(recorded(name))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, max(0, len(events) - 2)))
        damage(events, place, data.draw(st.sampled_from(["lose", "repeat", "swap", "late"])))
    assert still_open(check(recorded(name), events)) == []


def damage(events: list[Timed], place: int, how: str) -> None:
    if how == "lose" and len(events) > 1:
        del events[place]
    elif how == "repeat":
        events.insert(place, events[place])
    elif how == "late":
        events.append(events[place])
    elif place + 1 < len(events) and channels_of(events[place]).isdisjoint(channels_of(events[place + 1])):
        events[place : place + 2] = events[place + 1], events[place]


@pytest.mark.parametrize("name", SMALL)
def test_the_connection_may_end_at_any_moment(name: str) -> None:
    """What was open then is over, as soon as the exchange says that nothing goes on."""
    events = recorded(name)
    for heard in range(1, len(events), 3):
        check(events, events[:heard])
