"""The page of people: who sits where, how the exchange says that they stand, and which call they are in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from werkzeug.wrappers import Response

from gateway.desk.cards import LONGEST_SHOWN_MS
from gateway.desk.context import Visit
from gateway.desk.rendering import page
from gateway.store.agent_states import KnownAgentState
from gateway.store.calls import CallFilter, LoggedCall

MOST_CALLS = 200
GOES_ON = ("ringing", "talking")


@dataclass(frozen=True, slots=True)
class Person:
    """An agent of ours, or one whom only the exchange knows, with the newest states that it told of, and a call."""

    name: str
    extension: str
    states: Sequence[KnownAgentState]
    call: LoggedCall | None
    busy: bool = False
    """Whether there is a call at the extension that the visitor may not see."""


def people(visit: Visit) -> Response:
    """Show everybody, or only the list for the page's own script."""
    seq = visit.services.log.newest(visit.tenant)
    template = "_people.html" if visit.by_htmx else "people.html"
    return page(visit, template, people=_people(visit), seq=seq)


def _people(visit: Visit) -> Sequence[Person]:
    """Return our agents by extension, then those of the exchange who are none of ours."""
    states = list(visit.services.agent_states.latest(visit.tenant)) if visit.services.agent_states else []
    wanted = CallFilter(statuses=GOES_ON, since=visit.at - LONGEST_SHOWN_MS)
    at_work = _calls_by_extension(visit, wanted)
    busy = visit.calls.busy_extensions(wanted, limit=MOST_CALLS)
    found = []
    for agent in sorted(visit.services.directory.agents(visit.tenant), key=lambda each: (each.extension, each.name)):
        mine = [each for each in states if agent.login in (each.login, each.agent)]
        states = [each for each in states if each not in mine]
        extension = agent.extension
        found.append(Person(agent.name, extension, mine, at_work.get(extension), extension in busy))
    others = {each.who: each for each in reversed(states)}
    for who, last in sorted(others.items()):
        mine = [each for each in states if each.who == who]
        extension = last.extension
        found.append(Person(last.agent or extension, extension, mine, at_work.get(extension), extension in busy))
    return found


def _calls_by_extension(visit: Visit, wanted: CallFilter) -> Mapping[str, LoggedCall]:
    """Return the call that each extension is in, or that rings there; the newest counts."""
    found: dict[str, LoggedCall] = {}
    for call in visit.calls.recent(wanted, limit=MOST_CALLS):
        for extension in dict.fromkeys((call.extension, *(leg.extension for leg in call.legs))):
            if extension and call.seen_from(extension) in GOES_ON:
                found.setdefault(extension, call)
    return found
