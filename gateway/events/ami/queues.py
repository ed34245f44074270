"""Callers who wait in queues, and the agents of these queues."""

from collections.abc import Callable, Mapping

from gateway.domain.messages import AgentState, Direction
from gateway.events.ami.heard import HeardBlock
from gateway.events.ami.settings import SETTLE_MS


def caller_enters(heard: HeardBlock) -> None:
    channel = heard.channel()
    if channel is None:
        return
    call, life = channel.call, heard.life
    life.drop_handoff(call)
    if call.gave_up_due is not None:
        life.queue_is_left(call, call.left_queue_at, abandoned=False)
    if call.is_queued and call.queue == heard.get("Queue"):
        return
    if call.direction is None:
        call.direction = Direction.INTERNAL if call.owner else Direction.INCOMING
        call.number = call.number or channel.number
    call.queue, call.is_queued, call.up_after_ring = heard.get("Queue"), True, False
    life.tell.enters_queue(call, heard.moment)
    life.memory_changed = True


def caller_gives_up(heard: HeardBlock) -> None:
    """Note that a caller left a queue in vain; the same event tells that the queue gave up (recorded).

    Who hung up was asked to just before; else the cause of the hang-up tells, if one comes at once.
    """
    channel = heard.channel()
    if channel is None or not channel.call.is_queued:
        return
    channel.call.left_queue_at = heard.moment
    if channel.hangup_asked:
        heard.life.queue_is_left(channel.call, heard.moment, abandoned=True)
    else:
        channel.call.gave_up_due = heard.at + SETTLE_MS
        heard.life.waits(channel.call)


def caller_leaves(heard: HeardBlock) -> None:
    channel = heard.channel()
    if channel is not None and channel.call.gave_up_due is None:
        heard.life.queue_is_left(channel.call, heard.moment, abandoned=False)


def member_changes(heard: HeardBlock) -> None:
    """Tell what a queue says of one of its agents."""
    state = MEMBER_STATES.get(heard.block.event)
    if state is None:
        state = AgentState.PAUSE if heard.get("Paused") == "1" else AgentState.READY
    interface = heard.get("Interface") or heard.get("Location")
    extension = heard.life.settings.rules.interface(interface)
    name, reason = heard.get("MemberName"), heard.get("PausedReason") or heard.get("Reason")
    if extension or (name and not heard.life.settings.is_shared):
        shown = reason if state is AgentState.PAUSE else ""
        heard.life.tell.agent(extension, name, state, heard.get("Queue"), shown, heard.moment)


MEMBER_STATES = {"QueueMemberAdded": AgentState.LOGIN, "QueueMemberRemoved": AgentState.LOGOUT}
HANDLERS: Mapping[str, Callable[[HeardBlock], None]] = {
    "QueueCallerJoin": caller_enters,
    "QueueCallerAbandon": caller_gives_up,
    "QueueCallerLeave": caller_leaves,
    "QueueMemberAdded": member_changes,
    "QueueMemberRemoved": member_changes,
    "QueueMemberPause": member_changes,
}
