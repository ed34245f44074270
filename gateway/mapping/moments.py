"""Times and lengths of time as senders write them, in milliseconds since 1970 UTC and in seconds."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Literal

from gateway.texts.text import Text

Unit = Literal["s", "ms", "us", "ns", "min", "gregorian", "clock"]
TO_MS = {"s": 1000, "ms": 1, "us": 1 / 1000, "ns": 1 / 1_000_000, "min": 60_000}
GREGORIAN_S = 62_167_219_200
"""Seconds from the year 0 to 1970: Kazoo counts from there."""
_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")
_CLOCK = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,3}):([0-5]?[0-9])(?:\.[0-9]+)?")
# Asterisk's and others' zone without a colon, which fromisoformat of 3.11 takes, and a space in front of it, not.
_ZONE = re.compile(r"\s*(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})$")
_DIGITS = ((19, "ns"), (16, "us"), (13, "ms"), (9, "s"))
LATEST_MS = 32_503_680_000_000
"""The year 3000."""
_LOCAL_FORMATS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y%m%d%H%M%S")


def read_moment(text: str, zone: tzinfo, *, unit: str = "", form: str = "") -> int:
    """Return the moment in ``text``; without a zone it is local time of ``zone``. Raises ``ValueError``.

    Understood are ISO 8601, numbers (their unit by how many digits they have), RFC 5322's dates, ``DD/MM/YYYY
    HH:MM:SS``; anything else by ``form``, as ``strptime`` has it.
    """
    try:
        found = _by_format(text, form, zone) if form else _moment(text, zone, unit)
    except (ValueError, OverflowError, TypeError, IndexError):
        raise ValueError(Text("{text!r} is no time", text=text[:80])) from None
    if not 0 < found < LATEST_MS:
        raise ValueError(Text("{text!r} is no time", text=text[:80]))
    return found


def _moment(text: str, zone: tzinfo, unit: str) -> int:
    if _NUMBER.fullmatch(text) and (unit or len(text.partition(".")[0]) != 14):
        return _by_number(text, unit)
    if text[:1].isalpha():
        return _milliseconds(parsedate_to_datetime(text), zone)
    try:
        return _milliseconds(datetime.fromisoformat(_ZONE.sub(_zone_of, text)), zone)
    except ValueError:
        return _by_known_format(text, zone)


def _zone_of(found: re.Match[str]) -> str:
    return "+00:00" if found[1] in ("Z", "UTC", "GMT") else found[1]


def _by_number(text: str, unit: str) -> int:
    if unit == "gregorian":
        return round((float(text) - GREGORIAN_S) * 1000)
    whole = len(text.partition(".")[0])
    unit = unit or next((name for digits, name in _DIGITS if whole >= digits), "")
    if not unit:
        raise ValueError(text)
    return round(float(text) * TO_MS[unit])


def _by_known_format(text: str, zone: tzinfo) -> int:
    for form in _LOCAL_FORMATS:
        try:
            return _by_format(text, form, zone)
        except ValueError:
            continue
    raise ValueError(text)


def _by_format(text: str, form: str, zone: tzinfo) -> int:
    return _milliseconds(datetime.strptime(text, form), zone)


def _milliseconds(moment: datetime, zone: tzinfo) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def read_seconds(text: str, *, unit: str = "") -> int:
    """Return a length of time in whole seconds: ``75``, ``75.4``, ``00:01:15``, ``01:15``; other units by ``unit``.

    Raises ``ValueError``.
    """
    clock = _CLOCK.fullmatch(text)
    if clock and unit in ("", "clock"):
        return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + int(clock[3])
    if not _NUMBER.fullmatch(text) or unit in ("clock", "gregorian"):
        raise ValueError(Text("{text!r} is no length of time", text=text[:80]))
    found = int(float(text) * TO_MS[unit or "s"] // 1000)
    if not 0 <= found < 10**8:
        raise ValueError(Text("{text!r} is no length of time", text=text[:80]))
    return found
