"""Who sits at the extensions that answered, read at once for a batch of events."""

from collections import defaultdict
from collections.abc import Sequence

from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.states import Event
from gateway.store import statements
from gateway.store.bulk import Driver
from gateway.store.drafts import EventDraft

TAKES = (Event.ANSWER, Event.HOLD, Event.RESUME)
"""What shows that somebody took a call."""


class AgentsAtExtensions:
    """Logins by extension; an extension that several share is nobody's, for who took the call is not known."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._logins: dict[tuple[str, str], list[str]] = defaultdict(list)

    def load(self, drafts: Sequence[EventDraft]) -> None:
        """Read who sits where ``drafts`` say that a call was answered."""
        extensions: dict[str, set[str]] = defaultdict(set)
        for draft in drafts:
            if draft.event.event in TAKES or draft.event.answered_at is not None:
                extensions[draft.message.tenant].add(draft.event.extension)
        for tenant, wanted in extensions.items():
            for extension, login in statements.AGENTS.run(self._driver, wanted, [tenant]):
                self._logins[tenant, extension].append(login)

    def seen_by(self, draft: EventDraft) -> HeardEvent:
        """Return the event of ``draft`` with who sat at its extension, where one agent did."""
        found = self._logins.get((draft.message.tenant, draft.event.extension), [])
        return draft.event._replace(agent=found[0]) if len(found) == 1 else draft.event
