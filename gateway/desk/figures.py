"""Figures of a day or a week: received, answered, missed, waits and talk, by hour, by person, by queue."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.wrappers import Response

from gateway.desk.context import Visit
from gateway.desk.formats import day_start, local
from gateway.desk.rendering import page
from gateway.store.figures.counting import Figures

DAY, WEEK = "dia", "semana"
PERIODS = {DAY: 1, WEEK: 7}
HOUR_MS = 3600 * 1000
FIRST_HOUR, LAST_HOUR = 8, 18
"""Hours that are always shown; others only where there was a call."""


@dataclass(frozen=True, slots=True)
class FiguresPeriod:
    """A day, or a week from Monday on."""

    kind: str
    first: date

    @classmethod
    def of(cls, kind: str, day: str, today: date) -> "FiguresPeriod":
        """Read the page's parameters; what cannot be understood is today."""
        wanted = _day(day) or today
        return cls(WEEK, wanted - timedelta(days=wanted.weekday())) if kind == WEEK else cls(DAY, wanted)

    @property
    def days(self) -> Sequence[date]:
        return [self.first + timedelta(days=n) for n in range(PERIODS[self.kind])]

    def moved(self, by: int) -> Mapping[str, str]:
        """Return the parameters of the period so many further on."""
        return {"periodo": self.kind, "dia": (self.first + timedelta(days=by * PERIODS[self.kind])).isoformat()}


def figures(visit: Visit) -> Response:
    """Show the figures of a period, today's if none is chosen."""
    seq, zone = visit.services.log.newest(visit.tenant), visit.zone
    today = local(visit.at, zone).date()
    asked = visit.request.args
    period = FiguresPeriod.of(asked.get("periodo", DAY), asked.get("dia", ""), today)
    bounds = _hours(period.first, zone) if period.kind == DAY else _days(period, zone)
    counted = visit.services.figures.of(visit.tenant, bounds, visit.scope)
    rows = (_by_hour if period.kind == DAY else _by_day)(visit, bounds, counted.intervals)
    known: dict[str, Any] = {
        "total": sum(counted.intervals, Figures()),
        "rows": rows,
        "chart": _chart(rows),
        "people": _named(counted.people, _names(visit)),
        "queues": _named(counted.queues, lambda name: name),
    }
    return page(
        visit, "figures.html", seq=seq, period=period, today=today, since=bounds[0], until=bounds[-1] - 1, **known
    )


def _hours(day: date, zone: ZoneInfo) -> Sequence[int]:
    """Return when the hours of ``day`` begin, and when it ends; a day on which clocks are moved has 23 or 25."""
    return list(range(day_start(day, zone), day_start(day, zone, after=1) + 1, HOUR_MS))


def _days(period: FiguresPeriod, zone: ZoneInfo) -> Sequence[int]:
    return [*(day_start(day, zone) for day in period.days), day_start(period.days[-1], zone, after=1)]


def _by_hour(visit: Visit, bounds: Sequence[int], counted: Sequence[Figures]) -> Sequence[tuple[str, Figures]]:
    found = [(local(at, visit.zone).hour, each) for at, each in zip(bounds, counted, strict=False)]
    busy = [hour for hour, each in found if each != Figures()]
    first, last = min([FIRST_HOUR, *busy]), max([LAST_HOUR - 1, *busy])
    return [(f"{hour:02}:00", each) for hour, each in found if first <= hour <= last]


def _by_day(visit: Visit, bounds: Sequence[int], counted: Sequence[Figures]) -> Sequence[tuple[str, Figures]]:
    days = [local(at, visit.zone) for at in bounds]
    written = [f"{day:%b} {day.day}" if visit.language == "en" else f"{day:%d/%m}" for day in days]
    return list(zip(written, counted, strict=False))


def _chart(rows: Sequence[tuple[str, Figures]]) -> Mapping[str, Sequence[str | int]]:
    """Return what the chart draws: a label and two numbers for each row."""
    return {
        "labels": [label for label, _ in rows],
        "answered": [found.answered for _, found in rows],
        "missed": [found.missed for _, found in rows],
    }


def _named(counted: Mapping[str, Figures], name_of: Callable[[str], str]) -> Sequence[tuple[str, Figures]]:
    """Return those with calls by their names, the busiest first."""
    found: defaultdict[str, Figures] = defaultdict(Figures)
    for key, each in counted.items():
        if key and (each.received or each.placed or each.missed):
            found[name_of(key)] += each
    return sorted(found.items(), key=lambda item: (-item[1].answered - item[1].placed, item[0].casefold()))


def _names(visit: Visit) -> Callable[[str], str]:
    """Return what names a person by login, or by an extension at which one agent sits."""
    agents = visit.services.directory.agents(visit.tenant)
    seats = [agent.extension for agent in agents]
    alone = {agent.extension: agent.name for agent in agents if seats.count(agent.extension) == 1}
    logins = {agent.login: agent.name for agent in agents}
    return lambda name: logins.get(name) or alone.get(name) or name


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1971 <= day.year < 9000 else None
