"""What is let go of in the outbox: letters that were settled long ago, and those that no forward takes any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select

from gateway.store import tables
from gateway.store.letters.lifetimes import Lifetimes
from gateway.store.letters.log import Key, LetterLog
from gateway.store.letters.slices import LETTERS, SLICE, WAITS, in_slices
from gateway.store.letters.stored import LetterReason, LetterState
from gateway.store.writing.journal import Journal
from gateway.texts.packing import pack
from gateway.texts.rendering import render
from gateway.texts.text import Text

outbox = tables.outbox

ORPHANED_MS = 3 * 86_400_000
"""After so long a letter is given up for which there is no forward any more."""
NO_FORWARD = Text("There is no forward of this name any more.")


@dataclass(frozen=True, slots=True)
class LetterAlarm:
    """A target for which so many letters wait, the first of which is given up in ``left_ms``."""

    tenant: str
    target: str
    waiting: int
    left_ms: int


class LetterRetention:
    """Tidies the outbox up. Its method raises ``BusyError``; what was not done is done the next time."""

    def __init__(self, engine: Engine, journal: Journal, log: LetterLog, lifetimes: Mapping[Key, Lifetimes]) -> None:
        self._engine = engine
        self._journal = journal
        self._log = log
        self._lifetimes = lifetimes

    def forget(self, now: int) -> int:
        """Let go of what was settled long ago, and give up what no forward takes any more; return how many of both."""
        orphaned = [key for key, found in self._log.counts().items() if found.waiting and key not in self._lifetimes]
        return sum(self._give_up_orphans(key, now) for key in orphaned) + self._remove(now)

    def alarms(self, now: int) -> Sequence[LetterAlarm]:
        """Return the targets whose letters will be given up if nobody sees to it."""
        return [
            LetterAlarm(*key, counts.waiting, self._log.expire_in_ms(key, counts, now) or 0)
            for key, counts in self._log.counts().items()
            if self._log.is_alarming(key, counts, now)
        ]

    def _give_up_orphans(self, key: Key, now: int) -> int:
        since = func.coalesce(outbox.c.waits_since, outbox.c.created_at)
        old = (outbox.c.tenant == key[0], outbox.c.target == key[1], WAITS, since < now - ORPHANED_MS)
        dead = {"state": LetterState.DEAD.value, "reason": LetterReason.NO_FORWARD.value, "settled_at": now}
        told = {"detail": render(NO_FORWARD, self._journal.language_of(key[0])), "sentence": pack(NO_FORWARD)}
        return in_slices(self._engine, self._journal, old, dead | told)

    def _remove(self, now: int) -> int:
        """Remove old letters, oldest first, but never the newest: its id, by which targets know it, must not be given
        to another.
        """
        count, after = 0, 0
        least_ms = min((each.keep_ms for each in self._lifetimes.values()), default=Lifetimes().keep_ms)
        until = self._first_after(now - least_ms)
        while rows := self._settled_between(after, until):
            gone = [row.id for row in rows if row.settled_at < now - self._keep_ms((row.tenant, row.target))]
            if gone:
                self._journal.run(partial(_delete, gone), lock=LETTERS)
            count, after = count + len(gone), rows[-1].id
        return count

    def _first_after(self, at: int) -> int:
        """Return the id of the first letter that was written since ``at``, of the newest where none was."""
        first = select(outbox.c.id).where(outbox.c.created_at >= at).order_by(outbox.c.id).limit(1)
        with self._engine.connect() as connection:
            found: int | None = connection.execute(first).scalar()
            return found or connection.execute(select(func.max(outbox.c.id))).scalar() or 0

    def _settled_between(self, after: int, until: int) -> Sequence[Any]:
        columns = (outbox.c.id, outbox.c.tenant, outbox.c.target, outbox.c.settled_at)
        query = select(*columns).where(outbox.c.id > after, outbox.c.id < until, outbox.c.settled_at.is_not(None))
        with self._engine.connect() as connection:
            return connection.execute(query.order_by(outbox.c.id).limit(SLICE)).all()

    def _keep_ms(self, key: Key) -> int:
        return self._lifetimes.get(key, Lifetimes()).keep_ms


def _delete(ids: Sequence[int], connection: Connection) -> None:
    connection.execute(delete(outbox).where(outbox.c.id.in_(ids)))
