"""What became of letters: to be looked at, sent again, given up, handed to another target.

Everything here is for people and their commands; what is sent when is ``outbox.py``'s and the relay's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, func, not_, or_, select

from gateway.store import tables
from gateway.store.letters.kept import KeptLetter, LetterFilter, LetterStanding, kept_letter
from gateway.store.letters.lifetimes import Lifetimes
from gateway.store.letters.slices import WAITS, in_slices
from gateway.store.letters.stored import LetterReason, LetterState
from gateway.store.writing.journal import Journal
from gateway.texts.packing import pack
from gateway.texts.rendering import render
from gateway.texts.text import Text

outbox = tables.outbox
Key = tuple[str, str]
"""Tenant and target."""

UNDELIVERED = tuple(set(LetterStanding) - {LetterStanding.DELIVERED, LetterStanding.SENDING})
BY_HAND = Text("Given up by {who}.")


@dataclass(frozen=True, slots=True)
class SentAgain:
    """How many letters are sent again, and how many were left alone since they are no news any more."""

    count: int
    stale: int = 0


@dataclass(frozen=True, slots=True)
class TargetCounts:
    """What a target has: letters that wait, that were given up, and when the oldest waiting one was written."""

    waiting: int = 0
    dead: int = 0
    oldest_at: int | None = None
    waits_since: int | None = None


class LetterLog:
    """The letters of all targets. Methods that write raise ``BusyError``."""

    def __init__(self, engine: Engine, journal: Journal, lifetimes: Mapping[Key, Lifetimes]) -> None:
        """Take the ``lifetimes`` of the configured forwards; what has none of them is nobody's."""
        self._engine = engine
        self._journal = journal
        self._change = partial(in_slices, engine, journal)
        self._lifetimes = lifetimes

    def search(self, tenant: str, wanted: LetterFilter, *, limit: int) -> Sequence[KeptLetter]:
        """Return the newest letters that match."""
        query = select(outbox).where(*wanted.conditions(tenant)).order_by(outbox.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [kept_letter(row) for row in connection.execute(query)]

    def get(self, tenant: str, letter_id: int) -> KeptLetter | None:
        """Return one letter."""
        found = self.search(tenant, LetterFilter(ids=[letter_id]), limit=1)
        return found[0] if found else None

    def counts(self) -> Mapping[Key, TargetCounts]:
        """Return what each target has, of all companies: the configured ones, and others that have letters."""
        waiting = select(
            outbox.c.tenant,
            outbox.c.target,
            func.count().label("letters"),
            func.min(outbox.c.created_at).label("oldest_at"),
            func.min(outbox.c.waits_since).label("waits_since"),
        ).where(WAITS)
        dead = select(outbox.c.tenant, outbox.c.target, func.count().label("letters")).where(outbox.c.state == "dead")
        by_target = (outbox.c.tenant, outbox.c.target)
        found = dict.fromkeys(self._lifetimes, TargetCounts())
        with self._engine.connect() as connection:
            for row in connection.execute(waiting.group_by(*by_target)):
                found[row.tenant, row.target] = TargetCounts(row.letters, 0, row.oldest_at, row.waits_since)
            for row in connection.execute(dead.group_by(*by_target)):
                before = found.get((row.tenant, row.target), TargetCounts())
                found[row.tenant, row.target] = replace(before, dead=row.letters)
        return found

    def expire_in_ms(self, key: Key, counts: TargetCounts, now: int) -> int | None:
        """Return the milliseconds until the first of a target's waiting letters is given up for its age; None where
        none is.
        """
        lifetimes = self._lifetimes.get(key, Lifetimes())
        if counts.oldest_at is None or lifetimes.longest_ms is None:
            return None
        since = counts.oldest_at if counts.waits_since is None else counts.waits_since
        return max(0, since + lifetimes.longest_ms - now)

    def is_alarming(self, key: Key, counts: TargetCounts, now: int) -> bool:
        """Return whether letters of a target will be given up if nobody sees to it."""
        lifetimes = self._lifetimes.get(key, Lifetimes())
        return lifetimes.is_alarming(self.expire_in_ms(key, counts, now))

    def is_known(self, key: Key) -> bool:
        """Return whether there is a forward of that name."""
        return key in self._lifetimes

    # what people decide

    def send_again(self, tenant: str, wanted: LetterFilter, now: int) -> SentAgain:
        """Have letters tried anew, those of one call in their order: dead ones if ``wanted`` says neither standings nor
        ids, and of named ones all but those that were delivered.

        Named ones are sent however old they are. Of others those stay that were only news for a short time: a call that
        rang yesterday must not pop up.
        """
        if not wanted.standings:
            wanted = replace(wanted, standings=(LetterStanding.DEAD,) if wanted.ids is None else UNDELIVERED)
        conditions = [*wanted.conditions(tenant), outbox.c.claimed_by.is_(None)]
        if wanted.ids is not None:
            return SentAgain(self._change(conditions, _again(now)))
        stale = self._stale(tenant, now)
        count = self._change([*conditions, not_(stale)], _again(now))
        return SentAgain(count, self._count([*conditions, stale]))

    def drop(self, tenant: str, wanted: LetterFilter, now: int, by: str) -> int:
        """Give letters up that wait or are dead; return how many. Those under way are left alone."""
        if not wanted.standings:
            wanted = replace(wanted, standings=(LetterStanding.WAITING, LetterStanding.DEAD))
        text = Text(BY_HAND.id, who=by)
        given_up = {"state": LetterState.DROPPED.value, "reason": LetterReason.BY_HAND.value, "settled_at": now}
        told = {"detail": render(text, self._journal.language_of(tenant)), "sentence": pack(text)}
        conditions = [*wanted.conditions(tenant), outbox.c.claimed_by.is_(None)]
        return self._change(conditions, given_up | told)

    def move(self, tenant: str, source: str, target: str, now: int) -> int:
        """Hand the letters of ``source`` that wait or are dead to ``target``, which is tried at once; return how many.

        Their age counts anew, but of those that are only news for a short time.
        """
        of_source = LetterFilter(target=source, standings=(LetterStanding.WAITING, LetterStanding.DEAD))
        conditions = [*of_source.conditions(tenant), outbox.c.claimed_by.is_(None)]
        news = list(self._lifetimes.get((tenant, target), Lifetimes()).news_ms)
        handed = _again(now) | {"target": target}
        kept = handed | {"waits_since": outbox.c.created_at}
        count = self._change([*conditions, outbox.c.kind.in_(news)], kept)
        return count + self._change([*conditions, outbox.c.kind.not_in(news)], handed)

    def _stale(self, tenant: str, now: int) -> ColumnElement[bool]:
        """Return the condition of letters that are no news any more."""
        old = [
            and_(outbox.c.target == target, outbox.c.kind == kind, outbox.c.created_at < now - lifetime)
            for (of, target), lifetimes in self._lifetimes.items()
            if of == tenant
            for kind, lifetime in lifetimes.news_ms.items()
        ]
        return or_(*old, outbox.c.id.is_(None))

    def _count(self, conditions: Sequence[ColumnElement[bool]]) -> int:
        with self._engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(outbox).where(*conditions)).scalar_one()


def _again(now: int) -> dict[str, Any]:
    """Return what makes a letter one that is tried anew."""
    nothing = dict.fromkeys(("state", "settled_at", "reason", "blocked_by", "claimed_by"))
    return {**nothing, "due_at": now, "waits_since": now, "attempts": 0}
