"""Months by which events are parted, in UTC; moments are milliseconds since 1970."""

from collections.abc import Sequence
from datetime import UTC, datetime


def month_of(at: int) -> int:
    """Return when the month of ``at`` began."""
    begin = datetime.fromtimestamp(at / 1000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return round(begin.timestamp() * 1000)


def month_after(at: int) -> int:
    """Return when the month behind that of ``at`` begins."""
    day = datetime.fromtimestamp(month_of(at) / 1000, UTC)
    after = day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)
    return round(after.timestamp() * 1000)


def months_from(at: int, count: int) -> Sequence[int]:
    """Return when the month of ``at`` began and when the ``count`` behind it begin."""
    found = [month_of(at)]
    for _ in range(count):
        found.append(month_after(found[-1]))
    return found


def month_name(begins: int) -> str:
    """Return a month as part of a table's name, such as ``2026_11``."""
    return datetime.fromtimestamp(begins / 1000, UTC).strftime("%Y_%m")
