"""The gateway of one process: all its parts, started and stopped in order, and whether they are well."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from gateway.adapter import Adapter
from gateway.config.tables import Config
from gateway.diagnosis.explainer import Explainer
from gateway.directory.importer import Importer
from gateway.directory.schedule import Schedule
from gateway.directory.sources import open_source
from gateway.events.sources import EventSources
from gateway.handlers import Core
from gateway.logins.guesses import SourceGuesses
from gateway.logins.passwords import Verifier
from gateway.maintenance import Maintenance
from gateway.orders.dispatcher import OrderDispatcher
from gateway.relay.outbox_worker import OutboxWorker
from gateway.server.checks import Checks
from gateway.server.node_spool import NodeSpool
from gateway.server.node_watch import NodeWatch
from gateway.source import Source
from gateway.store.audit import AuditLog
from gateway.store.calls import CallLog
from gateway.store.database import Database
from gateway.store.delivery_receipts import DeliveryReceiptLog
from gateway.store.diagnostic_log import DiagnosticLog
from gateway.store.directory import Directory
from gateway.store.filling import Filler
from gateway.store.letters.log import LetterLog
from gateway.store.letters.outbox import Outbox
from gateway.store.onsite.orders import OnsiteOrders
from gateway.store.onsite.sites import OnsiteSites
from gateway.store.orders import OrderLog
from gateway.store.readiness import WriteProbe
from gateway.store.reading.log import EventLog
from gateway.store.search.search import CallFinder
from gateway.store.shared.contract import Shared
from gateway.store.shared.log import SharedLog
from gateway.store.traffic import TrafficLog
from gateway.store.write_behind import WriteBehind
from gateway.store.writing.journal import Committed, Journal


@dataclass(frozen=True)
class Gateway:
    """Everything of one process, joined. Use as a context manager, or ``close`` it."""

    config: Config
    database: Database
    node_watch: NodeWatch
    journal: Journal
    spool: NodeSpool
    shared: Shared
    write_probe: WriteProbe
    calls: CallLog
    finder: CallFinder
    events: EventLog
    directory: Directory
    outbox: Outbox
    letters: LetterLog
    verifier: Verifier
    guesses: SourceGuesses
    appliances: Mapping[tuple[str, str], Adapter]
    forwards: Mapping[tuple[str, str], Adapter]
    orders: OrderDispatcher
    order_log: OrderLog
    outbox_worker: OutboxWorker
    maintenance: Maintenance
    filler: Filler
    core: Core
    audit: AuditLog
    diagnostic_log: DiagnosticLog | None
    shared_log: SharedLog | None
    traffic: TrafficLog | None
    receipts: DeliveryReceiptLog | None
    explainer: Explainer
    importer: Importer
    schedule: Schedule
    event_sources: EventSources
    onsite_sites: OnsiteSites
    onsite_orders: OnsiteOrders
    listeners: list[Callable[[Committed], None]]
    checks: Checks = field(default_factory=Checks)

    @property
    def data(self) -> Path:
        """Return this node's own folder."""
        return self.database.data

    @property
    def engine(self) -> Engine:
        """Return the database's connections, to read with."""
        return self.database.engine

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def on_event(self, listener: Callable[[Committed], None]) -> None:
        """Call ``listener`` after each commit that is news, on the thread that wrote; quick, never raising."""
        self.listeners.append(listener)

    def start(self) -> None:
        """Begin to send on what waits, and settle what a dead gateway left behind."""
        doorbell = self.database.doorbell()
        self.on_event(lambda committed: doorbell.ring(committed.tenants))
        self.on_event(lambda _: self.outbox_worker.ring())
        self.on_event(lambda _: self.orders.ring())
        doorbell.start()
        for side_log in self._side_logs():
            side_log.start()
        self.outbox_worker.start()
        self.schedule.start()
        self.maintenance.start()
        self.filler.start()
        self.event_sources.start()
        self.node_watch.start()
        self.spool.start(self.core)

    def sources(self) -> Mapping[tuple[str, str], Source]:
        """Return the sources of the directory, to be probed. Raises ``ConfigError``."""
        return {
            (tenant, name): open_source(name, table)
            for tenant, own in self.config.tenants.items()
            for name, table in own.directory.items()
        }

    def health(self) -> Mapping[str, bool]:
        """Return what ``/readyz`` asks, by name of the check: can events be taken and read?"""
        found = {"writer": self.journal.alive(), **self.node_watch.checks()}
        if self.spool.takes_events():
            return found | {"spool": True}  # the database is not asked: while it is away its answer takes long
        is_readable = self.checks.passes("database_not_readable", self.events.readable)
        return found | {
            "queue": self.journal.waiting() < self.config.server.write_queue,
            "database": is_readable,
            "file": self.checks.passes("database_file_lost", self.journal.check_file),
            # Not tried on one that is away: that takes seconds to be told.
            "write": is_readable and self.write_probe.good(),
        }

    def _side_logs(self) -> Iterator[WriteBehind]:
        """Yield what is written behind; what one writes down may make rows of the next."""
        if self.diagnostic_log:
            yield self.diagnostic_log
        if self.shared_log:
            yield self.shared_log

    def rows_lost(self) -> int:
        """Return how many requests and delivery receipts found no room since the start."""
        return sum(side_log.lost for side_log in self._side_logs())

    def close(self) -> None:
        """Finish orders under way, write what waits, let go of everything. Safe to call again."""
        self.event_sources.stop()
        self.node_watch.stop()
        self.schedule.stop()
        self.orders.stop()
        self.outbox_worker.stop()
        self.maintenance.stop()
        self.filler.stop()
        self.spool.stop_draining()
        self.journal.stop()
        self.spool.close()
        self.database.doorbell().close()
        for adapter in (*self.appliances.values(), *self.forwards.values()):
            adapter.close()
        for side_log in self._side_logs():
            side_log.stop()
        self.verifier.close()
        self.guesses.close()
        self.finder.close()
        self.shared.close()
        self.database.close()
