"""What a screen shows of calls: those going on, an agent's last ones, and what came before a call."""

from collections.abc import Sequence

from gateway.desk.context import Visit
from gateway.desk.formats import is_diallable
from gateway.domain.calls.pairing import LONGEST_RING_MS
from gateway.domain.messages import Direction
from gateway.store.calls import CallFilter, LoggedCall

LONGEST_SHOWN_MS = 2 * 3600 * 1000
"""Some exchanges never say that a call ended: an older one is not shown as going on."""
AT_ONCE = 8


def going_on(visit: Visit) -> Sequence[LoggedCall]:
    """Return the agent's calls that were not hung up yet, newest first."""
    since = visit.at - LONGEST_SHOWN_MS
    recent = of_extension(visit, since=since, limit=50)
    return [call for call in recent if _goes_on(call, visit.at)][:AT_ONCE]


def of_extension(visit: Visit, *, since: int | None = None, limit: int = 12) -> Sequence[LoggedCall]:
    """Return the last calls of the agent's extension, internal ones of either side included, newest first."""
    mine, calls = visit.me.extension, visit.services.calls
    own = calls.recent(visit.tenant, CallFilter(extension=mine, since=since), limit=limit)
    internal = CallFilter(number=mine, direction=Direction.INTERNAL, since=since)
    other = [call for call in calls.recent(visit.tenant, internal, limit=limit) if call.number == mine]
    both = {call.id: call for call in (*own, *other)}
    return [both[call_id] for call_id in sorted(both, reverse=True)][:limit]


def before(visit: Visit, call: LoggedCall, *, limit: int = 3) -> Sequence[LoggedCall]:
    """Return the last calls with the same account, or with the same number if nobody owns it."""
    if call.direction == Direction.INTERNAL or not (call.account_id or is_diallable(call.number)):
        return []
    wanted = CallFilter(account_id=call.account_id, before_id=call.id)
    if not call.account_id:
        wanted = CallFilter(number=call.number, before_id=call.id)
    return visit.services.calls.recent(visit.tenant, wanted, limit=limit)


def _goes_on(call: LoggedCall, at: int) -> bool:
    """Return whether ``call`` may still go on. An order of which the exchange never says more is over when its call can
    no longer be ringing.
    """
    if call.ended_at is not None or not call.may_be_marked_over:
        return False
    return call.status in ("ringing", "talking") or abs(at - call.logged_at) < LONGEST_RING_MS
