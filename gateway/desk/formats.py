"""How people see numbers, times and durations, and which recordings a page can play."""

import re
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

BRAZILIAN = re.compile(r"([1-9][1-9])(\d{4,5})(\d{4})")
TOLL_FREE = re.compile(r"(0[3589]00|0303)(\d{3})(\d{3,4})")
SHARED_COST = re.compile(r"([34]00\d)(\d{4})")


def number_text(number: str) -> str:
    """``47999998888`` as ``(47) 99999-8888``; extensions, foreign numbers and words stay as they are."""
    if found := BRAZILIAN.fullmatch(number):
        return "({}) {}-{}".format(*found.groups())
    if found := TOLL_FREE.fullmatch(number) or SHARED_COST.fullmatch(number):
        return " ".join(found.groups())
    return number


def is_diallable(number: str) -> bool:
    """Whether there is a number to call back; withheld ones come as words, zeros or nothing."""
    return bool(re.search(r"[1-9]", number)) and not re.search(r"[^\d+()./\s*#-]", number)


def duration_text(seconds: int | None) -> str:
    """``75`` as ``1:15``, hours as ``1:02:03``; empty while unknown."""
    if seconds is None:
        return ""
    hours, rest = divmod(max(0, seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def local(at: int, zone: ZoneInfo) -> datetime:
    """Milliseconds since 1970 as a date and time of ``zone``."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)


def date_text(at: int | None, zone: ZoneInfo) -> str:
    """``05/03/2026``; empty while unknown."""
    return local(at, zone).strftime("%d/%m/%Y") if at is not None else ""


def time_text(at: int | None, zone: ZoneInfo) -> str:
    """``14:20``; empty while unknown."""
    return local(at, zone).strftime("%H:%M") if at is not None else ""


def clock_text(at: int | None, zone: ZoneInfo) -> str:
    """``14:20:31.045``; empty while unknown."""
    return local(at, zone).strftime("%H:%M:%S.%f")[:-3] if at is not None else ""


def day_start(day: date, zone: ZoneInfo, *, after: int = 0) -> int:
    """The first millisecond of ``day`` (or ``after`` days later) in ``zone``."""
    return round(datetime.combine(day + timedelta(days=after), time(), zone).timestamp() * 1000)


def plays_here(url: str, scheme: str) -> bool:
    """Whether a page of ``scheme`` may play ``url``: browsers play nothing from http on a page that came by https."""
    return scheme != "https" or urlsplit(url).scheme == "https"
