"""Interpret a request by a mapping: which events it tells of, and what of each is known."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.messages import AgentState
from gateway.mapping.bodies import UnreadableBody, WebhookRequest, document_of, opened
from gateway.mapping.budget import Budget, RequestTooSlow
from gateway.mapping.events import Interpretation, MappedEvent
from gateway.mapping.facts import LONGEST_TEXT, EventReader, MappingSource
from gateway.mapping.paths import PathScope, find_all, path_of
from gateway.mapping.schema import CallValues, EventRule, WebhookMapping
from gateway.mapping.values import TakenValue, ValueReader, is_like, key_in
from gateway.texts.text import Text, problem_of, verbatim

ATTEMPTS = 2
"""Python may clear up memory, which takes as long, in the midst of one: no event is to be lost for it."""
TOO_SLOW = Text("the request takes too long: it is too large for its mapping's patterns and paths")
MOST_EVENTS = 50
"""Of one request."""
OWN_MOMENT = {"started": "started_at", "answered": "answered_at", "ended": "ended_at"}
AGENT_STATES = tuple(state.value for state in AgentState)
KNOWN = ", ".join(AGENT_STATES)
NO_REQUEST = WebhookRequest()
CALL_KINDS = ("started", "answered", "held", "resumed", "transferred", "queue_entered", "queue_left", "ended", "noted")


def interpret(mapping: WebhookMapping, request: WebhookRequest, source: MappingSource) -> Interpretation:
    """Return what ``mapping`` makes of ``request``. Never raises for what a request holds, and takes 50 ms at most."""
    try:
        document = opened(document_of(request, mapping.body), mapping.json_in)
    except UnreadableBody as error:
        return Interpretation(problems=(_sentence(error),))
    return interpret_document(mapping, document, source, request)


def interpret_document(
    mapping: WebhookMapping, document: Any, source: MappingSource, request: WebhookRequest = NO_REQUEST
) -> Interpretation:
    """Return what ``mapping`` makes of ``document``, whatever it was read from; never raises for what it holds."""
    for _ in range(ATTEMPTS):
        with suppress(RequestTooSlow):
            return Interpreter(mapping, request, source).read(document)
    return Interpretation(problems=(TOO_SLOW,), document=document)


def _sentence(error: Exception) -> Text:
    problem = problem_of(error)
    return problem if isinstance(problem, Text) else verbatim(problem)


class Interpreter:
    """Reads one document, once."""

    def __init__(self, mapping: WebhookMapping, request: WebhookRequest, source: MappingSource) -> None:
        self._mapping = mapping
        self._request = request.roots()
        self._source = source
        self._zone: tzinfo = ZoneInfo(mapping.timezone) if mapping.timezone else source.zone
        self._budget = Budget()
        self._events: list[MappedEvent] = []
        self._problems: list[Text] = []
        self._notes: list[Text] = []
        self._ignored = 0
        self._name: str | None = None

    def read(self, document: Any) -> Interpretation:
        """Return what is made of ``document``. Raises ``RequestTooSlow``."""
        self._read(document)
        return Interpretation(
            events=tuple(_numbered(self._events)),
            ignored=self._ignored,
            problems=tuple(dict.fromkeys(self._problems)),
            notes=tuple(dict.fromkeys(self._notes)),
            document=document,
            name=self._name,
        )

    def _read(self, document: Any) -> None:
        """Read a document; of a list that the mapping says nothing of, each element by itself."""
        if not isinstance(document, list) or self._mapping.for_each:
            self._read_whole(PathScope(document, document, self._request))
            return
        self._bounded(len(document))
        for index, element in enumerate(document[:MOST_EVENTS]):
            self._read_whole(PathScope(element, element, self._request, index))

    def _bounded(self, count: int) -> None:
        if count > MOST_EVENTS:
            self._notes.append(Text("only the first {most} events are read", most=MOST_EVENTS))

    def _read_whole(self, whole: PathScope) -> None:
        for rule in self._mapping.events:
            if rule.for_each is not None and self._is_for(rule, ValueReader(whole, self._budget)):
                for scope in self._elements(rule.for_each, whole):
                    self._take(scope, rule.kind, rule.values)
                return
        for scope in self._elements(self._mapping.for_each, whole) if self._mapping.for_each else [whole]:
            self._read_element(scope)

    def _elements(self, path: str, whole: PathScope) -> Iterator[PathScope]:
        elements: list[Any] = []
        for found in find_all(path_of(path), whole, self._budget):
            elements += found if isinstance(found, list) else [found]
        if not elements:
            self._problems.append(Text("nothing stands at {path}, where each event should be", path=path))
        self._bounded(len(elements))
        for index, element in enumerate(elements[:MOST_EVENTS]):
            yield PathScope(whole.document, element, self._request, index)

    def _read_element(self, scope: PathScope) -> None:
        reader = ValueReader(scope, self._budget)
        rule = next(
            (each for each in self._mapping.events if each.for_each is None and self._is_for(each, reader)), None
        )
        if rule is not None:
            self._take(scope, rule.kind, rule.values)
            return
        name = self._name_in(reader)
        key = key_in(self._mapping.kinds, name) if name else None
        kind = self._mapping.kinds[key] if key is not None else self._mapping.other
        if kind is not None:
            self._take(scope, (kind,), None)
        elif name:
            self._problems.append(Text("the mapping does not know the event {name!r}", name=name[:80]))
        else:
            self._problems.append(Text("no event's name stands where the mapping looks for it"))

    def _name_in(self, reader: ValueReader) -> str | None:
        taken = reader.take(self._mapping.event)
        if taken is not None:
            self._name = taken.text[:LONGEST_TEXT]
        return taken.text[:LONGEST_TEXT] if taken else None

    def _is_for(self, rule: EventRule, reader: ValueReader) -> bool:
        """Return whether ``rule`` is for what ``reader`` is at."""
        name = self._name_in(reader) if rule.name else None
        if rule.name and (name is None or not _is_named(name.casefold(), rule.name)):
            return False
        return rule.when is None or reader.holds(rule.when)

    def _take(self, scope: PathScope, kinds: Sequence[str], own: CallValues | None) -> None:
        wanted = tuple(kind for kind in kinds if kind != "ignore")
        self._ignored += len(kinds) - len(wanted)
        if not wanted:
            return
        facts = EventReader(self._mapping, own, ValueReader(scope, self._budget), self._source, self._zone)
        values = facts.read()
        self._notes += facts.notes
        for kind in wanted:
            self._add(kind, values, facts.taken, several=len(wanted) > 1)

    def _add(self, kind: str, values: Mapping[str, Any], taken: Mapping[str, TakenValue], *, several: bool) -> None:
        """Add an event; of a final report, an answer only where it says when that was."""
        own = OWN_MOMENT.get(kind, "at")
        if several and kind == "answered" and values.get("answered_at") is None:
            return
        at = values.get(own) if values.get(own) is not None else values.get("at")
        event = MappedEvent(kind=kind, **{**values, "at": at}, taken=taken)
        problem = missing_in(event)
        if problem is None:
            self._events.append(event)
        else:
            self._problems.append(problem)


def _is_named(folded: str, names: Sequence[str]) -> bool:
    return any(name.casefold() == folded or is_like(name, folded) for name in names)


def missing_in(event: MappedEvent) -> Text | None:
    """Return what ``event`` lacks to be one, or None."""
    if event.kind in CALL_KINDS and not event.id and not (event.number and event.extension):
        return Text("{kind}: neither the call's id nor number and extension were found", kind=event.kind)
    if event.kind == "transferred" and not event.to:
        return Text("{kind}: where the call goes on (to) was not found", kind=event.kind)
    if event.kind == "agent_state" and event.state not in AGENT_STATES:
        return Text(
            "{kind}: the state {state!r} is none of {known}", kind=event.kind, state=event.state or "", known=KNOWN
        )
    if event.kind == "agent_state" and not (event.agent or event.extension):
        return Text("{kind}: whose it is (agent or extension) was not found", kind=event.kind)
    return None


def _numbered(events: Sequence[MappedEvent]) -> Iterator[MappedEvent]:
    """Yield ``events``, each with an id of its own where one request told of several under one id."""
    for place, event in enumerate(events):
        several = len(events) > 1 and event.event_id is not None
        yield replace(event, event_id=f"{event.event_id}#{place}") if several else event
