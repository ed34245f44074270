"""The one place that joins configuration, store, adapters, hub and the WSGI application.

``build`` opens a gateway's data for any purpose (a command, a test); ``Gateway.start`` (``gateway.py``) begins to serve
with it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.adapter import Adapter
from gateway.config.tables import Config
from gateway.diagnosis.explainer import Explainer
from gateway.directory.importer import Importer
from gateway.directory.schedule import Schedule
from gateway.handlers import Core
from gateway.logins.attempts import Attempts
from gateway.logins.guesses import SourceGuesses
from gateway.logins.passwords import verifier
from gateway.orders.dispatcher import OrderDispatcher
from gateway.orders.onsite import OnsiteRoad
from gateway.relay.outbox_worker import OutboxWorker
from gateway.server.adapters import adapters_of, forward_rules, order_rules
from gateway.server.chores import maintenance
from gateway.server.companies import tenants
from gateway.server.databases import database_of
from gateway.server.event_sources import event_sources
from gateway.server.gateway import Gateway
from gateway.server.loop_runs import wait_of
from gateway.server.node_spool import NodeSpool, bring_up_to_date
from gateway.server.node_watch import NodeWatch
from gateway.server.traffic_logs import traffic_logs
from gateway.store.audit import AuditLog
from gateway.store.calls import CallLog
from gateway.store.captures import CallCaptures
from gateway.store.database import Database
from gateway.store.directory import Directory
from gateway.store.event_sources import SourceBook
from gateway.store.filling import Filler
from gateway.store.imports.loading import Loader
from gateway.store.imports.runs import Imports
from gateway.store.imports.stored_accounts import StoredAccounts
from gateway.store.letters.log import LetterLog
from gateway.store.letters.outbox import Outbox
from gateway.store.letters.retention import LetterRetention
from gateway.store.onsite.orders import OnsiteOrders
from gateway.store.onsite.sites import OnsiteSites
from gateway.store.orders import OrderLog
from gateway.store.readiness import WriteProbe
from gateway.store.search.index import SearchIndex
from gateway.store.search.search import CallFinder
from gateway.store.shared.contract import Shared
from gateway.store.writing.journal import Committed, Journal


def build(config: Config, data: Path, *, may_wait: bool = False) -> Gateway:
    """Open the data folder (made and brought to this version's schema if need be) and join all parts.

    Raises ``ConfigError`` when the configuration does not fit together.
    """
    database = database_of(config, data)
    bring_up_to_date(database, may_wait=may_wait)
    engine = database.engine
    listeners: list[Callable[[Committed], None]] = []
    journal = _journal(config, database, listeners)
    shared = database.shared()
    directory, outbox, imports = Directory(engine, journal), Outbox(engine, journal), Imports(engine, journal)
    logs = traffic_logs(config, database, data)
    calls, events, index = CallLog(engine), database.event_log(), SearchIndex(data)
    companies = tenants(config)
    zones = {name: ZoneInfo(tenant.timezone) for name, tenant in config.tenants.items()}
    onsite_sites, onsite_orders = OnsiteSites(engine, journal), OnsiteOrders(engine, journal)
    onsite_road = partial(OnsiteRoad, sites=onsite_sites, orders=onsite_orders)
    appliances = adapters_of(config, "appliances", logs.traffic, onsite=onsite_road)
    forwards = adapters_of(config, "forwards", logs.traffic, CallCaptures(engine, journal))
    rules = forward_rules(config, forwards)
    lifetimes = {key: rule.lifetimes() for key, rule in rules.items()}
    letters = LetterLog(engine, journal, lifetimes)
    retention = LetterRetention(engine, journal, letters, lifetimes)
    order_log = OrderLog(engine)
    orders = _dispatcher(config, appliances, order_log, journal, database, shared)
    spool = NodeSpool(config, database, data, journal)
    core = Core(companies, spool.writer or journal, orders)
    return Gateway(
        config=config,
        database=database,
        node_watch=NodeWatch(database, config),
        journal=journal,
        spool=spool,
        shared=shared,
        write_probe=WriteProbe(journal),
        calls=calls,
        finder=CallFinder(engine, index),
        events=events,
        directory=directory,
        outbox=outbox,
        letters=letters,
        verifier=verifier(directory, shared.counts()),
        guesses=SourceGuesses(Attempts(shared.counts())),
        appliances=appliances,
        forwards=forwards,
        orders=orders,
        order_log=order_log,
        outbox_worker=OutboxWorker(outbox, forwards, rules, shared=shared),
        maintenance=maintenance(config, companies, database, journal, outbox, retention, shared),
        filler=Filler(engine, journal),
        core=core,
        audit=AuditLog(engine, journal),
        diagnostic_log=logs.diagnostic_log,
        shared_log=logs.shared_log,
        traffic=logs.traffic,
        receipts=logs.receipts,
        explainer=Explainer(companies, zones, calls, events, directory, logs.traffic, logs.receipts),
        importer=Importer(imports, StoredAccounts(engine), partial(Loader, database)),
        schedule=Schedule(config, data, imports),
        event_sources=event_sources(config, core, journal, SourceBook(engine, journal), shared.lease, logs.traffic),
        onsite_sites=onsite_sites,
        onsite_orders=onsite_orders,
        listeners=listeners,
    )


def _journal(config: Config, database: Database, listeners: Sequence[Callable[[Committed], None]]) -> Journal:
    """Return the way into ``database``, started; after each commit it calls ``listeners``, which may still grow."""
    journal = Journal(
        database,
        queue_limit=config.server.write_queue,
        on_commit=lambda committed: _tell(listeners, committed),
        language_of=config.language,
        wait_of=wait_of,
    )
    journal.start()
    return journal


def _tell(listeners: Sequence[Callable[[Committed], None]], committed: Committed) -> None:
    for listener in listeners:
        listener(committed)


def _dispatcher(
    config: Config,
    appliances: Mapping[tuple[str, str], Adapter],
    order_log: OrderLog,
    journal: Journal,
    database: Database,
    shared: Shared,
) -> OrderDispatcher:
    return OrderDispatcher(
        journal,
        appliances,
        order_log,
        rules=order_rules(config, appliances),
        shared=shared,
        doorbell=database.doorbell(),
        waiting=max(1, config.server.call_threads // 2),
    )
