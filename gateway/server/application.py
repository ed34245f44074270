"""One process's web side: the desk and the machines' entrances in one WSGI application."""

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf

from gateway.clock import milliseconds
from gateway.config.tables import TenantSettings
from gateway.desk.context import Services
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from gateway.domain.dialplan.trials import Failure
from gateway.orders.circuit_breaker import BreakerState
from gateway.server.blocking import (
    GuessesOffLoop,
    OrdersOffLoop,
    long_matches_off_loop,
    lookups_off_loop,
    passwords_off_loop,
)
from gateway.server.event_sources import source_gauges
from gateway.server.gateway import Gateway
from gateway.server.main_onsite import onsite_endpoint, onsite_gauges
from gateway.server.metrics import Gauges, LabelledGauges, metrics_application
from gateway.server.screen_openings import ScreenOpenings
from gateway.server.trials import failed_trials
from gateway.store.agent_notes import AgentNotes
from gateway.store.agent_states import AgentStates
from gateway.store.agents import AgentChanges
from gateway.store.board import BoardLog
from gateway.store.corrections import Corrections
from gateway.store.figures.log import FiguresLog
from gateway.store.letters.outbox import Waiting
from gateway.store.missed import MissedList
from gateway.store.program_sessions import ProgramSessions
from gateway.store.quality import Quality
from gateway.store.saved_filters import SavedFilters
from gateway.store.traffic import TrafficEntry
from gateway.traffic.masking import spellings
from gateway.wire.counts import REQUESTS
from gateway.wire.http import Front
from gateway.wire.lenient.port import LenientPort, PortLimits, no_desk
from gateway.wire.traffic import Recorder
from gateway.wire.webhooks.lookups import NumberLookup

BREAKER = {BreakerState.CLOSED: 0.0, BreakerState.HALF_OPEN: 1.0, BreakerState.OPEN: 2.0}


