"""Keeps whoever has lost a source of events to another process from writing what it still tells.

A process that was frozen may not know yet that its lease is another's. So the token of its lease goes with each event,
and the transaction that would write it compares that with the token of whoever took the source last.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from gateway.errors import SourceSuperseded
from gateway.store import statements
from gateway.store.bulk import Driver
from gateway.store.writing.drafts import AgentStateDraft, EventDraft


class SourceFences:
    """The tokens with which sources were last taken, read in the transaction that writes what they told.

    Nobody takes one of a company's sources while its events are written: both hold the company's head (PostgreSQL), or
    the one lock of the file (SQLite).
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._newest: dict[tuple[str, str], int] = {}

    def load(self, fenced: Sequence[EventDraft | AgentStateDraft]) -> Iterator[None]:
        """Read the tokens of the sources that told ``fenced``, drafts with a fence."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for draft in fenced:
            if draft.fence is not None:
                wanted[draft.tenant].add(draft.fence.source)
        found = statements.SOURCE_TOKENS.ask(self._driver, wanted)
        yield
        self._newest |= {(tenant, source): token for tenant, source, token in found()}

    def check(self, draft: EventDraft | AgentStateDraft) -> None:
        """Raise ``SourceSuperseded`` where the draft's source was taken anew since."""
        fence = draft.fence
        if fence is not None and self._newest.get((draft.tenant, fence.source), 0) > fence.token:
            raise SourceSuperseded(fence.source)
