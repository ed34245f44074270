"""How people see numbers, times and durations, and which recordings a page can play."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from gateway.domain.identifiers import CNPJ, CPF
from gateway.texts.languages import DEFAULT, Language
from gateway.texts.rendering import locale_of

DATES = {"pt-BR": "dd/MM/y", "en": "MMM d, y", "es": "dd/MM/y"}
"""As in CLDR, with four digits of the year, and in English the month's name: 3/5 would be read in two ways."""
BRAZILIAN = re.compile(r"([1-9][1-9])(\d{4,5})(\d{4})")
TOLL_FREE = re.compile(r"(0[3589]00|0303)(\d{3})(\d{3,4})")
SHARED_COST = re.compile(r"([34]00\d)(\d{4})")


def number_text(number: str) -> str:
    """Return ``47999998888`` as ``(47) 99999-8888``; extensions, foreign numbers and words stay as they are."""
    if found := BRAZILIAN.fullmatch(number):
        return "({}) {}-{}".format(*found.groups())
    if found := TOLL_FREE.fullmatch(number) or SHARED_COST.fullmatch(number):
        return " ".join(found.groups())
    return number


def is_diallable(number: str) -> bool:
    """Return whether there is a number to call back; withheld ones come as words, zeros or nothing."""
    return bool(re.search(r"[1-9]", number)) and not re.search(r"[^\d+()./\s*#-]", number)


def duration_text(seconds: int | None) -> str:
    """Return ``75`` as ``1:15``, hours as ``1:02:03``; empty while unknown."""
    if seconds is None:
        return ""
    hours, rest = divmod(max(0, seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def waiting_text(ms: int) -> str:
    """Return how long somebody waits, in words of every language: ``12 min``, ``3 h 5 min``, ``2 d 4 h``."""
    minutes = max(0, ms) // 60_000
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"
    if hours:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{minutes} min"


def identifier_name(kind: str) -> str:
    """Return ``CPF`` of ``cpf``, ``Numero de serie`` of ``numero_de_serie``: a column or field as people read it."""
    words = kind.replace("_", " ")
    return kind.upper() if kind in (CPF, CNPJ) else words[:1].upper() + words[1:]


def local(at: int, zone: ZoneInfo) -> datetime:
    """Return milliseconds since 1970 as a date and time of ``zone``."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)


def date_text(at: int | None, zone: ZoneInfo, language: Language = DEFAULT) -> str:
    """Return ``05/03/2026``, in English ``Mar 5, 2026``; empty while unknown."""
    return _day_text(local(at, zone).date(), language) if at is not None else ""


@lru_cache(maxsize=1024)
def _day_text(day: date, language: Language) -> str:
    from babel.dates import format_date

    return format_date(day, DATES[language], locale_of(language))


def time_text(at: int | None, zone: ZoneInfo) -> str:
    """Return ``14:20`` in every language, as telephony writes it; empty while unknown."""
    return local(at, zone).strftime("%H:%M") if at is not None else ""


@lru_cache(maxsize=1024)
def amount_text(value: float, digits: int | None = None, language: Language = DEFAULT) -> str:
    """Return ``12345.67`` as ``12.345,67``, in English ``12,345.67``; ``digits``: that many behind the
    decimal point.
    """
    from babel.numbers import format_decimal

    return format_decimal(value, None if digits is None else f"#,##0.{'0' * digits}", locale_of(language))


def clock_text(at: int | None, zone: ZoneInfo) -> str:
    """Return ``14:20:31.045``; empty while unknown."""
    return local(at, zone).strftime("%H:%M:%S.%f")[:-3] if at is not None else ""


def seconds_text(at: int | None, zone: ZoneInfo) -> str:
    """Return ``14:20:31``; empty while unknown."""
    return local(at, zone).strftime("%H:%M:%S") if at is not None else ""


def day_start(day: date, zone: ZoneInfo, *, after: int = 0) -> int:
    """Return the first millisecond of ``day`` (or ``after`` days later) in ``zone``."""
    return round(datetime.combine(day + timedelta(days=after), time(), zone).timestamp() * 1000)


def plays_here(url: str, scheme: str) -> bool:
    """Return whether a page of ``scheme`` may play ``url``: browsers play nothing from http on a page that came by
    https.
    """
    return scheme != "https" or urlsplit(url).scheme == "https"
