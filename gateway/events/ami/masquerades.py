"""Channels that take each other's place: how Asterisk 11 and before transfer, park, pick up and shorten wires.

There a channel *Original* gets the party of another, *Clone*: its id, its call and its bridge stay, its name and who is
behind it are the other's, which is hung up as ``<ZOMBIE>``. Read of in public recordings; none was run.
"""

from collections.abc import Callable, Mapping

from gateway.events.ami.heard import HeardBlock
from gateway.events.ami.state import AmiChannel
from gateway.events.ami.transfers import joins


def takes_place(heard: HeardBlock) -> None:
    """Note that the party of *Clone* has the channel *Original* now; who was behind that is there no more."""
    board = heard.life.board
    place, party = board.by_name.get(heard.get("Original")), board.by_name.get(heard.get("Clone"))
    if place is None or party is None or place is party:
        return
    if is_ringing(place) and party.is_phone:
        picks_up(heard, party, place)
    else:
        heard.life.join(place.call, party.call, heard.moment)
        heard.life.leaves(place)
    move_leg(party, place)
    board.put_in_place(party, place)
    heard.life.joined(place, heard.moment)


def is_ringing(channel: AmiChannel) -> bool:
    leg = channel.call.legs.get(channel.extension)
    return leg is not None and channel.uniqueid in leg.ringing


def picks_up(heard: HeardBlock, picker: AmiChannel, target: AmiChannel) -> None:
    """Note that ``picker`` has a call that rang at ``target``: its own call, to a feature code, is none."""
    heard.life.join(picker.call, target.call, heard.moment)
    target.picked_up = picker.was_called = True
    heard.life.ring_is_over(target, "", heard.moment, heard.at)


def move_leg(party: AmiChannel, place: AmiChannel) -> None:
    """Let the leg of an extension that gets another channel go on with that."""
    leg = party.call.legs.get(party.extension)
    for ids in (leg.ringing, leg.up) if leg is not None else ():
        if party.uniqueid in ids:
            ids.discard(party.uniqueid)
            ids.add(place.uniqueid)


def transferred_by_sip(heard: HeardBlock) -> None:
    """Note a transfer by chan_sip: of an attended one the two channels of who transfers are named."""
    first, second = heard.channel(), heard.channel("Target")
    if first is None or second is None or first.handed_on:
        return
    if heard.get("TransferType") == "Attended":
        joins(heard, first, second, partner(heard, first), partner(heard, second))
    elif first.is_phone:
        heard.life.hands_on(first, heard.moment, heard.at)


def partner(heard: HeardBlock, channel: AmiChannel) -> AmiChannel | None:
    """Return with whom the party of ``channel`` speaks, else whom it lets ring."""
    others = [each for each in heard.life.board.parties(channel) if each is not channel]
    called = (each for each in channel.call.channels.values() if each.is_party and each.was_called)
    return next((each for each in (*others, *called) if each is not channel), None)


HANDLERS: Mapping[str, Callable[[HeardBlock], None]] = {
    "Masquerade": takes_place,
    "Transfer": transferred_by_sip,
}
