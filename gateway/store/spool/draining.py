"""The spool is emptied into the database: in order, each event once, by one process of the node.

How far it has come stands in the row of the spool's name in ``writers``, moved on by the transaction that writes the
events themselves: so whatever dies, and whenever, the next one goes on exactly there.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection, text

from gateway.domain.calls.heard import kept_back
from gateway.errors import BusyError, GatewayError
from gateway.store.private_files import open_private
from gateway.store.spool.file import Spool, Spooled
from gateway.store.spool.messages import Told, unpacked
from gateway.store.writing.drafts import AgentStateDraft, EventDraft
from gateway.store.writing.journal import Journal, apply

log = structlog.get_logger()

LOCK = "spool.lock"
LOOK_EVERY_S = 0.25
AT_ONCE = 128
WITHIN_S = 60.0
LATE_MS = 15_000
"""Older than this an event is listed and does not pop up any more."""
DRAINED = Counter("cti_spool_drained_total", "Events that were kept on this node and are in the database now")
ADD = text(
    "INSERT INTO writers (id, n, spooled, node, seen_at) VALUES (:id, 0, 0, :node, :at) ON CONFLICT (id) DO NOTHING"
)
HELD = text("SELECT spooled FROM writers WHERE id = :id FOR UPDATE")
MOVE = text("UPDATE writers SET spooled = :turn, seen_at = :at WHERE id = :id")

MakeDraft = Callable[[Told], EventDraft | AgentStateDraft]


class SpoolDrain:
    """A thread that empties ``spool`` while the database takes what it holds. One process of a node at a time drains;
    when that one dies, another goes on.
    """

    def __init__(
        self,
        journal: Journal,
        spool: Spool,
        data: Path,
        make_draft: MakeDraft,
        *,
        is_quiet: Callable[[], bool] = lambda: True,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Take ``make_draft``, which says what a message means today, and ``is_quiet``, which says whether nothing that
        is older may still come into the spool.
        """
        self._journal = journal
        self._spool = spool
        self._lock = open_private(data / LOCK)
        self._is_ours = False
        self._make_draft = make_draft
        self._is_quiet = is_quiet
        self._now_ms = now_ms
        self._singly = 0
        """How many are still to be drained one by one, to find the one that cannot be."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spool-drain", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End once what is being drained is told of; the rest stays for the next start. Safe to call again."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10)
        lock, self._lock = self._lock, -1
        if lock >= 0 and not self._thread.is_alive():
            os.close(lock)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                while self._is_due() and self.drain() and not self._stopping.is_set():
                    pass
            except BusyError as error:
                log.debug("spool_waits", code=error.code)
            except Exception as error:  # such as a disk that is full: that passes, and this thread must outlive it
                log.error("spool_not_drained", error=type(error).__name__, exc_info=error)

    def _is_due(self) -> bool:
        return self._spool.is_occupied() and self._is_quiet() and self._has_lock()

    def _has_lock(self) -> bool:
        """Return whether this process drains; it does so until it ends."""
        if not self._is_ours:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._is_ours = True
            except BlockingIOError:
                return False
        return True

    def drain(self) -> int:
        """Write down the next that wait; return how many that were. Raises ``BusyError``: they are tried again."""
        spooled = self._spool.next(1 if self._singly else AT_ONCE)
        if not spooled:
            return 0
        self._singly = max(0, self._singly - 1)
        try:
            self._take(spooled)
        except BusyError:
            raise
        except GatewayError as error:
            self._set_aside(spooled, error)
        return len(spooled)

    def _take(self, spooled: Sequence[Spooled]) -> None:
        drafts = [draft for each in spooled if (draft := self._draft(each)) is not None]
        work = partial(self._write, spooled, drafts)
        written = self._journal.run(work, lock=f"spool {self._spool.name}", news=True, timeout_s=WITHIN_S)
        self._spool.forget(spooled[-1].turn)
        DRAINED.inc(written)
        log.info("spool_drained", events=written, waiting=self._spool.waiting())

    def _write(
        self,
        spooled: Sequence[Spooled],
        drafts: Sequence[tuple[Spooled, EventDraft | AgentStateDraft]],
        connection: Connection,
    ) -> int:
        """Write what the database does not have yet, and that it has it; return how many that were."""
        mine = {"id": self._spool.name, "at": self._now_ms()}
        connection.execute(ADD, mine | {"node": self._spool.name.rpartition("/")[0]})
        done = connection.execute(HELD, {"id": self._spool.name}).scalar_one()
        # How late they are is seen here: until the database is back this transaction may have waited for long.
        missing = [self._dated(each, draft) for each, draft in drafts if each.turn > done]
        apply(connection, missing, self._journal.language_of, self._journal.owner)
        connection.execute(MOVE, mine | {"turn": max(done, spooled[-1].turn)})
        return len(missing)

    def _dated(self, spooled: Spooled, draft: EventDraft | AgentStateDraft) -> EventDraft | AgentStateDraft:
        if isinstance(draft, EventDraft):
            return replace(draft, late=self._now_ms() - spooled.at > LATE_MS)
        return draft

    def _draft(self, spooled: Spooled) -> tuple[Spooled, EventDraft | AgentStateDraft] | None:
        """Return what is to be written of ``spooled``; None where that cannot be said, which is put aside."""
        try:
            draft = self._make_draft(unpacked(spooled.message))
        except (ValueError, GatewayError) as error:
            self._refuse(spooled, error)
            return None
        if isinstance(draft, EventDraft):
            draft = replace(draft, event=kept_back(draft.event))
        return spooled, draft

    def _set_aside(self, spooled: Sequence[Spooled], error: GatewayError) -> None:
        """Find the one that the database refuses, and put it aside."""
        if len(spooled) > 1:
            self._singly = len(spooled)
        else:
            self._refuse(spooled[0], error)

    def _refuse(self, spooled: Spooled, error: Exception) -> None:
        log.error("spooled_event_refused", turn=spooled.turn, error=str(error))
        self._spool.refuse(spooled, str(error))
