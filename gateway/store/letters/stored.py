"""A letter: one event on its way to one target, and what becomes of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from gateway.adapter import EVENT_FIELDS, Outcome
from gateway.domain.links import safe_link
from gateway.texts.text import Text

UNNAMED = "-"
"""Who claims a letter where this process has no name (``presence.py``): its claim ends by its age."""


class LetterState(StrEnum):
    """How a letter was settled."""

    DELIVERED = "delivered"
    EXPIRED = "expired"
    """Nobody wanted to know of it any more when its turn came."""
    SKIPPED = "skipped"
    """The target's own rules say that it is not told of this one."""
    DEAD = "dead"
    """Given up; people may send it again."""
    DROPPED = "dropped"
    """Given up by somebody."""


class LetterReason(StrEnum):
    """Why a letter waits still, or was settled as it was."""

    REFUSED = "refused"
    """The target said no."""
    LATER = "later"
    """The target said that it cannot now."""
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"
    """No clear answer came, and it must not come twice."""
    """The gateway died while it was under way, and it must not come twice."""
    EXPIRED = "expired"
    FILTERED = "filtered"
    NO_FORWARD = "no_forward"
    """The configuration has no forward of its target's name any more."""
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Letter:
    """One event on its way to one target; ``attempts`` made so far, this one not counted. ``waits_since`` is from when
    its age counts, ``holder`` the process that has claimed it.
    """

    id: int
    tenant: str
    target: str
    kind: str
    fields: Mapping[str, str]
    created_at: int
    attempts: int
    waits_since: int = 0
    holder: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Tenant and target."""
        return self.tenant, self.target


@dataclass(frozen=True, slots=True)
class LetterResult:
    """What came of a letter: how it is settled, or, where ``state`` is None, when it is tried again.

    It counts only while the letter is still ``letter.holder``'s, so that of two who judge one letter only the first
    does. ``attempted`` says that something was sent, or tried to be.
    """

    letter: Letter
    at: int
    text: Text
    state: LetterState | None = None
    reason: LetterReason | None = None
    outcome: Outcome | None = None
    due_at: int | None = None
    attempted: bool = False
    request: str | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """So many letters as ``most`` are wanted of a target that takes ``parallel`` at once, from all processes together.

    With ``newest`` those of the last moments come first: they are worth most just now.
    """

    tenant: str
    target: str
    parallel: int
    most: int
    newest: bool = False


def letter_of(row: Row[Any], holder: str | None) -> Letter:
    """Return the letter that a row of the outbox holds."""
    fields, since = letter_fields(row.body), row.created_at if row.waits_since is None else row.waits_since
    return Letter(row.id, row.tenant, row.target, row.kind, fields, row.created_at, row.attempts, since, holder)


def letter_fields(body: str) -> Mapping[str, str]:
    """Return the fields as this version's templates ask for them, whichever version wrote them down."""
    fields: dict[str, str] = dict.fromkeys(EVENT_FIELDS, "") | json.loads(body)
    return fields | {"url_audio": safe_link(fields.get("url_audio")) or ""}


def order_key_of(kind: str, body: str) -> str:
    """Return the key by which a letter keeps its order: its call, else the extension of the agent that it tells of."""
    fields = json.loads(body)
    return str(fields.get("call_id") or f"agent {fields.get('ramal', '')}")
