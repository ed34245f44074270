"""A gateway's core without threads, sockets and real time: handlers, rule book, journal, maintenance and clocks.

Each write is one transaction on a real SQLite file, as the journal's own; beside it the rule book alone is told the
same, so that both can be compared.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copy
from typing import Any

from sqlalchemy import Connection, Engine, event, select

from gateway.adapter import Delivery, Outcome
from gateway.clock import Clock
from gateway.domain.calls.book import decide_in_vain, decide_order
from gateway.domain.calls.call import Call
from gateway.domain.calls.heard import MarkedOver, SettledOrder, placed_order
from gateway.domain.calls.legs import Leg
from gateway.domain.calls.states import GOING_ON
from gateway.domain.dialplan.plan import DialPlan
from gateway.domain.messages import CallMessage, Message, Origin, PlaceCall
from gateway.domain.numbering.numbers import Extensions, NumberPlan
from gateway.domain.tenant import Appliance, Tenant
from gateway.handlers import Core
from gateway.maintenance import Maintenance
from gateway.store import tables
from gateway.store.ghosts import Ghosts
from gateway.store.letters.outbox import Outbox
from gateway.store.reading.log import LoggedEvent
from gateway.store.shared.presence import FilePresence
from gateway.store.sqlite.engine import DATABASE, begin, commit, open_engine, upgrade
from gateway.store.writing.candidates import BOOK_COLUMNS, call_of, leg_of
from gateway.store.writing.drafts import EventDraft, GiveUp, InVain, OrderDraft, Over, Recorded, Settlement, WriteJob
from gateway.store.writing.journal import apply
from tests.domain.calls.ledger import Ledger
from tests.domain.calls.pairing_cases import FOUR_HOURS, T0
from tests.fakes import SetTime

HERE = Origin("get", "127.0.0.1")
ACME = Tenant(
    "acme",
    NumberPlan("47", Extensions.parse(["3500-3599"])),
    (Appliance("pbx", "PABX", DialPlan("9")),),
    default_appliance="pbx",
    forwards={"call_started": ("crm",), "call_ended": ("crm",)},
)


class PowerCut(Exception):
    """The process died before its transaction was durable."""


@dataclass
class DirectJournal:
    """Writes each draft in a transaction of its own, on the thread that asks; the ``ledger`` is told the same."""

    engine: Engine
    ledger: Ledger
    presence: FilePresence
    orders: dict[int, int]
    dying: bool = False
    collected: list[EventDraft] | None = None
    settled: set[int] = field(default_factory=set)

    def write(self, draft: Any) -> Recorded:
        if self.collected is not None:
            self.collected.append(draft)
            return Recorded(0, 0)
        return self.write_all([draft])[0]

    def give_up(self, draft: GiveUp | InVain) -> int:
        closed: int = self.write_all([draft])[0]
        return closed

    def run(self, work: Any, **_kept_apart_by: Any) -> Any:
        return self.write_all([WriteJob(work)])[0]

    def write_all(self, drafts: Sequence[Any]) -> list[Any]:
        """Write ``drafts`` in one transaction. Raises ``PowerCut`` where the process dies before it is durable."""
        with self._transaction() as connection:
            results = apply(connection, drafts)
        for draft, result in zip(drafts, results, strict=True):
            TOLD[type(draft)](self, draft, result)
        return results

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        connection = self.engine.connect()
        try:
            begin(connection)
            yield connection
            if self.dying:
                raise PowerCut
            commit(connection)
        finally:
            connection.close()

    def _heard(self, draft: EventDraft, _result: Recorded) -> None:
        self.ledger.hear(draft.event)

    def _ordered(self, draft: OrderDraft, result: Recorded) -> None:
        assert result.order_id is not None
        self.orders[result.order_id] = result.call_id
        placed = placed_order(draft.message, draft.extension, draft.other, result.order_id)
        self.ledger.take(decide_order(placed, len(self.ledger.calls) + 1))

    def _settled(self, draft: Settlement, _result: Recorded) -> None:
        if draft.order_id not in self.settled:
            self.settled.add(draft.order_id)
            self.ledger.happen(self.orders[draft.order_id], SettledOrder(draft.delivery.outcome.value, draft.at))

    def _over(self, draft: Over, _result: Recorded) -> None:
        self.ledger.happen(draft.call_id, MarkedOver(draft.by, draft.at))

    def _given_up(self, draft: GiveUp, _result: int) -> None:
        old = (call for call in self.ledger.calls.values() if draft.since <= call.logged_at < draft.before)
        self._lose([call.id for call in old if call.state in GOING_ON])

    def _in_vain(self, draft: InVain, _result: int) -> None:
        self._lose(draft.call_ids)

    def _lose(self, call_ids: Sequence[int]) -> None:
        for call_id in call_ids:
            call = self.ledger.calls[call_id]
            same = [each for each in self.ledger.calls.values() if each.number == call.number]
            for change in decide_in_vain(call, same):
                self.ledger.change(change.call, change.kind)

    def _worked(self, _draft: WriteJob, _result: Any) -> None:
        """Nothing of calls."""


TOLD: dict[type, Any] = {
    EventDraft: DirectJournal._heard,
    OrderDraft: DirectJournal._ordered,
    Settlement: DirectJournal._settled,
    Over: DirectJournal._over,
    GiveUp: DirectJournal._given_up,
    InVain: DirectJournal._in_vain,
    WriteJob: DirectJournal._worked,
}


class SlowDialler:
    """Leaves orders open: their outcome is told later."""

    @contextmanager
    def admitted(self, draft: OrderDraft) -> Iterator[None]:
        yield

    def dial(self, order: Recorded, draft: OrderDraft) -> Delivery:
        return Delivery(Outcome.UNKNOWN, "")

    def hang_up(self, tenant: str, call_id: int) -> Delivery:
        raise NotImplementedError


class World:
    """One gateway on the folder ``data``, whose database is a copy of ``template``."""

    def __init__(self, data: Path, template: Path) -> None:
        data.mkdir(mode=0o700)
        copy(template, data / DATABASE)
        self.data = data
        self.time = SetTime(T0)
        self.ledger = Ledger()
        self.orders: dict[int, int] = {}
        self.settled: set[int] = set()
        self.runs = 0
        self.start()

    def start(self) -> None:
        """Begin as a process does, with what lies on the disk."""
        self.runs += 1
        self.engine = open_engine(self.data)
        event.listen(self.engine, "connect", _never_sync)
        presence = FilePresence(self.data)
        self.journal = DirectJournal(self.engine, self.ledger, presence, self.orders, settled=self.settled)
        self.clock = Clock(self.time.wall, self.time.steady)
        self.core = Core({"acme": ACME}, self.journal, SlowDialler())
        self.maintenance = Maintenance(
            self.journal,  # type: ignore[arg-type]
            Outbox(self.engine, self.journal),  # type: ignore[arg-type]
            {"acme": FOUR_HOURS},
            clock=self.clock,
            ghosts=Ghosts(self.engine),
        )
        self.maintenance.sweep()

    def stop(self) -> None:
        self.journal.presence.close()
        self.engine.dispose()

    def restart(self) -> None:
        self.stop()
        self.start()

    def send(self, message: Message) -> int:
        """The id of the call that a message was about; its writing is durable."""
        return self.core.handle(message).call_id

    def send_at_once(self, messages: Sequence[CallMessage]) -> list[int]:
        """The same for several that one transaction holds."""
        self.journal.collected = drafts = []
        for message in messages:
            self.core.handle(message)
        self.journal.collected = None
        return [recorded.call_id for recorded in self.journal.write_all(drafts)]

    def die_with(self, message: Message) -> None:
        """Lose a message with the process, which had not answered yet; ``restart`` is to follow."""
        self.journal.dying = True
        try:
            self.core.handle(message)
        except PowerCut:
            self.journal.dying = False
        else:
            raise AssertionError("written although the process died")

    def settle(self, order_id: int, outcome: Outcome) -> None:
        self.journal.write(Settlement("acme", order_id, Delivery(outcome, ""), self.clock()))

    def place(self, extension: str, number: str) -> int:
        return self.send(PlaceCall("acme", extension, number, HERE, self.clock()))

    def calls(self) -> dict[int, Call]:
        """The calls that the database holds, as the rule book sees them."""
        columns = [tables.calls.c[name] for name in BOOK_COLUMNS]
        with self.engine.connect() as connection:
            rows = connection.execute(select(*columns).order_by(tables.calls.c.id)).all()
            kept: dict[int, tuple[Leg, ...]] = defaultdict(tuple)
            for row in connection.execute(select(tables.legs).order_by(tables.legs.c.place)):
                kept[row.call_id] += (leg_of(tuple(row)[3:]),)
            return {row.id: call_of(row, kept[row.id]) for row in rows}

    def events(self, after: int) -> list[LoggedEvent]:
        """The event log behind a ``seq``."""
        query = select(tables.events).where(tables.events.c.seq > after).order_by(tables.events.c.seq)
        with self.engine.connect() as connection:
            return [LoggedEvent(*row) for row in connection.execute(query)]


def _never_sync(connection: Any, _record: Any) -> None:
    """The disk is not what is tried here."""
    connection.execute("PRAGMA synchronous=OFF")


def make_template(folder: Path) -> Path:
    """An empty database with all its tables."""
    engine = open_engine(folder)
    upgrade(engine, folder)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return folder / DATABASE
