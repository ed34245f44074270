"""Channels that come, ring, are answered or refused, and go."""

from collections.abc import Callable, Mapping

from gateway.domain.messages import Direction
from gateway.events.ami.channels import RING, UNKNOWN, called_at, calls_now, variables_in
from gateway.events.ami.endings import result_of, result_of_order
from gateway.events.ami.heard import HeardBlock
from gateway.events.ami.state import AmiCall, AmiChannel

DOWN, RINGING, UP = "0", "5", "6"
SAME_TEARDOWN_MS = 1_000
"""Of several sides that are asked to hang up within this time the first hung up."""


def channel_begins(heard: HeardBlock) -> None:
    heard.channel()


def dial_begins(heard: HeardBlock) -> None:
    """Note that a channel calls another, or that a program has one called: then there is no channel that calls."""
    source = heard.channel() if heard.get("Channel") else None
    called = heard.channel("Dest")
    if called is None or called.result or called.state == UP:
        return
    called.was_called = True
    called.dialled = dialled_in(heard)
    if source is not None and not heard.get("DestLinkedid"):
        heard.life.join(called.call, source.call, heard.moment)
    call = called.call
    call.originated = call.originated or source is None
    called_at(call, variables_in(heard.block).get("FROM_DID", ""), heard.life.settings)
    if source is not None and call.gave_up_due is not None:
        heard.life.queue_is_left(call, call.left_queue_at, abandoned=False)
    if called.is_phone and is_agents_leg(call, called):
        call.owner = called.extension
    elif called.is_phone:
        heard.life.rings(called, heard.moment, heard.at)
    elif called.is_trunk:
        heard.life.dials_out(called, heard.moment)


def is_agents_leg(call: AmiCall, called: AmiChannel) -> bool:
    """Return whether a program has the extension called that is to speak: the first one of an ordered call."""
    return call.originated and call.direction is None and call.owner in ("", called.extension)


def dialled_in(heard: HeardBlock) -> str:
    """Return the number that was dialled to reach a channel."""
    number = heard.get("DestCallerIDNum")
    return heard.get("DialString").split("@")[0].split("/")[-1] if number in UNKNOWN else number


def dial_ends(heard: HeardBlock) -> None:
    """Note how a channel answered; this may come twice (of queues), or never."""
    called = heard.channel("Dest")
    if called is None:
        return
    status = heard.get("DialStatus")
    if status == "ANSWER":
        answers(called)
        return
    called.result = called.result or status
    called.forwarded = called.forwarded or bool(heard.get("Forward"))
    is_over(heard, called, "")


def answers(channel: AmiChannel) -> None:
    channel.state = UP
    leg = channel.call.legs.get(channel.extension)
    if leg is not None and channel.uniqueid in leg.ringing:
        leg.ringing.discard(channel.uniqueid)
        leg.up.add(channel.uniqueid)


def is_over(heard: HeardBlock, channel: AmiChannel, cause: str) -> None:
    """Note that a channel rings or talks no more."""
    call = channel.call
    if channel.is_phone:
        heard.life.ring_is_over(channel, cause, heard.moment, heard.at)
    if channel.is_trunk and channel.was_called and call.direction is Direction.OUTGOING and not call.answered:
        call.result, call.cause = result_of(channel.result, cause), cause or call.cause


def state_changes(heard: HeardBlock) -> None:
    """Note that a phone rings or was answered; or that the caller speaks with a machine, as nobody took the call."""
    channel, state = heard.channel(), heard.get("ChannelState")
    if channel is None:
        return
    if state == RINGING and channel.is_phone and channel.state != UP:
        phone_rings(heard, channel)
    elif state == UP:
        goes_up(channel)
    elif state == RING and channel.state == DOWN:
        calls_now(channel, heard.life.settings)
    channel.state = state or channel.state


def phone_rings(heard: HeardBlock, channel: AmiChannel) -> None:
    call = channel.call
    if channel.result or channel.handed_on:
        return
    if is_agents_leg(call, channel):
        call.owner = channel.extension
        return
    if call.originated and call.owner == channel.extension:
        return
    heard.life.rings(channel, heard.moment, heard.at)
    leg = call.leg(channel.extension)
    if leg.due is not None:
        heard.life.tell_ring(call, leg)


def goes_up(channel: AmiChannel) -> None:
    call, was_up = channel.call, channel.state == UP
    answers(channel)
    rang_in_vain = bool(call.legs) and not any(leg.is_open for leg in call.legs.values())
    if channel.is_trunk and not channel.was_called and not was_up and rang_in_vain:
        call.up_after_ring = True


def hangup_is_asked(heard: HeardBlock) -> None:
    """Note which side hung up: that of this event's channel (recorded)."""
    channel = heard.channel()
    if channel is None or channel.handed_on or not channel.is_party:
        return
    channel.hangup_asked = True
    call = channel.call
    if heard.moment - call.hung_up_at > SAME_TEARDOWN_MS:
        side = "callee" if channel.was_called else "caller"
        call.hung_up_by, call.hung_up_at = channel.extension or side, heard.moment


def hangs_up(heard: HeardBlock) -> None:
    """Note that a channel is gone; with its last one a call is over."""
    if heard.channels.known(heard.block) is None:
        return
    channel = heard.channel()
    if channel is None:
        return
    call, cause = channel.call, heard.get("Cause")
    if not channel.handed_on:
        is_over(heard, channel, cause)
    if channel.is_party and not call.cause:
        call.cause = cause
    heard.life.board.remove(channel)
    if call.gave_up_due is not None and channel.is_trunk and not channel.was_called:
        heard.life.queue_is_left(call, call.left_queue_at, abandoned=cause in ("0", "127"))
    if not call.channels:
        heard.life.finish(call, heard.moment)


def order_is_settled(heard: HeardBlock) -> None:
    """Note that an ordered call did not begin: its extension did not answer, or could not be called."""
    uniqueid, board = heard.get("Uniqueid"), heard.life.board
    if heard.get("Response") != "Failure" or uniqueid in board.gone:
        return
    result = result_of_order(heard.get("Reason"))
    call = board.calls.get(uniqueid)
    if call is not None:
        call.result = result
    elif uniqueid.startswith(heard.life.settings.order_prefix):
        call = AmiCall(uniqueid, heard.at, heard.at, {uniqueid}, direction=Direction.OUTGOING, result=result)
        call.owner = heard.life.settings.rules.interface(heard.get("Channel"))
        board.gone.add(uniqueid)
        heard.life.finish(call, heard.moment)


HANDLERS: Mapping[str, Callable[[HeardBlock], None]] = {
    "Newchannel": channel_begins,
    "Newstate": state_changes,
    "DialBegin": dial_begins,
    "DialEnd": dial_ends,
    "HangupRequest": hangup_is_asked,
    "Hangup": hangs_up,
    "OriginateResponse": order_is_settled,
}
