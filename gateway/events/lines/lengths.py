"""Lengths of time as exchanges print them, in seconds."""

import re
from collections.abc import Callable, Mapping
from typing import Literal

from gateway.texts.text import Text

Shape = Literal["auto", "seconds", "tenths", "hundredths", "ms", "us", "minutes", "hh:mm", "hmmt", "mmss", "hhmmss"]
LONGEST_S = 10**7
_CLOCK = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,4}):([0-5]?[0-9])(?:[.,]([0-9]{1,6}))?")
# Panasonic: 00:02'41 and 0'12; TransTel: 00:02'35" and 00'10".
_MARKS = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,4})'([0-5]?[0-9])[\"']{0,2}")
_LETTERS = re.compile(r"(?:([0-9]{1,4})h)?\s*(?:([0-9]{1,4})m(?:in)?)?\s*(?:([0-9]{1,6})s)?", re.IGNORECASE)
_AXXESS = re.compile(r"S=\s*([0-9]{1,8})")
_NUMBER = re.compile(r"[0-9]{1,12}(?:[.,][0-9]{1,6})?")
_BY_UNIT: Mapping[str, float] = {"seconds": 1, "tenths": 0.1, "hundredths": 0.01, "ms": 0.001, "us": 0.000_001}


def read_length(text: str, shape: Shape = "auto") -> float:
    """Return the seconds in ``text``. Raises ``ValueError``.

    ``auto`` understands ``HH:MM:SS`` with any number of hours and tenths, ``MM:SS``, ``HH:MM'SS``, ``M'SS``,
    ``00:02'35"``, ``2h05m03s``, ``S=161`` and plain seconds. The others say what digits mean: ``minutes`` with tenths
    (``2.5``), ``hh:mm``, ``hmmt`` (one digit of hours, two of minutes, one of tenths of a minute), ``mmss`` and
    ``hhmmss``.
    """
    try:
        found = _READERS[shape](text.strip())
    except (ValueError, TypeError, AttributeError):
        raise _no_length(text) from None
    if not 0 <= found < LONGEST_S:
        raise _no_length(text)
    return found


def _no_length(text: str) -> ValueError:
    return ValueError(Text("{text!r} is no length of time", text=text[:80]))


def _auto(text: str) -> float:
    for pattern in (_CLOCK, _MARKS):
        if found := pattern.fullmatch(text):
            tenths = float(f"0.{found[4]}") if pattern is _CLOCK and found[4] else 0
            return int(found[1] or 0) * 3600 + int(found[2]) * 60 + int(found[3]) + tenths
    if found := _AXXESS.fullmatch(text):
        return float(found[1])
    if _NUMBER.fullmatch(text):
        return _number(text)
    found = _LETTERS.fullmatch(text)
    if not text or not found:
        raise ValueError
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError
    return float(text.replace(",", "."))


def _hours_and_minutes(text: str) -> float:
    hours, minutes = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def _definity(text: str) -> float:
    """Read one digit of hours, two of minutes and one of tenths of a minute."""
    if not re.fullmatch(r"[0-9]{4}", text):
        raise ValueError
    return int(text[0]) * 3600 + int(text[1:3]) * 60 + int(text[3]) * 6


def _digits(text: str) -> float:
    if not re.fullmatch(r"[0-9]{3,8}", text):
        raise ValueError
    return int(text[:-4] or 0) * 3600 + int(text[-4:-2]) * 60 + int(text[-2:])


def _by(factor: float) -> Callable[[str], float]:
    return lambda text: _number(text) * factor


_READERS: Mapping[str, Callable[[str], float]] = {
    "auto": _auto,
    **{name: _by(factor) for name, factor in _BY_UNIT.items()},
    "minutes": _by(60),
    "hh:mm": _hours_and_minutes,
    "hmmt": _definity,
    "mmss": _digits,
    "hhmmss": _digits,
}
