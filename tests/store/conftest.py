"""A real store in a temporary folder."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from gateway.domain.calls.direction import tell_sides
from gateway.domain.calls.heard import (
    HeardEvent,
    heard_answer,
    heard_end,
    heard_hold,
    heard_note,
    heard_queue,
    heard_start,
    heard_transfer,
)
from gateway.domain.messages import (
    CallAnswered,
    CallEnded,
    CallHeld,
    CallMessage,
    CallNoted,
    CallResumed,
    CallStarted,
    CallTransferred,
    Direction,
    Origin,
    PlaceCall,
    QueueEntered,
    QueueLeft,
)
from gateway.domain.numbering.numbers import Extensions, NumberPlan, read
from gateway.store.calls import CallLog
from gateway.store.database import Database
from gateway.store.directory import Directory
from gateway.store.postgresql import database as postgresql
from gateway.store.reading.log import EventLog
from gateway.store.shared import row_presence as shared_presence
from gateway.store.writing.drafts import EventDraft, OrderDraft, Recorded
from gateway.store.writing.journal import Draft, Journal, apply
from tests.domain.calls.pairing_cases import T0 as T0
from tests.migrated import migrated_database
from tests.postgresql import FreshDatabase

PLAN = NumberPlan("47", Extensions.parse(["3500-3599"]))
HERE = Origin("get", "127.0.0.1")


@dataclass
class Store:
    """Everything of the store, and short ways to write drafts."""

    database: Database
    journal: Journal

    @property
    def data(self) -> Path:
        return self.database.data

    @property
    def engine(self) -> Engine:
        return self.database.engine

    @property
    def calls(self) -> CallLog:
        return CallLog(self.engine)

    @property
    def events(self) -> EventLog:
        return EventLog(self.engine)

    @property
    def directory(self) -> Directory:
        return Directory(self.engine, self.journal)

    def die(self) -> None:
        """End with all that tells others that this process is alive, without settling anything."""
        self.journal.stop()
        self.database.close()

    def start(self, ramal: str, telefone: str, at: int = T0, **extras: object) -> Recorded:
        return self.journal.write(start_draft(ramal, telefone, at, **extras))

    def answer(self, ramal: str, telefone: str, at: int = T0 + 5000, **extras: object) -> Recorded:
        return self.journal.write(answer_draft(ramal, telefone, at, **extras))

    def transfer(self, ramal: str, telefone: str, to: str, at: int = T0 + 30_000, **extras: object) -> Recorded:
        return self.journal.write(transfer_draft(ramal, telefone, to, at, **extras))

    def end(self, ramal: str, telefone: str, at: int = T0 + 60_000, **extras: object) -> Recorded:
        return self.journal.write(end_draft(ramal, telefone, at, **extras))

    def write(self, message: CallMessage) -> Recorded:
        return self.journal.write(EventDraft(message, heard(message)))

    def together(self, drafts: Sequence[Draft]) -> list[Any]:
        """Write ``drafts`` in one transaction, as a batch that came under load."""
        transactions = self.database.transactions(0)
        try:
            return transactions.run(lambda connection: apply(connection, drafts))
        finally:
            transactions.close()

    def order(self, extension: str, number: str, at: int = T0, tenant: str = "acme") -> Recorded:
        message = PlaceCall(tenant, extension, number, HERE, at)
        return self.journal.write(OrderDraft(message, extension, "pbx", "0" + number, read(number, PLAN)))


def start_draft(ramal: str, telefone: str, at: int = T0, **extras: object) -> EventDraft:
    tenant = str(extras.pop("tenant", "acme"))
    forwards = extras.pop("forwards", ())
    message = CallStarted(tenant, ramal, telefone, HERE, at, **extras)  # type: ignore[arg-type]
    sides = tell_sides(ramal, telefone, PLAN, message.direction)
    return EventDraft(message, heard_start(message, sides), forwards)  # type: ignore[arg-type]


def answer_draft(ramal: str, telefone: str, at: int = T0 + 5000, **extras: object) -> EventDraft:
    tenant = str(extras.pop("tenant", "acme"))
    forwards = extras.pop("forwards", ())
    message = CallAnswered(tenant, ramal, telefone, HERE, at, **extras)  # type: ignore[arg-type]
    sides = tell_sides(ramal, telefone, PLAN, message.direction)
    return EventDraft(message, heard_answer(message, sides), forwards)  # type: ignore[arg-type]


def transfer_draft(ramal: str, telefone: str, to: str, at: int = T0 + 30_000, **extras: object) -> EventDraft:
    forwards = extras.pop("forwards", ())
    message = CallTransferred("acme", ramal, telefone, to, HERE, at, **extras)  # type: ignore[arg-type]
    heard = heard_transfer(message, tell_sides(ramal, telefone, PLAN, message.direction), read(to, PLAN))
    return EventDraft(message, heard, forwards)  # type: ignore[arg-type]


def end_draft(ramal: str, telefone: str, at: int = T0 + 60_000, **extras: object) -> EventDraft:
    tenant = str(extras.pop("tenant", "acme"))
    message = CallEnded(tenant, ramal, telefone, HERE, at, **extras)  # type: ignore[arg-type]
    return EventDraft(message, heard_end(message, tell_sides(ramal, telefone, PLAN, message.direction)))


def heard(message: CallMessage) -> HeardEvent:
    """What the handlers make of ``message``."""
    sides = tell_sides(message.ramal, message.telefone, PLAN, message.direction)
    if isinstance(message, CallHeld | CallResumed):
        return heard_hold(message, sides)
    if isinstance(message, QueueEntered | QueueLeft):
        return heard_queue(message, sides)
    assert isinstance(message, CallNoted)
    return heard_note(message, sides)


OUTGOING = Direction.OUTGOING
OpenStore = Callable[[], Store]
KINDS_OF_DATABASE = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(params=KINDS_OF_DATABASE)
def open_store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenStore]:
    """Opens the same database as often as asked, as several processes would; with each kind of database."""
    # A busy machine may leave a test inside its transaction for longer than a node is let.
    monkeypatch.setattr(postgresql, "HELD_AT_MOST_MS", 30_000)
    opened: list[Store] = []
    fresh = FreshDatabase() if request.param == "postgresql" else None

    def open_one() -> Store:
        database = fresh.open(tmp_path / "data") if fresh else migrated_database(tmp_path / "data")
        journal = Journal(database)
        journal.start()
        opened.append(Store(database, journal))
        return opened[-1]

    yield open_one
    for store in opened:
        store.journal.stop()
        store.database.close()
    if fresh:
        fresh.give_back()


@pytest.fixture
def deaths_are_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL a process is given up only after seconds in which it may come back, and looked at now and then."""
    monkeypatch.setattr(shared_presence, "UNKNOWN_AFTER_S", float("-inf"))  # nor is the first beat of a lease awaited
    monkeypatch.setattr(shared_presence, "LOOK_EVERY_S", 0)


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    return open_store()
