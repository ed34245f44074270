"""The one place that joins configuration, store, adapters, hub and the WSGI application.

``build`` opens a gateway's data for any purpose (a command, a test); ``Gateway.start`` begins to serve with it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Engine

from gateway import adapter as adapters
from gateway.adapter import Adapter, Limits
from gateway.config import tables as settings
from gateway.config.dial_plans import DialPlanSettings
from gateway.config.people import TeamSettings
from gateway.config.tables import Config
from gateway.desk.crm_links import event_link
from gateway.diagnosis.explainer import Explainer
from gateway.directory.importer import Importer
from gateway.directory.schedule import Schedule
from gateway.directory.sources import open_source
from gateway.domain.calls.scope import Team
from gateway.domain.conditions import condition
from gateway.domain.dialplan.plan import DialPlan
from gateway.domain.dialplan.trials import Failure, Trial
from gateway.domain.numbering.numbers import Extensions, NumberPlan, read
from gateway.domain.telling import TellingRules, no_link
from gateway.domain.tenant import Appliance, Branch, Tenant
from gateway.errors import AdapterError, ConfigError
from gateway.events.sources import EventSources
from gateway.handlers import Core
from gateway.logins.attempts import Attempts
from gateway.logins.guesses import SourceGuesses
from gateway.logins.passwords import Verifier, verifier
from gateway.maintenance import Chore, Maintenance
from gateway.orders.circuit_breaker import Rules
from gateway.orders.dispatcher import OrderDispatcher
from gateway.orders.onsite import OnsiteAppliance, OnsiteRoad
from gateway.relay.by_kind import joined
from gateway.relay.forward_rules import ForwardRules
from gateway.relay.keeping import KeepingAdapter
from gateway.relay.outbox_worker import OutboxWorker
from gateway.server.event_sources import event_sources
from gateway.server.node_spool import NodeSpool, bring_up_to_date
from gateway.server.node_watch import NodeWatch
from gateway.source import Source
from gateway.store.audit import AuditLog
from gateway.store.calls import CallLog
from gateway.store.captures import CallCaptures
from gateway.store.database import Database, open_database
from gateway.store.delivery_receipts import DeliveryReceiptLog
from gateway.store.diagnostic_log import DiagnosticLog
from gateway.store.directory import Directory
from gateway.store.event_sources import SourceBook
from gateway.store.figures.summing import Summing
from gateway.store.filling import Filler
from gateway.store.ghosts import Ghosts
from gateway.store.imports.loading import Loader
from gateway.store.imports.runs import Imports
from gateway.store.imports.stored_accounts import StoredAccounts
from gateway.store.letters.lifetimes import DAY_MS
from gateway.store.letters.log import LetterLog
from gateway.store.letters.outbox import Outbox
from gateway.store.letters.retention import LetterRetention
from gateway.store.onsite.orders import OnsiteOrders
from gateway.store.onsite.sites import OnsiteSites
from gateway.store.orders import OrderLog
from gateway.store.partitions.ahead import PartitionsAhead
from gateway.store.partitions.counting import EventCounts
from gateway.store.readiness import WriteProbe
from gateway.store.reading.log import EventLog
from gateway.store.removing import Ages
from gateway.store.retention import Retention
from gateway.store.search.index import SearchIndex
from gateway.store.search.indexing import Indexer
from gateway.store.search.search import CallFinder
from gateway.store.shared.contract import Shared
from gateway.store.shared.exchange_index import ExchangeIndex
from gateway.store.shared.log import SharedLog
from gateway.store.traffic import TrafficLog
from gateway.store.untold_notes import UntoldNotes
from gateway.store.write_behind import WriteBehind
from gateway.store.writing.journal import Committed, Journal
from gateway.texts.text import Text, problem_of
from gateway.traffic.recorded_adapters import RecordedAdapter

log = structlog.get_logger()


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
    indexer: Indexer
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
        self.indexer.start()
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
        is_readable = _passes("database_not_readable", self.events.readable)
        return found | {
            "queue": self.journal.waiting() < self.config.server.write_queue,
            "database": is_readable,
            "file": _passes("database_file_lost", self.journal.check_file),
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
        self.indexer.stop()
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


def build(config: Config, data: Path, *, may_wait: bool = False) -> Gateway:
    """Open the data folder (made and brought to this version's schema if need be) and join all parts.

    Raises ``ConfigError`` when the configuration does not fit together.
    """
    database = database_of(config, data)
    bring_up_to_date(database, may_wait=may_wait)
    engine = database.engine
    listeners: list[Callable[[Committed], None]] = []
    journal = Journal(
        database,
        queue_limit=config.server.write_queue,
        on_commit=lambda committed: _tell(listeners, committed),
        language_of=config.language,
    )
    journal.start()
    shared = database.shared()
    directory = Directory(engine, journal)
    outbox = Outbox(engine, journal)
    imports = Imports(engine, journal)
    diagnostic_log, shared_log = _diagnostic_log(config, data), _shared_log(config, database)
    node, node_url = config.server.node_name(), config.server.node_url
    exchange_index = ExchangeIndex(shared_log, node, node_url) if shared_log else None
    traffic = TrafficLog(diagnostic_log, exchange_index) if diagnostic_log else None
    receipts = DeliveryReceiptLog(shared_log or diagnostic_log) if diagnostic_log else None
    calls, events = CallLog(engine), database.event_log()
    index = SearchIndex(data)
    companies = tenants(config)
    zones = {name: ZoneInfo(tenant.timezone) for name, tenant in config.tenants.items()}
    whole = config.server.remove_whole_partitions
    onsite_sites, onsite_orders = OnsiteSites(engine, journal), OnsiteOrders(engine, journal)
    onsite_road = partial(OnsiteRoad, sites=onsite_sites, orders=onsite_orders)
    appliances = _adapters(config, "appliances", traffic, onsite=onsite_road)
    captures = CallCaptures(engine, journal)
    forwards = _adapters(config, "forwards", traffic, captures)
    forward_rules = _forward_rules(config, forwards)
    lifetimes = {key: rules.lifetimes() for key, rules in forward_rules.items()}
    letters = LetterLog(engine, journal, lifetimes)
    order_log = OrderLog(engine)
    orders = OrderDispatcher(
        journal,
        appliances,
        order_log,
        rules=_rules(config, appliances),
        shared=shared,
        doorbell=database.doorbell(),
        waiting=max(1, config.server.call_threads // 2),
    )
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
        outbox_worker=OutboxWorker(outbox, forwards, forward_rules, shared=shared),
        maintenance=Maintenance(
            journal,
            outbox,
            _give_up_ms(config),
            ghosts=Ghosts(engine),
            untold=UntoldNotes(engine, journal, companies),
            audit_days=config.audit.keep_days,
            letters=LetterRetention(engine, journal, letters, lifetimes),
            agent_states_ms=_agent_states_ms(config),
            chores=[
                Chore("partitions", PartitionsAhead(engine).work),
                Chore("event_counts", EventCounts(engine).work),
                Chore("retention", Retention(engine, journal, _ages(config), whole=whole).work),
                Chore("figures", Summing(engine, journal, config.tenants).work),
            ],
            lease=partial(shared.lease, "maintenance"),
        ),
        filler=Filler(engine, journal),
        indexer=Indexer(database, index),
        core=core,
        audit=AuditLog(engine, journal),
        diagnostic_log=diagnostic_log,
        shared_log=shared_log,
        traffic=traffic,
        receipts=receipts,
        explainer=Explainer(companies, zones, calls, events, directory, traffic, receipts),
        importer=Importer(imports, StoredAccounts(engine), partial(Loader, database)),
        schedule=Schedule(config, data, imports),
        event_sources=event_sources(config, core, journal, SourceBook(engine, journal), shared.lease, traffic),
        onsite_sites=onsite_sites,
        onsite_orders=onsite_orders,
        listeners=listeners,
    )


def database_of(config: Config, data: Path) -> Database:
    """Return the configured database, with this node's folder ``data``; nothing is made or connected to yet.

    Raises ``ConfigError``.
    """
    server = config.server
    url, password, direct = (
        secret.get_secret_value() if secret else None
        for secret in (server.database, server.database_password, server.database_direct)
    )
    if direct and not url:
        raise ConfigError(
            Text("server.database_direct is for a PostgreSQL database, and server.database names none."),
            hint=Text("Name the pooler, or the server, in server.database."),
        )
    return open_database(data, url, password, direct=direct)


def tenants(config: Config) -> Mapping[str, Tenant]:
    """Return the domain's view of the configured tenants. Raises ``ConfigError`` for extensions that do not read."""
    return {name: _tenant(name, table) for name, table in config.tenants.items()}


def dial_plan_trials(config: Config) -> Iterator[tuple[str, tuple[Trial, ...], DialPlan, Tenant]]:
    """Yield every dial plan that has test cases: where it stands, the cases, the plan, and the tenant it dials for."""
    for name, tenant in tenants(config).items():
        table = config.tenants[name]
        if table.dial_plan.tests:
            yield f"{name} dial_plan", table.dial_plan.trials(), table.dial_plan.plan(), tenant
        for appliance in tenant.appliances:
            own = table.appliances[appliance.name].dial_plan
            if own and own.tests:
                yield f"{name}/{appliance.name} dial_plan", own.trials(), appliance.dial_plan, tenant


@dataclass(frozen=True, slots=True)
class FailedTrial:
    """A test of a dial plan that does not hold, and where the plan stands."""

    tenant: str
    place: str
    failure: Failure


def failed_trials(config: Config) -> Sequence[FailedTrial]:
    """Return all test cases of dial plans that do not hold."""
    return [
        FailedTrial(tenant.name, place, failure)
        for place, trials, plan, tenant in dial_plan_trials(config)
        for trial in trials
        if (failure := trial.failure(plan, tenant))
    ]


def data_folder(config: Config, config_path: Path | None, wanted: Path | None) -> Path:
    """Return the folder of the data: as asked for, else ``server.data`` seen from the configuration file (or from
    here).
    """
    if wanted is not None:
        return wanted
    return (config_path.parent if config_path else Path()) / config.server.data


def _passes(name: str, check: Callable[[], object]) -> bool:
    """Return whether ``check`` raises nothing; what it raises is logged as ``name``."""
    try:
        check()
    except Exception as error:
        log.error(name, error=type(error).__name__)
        return False
    return True


def _tell(listeners: list[Callable[[Committed], None]], committed: Committed) -> None:
    for listener in listeners:
        listener(committed)


def _tenant(name: str, table: settings.TenantSettings) -> Tenant:
    place = f"tenants.{name}"
    appliances = tuple(_appliance(place, key, peer, table.dial_plan) for key, peer in table.appliances.items())
    forwards: dict[str, tuple[str, ...]] = {
        kind: tuple(key for key, forward in table.forwards.items() if kind in forward.on)
        for kind in settings.EVENT_KINDS
    }
    plan = _numbers(place, table)
    branches = tuple(_branch(place, key, branch, plan) for key, branch in table.branches.items())
    repeat_within_ms = round(table.click_to_call.repeat_within_s * 1000)
    lines = _lines(table.lines, plan)
    teams = tuple(_team(key, team) for key, team in table.teams.items())
    rules = telling_rules(table, plan)
    return Tenant(
        name,
        plan,
        appliances,
        table.default_appliance,
        forwards,
        repeat_within_ms,
        branches,
        lines,
        teams=teams,
        telling_rules=rules,
    )


def _team(name: str, team: TeamSettings) -> Team:
    extensions = Extensions.parse(team.extensions) if team.extensions else Extensions()
    logins = (frozenset(team.agents), frozenset(team.supervisors))
    return Team(name, team.title or name, extensions, frozenset(team.queues), *logins)


def telling_rules(table: settings.TenantSettings, plan: NumberPlan) -> TellingRules:
    """Return what the company's forwards want to be told of."""
    only = {name: condition(forward.only) for name, forward in table.forwards.items() if forward.only}
    return TellingRules(table.timezone, plan, only, partial(event_link, table.crm.link) if table.crm.link else no_link)


def _lines(named: Mapping[str, str], plan: NumberPlan) -> Mapping[str, str]:
    """Return the names of the company's lines, by their numbers as written and as they are read."""
    return {read(line, plan).national: name for line, name in named.items()} | dict(named)


def _numbers(place: str, table: settings.TenantSettings) -> NumberPlan:
    """Return the tenant's number plan; an extension of a branch is one of the tenant's as well."""
    listed = _extensions(f"{place}.extensions", table.extensions) or Extensions.guess()
    for key, branch in table.branches.items():
        more = _extensions(f"{place}.branches.{key}.extensions", branch.extensions)
        listed = listed.joined(more) if more else listed
    return NumberPlan(table.area_code, listed)


def _branch(place: str, name: str, branch: settings.BranchSettings, plan: NumberPlan) -> Branch:
    return Branch(name, Extensions.parse(branch.extensions), NumberPlan(branch.area_code, plan.extensions))


def _appliance(place: str, name: str, peer: settings.ApplianceSettings, usual: DialPlanSettings) -> Appliance:
    # What the company never dials, no appliance dials.
    plan = (peer.dial_plan or usual).plan(blocked=usual.blocked)
    extensions = _extensions(f"{place}.appliances.{name}.extensions", peer.extensions)
    return Appliance(name, peer.title or name, plan, extensions, peer.fallback)


def _extensions(place: str, patterns: tuple[str, ...]) -> Extensions | None:
    try:
        return Extensions.parse(patterns) if patterns else None
    except ValueError as error:
        raise ConfigError(Text("{place}: {problem}", place=place, problem=problem_of(error))) from None


def _give_up_ms(config: Config) -> Mapping[str, int]:
    return {name: round(tenant.pairing.give_up_after_min * 60_000) for name, tenant in config.tenants.items()}


def _agent_states_ms(config: Config) -> Mapping[str, int]:
    return {name: round(tenant.events.agent_states_days * 86_400_000) for name, tenant in config.tenants.items()}


def _ages(config: Config) -> Mapping[str, Ages]:
    return {name: _ages_of(tenant.retention) for name, tenant in config.tenants.items()}


def _ages_of(wanted: settings.RetentionSettings) -> Ages:
    return Ages(*(_days_ms(days) for days in (wanted.calls_days, wanted.events_days, wanted.attempts_days)))


def _days_ms(days: float | None) -> int | None:
    return None if days is None else round(days * DAY_MS)


def _diagnostic_log(config: Config, data: Path) -> DiagnosticLog | None:
    wanted = config.traffic
    made = partial(DiagnosticLog, data, keep_days=wanted.keep_days, keep_mb=wanted.keep_mb)
    return made(keep_ms_of=_traffic_ms(config)) if wanted.record else None


def _shared_log(config: Config, database: Database) -> SharedLog | None:
    """Return the log of all nodes, where there may be several."""
    is_wanted = config.traffic.record and database.kind == "postgresql"
    made = partial(SharedLog, database.engine, keep_days=config.traffic.keep_days)
    return made(keep_ms_of=_traffic_ms(config)) if is_wanted else None


def _traffic_ms(config: Config) -> Mapping[str, int]:
    """Return for how long traffic is kept of those companies that say so (milliseconds)."""
    kept = {name: _days_ms(tenant.retention.traffic_days) for name, tenant in config.tenants.items()}
    return {name: ms for name, ms in kept.items() if ms is not None}


def _adapters(
    config: Config,
    group: str,
    traffic: TrafficLog | None,
    captures: CallCaptures | None = None,
    *,
    onsite: Callable[[str], OnsiteRoad] | None = None,
) -> Mapping[tuple[str, str], Adapter]:
    """Return one adapter for each configured peer, by (tenant, name), overheard where there is a traffic log.

    What adapters capture of calls goes into ``captures``; ``onsite`` gives a tenant's road to gateways on site.
    """
    made: dict[tuple[str, str], Adapter] = {}
    for tenant_name, tenant in config.tenants.items():
        for name, peer in getattr(tenant, group).items():
            keep = partial(_keeping, tenant=tenant_name, target=name, captures=captures)
            adapter = _adapter(f"tenants.{tenant_name}.{group}.{name}", name, peer, keep)
            if isinstance(adapter, OnsiteAppliance) and onsite:
                adapter.connect(onsite(tenant_name))
            if traffic:
                most, language = config.traffic.most_kb * 1024, config.language(tenant_name)
                adapter = RecordedAdapter(
                    adapter, tenant_name, name, peer.adapter, add=traffic.add, most_bytes=most, language=language
                )
            made[tenant_name, name] = adapter
    return made


def appliances_alone(config: Config) -> tuple[Mapping[tuple[str, str], Adapter], Mapping[tuple[str, str], Rules]]:
    """Return the appliances of a configuration and how each is treated, without a store. Raises ``ConfigError``."""
    made = _adapters(config, "appliances", None)
    return made, _rules(config, made)


def _rules(config: Config, appliances: Mapping[tuple[str, str], Adapter]) -> Mapping[tuple[str, str], Rules]:
    """Return how each appliance is treated: as configured, else as its adapter knows."""
    return {
        (tenant, name): _rules_of(config.tenants[tenant], name, adapters.limits_of(adapter))
        for (tenant, name), adapter in appliances.items()
    }


def _rules_of(tenant: settings.TenantSettings, name: str, known: Limits) -> Rules:
    peer = tenant.appliances[name]
    return Rules(
        max_orders=peer.max_orders or known.max_orders,
        orders_per_s=peer.orders_per_s or known.orders_per_s,
        wait_s=peer.max_wait_s,
        failures=peer.breaker_failures,
        pause_s=peer.breaker_pause_s,
        zone=ZoneInfo(tenant.timezone),
    )


def _forward_rules(
    config: Config, forwards: Mapping[tuple[str, str], Adapter]
) -> Mapping[tuple[str, str], ForwardRules]:
    """Return how each forward is treated: as configured, else as its adapter knows."""
    return {
        (tenant, name): _rules_of_forward(config.tenants[tenant].forwards[name], adapter)
        for (tenant, name), adapter in forwards.items()
    }


def _rules_of_forward(forward: settings.Forward, adapter: Adapter) -> ForwardRules:
    has_time = adapters.carries_time(adapter)
    idempotent = adapters.is_idempotent(adapter) if forward.idempotent is None else forward.idempotent
    return ForwardRules(
        parallel=forward.parallel,
        idempotent=idempotent,
        expires_ms={kind: forward.expires_ms(kind, carries_time=has_time) for kind in settings.EVENT_KINDS},
        late=frozenset(forward.late),
        keep_ms=round(forward.keep_days * DAY_MS),
    )


def _keeping(adapter: Adapter, *, tenant: str, target: str, captures: CallCaptures | None) -> Adapter:
    """Return ``adapter``, with ``captures`` for what it keeps of calls, if it keeps anything."""
    return KeepingAdapter(adapter, tenant, target, captures) if captures and adapters.kept_by(adapter) else adapter


def _adapter(
    place: str,
    name: str,
    peer: settings.ApplianceSettings | settings.Forward,
    keep: Callable[[Adapter], Adapter],
) -> Adapter:
    def make(own: Any) -> Adapter:
        return keep(adapters.load(peer.adapter)(own, name=name))

    try:
        if isinstance(peer, settings.Forward):
            return joined(peer.settings, peer.settings_by_kind, peer.late_settings, make)
        return make(peer.settings)
    except AdapterError as error:
        preset = getattr(peer, "preset", None)
        where = Text("{place} (preset {name!r})", place=place, name=preset) if preset else place
        raise ConfigError(Text("{place}: {problem}", place=where, problem=error.whole)) from None
