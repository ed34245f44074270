"""Calls that go on elsewhere: blind and attended transfers, pickup, parking."""

from collections.abc import Callable, Mapping

from gateway.domain.messages import Direction
from gateway.events.ami.endings import PARKED
from gateway.events.ami.heard import HeardBlock
from gateway.events.ami.state import AmiCall, AmiChannel

SUCCESS = ("Success", "")


def transferred_blind(heard: HeardBlock) -> None:
    """Note that an extension handed its party on; where it goes on shows when it rings there."""
    transferer = heard.channel("Transferer")
    heard.channel("Transferee")
    if transferer is None or transferer.handed_on or heard.get("Result") not in SUCCESS:
        return
    if transferer.is_phone:
        heard.life.hands_on(transferer, heard.moment, heard.at)


def transferred_attended(heard: HeardBlock) -> None:
    """Note that an extension joined its party with another one, with whom it spoke before, or whom it let ring.

    The consultation was a call of its own, or (by Asterisk's own feature) a part of the same one.
    """
    first, second = heard.channel("OrigTransferer"), heard.channel("SecondTransferer")
    transferee, target = heard.channel("Transferee"), heard.channel("TransferTarget")
    if first is None or first.handed_on or heard.get("Result") not in SUCCESS:
        return
    joins(heard, first, second, transferee, target)


def joins(
    heard: HeardBlock,
    first: AmiChannel,
    second: AmiChannel | None,
    transferee: AmiChannel | None,
    target: AmiChannel | None,
) -> None:
    """Let two calls be one of ``transferee`` and ``target``: the party of ``first`` and ``second`` has left both."""
    for other in (second, target, transferee):
        if other is not None:
            heard.life.join(other.call, first.call, heard.moment)
    goes_on_at = party_behind(heard, first, target, transferee)
    for each in {first.uniqueid: first, **({second.uniqueid: second} if second else {})}.values():
        heard.life.leaves(each)
    if goes_on_at is None or not first.is_phone:
        return
    hands_over(heard, first.call, first.extension, outside_of(first.call, goes_on_at, transferee))


def party_behind(
    heard: HeardBlock, first: AmiChannel, target: AmiChannel | None, transferee: AmiChannel | None
) -> AmiChannel | None:
    """Return the phone or trunk that a transfer leads to: behind a Local channel the one that it rings."""
    if target is None:
        return None
    if target.is_party:
        return target
    others = (each for each in heard.life.board.parties(target) if each is not transferee)
    joined = next((each for each in others if each.extension != first.extension), None)
    if joined is not None:
        return joined
    call = first.call
    ringing = {uniqueid for leg in call.legs.values() if leg.extension != first.extension for uniqueid in leg.ringing}
    return next((call.channels[each] for each in sorted(ringing) if each in call.channels), None)


def outside_of(call: AmiCall, target: AmiChannel, transferee: AmiChannel | None) -> AmiChannel:
    """Return at which of the two sides the call is from now on: of an outside party and an extension at the latter."""
    if target.is_trunk and transferee is not None and transferee.is_phone:
        return transferee
    return target


def hands_over(heard: HeardBlock, call: AmiCall, extension: str, to: AmiChannel) -> None:
    """Tell that the call goes on with the party of ``to``."""
    life = heard.life
    if call.direction is Direction.INTERNAL and call.owner == extension:
        return
    if not to.is_phone:
        life.hands_outside(call, extension, to, heard.moment)
        return
    leg = call.leg(to.extension)
    talks = to.uniqueid in leg.up
    life.tell.hands_on(call, extension, to.extension, heard.moment, attended=talks)
    call.handoff, leg.due, leg.told, leg.answered = None, None, True, talks
    call.leg(extension).close()
    life.memory_changed = True


def picked_up(heard: HeardBlock) -> None:
    """Note that somebody took a call that rang elsewhere: the picker's own call, to a feature code, is none."""
    picker, target = heard.channel(), heard.channel("Target")
    if picker is None or target is None:
        return
    heard.life.join(picker.call, target.call, heard.moment)
    target.picked_up = True
    heard.life.ring_is_over(target, "", heard.moment, heard.at)


def parked(heard: HeardBlock) -> None:
    """Note that a call waits in a parking place, and who put it there."""
    channel = heard.channel("Parkee")
    if channel is None:
        return
    call, life = channel.call, heard.life
    if call.handoff is not None:
        life.drop_handoff(call, PARKED)
        return
    parker = life.settings.rules.interface(heard.get("ParkerDialString"))
    own = next((each for each in call.channels.values() if parker and each.extension == parker), None)
    if own is not None and own is not channel:
        life.hands_on(own, heard.moment, heard.at)
        life.drop_handoff(call, PARKED)


def retrieved(heard: HeardBlock) -> None:
    """Note that somebody takes a parked call: the retriever's own call is none."""
    channel, retriever = heard.channel("Parkee"), heard.channel("Retriever")
    if channel is not None and retriever is not None:
        heard.life.join(retriever.call, channel.call, heard.moment)


HANDLERS: Mapping[str, Callable[[HeardBlock], None]] = {
    "BlindTransfer": transferred_blind,
    "AttendedTransfer": transferred_attended,
    "Pickup": picked_up,
    "ParkedCall": parked,
    "UnParkedCall": retrieved,
}