class Application:
    """Joins a built gateway with its web side; ``wsgi`` is what a server calls."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._lenient: LenientPort | None = None
        self.is_draining = False
        self._is_ready = True
        self._connections: Callable[[], int] = lambda: 0
        self._connections_limit = gateway.config.server.max_connections + gateway.config.server.max_screens
        self._under_way: Callable[[], int] = lambda: 0
        server = gateway.config.server
        # Commits of this process ring; those of another show only to whoever looks.
        look_every_s = 0.1 if server.workers == 1 else 0.02
        watch = gateway.receipts.add if gateway.receipts else None
        follower = gateway.database.follower(look_every_s=look_every_s)
        self._hub = Hub(
            gateway.events,
            follower,
            max_screens=server.max_screens,
            watch=watch,
            on_people=gateway.directory.forget_sessions,
            read_sessions=gateway.directory.open_sessions,
        )
        services = Services(
            config=gateway.config,
            core=gateway.core,
            calls=gateway.calls,
            finder=gateway.finder,
            board=BoardLog(gateway.engine),
            figures=FiguresLog(gateway.engine, gateway.journal),
            log=gateway.events,
            directory=gateway.directory,
            verifier=gateway.verifier,
            hub=self._hub,
            explainer=gateway.explainer,
            audit=gateway.audit,
            people=AgentChanges(gateway.engine, gateway.journal),
            traffic=gateway.traffic,
            receipts=gateway.receipts,
            replay=self._replay,
            decide=gateway.journal.write,
            missed=MissedList(gateway.engine),
            notes=AgentNotes(gateway.engine),
            saved_filters=SavedFilters(gateway.engine, gateway.journal),
            imports=gateway.importer.imports,
            import_now=gateway.schedule.request,
            quality=Quality(gateway.engine),
            corrections=Corrections(gateway.engine, gateway.journal),
            appliances=gateway.orders,
            source_book=gateway.event_sources.book,
            onsite_sites=gateway.onsite_sites,
            orders=gateway.order_log,
            agent_states=AgentStates(gateway.engine),
            programs=ProgramSessions(gateway.engine, gateway.journal),
            letters=gateway.letters,
            forward_retry_at=gateway.outbox_worker.health.own_retry_at,
            dial_plan_failures=_failures_by_tenant(gateway),
        )
        self.screen_openings = ScreenOpenings(gateway.directory)
        self._onsite = onsite_endpoint(gateway)
        long_matches_off_loop()
        self.wsgi = Front(
            gateway.config,
            OrdersOffLoop(gateway.core),
            verify_agent=passwords_off_loop(self._verify_agent),
            desk=Desk(services),
            health=self._health,
            metrics=metrics_application(self._gauges(), self._labelled_gauges(), before=REQUESTS.add_up),
            recorder=recorder_of(gateway),
            guesses=GuessesOffLoop(gateway.guesses),
            look_up=lookups_off_loop(NumberLookup(gateway.core.tenants, gateway.directory)),
            onsite=self._onsite,
        )

    def _health(self) -> Mapping[str, bool]:
        return {**self._gateway.health(), "hub": self._hub.alive(), "accepting": self._is_ready}

    def _gauges(self) -> Gauges:
        gateway = self._gateway
        return {
            "cti_exchanges_lost": (
                "Requests and delivery receipts that the traffic log of this worker had no room for",
                gateway.rows_lost,
            ),
            "cti_screens_open": ("Agent screens open on this worker", self._hub.open_screens),
            "cti_write_queue": ("Events waiting to be written on this worker", gateway.journal.waiting),
            "cti_orders_waiting": ("Orders waiting for an outcome on this worker", gateway.orders.waiting),
            "cti_outbox_waiting": ("Events not yet taken by those who are told of them", gateway.outbox.waiting),
            "cti_connections_open": ("Connections open on this worker's main port", lambda: self._connections()),
            "cti_connections_limit": ("Connections that this worker may have", lambda: self._connections_limit),
            "cti_requests_under_way": ("Requests read or being answered by this worker", lambda: self._under_way()),
            **gateway.node_watch.gauges(),
            **gateway.spool.gauges(),
        }

    def _labelled_gauges(self) -> LabelledGauges:
        gateway = self._gateway
        return {
            "cti_ready": (
                "Whether a check of /readyz passes on this worker",
                ("check",),
                lambda: {(name,): float(good) for name, good in self._health().items()},
            ),
            "cti_appliance_breaker": (
                "Whether orders go to the appliance: 0 they do, 1 the next one is a trial, 2 it is left alone",
                ("tenant", "appliance"),
                self._breakers,
            ),
            "cti_forward_breaker": (
                "Whether a forward is told of events: 0 it is, 1 the next one is a trial, 2 it is left alone",
                ("tenant", "target"),
                self._forward_breakers,
            ),
            "cti_forwards_waiting": (
                "Events that a forward has not yet taken",
                ("tenant", "target"),
                lambda: {target: waiting.count for target, waiting in self._forwards().items()},
            ),
            "cti_forwards_oldest_seconds": (
                "Age of the oldest event that a forward has not yet taken, 0 when there is none",
                ("tenant", "target"),
                lambda: {target: waiting.age_s(milliseconds()) for target, waiting in self._forwards().items()},
            ),
            "cti_forwards_dead": (
                "Events for a forward that were given up and that nobody has sent again or dropped",
                ("tenant", "target"),
                lambda: {key: found.dead for key, found in gateway.letters.counts().items()},
            ),
            "cti_forwards_expire_seconds": (
                "Seconds until the first waiting event for a forward is given up for its age; +Inf: none is",
                ("tenant", "target"),
                self._expire_seconds,
            ),
            "cti_forwards_expiring": (
                "Whether waiting events for a forward have spent a third of the time after which they are given up",
                ("tenant", "target"),
                self._expiring,
            ),
            **source_gauges(gateway.event_sources),
            **onsite_gauges(gateway.onsite_sites),
            "cti_last_event_timestamp_seconds": (
                "When an exchange of the tenant last told of a call, in seconds since 1970; 0: never",
                ("tenant",),
                lambda: {(name,): gateway.calls.last_heard(name) / 1000 for name in gateway.config.tenants},
            ),
        }

    def _expire_seconds(self) -> Mapping[tuple[str, ...], float]:
        letters, now = self._gateway.letters, milliseconds()
        left = {key: letters.expire_in_ms(key, found, now) for key, found in letters.counts().items()}
        return {key: inf if left_ms is None else left_ms / 1000 for key, left_ms in left.items()}

    def _expiring(self) -> Mapping[tuple[str, ...], float]:
        letters, now = self._gateway.letters, milliseconds()
        return {key: float(letters.is_alarming(key, found, now)) for key, found in letters.counts().items()}

    def _forwards(self) -> Mapping[tuple[str, ...], Waiting]:
        waiting = self._gateway.outbox.waiting_by_target()
        return {target: waiting.get(target, Waiting()) for target in (*self._gateway.forwards, *waiting)}

    def _breakers(self) -> Mapping[tuple[str, ...], float]:
        return {key: BREAKER[queue.health().gate] for key, queue in self._gateway.orders.queues.items()}

    def _forward_breakers(self) -> Mapping[tuple[str, ...], float]:
        health = self._gateway.outbox_worker.health
        now = health.now()
        states = {key: (found.is_open, found.is_paused(now)) for key, found in health.standing().items()}
        return {key: float(is_open + is_paused) for key, (is_open, is_paused) in states.items()}

    def _verify_agent(self, tenant: str, login: str, password: str, address: str) -> str | None:
        agent = self._gateway.verifier.verify(tenant, login, password, address)
        return agent.login if agent else None

    def _replay(self, exchange: TrafficEntry, by: str) -> tuple[str, str]:
        """Serve a logged event again; the answer's status and body."""
        answer = self.wsgi.replay(exchange, by)
        return answer.status, answer.body.decode("utf-8", "replace")

    def start(self) -> None:
        self._gateway.on_event(lambda committed: self._hub.ring(committed.tenants))
        self._hub.start()
        self._gateway.start()
        REQUESTS.start()

    def watch_load(self, *, connections: Callable[[], int], limit: int, under_way: Callable[[], int]) -> None:
        """Show in the metrics how many connections and requests the server has, and how many it may have."""
        self._connections, self._under_way = connections, under_way
        self._connections_limit = limit

    def serve_leniently(self, listening: socket.socket) -> None:
        """Serve the machines' addresses on ``listening``, too, malformed requests mended."""
        server = self._gateway.config.server
        limits = PortLimits(max_body_bytes=server.max_body_bytes, language=server.language)
        address, port = listening.getsockname()[:2]
        self._lenient = LenientPort(self.wsgi.without_desk(no_desk), address, port, limits, listening=listening)
        self._lenient.start()

    def open_screens(self) -> int:
        """Return how many screens are open in this process."""
        return self._hub.open_screens()

    def drain(self, *, is_ready: bool = False) -> None:
        """Go on serving, but have clients let go of their connections; load balancers see at ``/readyz`` that this
        gateway ends, unless a successor serves already.
        """
        self.is_draining = True
        self._is_ready = is_ready

    def end_streams(self) -> None:
        """Let every screen go; browsers come back to the next process. The lenient port takes no more."""
        self.drain(is_ready=self._is_ready and self.is_draining)
        self._hub.stop()
        self._onsite.stop()
        if self._lenient:
            self._lenient.stop_accepting()

    def close(self) -> None:
        """End streams, finish what is under way. Safe to call again."""
        self._hub.stop()
        self._onsite.stop()
        if self._lenient:
            self._lenient.close()
        self._gateway.close()
        REQUESTS.stop()


def _failures_by_tenant(gateway: Gateway) -> Mapping[str, Sequence[Failure]]:
    found: dict[str, list[Failure]] = {}
    for failed in failed_trials(gateway.config):
        found.setdefault(failed.tenant, []).append(failed.failure)
    return found


def recorder_of(gateway: Gateway) -> Recorder | None:
    """Return the recorder of machines' requests into the traffic log, where there is one."""
    if gateway.traffic is None:
        return None
    tenants = gateway.config.tenants.items()
    secrets = {name: spellings(secrets_of(tenant)) for name, tenant in tenants}
    everybodys = tuple(spelling for found in secrets.values() for spelling in found)
    return Recorder(
        gateway.traffic.add,
        # A company that was not found may have been sent any company's secret.
        lambda tenant: secrets.get(tenant, everybodys),
        gateway.config.traffic.most_kb * 1024,
    )


def secrets_of(tenant: TenantSettings) -> Iterator[str]:
    """Yield what must not be read anywhere of a company's configuration."""
    sources = (secret for source in tenant.webhooks.values() for secret in source.secret)
    for token in (*tenant.events.token, tenant.click_to_call.token, *sources):
        if token:
            yield token.get_secret_value()
