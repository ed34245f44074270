"""What goes on at an exchange when it is heard again, against what was known of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.domain.messages import Direction
from gateway.events.ami.channels import Channels
from gateway.events.ami.dialling import RINGING, is_agents_leg
from gateway.events.ami.endings import ANSWER, NO_ANSWER
from gateway.events.ami.life import CallLife
from gateway.events.ami.state import AmiCall, AmiChannel, LegEnding
from gateway.events.ami.stream import AmiBlock
from gateway.events.ami.talking import CONFERENCE, PARKING
from gateway.events.ami.telling import ENDED_UNHEARD


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The exchange's answers to ``CoreShowChannels``, ``QueueStatus`` (its QueueEntry) and ``ParkedCalls``.

    ``asked_at`` is when the first was asked, in milliseconds: channels seen since then may be missing in it.
    """

    channels: Sequence[AmiBlock]
    queue_entries: Sequence[AmiBlock] = ()
    parked: Sequence[AmiBlock] = ()
    asked_at: int = 0


def take_up(life: CallLife, channels: Channels, snapshot: Snapshot, moment: int, memory: Mapping[str, Any]) -> None:
    """Take up the calls of ``snapshot``, and close what is not in it, whoever knew of it."""
    at = life.tell.at
    forget_told_elsewhere(life, memory)
    there = {block.get("Uniqueid") for block in snapshot.channels}
    close_missing(life, there, snapshot.asked_at, moment)
    seen = [(block, channel) for block in snapshot.channels if (channel := channels.get(block, "", moment, at))]
    recall(life, memory, moment)
    put_in_queues(life, snapshot.queue_entries, moment)
    parked = {block.get("ParkeeUniqueid") or block.get("Uniqueid") for block in snapshot.parked}
    for block, channel in seen:
        channel.state = block.get("ChannelState") or channel.state
        put_in_bridge(life, block, channel, parked=channel.uniqueid in parked)
    for _, channel in seen:
        take_up_channel(life, channel, moment, at)
    for call in {id(channel.call): channel.call for _, channel in seen}.values():
        close_left_legs(life, call, moment, at)


def forget_told_elsewhere(life: CallLife, memory: Mapping[str, Any]) -> None:
    """Forget, without a word, the calls whose end another process has told since this one was the last to remember."""
    told = memory.get("calls")
    if life.memory_changed or not isinstance(told, Mapping):
        return
    for call in list(life.board.open_calls()):
        if call.told and not call.abandoned and call.ref not in told:
            life.board.forget(call)
            life.waiting.pop(id(call), None)


def close_missing(life: CallLife, there: set[str], asked_at: int, moment: int) -> None:
    """Forget the channels that were there before the exchange was asked and are not any more."""
    for channel in list(life.board.channels.values()):
        if channel.uniqueid in there or channel.seen_at >= asked_at:
            continue
        call = channel.call
        life.leaves(channel)
        life.board.remove(channel)
        if not call.channels:
            life.finish(call, moment, lost=True)


def put_in_queues(life: CallLife, entries: Sequence[AmiBlock], moment: int) -> None:
    waiting = {block.get("Uniqueid"): block.get("Queue") for block in entries}
    for call in {id(each): each for each in life.board.calls.values()}.values():
        queue = next((waiting[each] for each in call.channels if each in waiting), "")
        if call.is_queued and not queue:
            life.queue_is_left(call, moment, abandoned=False)
        elif queue and not call.is_queued:
            caller = next(channel for uniqueid, channel in call.channels.items() if uniqueid in waiting)
            if call.direction is None:
                call.direction = Direction.INTERNAL if call.owner else Direction.INCOMING
            call.queue, call.is_queued, call.number = queue, True, call.number or caller.number
            life.tell.enters_queue(call, moment)


def close_left_legs(life: CallLife, call: AmiCall, moment: int, at: int) -> None:
    """Tell that a call is over at extensions that have no channel of it any more."""
    if any(life.board.kind_of_bridge(channel) == CONFERENCE for channel in call.channels.values()):
        return  # its leg is the conference's
    for leg in call.legs.values():
        if leg.told and not leg.is_open and leg.ending is None and call.handoff is None:
            result = ANSWER if leg.answered else NO_ANSWER
            leg.ending = LegEnding(at, moment, result, ENDED_UNHEARD)
            life.flush(call, leg)


def put_in_bridge(life: CallLife, block: AmiBlock, channel: AmiChannel, *, parked: bool) -> None:
    bridge = block.get("BridgeId") or block.get("BridgeID")
    if bridge and bridge != channel.bridge:
        life.board.enter(channel, bridge, PARKING if parked else kind_of(block))
    elif not bridge:
        life.board.leave(channel)


def kind_of(block: AmiBlock) -> str:
    """Return the type of the bridge that a channel is in, by the application that put it there."""
    return {"Park": PARKING, "ConfBridge": CONFERENCE}.get(block.get("Application"), "basic")


def take_up_channel(life: CallLife, channel: AmiChannel, moment: int, at: int) -> None:
    call = channel.call
    if channel.is_phone and channel.state == RINGING and not is_agents_leg(call, channel):
        life.rings(channel, moment, at)
        leg = call.leg(channel.extension)
        if leg.due is not None:
            leg.due = None
            life.tell.starts(call, leg, moment, anew=False)
        return
    known = call.legs.get(channel.extension)
    if known is not None and known.told and not channel.handed_on:
        known.up.add(channel.uniqueid)
    if life.board.kind_of_bridge(channel) == "basic":
        life.joined(channel, moment)


# what another process remembers


def remembered(life: CallLife) -> dict[str, Any]:
    """Return the calls that others have been told of, by their ids, with where they are."""
    return {"calls": {call.ref: facts_of(call) for call in life.board.open_calls() if call.told and not call.abandoned}}


def facts_of(call: AmiCall) -> list[Any]:
    """Return what has to be known of a call to tell its end: direction, number, owner, answered, legs."""
    legs = {leg.extension: leg.answered for leg in call.legs.values() if leg.told}
    direction = call.direction.value if call.direction else None
    return [direction, call.number, call.owner, call.answered, legs, call.queue if call.is_queued else ""]


def recall(life: CallLife, memory: Mapping[str, Any], moment: int) -> None:
    """Take over what another process has told: of calls that go on, what is known of them, of others the end."""
    told = memory.get("calls")
    for ref, facts in told.items() if isinstance(told, Mapping) else ():
        if not isinstance(facts, Sequence) or len(facts) != 6 or ref in life.board.over:
            continue
        call = life.board.calls.get(ref)
        if call is None:
            call = AmiCall(ref, moment, moment, {ref})
            restore(call, facts)
            life.finish(call, moment, lost=True)
        elif not call.told:
            restore(call, facts)


def restore(call: AmiCall, facts: Sequence[Any]) -> None:
    direction, number, owner, answered, legs, queue = facts
    call.direction = Direction(direction) if direction in list(Direction) else call.direction
    call.number, call.owner, call.answered, call.told = str(number), str(owner), bool(answered), True
    call.queue, call.is_queued = str(queue), bool(queue)
    for extension, talks in legs.items() if isinstance(legs, Mapping) else ():
        leg = call.leg(str(extension))
        leg.told, leg.answered = True, bool(talks)
