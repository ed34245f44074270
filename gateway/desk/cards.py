"""What a screen shows of calls: those going on, an agent's last ones, and what came before a call."""

from collections.abc import Sequence

from gateway.desk.context import Visit
from gateway.desk.formats import is_diallable
from gateway.desk.viewpoint import TransferOrigin, origin_in_legs
from gateway.domain.calls.windows import LONGEST_RING_MS
from gateway.domain.messages import Direction
from gateway.store.calls import GOING_ON, CallFilter, LoggedCall

LONGEST_SHOWN_MS = 2 * 3600 * 1000
"""Some exchanges never say that a call ended: an older one is not shown as going on."""
AT_ONCE = 8


def going_on(visit: Visit) -> Sequence[LoggedCall]:
    """Return the agent's calls that were not hung up yet, newest first."""
    since = visit.at - LONGEST_SHOWN_MS
    recent = of_extension(visit, since=since, limit=50)
    return [call for call in recent if _goes_on(visit, call)][:AT_ONCE]


def of_extension(visit: Visit, *, since: int | None = None, limit: int = 12) -> Sequence[LoggedCall]:
    """Return the last calls of the agent's extension, internal ones of either side included, newest first."""
    mine, calls = visit.me.extension, visit.calls
    wanted = CallFilter(extension=mine, since=since)
    own = calls.search(wanted, limit=limit).calls if since is None else calls.recent(wanted, limit=limit)
    internal = CallFilter(number=mine, direction=Direction.INTERNAL, since=since)
    other = [call for call in calls.recent(internal, limit=limit) if call.number == mine]
    both = {call.id: call for call in (*own, *other)}
    return [both[call_id] for call_id in sorted(both, reverse=True)][:limit]


def before(visit: Visit, call: LoggedCall, *, limit: int = 3) -> Sequence[LoggedCall]:
    """Return the last calls with the same account, or with the same number if nobody owns it."""
    call = visit.calls.whole(call)
    if call.direction == Direction.INTERNAL or not (call.account_id or is_diallable(call.number)):
        return []
    wanted = CallFilter(account_id=call.account_id, before_id=call.id)
    if not call.account_id:
        wanted = CallFilter(number=call.number, before_id=call.id, whole_number=True)
    return visit.calls.recent(wanted, limit=limit)


def came_from(visit: Visit, call: LoggedCall, *, mine: bool = True) -> TransferOrigin | None:
    """Return who transferred ``call`` to the agent's extension, if it is there, and which other call it was before."""
    if mine and (found := origin_in_legs(call, visit.me.extension)):
        return found
    before = visit.calls.transferred_here(call)
    return TransferOrigin(before.extension, before.answered_agent, before.id) if before else None


def _goes_on(visit: Visit, call: LoggedCall) -> bool:
    """Return whether ``call`` may still go on at the agent's extension. An order of which the exchange says no more is
    over when its call can no longer be ringing.
    """
    view = visit.view(call, mine=True)
    if call.ended_at is not None or view.is_over or view.status not in GOING_ON:
        return False
    return view.status in ("ringing", "talking") or abs(visit.at - call.logged_at) < LONGEST_RING_MS
