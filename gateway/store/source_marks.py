"""What a source says of its events beside the call: decided inside the transaction that writes the event.

An event that was seen counts once; one that an event with a higher sequence has overtaken changes nothing; a call with
several ids is found by each of them.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, select

from gateway.domain.calls.windows import KNOWN_BY_ID_MS
from gateway.domain.messages import SourceMark
from gateway.store import statements
from gateway.store.bulk import Driver, Write
from gateway.store.fitting import fitter
from gateway.store.partitions.spans import ids_since
from gateway.store.tables import calls
from gateway.store.tables import source_marks as marks
from gateway.store.writing.drafts import AgentStateDraft, EventDraft
from gateway.store.writing.lookups import bounds

KEPT_MS = 7 * 24 * 3600 * 1000
"""How long marks are kept: senders repeat for up to three days."""
MOST_KEPT = 500_000
LONGEST_PLAIN = 120
"""Longer names are kept as their digest."""
Marked = TypeVar("Marked", EventDraft, AgentStateDraft)
Key = tuple[str, str, str, str]
Row = dict[str, Any]
MARK_COLUMNS = tuple(marks.c.keys())
NAME, REF = fitter(marks.c.name), fitter(calls.c.call_ref)


class MarkKind(StrEnum):
    """What a mark is of: an event's id, the last sequence, one of the ids of a call."""

    EVENT = "event"
    SEQUENCE = "sequence"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """An event that is not to be applied: ``repeated`` ones are known already, others were overtaken."""

    call_id: int
    repeated: bool


