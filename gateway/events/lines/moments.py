"""Dates and times as exchanges print them: without a year, without a date, on a clock of 12 hours."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal, NamedTuple

from gateway.texts.text import Text

DateOrder = Literal["dmy", "mdy", "ymd"]
_DATE = re.compile(r"([0-9]{1,4})[/.\-]([0-9]{1,2})(?:[/.\-]([0-9]{1,4}))?")
_DIGITS = re.compile(r"[0-9]{4}|[0-9]{6}|[0-9]{8}")
_SPACED = re.compile(r"([0-9]{2}) ([0-9]{2})")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,6}))?)?\s*([AaPp])?[Mm]?")
_TIME_DIGITS = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})?([AaPp])?")
_EPOCH = re.compile(r"([0-9]{9,10})(?:\.([0-9]{1,6}))?|([0-9]{13})|([0-9]{16})")
# Cisco and AudioCodes: 10:03:22.214 BRT Thu Mar 5 2026; a * or . in front says that the clock is not set.
_VOICE = re.compile(
    r"[*.]?([0-9]{1,2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,6}))?\s+(\S{1,8})\s+[A-Z][a-z]{2}\s+([A-Z][a-z]{2})\s+([0-9]{1,2})"
    r"\s+([0-9]{4})"
)
_UNKNOWN = re.compile(r"[*?\-/:. 0]*")
_CENTURY = 2000


class ReadMoment(NamedTuple):
    """A moment in milliseconds since 1970 UTC, and whether the exchange told its seconds."""

    at: int
    to_the_second: bool = True


def read_moment(text: str, zone: tzinfo, order: DateOrder, now: int) -> ReadMoment | None:
    """Return the moment in ``text``, None where the exchange says that it does not know it (``**/**/**``, zeros).

    Without a zone it is local time of ``zone``; without a year, or without any date, it is the one nearest to ``now``.
    Raises ``ValueError``.
    """
    text = " ".join(text.split())
    if _UNKNOWN.fullmatch(text):
        return None
    try:
        return _by_number(text) or _voice(text, zone) or _iso(text, zone) or _printed(text, zone, order, now)
    except (ValueError, OverflowError, TypeError):
        raise ValueError(Text("{text!r} is no time", text=text[:80])) from None


def _by_number(text: str) -> ReadMoment | None:
    found = _EPOCH.fullmatch(text)
    if not found:
        return None
    if found[1]:
        return ReadMoment(round(float(text) * 1000))
    return ReadMoment(int(found[3]) if found[3] else int(found[4]) // 1000)


def _voice(text: str, zone: tzinfo) -> ReadMoment | None:
    found = _VOICE.fullmatch(text)
    if not found:
        return None
    clock, part, name, month, day, year = found.groups()
    # Names such as BRT are no zones that anybody knows: the source's own counts then.
    known = name in ("UTC", "GMT")
    moment = datetime.strptime(f"{day} {month} {year} {clock}", "%d %b %Y %H:%M:%S")
    aware = moment.replace(tzinfo=UTC if known else zone, microsecond=int((part or "0").ljust(6, "0")))
    return ReadMoment(_milliseconds(aware))


def _iso(text: str, zone: tzinfo) -> ReadMoment | None:
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]", text):
        return None
    moment = datetime.fromisoformat(re.sub(r" ?(?:Z|UTC)$", "+00:00", text))
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return ReadMoment(_milliseconds(aware), text.count(":") > 1)


def _printed(text: str, zone: tzinfo, order: DateOrder, now: int) -> ReadMoment:
    local = datetime.fromtimestamp(now / 1000, zone)
    day, rest = _day_of(text, order)
    clock, has_seconds = _time_of(rest)
    if day is None:
        return ReadMoment(_nearest_day(local, clock, zone, now), has_seconds)
    if day[0] is None:
        return ReadMoment(_nearest_year(local, day[1], day[2], clock, zone, now), has_seconds)
    moment = datetime.combine(date(day[0], day[1], day[2]), clock, zone)
    return ReadMoment(_milliseconds(moment), has_seconds)


Day = tuple[int | None, int, int]


def _day_of(text: str, order: DateOrder) -> tuple[Day | None, str]:
    """Return the date at the beginning of ``text``, and what follows it."""
    first, _, rest = text.partition(" ")
    if found := _DATE.fullmatch(first):
        return _ordered([part for part in found.groups() if part is not None], order), rest
    if found := _SPACED.match(text):
        return _ordered(list(found.groups()), order), text[found.end() :].strip()
    if rest and _DIGITS.fullmatch(first):
        return _ordered(_cut(first, order), order), rest
    return None, text


def _cut(digits: str, order: DateOrder) -> list[str]:
    if len(digits) == 8:
        places = ((0, 4), (4, 6), (6, 8)) if order == "ymd" else ((0, 2), (2, 4), (4, 8))
        return [digits[begin:end] for begin, end in places]
    return [digits[place : place + 2] for place in range(0, len(digits), 2)]


def _ordered(parts: list[str], order: DateOrder) -> Day:
    """Return year (None where there is none), month and day. A first part of four digits is a year anyway."""
    if len(parts) == 2:
        first, second = int(parts[0]), int(parts[1])
        return (None, second, first) if order == "dmy" else (None, first, second)
    if len(parts[0]) == 4 or order == "ymd":
        year, month, day = parts
    else:
        day, month, year = parts if order == "dmy" else (parts[1], parts[0], parts[2])
    return (int(year) if len(year) == 4 else _CENTURY + int(year)), int(month), int(day)


def _time_of(text: str) -> tuple[time, bool]:
    found = _TIME.fullmatch(text)
    if found:
        hour, minute, second, part, half = found.groups()
    else:
        found = _TIME_DIGITS.fullmatch(text)
        if not found:
            raise ValueError
        (hour, minute, second, half), part = found.groups(), None
    return time(_hour(int(hour), half), int(minute), int(second or 0), int((part or "0").ljust(6, "0"))), bool(second)


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    return hour % 12 + (12 if half in "Pp" else 0)


def _nearest_day(local: datetime, clock: time, zone: tzinfo, now: int) -> int:
    days = (local.date() + timedelta(days=shift) for shift in (-1, 0, 1))
    return _nearest((datetime.combine(day, clock, zone) for day in days), now)


def _nearest_year(local: datetime, month: int, day: int, clock: time, zone: tzinfo, now: int) -> int:
    years = (year for year in (local.year - 1, local.year, local.year + 1) if _exists(year, month, day))
    return _nearest((datetime.combine(date(year, month, day), clock, zone) for year in years), now)


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _nearest(moments: Iterable[datetime], now: int) -> int:
    return min(map(_milliseconds, moments), key=lambda at: abs(at - now))


def _milliseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
