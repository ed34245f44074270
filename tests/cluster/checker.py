"""What went wrong in a run: a history of what clients were told, held against what the database has."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from tests.cluster.history import RESET, Answer, History, LoggedRow, ScreenHistory, Shown, Stored

START, END = "call_started", "call_ended"
MOST = 20
"""Findings of one kind that are shown."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that must be empty: sentences, by what they are about."""

    lost: Sequence[str]
    twice: Sequence[str]
    gaps: Sequence[str]
    screens: Sequence[str]
    orders_lost: Sequence[str]
    dialled_twice: Sequence[str]
    dialled_without_row: Sequence[str]

    def __bool__(self) -> bool:
        """Return whether anything is wrong."""
        return any(getattr(self, each.name) for each in fields(self))

    def __str__(self) -> str:
        found = ((each.name, getattr(self, each.name)) for each in fields(self))
        return "\n".join(f"{name}: {len(told)}\n  " + "\n  ".join(told[:MOST]) for name, told in found if told)

    def counts(self) -> dict[str, int]:
        return {each.name: len(getattr(self, each.name)) for each in fields(self)}


def check(history: History, stored: Stored) -> Findings:
    """Return what is wrong with a run that has ended: all clients are gone, and all screens have caught up."""
    return Findings(
        lost=list(_lost(history, stored)),
        twice=list(_twice(history, stored)),
        gaps=list(_gaps(stored)),
        screens=list(_wrong_screens(history, stored)),
        orders_lost=list(_orders_lost(history, stored)),
        dialled_twice=list(_dialled_twice(history)),
        dialled_without_row=list(_dialled_without_row(history, stored)),
    )


def _lost(history: History, stored: Stored) -> Iterable[str]:
    """Yield each acknowledged event that is in no log."""
    there = {(row.tenant, row.kind, row.number) for row in stored.events}
    for event in history.acknowledged():
        if (event.tenant, event.kind, event.number) not in there:
            yield f"{event.kind} of {event.number} ({event.tenant}), acknowledged by {event.node} as {event.call_id}"


def _twice(history: History, stored: Stored) -> Iterable[str]:
    """Yield each event that was sent once and is in the log more than once."""
    times = Counter((row.tenant, row.kind, row.number) for row in stored.events)
    sent = Counter((event.tenant, event.kind, event.number) for event in history.events)
    for key, count in sent.items():
        if times[key] > count:
            yield f"{key[1]} of {key[2]} ({key[0]}): sent {count}, stored {times[key]} times"


def _gaps(stored: Stored) -> Iterable[str]:
    """Yield what is missing or twice in the numbers of the log, from 1 on."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for row in stored.events:
        numbers[row.tenant if stored.per_tenant else "all"].append(row.seq)
    for tenant, found in numbers.items():
        wanted = set(range(1, len(found) + 1))
        if set(found) != wanted:
            missing, more = sorted(wanted - set(found))[:5], sorted(set(found) - wanted)[:5]
            yield f"{tenant}: {len(found)} events, without {missing}, but with {more}"
        elif stored.heads and stored.heads.get(tenant) != len(found):
            yield f"{tenant}: the newest event is {len(found)}, its counter says {stored.heads.get(tenant)}"


def _wrong_screens(history: History, stored: Stored) -> Iterable[str]:
    """Yield each screen that did not see its extension's events once and in the order of the log.

    A reset is right only where it leaves nothing out: then what came before it is what the log begins with, and what
    comes after it begins right behind its position.
    """
    logged: defaultdict[tuple[str, str], list[LoggedRow]] = defaultdict(list)
    for row in sorted(stored.events, key=lambda row: row.seq):
        logged[row.tenant, row.extension].append(row)
    for screen in history.screens:
        if trouble := _trouble(screen, logged[screen.tenant, screen.extension]):
            yield f"{screen.tenant}/{screen.extension}: {trouble}"


def _trouble(screen: ScreenHistory, logged: Sequence[LoggedRow]) -> str | None:
    place = 0
    for number, shown in enumerate(screen.shown):
        if shown.kind == RESET:
            place = next((i for i, row in enumerate(logged) if row.seq > shown.seq), len(logged))
            continue
        wanted = logged[place] if place < len(logged) else None
        if wanted is None or (shown.kind, shown.call_id, shown.seq) != (wanted.kind, wanted.call_id, wanted.seq):
            return f"the {number + 1}th that it saw was {shown}, logged is {wanted}"
        place += 1
    return None if place == len(logged) else f"saw up to {logged[place - 1] if place else None} of {len(logged)}"


def _orders_lost(history: History, stored: Stored) -> Iterable[str]:
    """Yield each order that was answered as placed and has no row."""
    there = {(row.tenant, row.key) for row in stored.orders}
    for order in history.orders:
        if order.answer is Answer.ACKNOWLEDGED and (order.tenant, order.key) not in there:
            yield f"order {order.key} ({order.tenant}), acknowledged by {order.node}"


def _dialled_twice(history: History) -> Iterable[str]:
    for (tenant, number), count in Counter((each.tenant, each.number) for each in history.dialled).items():
        if count > 1:
            yield f"{number} ({tenant}): {count} times"


def _dialled_without_row(history: History, stored: Stored) -> Iterable[str]:
    there = {(row.tenant, row.digits) for row in stored.orders}
    for each in history.dialled:
        if (each.tenant, each.number) not in there:
            yield f"{each.number} ({each.tenant})"


def shown_of(row: LoggedRow) -> Shown:
    """Return how a screen is told of ``row``."""
    return Shown(str(row.seq), row.kind, row.call_id)
