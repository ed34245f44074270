"""What pages ask of a long call log: each as a function of chance, that returns how many rows it found."""

import random
import time
from collections.abc import Callable, Iterator
from itertools import islice

from sqlalchemy import Engine, select

from bench.long_log import TENANT
from gateway.domain.calls.scope import CallScope, Team
from gateway.domain.numbering.extensions import Extensions
from gateway.store import tables
from gateway.store.board import BoardLog
from gateway.store.calls import CallFilter, CallLog
from gateway.store.figures.log import FiguresLog
from gateway.store.missed import MissedList
from gateway.store.quality import Quality
from gateway.store.search.search import CallFinder

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
Asked = Callable[[random.Random], int]
TEAM = CallScope(
    login="carla", led=(Team("sales", extensions=Extensions((("3500", "3509"),)), queues=frozenset(("Vendas",))),)
)


def now() -> int:
    return time.time_ns() // 1_000_000


def pages(engine: Engine, finder: CallFinder) -> Iterator[tuple[str, Asked]]:
    """Yield what is asked, and what asks it."""
    known = _Known(engine)
    yield from _log_pages(finder, known)
    yield from _other_pages(engine, known)
    yield from _figures(engine)


class _Known:
    """What is known of the log before something is asked: some of its calls."""

    def __init__(self, engine: Engine) -> None:
        calls = tables.calls
        with engine.connect() as connection:
            newest = connection.execute(select(calls.c.id).order_by(calls.c.id.desc()).limit(1)).scalar_one()
            ids = [random.Random(5).randrange(1, newest) for _ in range(500)]
            self.calls = connection.execute(select(calls).where(calls.c.id.in_(ids))).all()
        self.newest = newest
        self.of_accounts = [call for call in self.calls if call.account_id]


def _log_pages(finder: CallFinder, known: _Known) -> Iterator[tuple[str, Asked]]:
    def find(made: Callable[[random.Random], CallFilter]) -> Asked:
        return lambda chance: len(finder.find(TENANT, made(chance)).calls)

    def deep(chance: random.Random) -> int:
        return chance.randrange(1000, known.newest)

    yield "log, first page", find(lambda _: CallFilter())
    yield "log, deep", find(lambda chance: CallFilter(before_id=deep(chance)))
    yield "log, a day of long ago", find(lambda chance: CallFilter(**_day(chance)))
    yield "log, an extension", find(lambda chance: CallFilter(extension=_extension(chance)))
    yield "log, an extension, deep", find(lambda c: CallFilter(extension=_extension(c), before_id=deep(c)))
    yield "log, an extension, a day of long ago", find(lambda c: CallFilter(extension=_extension(c), **_day(c)))
    yield "log, a number", find(lambda c: CallFilter(number=c.choice(known.calls).number, whole_number=True))
    yield "log, a number's beginning", find(lambda c: CallFilter(number=c.choice(known.calls).number[:7]))
    yield "log, missed, deep", find(lambda c: CallFilter(missed=True, before_id=deep(c)))
    yield "log, going on", find(lambda _: CallFilter(statuses=("ringing", "talking", "waiting")))
    yield "log of a supervisor", find(lambda _: CallFilter(scope=TEAM))
    yield "log of a supervisor, deep", find(lambda c: CallFilter(scope=TEAM, before_id=deep(c)))
    yield "log of an agent", find(lambda c: CallFilter(scope=CallScope(login="ana.souza", seat=_extension(c))))
    yield (
        "export, its first 500 rows",
        lambda _: len(list(islice(finder.every(TENANT, CallFilter(since=now() - 30 * DAY_MS)), 500))),
    )


def _other_pages(engine: Engine, known: _Known) -> Iterator[tuple[str, Asked]]:
    log, missed, quality = CallLog(engine), MissedList(engine), Quality(engine)

    def account(chance: random.Random, *, deep: bool = False) -> int:
        call = chance.choice(known.of_accounts)
        return len(log.recent(TENANT, CallFilter(account_id=call.account_id, before_id=call.id if deep else None)))

    yield "one call", lambda chance: int(log.get(TENANT, chance.randrange(1, known.newest)) is not None)
    yield "an account's calls", account
    yield "an account's calls, deep", lambda chance: account(chance, deep=True)
    yield "why?, calls of a number that day", lambda chance: _of_number(log, chance.choice(known.calls))
    yield "missed calls of a week", lambda _: len(missed.entries(TENANT, since=now() - 7 * DAY_MS, now=now()))
    yield "board, calls that go on", lambda _: len(BoardLog(engine).going_on(TENANT, now() - 4 * HOUR_MS))
    yield "board, extensions", lambda _: len(BoardLog(engine).extensions(TENANT, now() - 7 * DAY_MS))
    yield "board, queues", lambda _: len(BoardLog(engine).queues(TENANT))
    yield "callers without an account", lambda _: len(quality.callers(TENANT, now()))


def _of_number(log: CallLog, call: object) -> int:
    at, number = getattr(call, "logged_at"), getattr(call, "number")  # noqa: B009
    return len(log.recent(TENANT, CallFilter(number=number, since=at - DAY_MS, until=at + DAY_MS), limit=20))


def _figures(engine: Engine) -> Iterator[tuple[str, Asked]]:
    log = FiguresLog(engine)

    def counted(days: int, step: int, first: Callable[[random.Random], int], scope: CallScope | None = None) -> Asked:
        def count(chance: random.Random) -> int:
            begins = first(chance)
            bounds = [begins + at for at in range(0, days * DAY_MS + 1, step)]
            found = log.of(TENANT, bounds, scope) if scope else log.of(TENANT, bounds)
            return sum(each.received + each.placed for each in found.intervals)

        return count

    def long_ago(chance: random.Random) -> int:
        return _day(chance)["since"] // HOUR_MS * HOUR_MS

    def lately(days: int) -> Callable[[random.Random], int]:
        return lambda _: (now() // HOUR_MS + 1 - 24 * days) * HOUR_MS

    yield "figures of today", counted(1, HOUR_MS, lately(1))
    yield "figures of a day", counted(1, HOUR_MS, long_ago)
    yield "figures of this week", counted(7, DAY_MS, lately(7))
    yield "figures of a week", counted(7, DAY_MS, long_ago)
    yield "figures of a week half an hour off", counted(7, DAY_MS, lambda c: long_ago(c) + HOUR_MS // 2)
    yield "figures of 31 days", counted(31, DAY_MS, long_ago)
    yield "figures of a supervisor's day", counted(1, HOUR_MS, long_ago, TEAM)
    yield "figures of a supervisor's week", counted(7, DAY_MS, long_ago, TEAM)


def _extension(chance: random.Random) -> str:
    return str(3500 + chance.randrange(40))


def _day(chance: random.Random) -> dict[str, int]:
    since = now() - chance.randrange(30, 300) * DAY_MS
    return {"since": since, "until": since + DAY_MS}
