"""Who sits at the extensions that answered, read at once for a batch of events."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.states import Event
from gateway.store import statements
from gateway.store.bulk import Driver
from gateway.store.writing.drafts import AgentStateDraft, EventDraft
from gateway.store.writing.lookups import Answer, nothing

TAKES = (Event.ANSWER, Event.HOLD, Event.RESUME)
"""What shows that somebody took a call."""


class AgentsAtExtensions:
    """Who sits at which extension; one that several share is nobody's, for who took the call is not known."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._people: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        self._names: dict[tuple[str, str], str] = {}

    def load(self, drafts: Sequence[EventDraft], states: Sequence[AgentStateDraft] = ()) -> Iterator[None]:
        """Read who sits where ``drafts`` say that a call was answered, or tell others of it, and where ``states`` are
        told of.
        """
        extensions: dict[str, set[str]] = defaultdict(set)
        for draft in drafts:
            if _takes(draft.event) or draft.forwards:
                extensions[draft.message.tenant].update((draft.event.extension, draft.event.to or ""))
        for state in states:
            extensions[state.message.tenant].add(state.extension)
        found = self._ask(extensions) if extensions else nothing
        yield
        self._keep(found)

    def seen_by(self, draft: EventDraft) -> HeardEvent:
        """Return the event of ``draft`` with who sat at its extension, where one agent did."""
        if not _takes(draft.event):
            return draft.event
        login, _ = self.at(draft.message.tenant, draft.event.extension)
        return draft.event._replace(agent=login) if login else draft.event

    def at(self, tenant: str, extension: str) -> tuple[str, str]:
        """Return login and name of who sits at ``extension``; empty where nobody or several do."""
        found = self._people.get((tenant, extension), [])
        return found[0] if len(found) == 1 else ("", "")

    def read_at(self, tenant: str, extension: str) -> tuple[str, str]:
        """Return the same of an extension that no event of the batch is about."""
        if (tenant, extension) not in self._people:
            self._keep(self._ask({tenant: {extension}}))
        return self.at(tenant, extension)

    def _ask(self, extensions: Mapping[str, set[str]]) -> Answer:
        return statements.AGENTS.ask(self._driver, {tenant: some - {""} for tenant, some in extensions.items()})

    def _keep(self, found: Answer) -> None:
        for tenant, extension, login, name in found():
            self._people[tenant, extension].append((login, name))
            self._names[tenant, login] = name

    def name_of(self, tenant: str, login: str) -> str | None:
        """Return the name of ``login``, as far as it was read."""
        return self._names.get((tenant, login))


def _takes(event: HeardEvent) -> bool:
    return event.event in TAKES or event.answered_at is not None
