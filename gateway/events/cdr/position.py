"""Where in a table to look next: the column that grows holds numbers, dates and times, or these as texts."""

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from gateway.texts.text import Text


def is_number(value: Any) -> bool:
    """Return whether the column that has ``value`` counts rows; else it holds times."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def checked(value: Any, column: str) -> Any:
    """Return ``value``, if a column that grows may have it. Raises ``ValueError``."""
    if is_number(value) or isinstance(value, date):
        return value
    if isinstance(value, str) and _moment(value) is not None:
        return value
    told = Text(
        "the column {column} holds {value!r}; expected numbers, or times such as 2026-03-05 10:03:22",
        column=column,
        value=str(value)[:80],
    )
    raise ValueError(told)


def written(value: Any) -> str:
    """Return ``value`` as a source remembers it."""
    return value.isoformat() if isinstance(value, date) else str(value)


def read_like(text: str, sample: Any) -> Any:
    """Return the value that was ``written``, of the kind that ``sample`` is; None where it was of another kind."""
    try:
        return _read_like(text, sample)
    except (ValueError, ArithmeticError):
        return None


def _read_like(text: str, sample: Any) -> Any:
    if isinstance(sample, datetime):
        read = datetime.fromisoformat(text)
        return read if (read.tzinfo is None) == (sample.tzinfo is None) else None
    if isinstance(sample, date):
        return date.fromisoformat(text[:10])
    if is_number(sample):
        number = Decimal(text)
        return int(number) if number == int(number) else number
    return text if _moment(text) is not None else None


def earlier(value: Any, late: timedelta, rows: int) -> Any:
    """Return from where rows are looked at that came ``late``, or among the last ``rows``."""
    if is_number(value):
        return math.floor(value) - rows
    if isinstance(value, datetime):
        return value - late
    if isinstance(value, date):
        return value - timedelta(days=math.ceil(late / timedelta(days=1)))
    return _like_text((_moment(value) or datetime.min) - late, value)


def not_ahead(value: Any, now_ms: float, zone: ZoneInfo) -> Any:
    """Return ``value``, or the moment ``now_ms`` (milliseconds since 1970) where it lies in the future: a row dated so
    is no reason not to look at those that come with the right time.
    """
    if is_number(value):
        return value
    latest = datetime.fromtimestamp(now_ms / 1000, zone)
    if isinstance(value, datetime):
        return min(value, latest if value.tzinfo else latest.replace(tzinfo=None))
    if isinstance(value, date):
        return min(value, latest.date())
    found = _moment(value) or datetime.min
    if found <= (latest if found.tzinfo else latest.replace(tzinfo=None)):
        return value
    return _like_text(latest if found.tzinfo else latest.replace(tzinfo=None), value)


def _moment(text: str) -> datetime | None:
    """Return the moment in a text whose order is that of time: year, month, day first."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _like_text(moment: datetime, sample: str) -> str:
    """Return ``moment`` in the form of ``sample``."""
    if len(sample) <= 10:
        return moment.date().isoformat() if "-" in sample else moment.strftime("%Y%m%d")
    return moment.isoformat(sample[10], "seconds")


def date_path(value: Any) -> str:
    """Return the date of ``value`` as a folder, such as ``2026/03/05``; nothing where it is no time."""
    moment = _moment(value) if isinstance(value, str) else value
    return moment.strftime("%Y/%m/%d") if isinstance(moment, date) else ""


def cell_text(value: Any) -> str:
    """Return a cell as a line of text would have it: times in ISO form, lengths of time in seconds."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(round(value.total_seconds()))
    if isinstance(value, Decimal | float) and math.isfinite(value) and value == int(value):
        return str(int(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return str(value)
