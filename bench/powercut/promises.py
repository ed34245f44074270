"""What machines around the gateway were told or asked, and what of it a disk must hold for that."""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bench.powercut.writelog import Kind, Record

DATABASE = "gateway.db"
FORWARDED = ("call_started", "call_ended")


@dataclass
class Promises:
    """Lines that the machines around the gateway wrote down, in the order in which they happened:

    ``event KIND NUMBER CALL``: an event was acknowledged; ``order NUMBER``: an order was answered as accepted;
    ``dial NUMBER ORDER ROUND``: the appliance was asked to dial, in the round of that number;
    ``told KIND NUMBER``: a forward was told. Each call and each order has a number of its own.
    """

    events: dict[tuple[str, str], int] = field(default_factory=dict)
    orders: set[str] = field(default_factory=set)
    dials: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    told: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, line: str) -> None:
        """Take note of one line."""
        match line.split():
            case ["event", kind, number, call]:
                self.events[kind, number] = int(call)
            case ["order", number]:
                self.orders.add(number)
            case ["dial", number, order, round_no]:
                self.dials[number].append((int(order), int(round_no)))
            case ["told", kind, number]:
                self.told[kind, number] += 1
            case _:
                raise ValueError(f"no line of the machines around the gateway: {line!r}")

    def add_all(self, records: Sequence[Record]) -> None:
        """Take note of the marks among ``records``."""
        for record in records:
            if record.kind is Kind.MARK:
                self.add(record.data.decode())

    # what does not hold, as sentences

    def broken_on(self, data: Path) -> Sequence[str]:
        """Say which promises the database in ``data``, as a power cut left it, does not hold."""
        if not (data / DATABASE).exists():
            return [f"there is no {DATABASE}"] if self.events or self.orders or self.dials else []
        try:
            with closing(sqlite3.connect(data / DATABASE)) as database:
                return list(self._broken_in(database))
        except sqlite3.DatabaseError as error:
            return [f"{DATABASE} does not open: {error}"]

    def _broken_in(self, database: sqlite3.Connection) -> Iterator[str]:
        for (line,) in database.execute("PRAGMA integrity_check"):
            if line != "ok":
                yield f"integrity_check: {line}"
        if not _has_tables(database):
            if self.events or self.orders or self.dials:
                yield "the tables are gone"
            return
        yield from self._events_in(database)
        yield from self._orders_in(database)

    def _events_in(self, database: sqlite3.Connection) -> Iterator[str]:
        found = events_of(database)
        for event, call in self.events.items():
            if call not in found.get(event, ()):
                yield f"an acknowledged event is lost: {event} of call {call}, there is {found.get(event)}"
        yield from (
            f"an event is there {len(calls)} times: {event}" for event, calls in found.items() if len(calls) > 1
        )
        yield from (
            f"the forward was told of an event that is not there: {event}" for event in self.told if event not in found
        )
        last, count = database.execute("SELECT max(seq), count(*) FROM events").fetchone()
        if (last or 0) != count:
            yield f"the event log has gaps: {count} events, the last is {last}"
        letters = letters_of(database)
        yield from (
            f"a forward was given {letters[event]} letters of {event}"
            for event in found
            if event[0] in FORWARDED and letters[event] != 1
        )

    def _orders_in(self, database: sqlite3.Connection) -> Iterator[str]:
        placed = dict(database.execute("SELECT digits, id FROM orders"))
        yield from (f"an answered order is lost: {number}" for number in self.orders if number not in placed)
        for number, dials in self.dials.items():
            if number not in placed or any(order != placed[number] for order, _ in dials):
                yield f"dialled without an order of that number: {number}, {dials}, there is {placed.get(number)}"

    def broken_in_operation(self) -> Sequence[str]:
        """Say which numbers were dialled more than once, or later than they were asked for."""
        return [
            f"dialled again or later: {number}, {dials}"
            for number, dials in self.dials.items()
            if len(dials) > 1 or any(round_no != round_of(number) for _, round_no in dials)
        ]

    def broken_at_the_end(self, data: Path) -> Sequence[str]:
        """Say what the forward was never told of, and which orders are open, once the gateway has had time for it."""
        with closing(sqlite3.connect(data / DATABASE)) as database:
            untold = [event for event in events_of(database) if event[0] in FORWARDED and not self.told[event]]
            still_open = database.execute("SELECT id FROM orders WHERE outcome IS NULL").fetchall()
        found = [f"the forward was never told of {event}" for event in untold]
        return found + [f"order {order} is still open" for (order,) in still_open]


def _has_tables(database: sqlite3.Connection) -> bool:
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    return {"events", "orders", "outbox"} <= tables


def events_of(database: sqlite3.Connection) -> dict[tuple[str, str], list[int]]:
    """Return the calls of each event, by kind and number."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for kind, payload, call in database.execute("SELECT kind, payload, call_id FROM events"):
        if kind in FORWARDED:
            found[kind, json.loads(payload)["number"]].append(call)
    return found


def letters_of(database: sqlite3.Connection) -> Counter[tuple[str, str]]:
    """Count the letters to the forward by kind and number."""
    letters = database.execute("SELECT kind, body FROM outbox")
    return Counter((kind, json.loads(body)["telefone"]) for kind, body in letters)


def round_of(number: str) -> int:
    """Return in which round ``number`` was asked for: the digits where ``load.py`` puts it."""
    return int(number[4:7])
