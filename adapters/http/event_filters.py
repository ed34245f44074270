"""Filters for templates that write what an event has as a target wants it: times in its form and zone, free fields.

What is not known is empty, and stays so in every form.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

from jinja2 import pass_context
from jinja2.runtime import Context

from gateway.domain.event_fields import table_of
from gateway.errors import AdapterError
from gateway.texts.text import Text

_SIGNS = {"yyyy": "%Y", "yy": "%y", "dd": "%d", "mm": "%m", "HH": "%H", "MM": "%M", "SS": "%S"}
_ANY_SIGN = re.compile("|".join(_SIGNS))


@cache
def zone_of(name: str) -> ZoneInfo:
    """Return a time zone. Raises ``AdapterError`` for a name that none has."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        told = Text("there is no time zone {name!r}; expected such as America/Sao_Paulo", name=name)
        raise AdapterError(told) from None


@cache
def strftime_of(pattern: str) -> str:
    """Return a pattern for ``strftime``; one with a ``%`` is one already.

    >>> strftime_of("dd/mm/yyyy HH:MM:SS")
    '%d/%m/%Y %H:%M:%S'
    """
    return pattern if "%" in pattern else _ANY_SIGN.sub(lambda found: _SIGNS[found[0]], pattern)


def _read(text: str) -> datetime | None:
    """Return the time that ``text`` says, None where it is empty. Raises ``AdapterError`` for what is no time."""
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise AdapterError(Text("{text!r} is no time in ISO 8601", text=text[:40])) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


@pass_context
def _moment(context: Context, value: object, pattern: str = "", zone: str = "") -> str:
    """Write a time in ``zone`` (else the company's, else UTC) as ``pattern`` says, else as ISO 8601 with its offset."""
    at = _read(str(value))
    if at is None:
        return ""
    local = at.astimezone(zone_of(zone or context.get("zone") or "UTC"))
    return local.strftime(strftime_of(pattern)) if pattern else local.isoformat(timespec="seconds")


def _epoch(value: object) -> str:
    at = _read(str(value))
    return "" if at is None else str(int(at.timestamp()))


def _epoch_ms(value: object) -> str:
    at = _read(str(value))
    return "" if at is None else str(round(at.timestamp() * 1000))


def _clock(value: object) -> str:
    """Write seconds as ``HH:MM:SS``. Raises ``AdapterError`` for what is no number."""
    text = str(value)
    if not text:
        return ""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise AdapterError(Text("{text!r} is no number of seconds", text=text[:40]))
    minutes, seconds = divmod(int(text), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def _member(value: object, name: str) -> str:
    """Return a free field of the JSON object ``value``; empty where there is none."""
    return table_of(str(value)).get(name, "")


FILTERS: Mapping[str, Callable[..., str]] = {
    "moment": _moment,
    "epoch": _epoch,
    "epoch_ms": _epoch_ms,
    "clock": _clock,
    "member": _member,
}
"""By name: ``{{ started_at | moment('dd/mm/yyyy HH:MM', 'America/Manaus') }}``, ``epoch`` (seconds since 1970),
``epoch_ms``, ``clock`` (seconds as HH:MM:SS) and ``{{ fields | member('cpf') }}`` (one of the free fields)."""
