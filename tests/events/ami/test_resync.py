"""What goes on at the exchange when it is heard again: after a lost connection, or a restart of the gateway."""

import json
import re

from gateway.events.ami.interpreter import AmiInterpreter
from gateway.events.ami.resync import Snapshot
from gateway.events.ami.stream import AmiBlock
from gateway.events.ami.telling import Told
from tests.events.ami.playing import BASE, SETTINGS, Timed, play, recorded, settle, shown

HOUR = 3_600_000
_LINE = re.compile(r" line=\S+")
AFTER = BASE + HOUR


def snapshot(*, asked_at: int = AFTER) -> Snapshot:
    """The answers that were recorded: 3501 talks, another caller waits in queue 400, for whom 3502 rings."""
    blocks = [each.block for each in recorded("resync")]
    channels = [block for block in blocks if block.event == "CoreShowChannel"]
    return Snapshot(channels, [block for block in blocks if block.event == "QueueEntry"], asked_at=asked_at)


def lines(told: list[Told], base: int = AFTER) -> list[str]:
    return [_LINE.sub("", shown(message, base=base)) for message in told]


def until(name: str, after_ms: int) -> list[Timed]:
    return [each for each in recorded(name) if each.after_ms <= after_ms]


def empty(at: int) -> Snapshot:
    return Snapshot([], asked_at=at)


def test_calls_that_go_on_are_taken_up() -> None:
    told = AmiInterpreter(SETTINGS).resync(snapshot(), AFTER)
    assert lines(told) == [
        "+0 QueueEntered - 47988880016 incoming queue=400",
        "+0 CallAnswered 3501 47999990016 incoming",
        "+0 CallStarted 3502 47988880016 incoming queue=400",
    ]


def test_they_end_as_all_others_do() -> None:
    interpreter = AmiInterpreter(SETTINGS)
    interpreter.resync(snapshot(), AFTER)
    told = play(recorded("resync_after"), interpreter, base=AFTER)
    assert [line for line in lines(told) if "CallEnded" in line or "QueueLeft" in line] == [
        "+2 CallEnded 3501 47999990016 incoming result=ANSWER goes_on=False hung_up_by=caller",
        "+304 QueueLeft - 47988880016 incoming queue=400 abandoned=True",
        "+304 CallEnded - 47988880016 incoming queue=400 result=ABANDON goes_on=False hung_up_by=caller",
    ]
    assert interpreter.open_calls == 0


def test_a_second_answer_tells_nothing_anew() -> None:
    interpreter = AmiInterpreter(SETTINGS)
    interpreter.resync(snapshot(), AFTER)
    assert interpreter.resync(snapshot(asked_at=AFTER + 1), AFTER + 1) == []


def test_a_call_that_ended_meanwhile_is_over() -> None:
    interpreter = AmiInterpreter(SETTINGS)
    play(until("in_answer_callerhang", 1_500), interpreter)
    assert lines(interpreter.resync(empty(AFTER), AFTER)) == [
        "+0 CallEnded 3501 47999990016 incoming result=ANSWER cause=ended while disconnected goes_on=False"
    ]


def test_of_one_that_rang_only_nobody_knows_how_it_ended() -> None:
    interpreter = AmiInterpreter(SETTINGS)
    play(until("in_answer_callerhang", 100), interpreter)
    assert lines(interpreter.resync(empty(AFTER), AFTER)) == [
        "+0 CallEnded 3501 47999990016 incoming cause=ended while disconnected goes_on=False"
    ]


def test_what_began_after_the_question_stays() -> None:
    interpreter = AmiInterpreter(SETTINGS)
    play(until("in_answer_callerhang", 100), interpreter)
    assert interpreter.resync(empty(BASE - 1), BASE + 200) == []
    assert interpreter.open_calls == 1


def test_a_leg_that_is_gone_is_over_while_its_call_goes_on() -> None:
    """3501 of a ring group hung up while nobody listened; 3502 still rings."""
    interpreter = AmiInterpreter(SETTINGS)
    play(until("ringgroup_all", 100), interpreter)
    events = [each.block for each in until("ringgroup_all", 60)]
    channels = [block for block in events if block.event == "Newchannel" and "3501" not in block.get("Channel")]
    told = interpreter.resync(Snapshot(channels, asked_at=AFTER), AFTER)
    assert [line.split(" cause=")[0] for line in lines(told)] == [
        "+0 CallEnded 3501 47999990016 incoming result=NOANSWER"
    ]
    assert interpreter.open_calls == 1


def test_a_gateway_that_was_restarted_closes_what_it_had_told() -> None:
    before = AmiInterpreter(SETTINGS)
    play(until("in_answer_callerhang", 1_500), before)
    assert before.memory_changed
    memory = json.loads(json.dumps(before.memory()))
    assert not before.memory_changed
    assert lines(AmiInterpreter(SETTINGS).resync(empty(AFTER), AFTER, memory)) == [
        "+0 CallEnded 3501 47999990016 incoming result=ANSWER cause=ended while disconnected goes_on=False"
    ]


