"""The one place that writes calls, events, orders and outbox rows: decided drafts in, durable rows out.

``apply`` turns a batch of drafts into a handful of statements: load what the batch needs, work in memory, write it all.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from gateway.errors import GatewayError
from gateway.store.batch import Batch, default_language, no_owner
from gateway.store.database import Database
from gateway.store.drafts import (
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
from gateway.store.writer import GroupCommit
from gateway.texts.languages import Language

Said = Over | MissedDraft | NoteDraft | UntoldNote | FollowUpDone
"""What people say of calls."""
Draft = EventDraft | AgentStateDraft | OrderDraft | Settlement | GiveUp | InVain | Choice | Said | WriteJob


class Journal:
    """Writes drafts by group commit; any number of threads and processes may have one on the same database."""

    def __init__(
        self,
        database: Database,
        *,
        queue_limit: int = 4096,
        on_commit: Callable[[int], None] = lambda _seq: None,
        language_of: Callable[[str], Language] = default_language,
    ) -> None:
        """Take ``language_of``, which gives the language in which a company's texts are written down."""
        self.language_of = language_of
        self._database = database
        self._lock = database.writer_lock(0)
        self._on_commit = on_commit
        self.presence = database.presence()
        self.wrote_at = float("-inf")
        """When an event last became durable (``time.monotonic``)."""
        self._writer: GroupCommit[Draft, Any] = GroupCommit(
            database.engine,
            partial(apply, language_of=language_of, owner=self.presence.name),
            lock=self._lock,
            queue_limit=queue_limit,
            after_commit=self._ring,
            check=database.check,
            begin=database.begin,
            commit=database.commit,
        )

    def start(self) -> None:
        self._writer.start()

    def stop(self) -> None:
        """Write what is waiting, then end. Safe to call again."""
        if self._writer.stop():
            self._lock.close()
        self.presence.close()

    def write(
        self,
        draft: EventDraft | AgentStateDraft | OrderDraft | Settlement | Choice | Said,
        *,
        within_s: float | None = None,
    ) -> Recorded:
        """Return once ``draft`` is durable. Raises ``BusyError`` when nothing was stored, or not ``within_s`` seconds:
        then it may be stored later all the same.
        """
        if within_s is None:
            recorded: Recorded = self._writer.write(draft)
        else:
            recorded = self._writer.write(draft, timeout_s=within_s, lead=False)
        return recorded

    def give_up(self, draft: GiveUp | InVain) -> int:
        """Close calls whose ends are not waited for any more; return how many they were. Raises ``BusyError``."""
        closed: int = self._writer.write(draft)
        return closed

    def submit_deferred(self, draft: Settlement, then: Callable[[Recorded | GatewayError], None]) -> None:
        """Have ``draft`` written soon, without waiting; ``then`` is told what came of it, on another thread.

        Raises ``BusyError`` when it cannot even wait its turn.
        """
        self._writer.submit_deferred(draft, then)

    def hand_in(self, draft: EventDraft | AgentStateDraft, then: Callable[[Recorded | GatewayError], None]) -> None:
        """Have ``draft`` written in its turn, behind what was handed in before, without waiting for it; ``then`` is
        told what came of it, on another thread.

        Raises ``BusyError`` when it cannot even wait its turn.
        """
        self._writer.submit(draft, then)

    def run(
        self,
        work: Callable[[Connection], Any],
        *,
        tenant: str | None = None,
        lock: str | None = None,
        timeout_s: float = 60,
    ) -> Any:
        """Run ``work`` inside the writing transaction and return its result once that is durable.

        Nobody else writes of ``tenant`` meanwhile; what is about many companies names a ``lock`` instead, so that no
        other job of that name runs. What reads before it writes needs one of them.
        """
        return self._writer.write(WriteJob(work, tenant, lock), timeout_s=timeout_s)

    def waiting(self) -> int:
        """Return how many drafts wait to be written."""
        return self._writer.waiting()

    def check_file(self) -> None:
        """Raise ``StoreReplaced`` when the database is not the file any more that was opened."""
        self._database.check()

    def alive(self) -> bool:
        return self._writer.alive()

    def _ring(self, results: Sequence[Any]) -> None:
        """Tell the hub of the newest event, so that it need not wait for its next look."""
        seq = max((result.seq for result in results if isinstance(result, Recorded)), default=0)
        if seq:
            self.wrote_at = time.monotonic()
            self._on_commit(seq)


def apply(
    connection: Connection,
    drafts: Sequence[Draft],
    language_of: Callable[[str], Language] = default_language,
    owner: Callable[[], str | None] = no_owner,
) -> list[Any]:
    """Write ``drafts`` in order; one result for each: a ``Recorded``, or what a ``WriteJob`` returned."""
    return Batch(connection, language_of, owner).write(drafts)
