"""Who speaks with whom, by the bridges that channels enter and leave; holds; conferences."""

from collections.abc import Callable, Mapping

from gateway.domain.messages import Direction
from gateway.events.ami.heard import HeardBlock
from gateway.events.ami.state import AmiChannel

CONFERENCE, PARKING = "base", "parking"


def enters_bridge(heard: HeardBlock) -> None:
    """Note who is in a bridge: two parties in one speak; one that another replaces is there no more."""
    channel = heard.channel()
    if channel is None:
        return
    replaced = heard.life.board.channels.get(heard.get("SwapUniqueid"))
    if replaced is not None and replaced is not channel:
        heard.life.board.leave(replaced)
    heard.life.board.enter(channel, heard.get("BridgeUniqueid"), heard.get("BridgeType") or "basic")
    kind = heard.life.board.kind_of_bridge(channel)
    if kind == CONFERENCE:
        enters_conference(heard, channel)
    elif kind != PARKING:
        heard.life.joined(channel, heard.moment)


def enters_conference(heard: HeardBlock, channel: AmiChannel) -> None:
    """Note that a caller came into a conference: the calls of its members stay calls of their own, at its number."""
    if not channel.is_party:
        return
    call, life = channel.call, heard.life
    number = heard.get("BridgeName") if heard.get("BridgeCreator") == "ConfBridge" else channel.exten
    if call.direction is None:
        call.direction = Direction.INTERNAL
        call.owner = call.owner or channel.extension
    leg = call.leg(number)
    leg.up.add(channel.uniqueid)
    if not leg.told:
        life.tell.starts(call, leg, heard.moment)
        life.memory_changed = True
    members = [each for each in life.board.bridges[channel.bridge or ""].members.values() if each.is_party]
    for member in members if len(members) > 1 else ():
        theirs = member.call.leg(number)
        if theirs.told and not theirs.answered:
            life.tell.answers(member.call, theirs, heard.moment)


def leaves_bridge(heard: HeardBlock) -> None:
    """Note that a channel left its bridge; it may enter another in the same moment, so nothing ends by this."""
    channel = heard.channel()
    if channel is not None and channel.bridge == heard.get("BridgeUniqueid"):
        heard.life.board.leave(channel)


def holds(heard: HeardBlock) -> None:
    put_on_hold(heard, held=True)


def resumes(heard: HeardBlock) -> None:
    put_on_hold(heard, held=False)


def put_on_hold(heard: HeardBlock, *, held: bool) -> None:
    """Note a hold by one of our extensions, or its end; what the outside party does is nothing to the agent."""
    channel = heard.channel()
    leg = channel.call.legs.get(channel.extension) if channel is not None and channel.is_phone else None
    if channel is None or leg is None or not leg.answered or leg.held is held:
        return
    leg.held = held
    heard.life.tell.holds(channel.call, leg, heard.moment)


HANDLERS: Mapping[str, Callable[[HeardBlock], None]] = {
    "BridgeEnter": enters_bridge,
    "BridgeLeave": leaves_bridge,
    "Hold": holds,
    "Unhold": resumes,
}
