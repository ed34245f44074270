"""A letter as people see it, whatever became of it, and which letters somebody means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_

from gateway.store import tables
from gateway.store.calls import iso
from gateway.store.letters.stored import letter_fields
from gateway.texts.packing import unpack
from gateway.texts.text import Text

outbox = tables.outbox


class LetterStanding(StrEnum):
    """Where a letter stands: as it was settled, or not settled yet."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    SKIPPED = "skipped"
    DEAD = "dead"
    DROPPED = "dropped"


OPEN = (LetterStanding.WAITING, LetterStanding.SENDING)
ENDED = tuple(standing for standing in LetterStanding if standing not in OPEN)


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """One letter as people see it. Times are milliseconds since 1970; ``told`` is what came of the last attempt."""

    id: int
    tenant: str
    target: str
    kind: str
    standing: LetterStanding
    reason: str | None
    call_id: int | None
    fields: Mapping[str, str]
    created_at: int
    due_at: int
    attempts: int
    attempted_at: int | None
    settled_at: int | None
    detail: str
    told: Text
    request: str | None
    answer: str | None

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts; times are ISO 8601."""
        plain = {name: getattr(self, name) for name in ("id", "target", "kind", "reason", "call_id", "attempts")}
        plain |= {"state": self.standing.value, "detail": self.detail or None}
        plain |= {name: iso(getattr(self, name)) for name in ("created_at", "attempted_at", "settled_at")}
        plain["due_at"] = iso(self.due_at) if self.standing is LetterStanding.WAITING else None
        told = {name: self.fields.get(key, "") for name, key in (("extension", "ramal"), ("number", "telefone"))}
        return plain | told | {"request": self.request, "answer": self.answer}


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which letters of a company are meant; what is None restricts nothing. Times are of the events."""

    ids: Sequence[int] | None = None
    target: str | None = None
    standings: Sequence[LetterStanding] = ()
    call_id: int | None = None
    since: int | None = None
    until: int | None = None
    before_id: int | None = None

    def conditions(self, tenant: str) -> Sequence[ColumnElement[bool]]:
        """Return it as conditions of SQL."""
        found = [outbox.c.tenant == tenant]
        if self.ids is not None:
            found.append(outbox.c.id.in_(self.ids))
        if self.standings:
            found.append(or_(*(_STANDS[standing] for standing in self.standings)))
        if self.target is not None:
            found.append(outbox.c.target == self.target)
        if self.call_id is not None:
            found.append(outbox.c.order_key == str(self.call_id))
        if self.since is not None:
            found.append(outbox.c.created_at >= self.since)
        if self.until is not None:
            found.append(outbox.c.created_at < self.until)
        if self.before_id is not None:
            found.append(outbox.c.id < self.before_id)
        return found


_WAITS = outbox.c.settled_at.is_(None)
_OLD = and_(outbox.c.settled_at.is_not(None), outbox.c.state.is_(None))
"""Settled by version 0.1.0, which kept the outcome only."""
_STANDS: Mapping[LetterStanding, ColumnElement[bool]] = {
    LetterStanding.WAITING: and_(_WAITS, outbox.c.claimed_by.is_(None)),
    LetterStanding.SENDING: and_(_WAITS, outbox.c.claimed_by.is_not(None)),
    LetterStanding.DELIVERED: or_(outbox.c.state == "delivered", and_(_OLD, outbox.c.outcome == "accepted")),
    LetterStanding.DEAD: or_(outbox.c.state == "dead", and_(_OLD, outbox.c.outcome != "accepted")),
    **{each: outbox.c.state == each.value for each in ENDED if each not in ("delivered", "dead")},
}


def kept_letter(row: Row[Any]) -> KeptLetter:
    """Return the letter that a row of the outbox holds."""
    fields = letter_fields(row.body)
    call_id = fields.get("call_id", "")
    return KeptLetter(
        id=row.id,
        tenant=row.tenant,
        target=row.target,
        kind=row.kind,
        standing=_standing(row),
        reason=row.reason,
        call_id=int(call_id) if call_id.isdigit() else None,
        fields=fields,
        created_at=row.created_at,
        due_at=row.due_at,
        attempts=row.attempts,
        attempted_at=row.attempted_at,
        settled_at=row.settled_at,
        detail=row.detail or "",
        told=unpack(row.sentence, words=row.detail or ""),
        request=row.request,
        answer=row.answer,
    )


def _standing(row: Row[Any]) -> LetterStanding:
    if row.settled_at is None:
        return LetterStanding.SENDING if row.claimed_by else LetterStanding.WAITING
    if row.state:
        return LetterStanding(row.state)
    return LetterStanding.DELIVERED if row.outcome == "accepted" else LetterStanding.DEAD
