"""What a peer says of *later*: statuses by which nothing was taken, and ``Retry-After`` (RFC 9110, 10.2.3)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LATER = frozenset({408, 425, 429, 502, 503})
"""Statuses that say that the same request may well be taken another time, and was not now."""


def retry_after_s(status: int, headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds after which to try again; 0 where the peer names none, None where ``status`` says nothing of
    later. ``now`` is asked for dates.
    """
    if status not in LATER:
        return None
    said = headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        at = parsedate_to_datetime(said)
    except (ValueError, TypeError, OverflowError):
        return 0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())
