"""A real store in a folder of its own, and the desk on top of it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine

from gateway.adapter import Delivery, Outcome
from gateway.desk.hub import Hub
from gateway.domain.dialplan import DialPlan
from gateway.domain.messages import CallEnded, CallStarted, Origin
from gateway.domain.numbers import NumberPlan
from gateway.domain.tenant import Tenant, Trunk
from gateway.handlers import Core
from gateway.store.calls import CallLog
from gateway.store.directory import Account, Directory
from gateway.store.drafts import OrderDraft, Recorded, Settlement
from gateway.store.engine import open_engine, upgrade
from gateway.store.journal import Journal
from gateway.store.log import EventLog

EXCHANGE = Origin("get", "192.168.0.9")
ANA = "47999998888"


@dataclass
class Exchange:
    """The appliance that dials: it settles every order with ``outcome`` and ``detail``."""

    journal: Journal
    outcome: Outcome = Outcome.ACCEPTED
    detail: str = "chamada aceita pela central"
    orders: list[OrderDraft] = field(default_factory=list)

    def dial(self, order: Recorded, draft: OrderDraft) -> tuple[Outcome, str]:
        self.orders.append(draft)
        assert order.order_id is not None
        self.journal.write(Settlement(order.order_id, Delivery(self.outcome, self.detail), now_ms()))
        return self.outcome, self.detail


@dataclass
class Office:
    """Two companies, ``acme`` and ``rival``, whose extensions and accounts are much alike."""

    engine: Engine
    journal: Journal
    log: EventLog
    calls: CallLog
    directory: Directory
    exchange: Exchange
    core: Core

    def ring(self, telefone: str = ANA, ramal: str = "3501", *, tenant: str = "acme", at: int | None = None) -> int:
        """A call starts; its id."""
        return self.core.handle(CallStarted(tenant, ramal, telefone, EXCHANGE, at or now_ms())).call_id

    def hang_up(
        self,
        telefone: str = ANA,
        ramal: str = "3501",
        *,
        tenant: str = "acme",
        recording_url: str | None = None,
        at: int | None = None,
    ) -> int:
        """A call ends; its id."""
        return self.core.handle(
            CallEnded(tenant, ramal, telefone, EXCHANGE, at or now_ms(), recording_url=recording_url)
        ).call_id

    def know(self, name: str, number: str, contact: str = "", *, tenant: str = "acme") -> None:
        """The CRM tells us of an account."""
        self.directory.load_accounts(tenant, [Account(name, name, ((number, contact),))], now_ms())


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    engine = open_engine(tmp_path)
    upgrade(engine, tmp_path)
    journal = Journal(engine, tmp_path)
    journal.start()
    log = EventLog(engine)
    exchange = Exchange(journal)
    tenants = {name: company(name) for name in ("acme", "rival")}
    core = Core(tenants=tenants, journal=journal, dialler=exchange)
    yield Office(engine, journal, log, CallLog(engine), Directory(engine, journal), exchange, core)
    journal.stop()
    log.close()
    engine.dispose()


def company(name: str) -> Tenant:
    trunks = tuple(Trunk(key, key, DialPlan("0")) for key in ("matriz", "filial"))
    return Tenant(name, NumberPlan(area_code="47"), trunks=trunks, default_trunk="matriz")


@pytest.fixture
def open_hub(office: Office) -> Iterator[Callable[..., Hub]]:
    """Starts hubs with quick heart-beats, and stops them."""
    hubs: list[Hub] = []

    def start(**settings: float) -> Hub:
        hub = Hub(office.log, **({"max_screens": 50, "heartbeat_s": 0.2, "look_every_s": 0.02} | settings))
        hub.start()
        hubs.append(hub)
        return hub

    yield start
    for hub in hubs:
        hub.stop()


def now_ms() -> int:
    return time.time_ns() // 1_000_000
