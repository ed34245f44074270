"""What queues say of a call: since when its caller waits, for how long, and that the caller gave up."""

from gateway.domain.calls.call import Call
from gateway.domain.calls.finding import QUEUE
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.legs import is_at
from gateway.domain.calls.results import Result
from gateway.domain.calls.states import State


def queued(call: Call, heard: HeardEvent) -> Call:
    """Return ``call`` with its caller waiting in a queue, which is the one that counts from now on."""
    since = call.queued_at if call.is_queued else heard.moment
    name = heard.attached[QUEUE] or call.attached[QUEUE]
    attached = (*call.attached[:QUEUE], name, *call.attached[QUEUE + 1 :])
    return call._replace(queued_at=since, queue_left_at=None, attached=attached)


def left_queue(call: Call, heard: HeardEvent) -> Call:
    """Return ``call`` with its caller waiting no more, and for how many seconds it was."""
    return with_wait(with_queue(call, heard), heard.moment)._replace(queue_left_at=heard.moment)


def with_wait(call: Call, until: int) -> Call:
    """Return ``call`` with the wait that ended at ``until``, where its caller waited up to then."""
    if not call.is_queued:
        return call
    waited_s = max(0, round((until - (call.queued_at or until)) / 1000))
    return call._replace(queue_left_at=until, waited_s=waited_s if call.waited_s is None else call.waited_s)


def with_queue(call: Call, heard: HeardEvent) -> Call:
    """Return ``call`` with the seconds of waiting that ``heard`` tells."""
    return call if heard.waited_s is None else call._replace(waited_s=max(0, heard.waited_s))


def abandoned(call: Call, heard: HeardEvent) -> Call:
    """Return a ``call`` that has ended with what is told late: that its caller gave up, unless somebody took it."""
    told = with_queue(call, heard)
    return told if was_taken(call) else told._replace(result=Result.ABANDONED.value)


def gave_up(ended: Call, before: Call, heard: HeardEvent) -> Call:
    """Return a call that has ended; one whose caller waited in a queue and was taken by nobody was abandoned."""
    if not before.is_queued or was_taken(ended) or ended.ended_at is None:
        return ended
    if before.state is State.RINGING and is_at(before, heard.extension):
        return ended  # it may have been answered there
    waited = with_wait(ended, ended.ended_at)
    return waited._replace(result=Result.ABANDONED.value) if _says_nothing(ended, heard) else waited


def _says_nothing(ended: Call, heard: HeardEvent) -> bool:
    """Return whether the end does not say itself how the call ended; a clean hang-up alone does not."""
    if ended.result == Result.UNKNOWN:
        return True
    return ended.result == Result.ANSWERED and heard.result is None and not heard.duration_s


def was_taken(call: Call) -> bool:
    """Return whether somebody surely spoke with the caller."""
    return call.answered_at is not None or call.recording_url is not None