def test_a_gateway_that_was_restarted_goes_on_with_the_rest() -> None:
    before = AmiInterpreter(SETTINGS)
    before.resync(snapshot(), AFTER)
    memory = json.loads(json.dumps(before.memory()))
    after = AmiInterpreter(SETTINGS)
    assert after.resync(snapshot(), AFTER + 5_000, memory) == []
    told = play(recorded("resync_after"), after, base=AFTER + 5_000)
    assert [type(message).__name__ for message in told] == ["CallEnded", "QueueLeft", "CallEnded"]


def test_what_another_process_has_ended_is_not_ended_again() -> None:
    """This one ran the source before, and takes it over again."""
    interpreter = AmiInterpreter(SETTINGS)
    play(until("in_answer_callerhang", 1_500), interpreter)
    interpreter.memory()
    assert interpreter.resync(empty(AFTER), AFTER, {"calls": {}}) == []
    assert interpreter.open_calls == 0


def test_what_was_told_and_not_remembered_yet_is_ended() -> None:
    """The connection was lost in the same moment."""
    interpreter = AmiInterpreter(SETTINGS)
    play(until("in_answer_callerhang", 1_500), interpreter)
    assert len(interpreter.resync(empty(AFTER), AFTER, {"calls": {}})) == 1


def test_what_ended_since_it_was_remembered_is_not_ended_again() -> None:
    interpreter = AmiInterpreter(SETTINGS)
    play(until("in_answer_callerhang", 1_500), interpreter)
    memory = interpreter.memory()
    play([each for each in recorded("in_answer_callerhang") if each.after_ms > 1_500], interpreter)
    assert interpreter.resync(empty(AFTER), AFTER, memory) == []


def test_a_memory_of_another_version_is_no_error() -> None:
    for memory in ({}, {"calls": 7}, {"calls": {"1.1": [1]}}, {"calls": {"1.1": ["up", 1, 2, 3, 4, 5]}}):
        AmiInterpreter(SETTINGS).resync(empty(AFTER), AFTER, memory)


def test_a_call_that_was_silent_for_hours_is_asked_for() -> None:
    interpreter = AmiInterpreter(SETTINGS)
    play(until("in_answer_callerhang", 1_500), interpreter)
    assert not interpreter.wants_resync(BASE + HOUR)
    assert interpreter.wants_resync(BASE + 3 * HOUR)
    interpreter.resync(empty(BASE + 3 * HOUR), BASE + 3 * HOUR)
    assert not interpreter.wants_resync(BASE + 3 * HOUR)


def test_a_call_that_still_is_there_is_not_asked_for_at_once_again() -> None:
    interpreter = AmiInterpreter(SETTINGS)
    interpreter.resync(snapshot(), AFTER)
    interpreter.resync(snapshot(asked_at=AFTER + 3 * HOUR), AFTER + 3 * HOUR)
    assert not interpreter.wants_resync(AFTER + 3 * HOUR + 1)


def test_without_an_answer_a_call_is_over_after_a_day() -> None:
    interpreter = AmiInterpreter(SETTINGS)
    play(until("in_answer_callerhang", 1_500), interpreter)
    assert interpreter.tick(BASE + 23 * HOUR) == []
    told = interpreter.tick(BASE + 25 * HOUR)
    assert [type(message).__name__ for message in told] == ["CallEnded"]
    assert interpreter.open_calls == 0
    assert interpreter.next_tick() is None


def test_two_parked_calls_are_not_one() -> None:
    """The channels of a parking lot are in one bridge."""
    parked = next(each.block for each in recorded("park_retrieve") if each.block.event == "Newchannel")
    other = next(each.block for each in recorded("in_answer_callerhang") if each.block.event == "Newchannel")
    channels = [in_bridge(block, "lot") for block in (parked, other)]
    places = [in_bridge(block, "lot", ParkeeUniqueid=block.get("Uniqueid")) for block in channels]
    interpreter = AmiInterpreter(SETTINGS)
    assert interpreter.resync(Snapshot(channels, parked=places, asked_at=AFTER), AFTER) == []
    assert interpreter.open_calls == 2


def in_bridge(block: AmiBlock, bridge: str, **more: str) -> AmiBlock:
    lines = {**block.lines, "bridgeid": [bridge], "channelstate": ["6"]}
    return AmiBlock({**lines, **{name.lower(): [value] for name, value in more.items()}})


def test_after_a_restart_of_the_exchange_every_call_is_over() -> None:
    interpreter = AmiInterpreter(SETTINGS)
    interpreter.resync(snapshot(), AFTER)
    told = interpreter.resync(empty(AFTER + 60_000), AFTER + 60_000)
    assert sum(type(message).__name__ == "CallEnded" for message in told) == 2
    assert interpreter.open_calls == 0
    assert settle(interpreter) == []
