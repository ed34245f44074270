"""Figures of a day or a week: received, answered, missed, waits and talk, by hour, by person, by queue."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from werkzeug.wrappers import Response

from gateway.desk.context import Visit
from gateway.desk.formats import day_start, local
from gateway.desk.rendering import page
from gateway.store.figures import SLOT_MS, CountedSlot, Figures, Kind

DAY, WEEK = "dia", "semana"
PERIODS = {DAY: 1, WEEK: 7}
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
    seq, zone = visit.services.log.newest(), visit.zone
    today = local(visit.at, zone).date()
    asked = visit.request.args
    period = FiguresPeriod.of(asked.get("periodo", DAY), asked.get("dia", ""), today)
    since, until = day_start(period.days[0], zone), day_start(period.days[-1], zone, after=1)
    counted = visit.services.figures.of(visit.tenant, since, until, visit.scope)
    rows = _by_hour(visit, counted) if period.kind == DAY else _by_day(visit, counted, period)
    known: dict[str, Any] = {
        "total": sum((each.figures for each in counted if each.kind == Kind.ALL), Figures()),
        "rows": rows,
        "chart": _chart(rows),
        "people": _named(counted, Kind.PERSON, _names(visit)),
        "queues": _named(counted, Kind.QUEUE, lambda name: name),
        "spans": [(day_start(day, zone)) for day in period.days],
    }
    return page(visit, "figures.html", seq=seq, period=period, today=today, since=since, until=until - 1, **known)


def _by_hour(visit: Visit, counted: Iterable[CountedSlot]) -> Sequence[tuple[str, Figures]]:
    hours: defaultdict[int, Figures] = defaultdict(Figures)
    for hour in range(FIRST_HOUR, LAST_HOUR):
        hours[hour] = Figures()
    for each in counted:
        if each.kind == Kind.ALL:
            hours[local(each.slot * SLOT_MS, visit.zone).hour] += each.figures
    return [(f"{hour:02}:00", hours[hour]) for hour in range(min(hours), max(hours) + 1)]


def _by_day(visit: Visit, counted: Iterable[CountedSlot], period: FiguresPeriod) -> Sequence[tuple[str, Figures]]:
    days = dict.fromkeys(period.days, Figures())
    for each in counted:
        if each.kind == Kind.ALL:
            days[local(each.slot * SLOT_MS, visit.zone).date()] += each.figures
    return [(f"{day:%d/%m}" if visit.language != "en" else f"{day:%b} {day.day}", found) for day, found in days.items()]


def _chart(rows: Sequence[tuple[str, Figures]]) -> Mapping[str, Sequence[str | int]]:
    """Return what the chart draws: a label and two numbers for each row."""
    return {
        "labels": [label for label, _ in rows],
        "answered": [found.answered for _, found in rows],
        "missed": [found.missed for _, found in rows],
    }


def _named(counted: Iterable[CountedSlot], kind: Kind, name_of: Callable[[str], str]) -> Sequence[tuple[str, Figures]]:
    found: defaultdict[str, Figures] = defaultdict(Figures)
    for each in counted:
        if each.kind == kind and each.name:
            found[name_of(each.name)] += each.figures
    busy = {name: each for name, each in found.items() if each.received or each.placed or each.missed}
    return sorted(busy.items(), key=lambda item: (-item[1].answered - item[1].placed, item[0].casefold()))


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
