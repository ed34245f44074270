"""Whose call it is when several accounts have the number: all of them, the best first, and why it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class RankReason(StrEnum):
    """What put a match before the next one."""

    ONLY = "only"
    CHOSEN = "chosen"
    EXACT = "exact"
    OWNER = "owner"
    LAST_CONTACT = "last-contact"
    NEWEST = "newest"
    IDENTIFIER = "identifier"
    """Nobody has the number, and this account has what a field of the call names."""
    EQUAL = "equal"
    """Nothing: all that is known of it is the same as of the next one."""


@dataclass(frozen=True, slots=True)
class Match:
    """An account that has the number, or another form of it. Times are milliseconds since 1970 UTC.

    ``number`` is the form in the directory; ``owner`` the extension of who looks after the account;
    ``chosen_at`` when somebody said that calls of this number are this account's; ``last_contact_at`` its last call.
    """

    account_id: int
    code: str
    name: str
    contact: str
    number: str
    owner: str | None = None
    updated_at: int = 0
    chosen_at: int | None = None
    last_contact_at: int | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A match and what put it before those that follow it."""

    match: Match
    reason: RankReason


Key = tuple[int, ...]
COMPONENTS = (RankReason.CHOSEN, RankReason.EXACT, RankReason.OWNER, RankReason.LAST_CONTACT, RankReason.NEWEST)


def ranked(matches: Sequence[Match], candidates: Sequence[str], extension: str = "") -> list[Ranked]:
    """Return one match for each account, the best first.

    ``candidates`` are the forms of the number, the canonical one first; ``extension`` is where the call is.
    """
    best: dict[int, tuple[Key, Match]] = {}
    for match in matches:
        key = _key(match, candidates, extension)
        if match.account_id not in best or key < best[match.account_id][0]:
            best[match.account_id] = (key, match)
    order = sorted(best.values(), key=lambda item: (item[0], item[1].account_id))
    following = [*(key for key, _ in order), None][1:]
    return [Ranked(match, _reason(key, after)) for (key, match), after in zip(order, following, strict=True)]


def _key(match: Match, candidates: Sequence[str], extension: str) -> Key:
    """Return the rank of a match, a component for each of ``COMPONENTS``; smaller is better."""
    exactness = candidates.index(match.number) if match.number in candidates else len(candidates)
    owned = 0 if match.owner and match.owner == extension else 1
    return (-(match.chosen_at or 0), exactness, owned, -(match.last_contact_at or 0), -match.updated_at)


def _reason(key: Key, after: Key | None) -> RankReason:
    if after is None:
        return RankReason.ONLY
    return next(
        (why for why, mine, other in zip(COMPONENTS, key, after, strict=True) if mine < other), RankReason.EQUAL
    )
