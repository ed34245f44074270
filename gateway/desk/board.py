"""Who is on the phone: every extension with what it does, every queue with who waits in it.

A call that the visitor may not see shows as what it makes of its extension (busy since when), never with whom.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from werkzeug.wrappers import Response

from gateway.desk.context import Visit
from gateway.desk.rendering import page
from gateway.desk.viewpoint import CallView
from gateway.store.agent_states import KnownAgentState
from gateway.store.calls import CallFilter, LoggedCall

LONGEST_SHOWN_MS = 4 * 3600 * 1000
"""A call that goes on for longer is one whose end was lost."""
SEEN_WITHIN_MS = 7 * 24 * 3600 * 1000
IN, OUT, PAUSED = ("login", "ready"), "logout", "pause"
ORDER = ("talking", "held", "ringing", "paused", "free", "away")


@dataclass(frozen=True, slots=True)
class BoardSeat:
    """An extension: who sits there, what it does since when; the call only where the visitor may see it.

    ``state`` is talking, held (the caller is on hold), ringing, paused, away (logged out) or free.
    """

    extension: str
    names: Sequence[str]
    state: str
    since: int | None = None
    call: LoggedCall | None = None
    told: Sequence[KnownAgentState] = ()


@dataclass(frozen=True, slots=True)
class WaitingCaller:
    """Somebody who waits in a queue since ``since``; the call only where the visitor may see it."""

    since: int
    call: LoggedCall | None


@dataclass(frozen=True, slots=True)
class BoardQueue:
    """A queue: who waits, the longest first, and who is in it, at work or on a break."""

    name: str
    waiting: Sequence[WaitingCaller]
    ready: Sequence[str]
    paused: Sequence[str]


def board(visit: Visit) -> Response:
    """Show everybody, or only the lists for the page's own script."""
    seq = visit.services.log.newest(visit.tenant)
    going_on = visit.services.board.going_on(visit.tenant, visit.at - LONGEST_SHOWN_MS)
    visible = _visible(visit, going_on)
    states = list(visit.services.agent_states.latest(visit.tenant)) if visit.services.agent_states else []
    seats = _seats(visit, going_on, visible, states)
    counts = {state: sum(seat.state == state for seat in seats) for state in ORDER}
    queues = _queues(visit, going_on, visible, states)
    template = "_board.html" if visit.by_htmx else "board.html"
    return page(visit, template, seats=seats, queues=queues, counts=counts, seq=seq)


def _visible(visit: Visit, going_on: Sequence[LoggedCall]) -> Mapping[int, LoggedCall]:
    """Return those calls that the visitor may see, as the visitor may see them, by id."""
    if not going_on:
        return {}
    oldest = min(call.logged_at for call in going_on)
    statuses = tuple({call.status for call in going_on})
    found = visit.calls.recent(CallFilter(statuses=statuses, since=oldest), limit=len(going_on))
    return {call.id: call for call in found}


def _seats(
    visit: Visit,
    going_on: Iterable[LoggedCall],
    visible: Mapping[int, LoggedCall],
    states: Sequence[KnownAgentState],
) -> Sequence[BoardSeat]:
    """Return all extensions in their order."""
    agents = [agent for agent in visit.services.directory.agents(visit.tenant) if agent.extension]
    names: dict[str, list[str]] = {}
    for agent in agents:
        names.setdefault(agent.extension, []).append(agent.name)
    at_work = _at_work(going_on)
    known = {*visit.services.board.extensions(visit.tenant, visit.at - SEEN_WITHIN_MS), *names, *at_work}
    told = {extension: [each for each in states if each.extension == extension] for extension in known}
    return [
        _seat(extension, names.get(extension, ()), at_work.get(extension), visible, told[extension])
        for extension in sorted(known, key=lambda each: (len(each), each))
    ]


def _at_work(going_on: Iterable[LoggedCall]) -> Mapping[str, CallView]:
    """Return the call that each extension is in, or that rings there; one that is spoken in before one that rings."""
    found: dict[str, CallView] = {}
    for call in going_on:
        for extension in dict.fromkeys((call.extension, *(leg.extension for leg in call.legs))):
            view = CallView(call, extension)
            if extension and view.status in ("ringing", "talking") and not view.is_over:
                known = found.get(extension)
                if known is None or (known.status, view.status) == ("ringing", "talking"):
                    found[extension] = view
    return found


def _seat(
    extension: str,
    names: Sequence[str],
    view: CallView | None,
    visible: Mapping[int, LoggedCall],
    told: Sequence[KnownAgentState],
) -> BoardSeat:
    if view is not None:
        state = "held" if view.is_held else view.status
        return BoardSeat(extension, names, state, view.since, visible.get(view.call.id), told)
    last = told[0] if told else None
    if last is None or last.state in IN:
        return BoardSeat(extension, names, "free", last.since if last else None, None, told)
    return BoardSeat(extension, names, "away" if last.state == OUT else "paused", last.since, None, told)


def _queues(
    visit: Visit,
    going_on: Sequence[LoggedCall],
    visible: Mapping[int, LoggedCall],
    states: Sequence[KnownAgentState],
) -> Sequence[BoardQueue]:
    """Return all queues by name."""
    waiting = [call for call in going_on if call.status == "waiting"]
    named = {*visit.services.board.queues(visit.tenant), *(call.queue or "" for call in waiting)}
    named |= {each.queue for each in states if each.queue}
    return [_queue(name, waiting, visible, states) for name in sorted(named, key=str.casefold) if name or waiting]


def _queue(
    name: str, waiting: Iterable[LoggedCall], visible: Mapping[int, LoggedCall], states: Iterable[KnownAgentState]
) -> BoardQueue:
    mine = [call for call in waiting if (call.queue or "") == name]
    callers = [WaitingCaller(call.queued_at or call.logged_at, visible.get(call.id)) for call in mine]
    told = [each for each in states if each.queue == name]
    return BoardQueue(
        name,
        sorted(callers, key=lambda caller: caller.since),
        [each.who for each in told if each.state in IN],
        [each.who for each in told if each.state == PAUSED],
    )
