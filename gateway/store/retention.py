"""What companies keep for a time only: calls, events and attempts that are older go, some at a time.

By default everything is kept. What went is said in the log and, once a day, in the company's audit log.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import structlog
from sqlalchemy import Connection, Engine

from gateway.clock import Clock
from gateway.domain.audit import AuditAction, AuditEntry
from gateway.store import audit, filling
from gateway.store.partitions.dropping import Gone, PartitionDrops
from gateway.store.partitions.layout import CALLS, EVENTS
from gateway.store.removing import (
    Ages,
    Removed,
    aged_attempts,
    aged_events,
    remove_attempts,
    remove_calls,
    remove_events,
)
from gateway.store.writing.journal import Journal

log = structlog.get_logger()

DAY_MS = 86_400_000
AT_ONCE_S = 5.0
"""How long one turn of ``work`` may take, so that maintenance comes to its other chores."""
REST = 1.0
"""Behind each slice it rests for so many times what the slice took: events get their turn."""
HELD_UP_AT_MOST_MS = 6 * 3_600_000
"""How long nothing is removed row by row while a partition cannot be dropped because others read it."""
LOCK = "retention"
WHO = "cti-gateway"
"""Whose name stands in the audit log."""


class Retention:
    """Removes what is older than its company keeps it, once a day for each; for one thread.

    ``work`` raises ``BusyError``; what was not done is done the next time.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        ages: Mapping[str, Ages],
        *,
        clock: Clock | None = None,
        rest: Callable[[float], object] = time.sleep,
        whole: bool = False,
    ) -> None:
        """Take ``whole``, with which rows stay beyond their age until their partition can go, some weeks at most."""
        self._engine = engine
        self._journal = journal
        self._ages = {name: each for name, each in ages.items() if each != Ages()}
        self._clock = clock or Clock()
        self._rest = rest
        self._done_at: dict[str, int] = {}
        self._attempts_until: dict[str, int] = {}
        self._gone: dict[str, Removed] = {}
        self._drops = PartitionDrops(engine, self._ages, self._clock.ago, self._removed_beside, rest)
        self._dropping: Iterator[Gone] | None = None
        self._whole = whole
        self._dropped_at: int | None = None
        self._held_up_at: int | None = None

    def work(self, now: int) -> None:
        """Remove what there is time for; what is left is done at the next call. Nothing goes as long as older calls are
        filled in from their events (``filling.py``).
        """
        due = [tenant for tenant in self._ages if self._is_due(tenant, now)]
        if not due or not self._is_filled():
            return
        until = time.monotonic() + AT_ONCE_S
        if not self._drop(now, until):
            return
        for tenant in due:
            if not self._work_for(tenant, self._ages[tenant], until):
                return
            self._finish(tenant, now)

    def _drop(self, now: int, until: float) -> bool:
        """Drop partitions of which everything is old; return whether the rest is to be removed row by row now."""
        if self._dropped_at is not None and 0 <= now - self._dropped_at < DAY_MS:
            return True
        if not self._go_on_dropping(until):
            return False
        if not self._drops.is_held_up:
            self._dropped_at, self._held_up_at = now, None
            return True
        self._held_up_at = now if self._held_up_at is None else self._held_up_at
        return not 0 <= now - self._held_up_at < HELD_UP_AT_MOST_MS

    def _go_on_dropping(self, until: float) -> bool:
        """Go on where the last turn ended; return whether all is looked through."""
        turn, self._dropping = self._dropping or self._drops.work(), None
        for gone in turn:
            for tenant, removed in gone.items():
                self._note(tenant, removed)
            if time.monotonic() >= until:
                self._dropping = turn
                return False
        return True

    def _removed_beside(self, work: Callable[[Connection], Removed]) -> Removed:
        """Remove a slice of what hangs on calls of any company, and rest behind it."""
        began = time.monotonic()
        removed: Removed = self._journal.run(work, lock=LOCK)
        self._rest((time.monotonic() - began) * REST)
        return removed

    def _is_due(self, tenant: str, now: int) -> bool:
        done_at = self._done_at.get(tenant)
        return done_at is None or not 0 <= now - done_at < DAY_MS

    def _is_filled(self) -> bool:
        with self._engine.connect() as connection:
            return filling.is_filled(connection)

    def _work_for(self, tenant: str, ages: Ages, until: float) -> bool:
        """Return whether nothing is left to do for ``tenant``."""
        gone = Removed()
        try:
            for some in self._slices(tenant, ages):
                gone = gone.plus(some)
                if time.monotonic() >= until:
                    return False
        finally:
            self._note(tenant, gone)
        return True

    def _slices(self, tenant: str, ages: Ages) -> Iterator[Removed]:
        if ages.calls_ms is not None:
            before = self._before(CALLS.table, ages.calls_ms)
            yield from self._each(lambda: self._run(partial(remove_calls, tenant=tenant, before=before), tenant))
        if ages.events_ms is not None:
            yield from self._each(partial(self._remove_events, tenant, self._before(EVENTS.table, ages.events_ms)))
        if ages.attempts_ms is not None:
            yield from self._each(partial(self._remove_attempts, tenant, self._clock.ago(ages.attempts_ms)))

    def _before(self, table: str, age_ms: int) -> int:
        """Return before when rows of ``table`` go that are kept for so long."""
        before = self._clock.ago(age_ms)
        return self._drops.begin_of_partition(table, before) if self._whole else before

    def _each(self, remove: Callable[[], Removed]) -> Iterator[Removed]:
        """Yield what each slice has removed, until one finds nothing; rest behind each."""
        began = time.monotonic()
        while (removed := remove()) != Removed():
            took = time.monotonic() - began
            yield removed
            self._rest(took * REST)
            began = time.monotonic()

    def _remove_events(self, tenant: str, before: int) -> Removed:
        with self._engine.connect() as connection:
            aged = aged_events(connection, tenant, before)
        return self._run(partial(remove_events, tenant=tenant, aged=aged), tenant) if aged.old else Removed()

    def _remove_attempts(self, tenant: str, before: int) -> Removed:
        with self._engine.connect() as connection:
            aged = aged_attempts(connection, tenant, self._attempts_until.get(tenant, 0), before)
        if not aged.old:
            return Removed()
        removed = self._run(partial(remove_attempts, aged=aged), tenant)
        self._attempts_until[tenant] = aged.until
        return removed

    def _run(self, work: Callable[[Connection], Removed], tenant: str) -> Removed:
        removed: Removed = self._journal.run(work, tenant=tenant)
        return removed

    def _note(self, tenant: str, gone: Removed) -> None:
        if gone != Removed():
            log.info("old_rows_removed", tenant=tenant, **gone._asdict())
            self._gone[tenant] = self._gone.get(tenant, Removed()).plus(gone)

    def _finish(self, tenant: str, now: int) -> None:
        """Say in the audit log what went, when all is gone that is due."""
        gone = self._gone.get(tenant)
        if gone:
            detail = json.dumps(gone._asdict())
            entry = AuditEntry(tenant, now, WHO, "", AuditAction.OLD_REMOVED, "retention", detail)
            self._journal.run(partial(audit.write, entry=entry), tenant=tenant)
            del self._gone[tenant]
        self._done_at[tenant] = now
