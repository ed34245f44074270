"""The one place that writes calls, events, orders and outbox rows: decided drafts in, durable rows out.

``apply`` turns a batch of drafts into a handful of statements: load what the batch needs, work in memory, write it all.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection

from gateway.errors import GatewayError
from gateway.store.database import Database
from gateway.store.writing.batch import Batch, default_language, no_owner
from gateway.store.writing.drafts import (
    AgentStateDraft,
    Choice,
    EventDraft,
    FollowUpDone,
    GiveUp,
    InVain,
    MissedDraft,
    NoteDraft,
    OrderDraft,
    Over,
    Recorded,
    Settlement,
    UntoldNote,
    WriteJob,
)
from gateway.store.writing.numbers_of import lock_drafts
from gateway.store.writing.tickets import ThreadWait, Ticket, Wait
from gateway.store.writing.writer import GroupCommit
from gateway.texts.languages import Language

Said = Over | MissedDraft | NoteDraft | UntoldNote | FollowUpDone
"""What people say of calls."""
Draft = EventDraft | AgentStateDraft | OrderDraft | Settlement | GiveUp | InVain | Choice | Said | WriteJob


EVERYBODY = ""
"""Stands for all companies where there is news for all of them."""


class Committed(NamedTuple):
    """For whom a durable batch is news (``EVERYBODY`` for all), and the last ``seq`` that it gave out."""

    tenants: frozenset[str]
    seq: int


class Journal:
    """Writes drafts by group commit; any number of threads and processes may have one on the same database."""

    def __init__(
        self,
        database: Database,
        *,
        queue_limit: int = 4096,
        on_commit: Callable[[Committed], None] = lambda _committed: None,
        language_of: Callable[[str], Language] = default_language,
        wait_of: Callable[[], Wait] = ThreadWait,
    ) -> None:
        """Take ``language_of``, which gives the language in which a company's texts are written down, and ``wait_of``,
        which says how whoever calls waits for what it has handed in.
        """
        self.language_of = language_of
        self._database = database
        self._on_commit = on_commit
        self._queue_limit = queue_limit
        self._wait_of = wait_of
        self.presence = database.presence()
        self.wrote_at = float("-inf")
        """When an event last became durable (``time.monotonic``)."""
        several = database.lanes > 1
        self._locks = [database.writer_lock(lane) for lane in range(database.lanes + several)]
        self._lanes = [self._lane(place) for place in range(len(self._locks))]
        """One for each lane, and where there are several, one for what is of no company."""

    def _lane(self, place: int) -> GroupCommit[Draft, Any]:
        return GroupCommit(
            self._database.engine,
            partial(apply, language_of=self.language_of, owner=self.presence.name),
            lock=self._locks[place],
            queue_limit=self._queue_limit,
            after_commit=self._ring,
            check=self._database.check,
            transactions=self._database.transactions(place),
            prepare=lock_drafts,
            wait_of=self._wait_of,
            name=f"writer-{place}" if place else "writer",
        )

    def _lane_of(self, draft: Draft) -> GroupCommit[Draft, Any]:
        """Return the writer of ``draft``: always the same one for a company, so that its drafts keep their order."""
        if len(self._lanes) == 1 or draft.tenant is None:
            return self._lanes[-1]
        return self._lanes[self._database.lane_of(draft.tenant)]

    def start(self) -> None:
        for lane in self._lanes:
            lane.start()

    def stop(self) -> None:
        """Write what is waiting, then end. Safe to call again."""
        for lane, lock in zip(self._lanes, self._locks, strict=True):
            if lane.stop():
                lock.close()
        self.presence.close()

    def write(
        self,
        draft: EventDraft | AgentStateDraft | OrderDraft | Settlement | Choice | Said,
        *,
        within_s: float | None = None,
    ) -> Recorded:
        """Return once ``draft`` is durable. Raises ``BusyError`` when that could not be, or not ``within_s`` seconds:
        nothing was stored then, but for ``StoreUnclear``.
        """
        if within_s is None:
            recorded: Recorded = self._lane_of(draft).write(draft, timeout_s=self._database.patience_s)
        else:
            recorded = self._lane_of(draft).write(draft, timeout_s=within_s, lead=False)
        return recorded

    def give_up(self, draft: GiveUp | InVain) -> int:
        """Close calls whose ends are not waited for any more; return how many they were. Raises ``BusyError``."""
        closed: int = self._lane_of(draft).write(draft)
        return closed

    def submit_deferred(self, draft: Settlement, then: Callable[[Recorded | GatewayError], None]) -> None:
        """Have ``draft`` written soon, without waiting; ``then`` is told what came of it, on another thread.

        Raises ``BusyError`` when it cannot even wait its turn.
        """
        self._lane_of(draft).submit_deferred(draft, then)

    def hand_in(self, draft: EventDraft | AgentStateDraft, then: Callable[[Recorded | GatewayError], None]) -> None:
        """Have ``draft`` written in its turn, behind what was handed in before, without waiting for it; ``then`` is
        told what came of it, on another thread.

        Raises ``BusyError`` when it cannot even wait its turn.
        """
        self._lane_of(draft).submit(draft, then)

    def submit(self, draft: EventDraft | AgentStateDraft) -> Ticket[Draft, Any]:
        """Hand in ``draft`` and return its ticket, by which whoever waits for it can take it back.

        Raises ``QueueFull`` and ``Stopping``.
        """
        return self._lane_of(draft).submit(draft)

    @property
    def patience_s(self) -> float:
        """Return how long to wait for a draft to become durable (seconds)."""
        return self._database.patience_s

    @property
    def owner(self) -> Callable[[], str | None]:
        """Return what gives the name of this process."""
        return self.presence.name

    def run(
        self,
        work: Callable[[Connection], Any],
        *,
        tenant: str | None = None,
        lock: str | None = None,
        parts: Iterable[str] | None = None,
        news: bool = False,
        timeout_s: float = 60,
    ) -> Any:
        """Run ``work`` inside the writing transaction and return its result once that is durable.

        Nobody else writes of ``tenant`` meanwhile; what is about many companies names a ``lock`` instead, so that no
        other job of that name runs; with ``parts`` of it, others may that are about other parts. What reads before it
        writes needs one of them. With ``news`` screens of the
        tenant, or of all, look again.
        """
        draft = WriteJob(work, tenant, lock, news, None if parts is None else tuple(parts))
        return self._lane_of(draft).write(draft, timeout_s=timeout_s)

    def waiting(self) -> int:
        """Return how many drafts wait to be written."""
        return sum(lane.waiting() for lane in self._lanes)

    def check_file(self) -> None:
        """Raise ``StoreReplaced`` when the database is not the file any more that was opened."""
        self._database.check()

    def alive(self) -> bool:
        return all(lane.alive() for lane in self._lanes)

    def _ring(self, done: Sequence[tuple[Draft, Any]]) -> None:
        """Tell the hub for whom there is news, so that it need not wait for its next look."""
        tenants: set[str] = set()
        newest = 0
        for draft, result in done:
            seq = _news(draft, result)
            if seq is not None:
                tenants.add(draft.tenant or EVERYBODY)
                newest = max(newest, seq)
        if newest:
            self.wrote_at = time.monotonic()
        if tenants:
            self._on_commit(Committed(frozenset(tenants), newest))


def _news(draft: Draft, result: Any) -> int | None:
    """Return the last ``seq`` that a draft gave out, 0 where that is not known; None when it is no news for screens."""
    if isinstance(result, Recorded):
        return result.seq or None
    if isinstance(draft, WriteJob):
        return 0 if draft.news else None
    return 0 if result else None


def apply(
    connection: Connection,
    drafts: Sequence[Draft],
    language_of: Callable[[str], Language] = default_language,
    owner: Callable[[], str | None] = no_owner,
) -> list[Any]:
    """Write ``drafts`` in order; one result for each: a ``Recorded``, or what a ``WriteJob`` returned."""
    return Batch(connection, language_of, owner).write(drafts)