class SourceMarks:
    """One use for each transaction, like the batch that it belongs to."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._known: dict[Key, Row] = {}
        self._written: dict[Key, Row] = {}
        self._refs: set[tuple[str, str, str]] = set()
        """Tenant, source and id of the calls that are there, of those that events with several ids name."""
        self._is_used = False
        """Whether any event of the batch has a mark: those of plain listeners have none."""

    def load(self, drafts: Sequence[object]) -> Iterator[None]:
        """Read the marks that ``drafts`` may meet, and which of the ids that they give a call are those of calls."""
        self._is_used = True
        wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
        refs: dict[str, set[str]] = defaultdict(set)
        for draft in drafts:
            mark = mark_of(draft)
            if mark is not None and isinstance(draft, EventDraft | AgentStateDraft):
                wanted[draft.message.tenant, mark.source].update(map(plain, _names(draft, mark)))
                if isinstance(draft, EventDraft) and len(ids := call_ids(draft, mark)) > 1:
                    refs[draft.message.tenant].update(map(REF, ids))
        earliest = min((draft.message.received_at for draft in drafts if isinstance(draft, EventDraft)), default=0)
        within = bounds(ids_since(self._driver, earliest - KNOWN_BY_ID_MS))
        asked = statements.MARKS_AND_REFS.ask(self._driver, (wanted, refs), **within)
        yield
        known, of_calls = asked()
        for row in (dict(zip(MARK_COLUMNS, values, strict=True)) for values in known):
            self._known[row["tenant"], row["source"], row["kind"], row["name"]] = row
        sources = {source for _, source in wanted}
        for tenant, space, _, ref, *_ in of_calls:
            self._refs |= {(tenant, source, ref) for source in (sources if space is None else {space})}

    def resolved(self, draft: Marked) -> Marked:
        """Return ``draft`` with the one id by which its call is known, whichever of its ids came."""
        mark = mark_of(draft)
        if mark is None or not isinstance(draft, EventDraft) or not (ids := call_ids(draft, mark)):
            return draft
        known = next((row["call_ref"] for each in ids if (row := self._get(draft, mark, MarkKind.CALL, each))), None)
        tenant, source = draft.message.tenant, mark.source
        ref: str = known or next((each for each in ids if (tenant, source, each) in self._refs), ids[0])
        self._refs.add((tenant, source, ref))
        if len(ids) > 1:
            for each in ids:
                self._keep(draft, mark, MarkKind.CALL, each, call_ref=ref)
        if ref == draft.event.call_ref:
            return draft
        return replace(draft, message=replace(draft.message, call_ref=ref), event=draft.event._replace(call_ref=ref))

    def seen(self, draft: EventDraft | AgentStateDraft) -> SeenEvent | None:
        """Return why an event is not to be applied; None for one that is. What an agent sends again always is."""
        mark = mark_of(draft) if self._is_used else None
        if mark is None or draft.message.origin.replay_of is not None:
            return None
        if mark.event_id is not None and (row := self._get(draft, mark, MarkKind.EVENT, mark.event_id)):
            return SeenEvent(row["call_id"] or 0, repeated=True)
        last = self._get(draft, mark, MarkKind.SEQUENCE, counted) if (counted := _counted(draft, mark)) else None
        if last is not None and mark.sequence is not None and mark.sequence < last["sequence"]:
            return SeenEvent(last["call_id"] or 0, repeated=False)
        return None

    def keep(self, draft: EventDraft | AgentStateDraft, call_id: int, *, overtaken: bool = False) -> None:
        """Remember that an event was taken."""
        mark = mark_of(draft) if self._is_used else None
        if mark is None:
            return
        if mark.event_id is not None:
            self._keep(draft, mark, MarkKind.EVENT, mark.event_id, call_id=call_id)
        counted = _counted(draft, mark)
        if counted and mark.sequence is not None and not overtaken:
            self._keep(draft, mark, MarkKind.SEQUENCE, counted, call_id=call_id, sequence=mark.sequence)

    def to_write(self) -> tuple[Write, list[Row]]:
        """Return what writes all that is new."""
        return statements.WRITE_SOURCE_MARKS, list(self._written.values())

    def _get(self, draft: EventDraft | AgentStateDraft, mark: SourceMark, kind: MarkKind, name: str) -> Row | None:
        return self._known.get((draft.message.tenant, mark.source, kind.value, plain(name)))

    def _keep(
        self, draft: EventDraft | AgentStateDraft, mark: SourceMark, kind: MarkKind, name: str, **facts: Any
    ) -> None:
        key = draft.message.tenant, mark.source, kind.value, plain(name)
        row: Row = dict(zip(("tenant", "source", "kind", "name"), key, strict=True))
        row |= {"call_ref": None, "call_id": None, "sequence": None, **facts, "at": draft.message.received_at}
        self._known[key] = self._written[key] = row


def mark_of(draft: object) -> SourceMark | None:
    """Return what the source of an event says of it; None for anything else."""
    return draft.message.origin.mark if isinstance(draft, EventDraft | AgentStateDraft) else None


def call_ids(draft: EventDraft, mark: SourceMark) -> Sequence[str]:
    """Return all ids by which an event names its call."""
    own = (draft.message.call_ref,) if draft.message.call_ref else ()
    return tuple(dict.fromkeys((*own, *mark.also_known_as)))


def _counted(draft: EventDraft | AgentStateDraft, mark: SourceMark) -> str:
    """Return what the event's sequence counts in: a leg, else the call."""
    return mark.sequence_of or (isinstance(draft, EventDraft) and draft.message.call_ref) or ""


def _names(draft: EventDraft | AgentStateDraft, mark: SourceMark) -> Iterable[str]:
    if mark.event_id is not None:
        yield mark.event_id
    if counted := _counted(draft, mark):
        yield counted
    if isinstance(draft, EventDraft):
        yield from call_ids(draft, mark)


def plain(name: str) -> str:
    """Return ``name`` as it is kept: a long one as its digest."""
    return NAME(name) if len(name) <= LONGEST_PLAIN else hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def forget(connection: Connection, now: int) -> int:
    """Delete marks that are too old, or too many; return how many they were."""
    newest = select(marks.c.at).order_by(marks.c.at.desc()).offset(MOST_KEPT).limit(1)
    before = max(now - KEPT_MS, connection.execute(newest).scalar() or 0)
    return connection.execute(delete(marks).where(marks.c.at < before)).rowcount
