"""A real store in a folder of its own, and the desk on top of it."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine
from werkzeug.test import Client, TestResponse

from gateway.adapter import Delivery, Outcome
from gateway.config.tables import ApplianceSettings, Config
from gateway.config.tables import TenantSettings as TenantSettings
from gateway.desk.context import Replay, Services
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from gateway.diagnosis.explainer import Explainer
from gateway.domain.account_fields import packed_fields
from gateway.domain.dialplan.plan import DialPlan
from gateway.domain.messages import CallAnswered, CallEnded, CallStarted, CallTransferred, Origin
from gateway.domain.numbering.numbers import NumberPlan
from gateway.domain.roles import Role
from gateway.domain.tenant import Appliance, Tenant
from gateway.handlers import Core
from gateway.logins.passwords import hash_password, verifier
from gateway.store.agent_notes import AgentNotes
from gateway.store.agent_states import AgentStates
from gateway.store.agents import AgentChanges
from gateway.store.audit import AuditLog
from gateway.store.board import BoardLog
from gateway.store.calls import CallLog
from gateway.store.corrections import Corrections
from gateway.store.database import Database
from gateway.store.delivery_receipts import DeliveryReceiptLog
from gateway.store.diagnostic_log import DiagnosticLog
from gateway.store.directory import Account, Agent, Directory
from gateway.store.figures.log import FiguresLog
from gateway.store.imports.loading import LoadedAccount, Phone, write_accounts
from gateway.store.imports.runs import Imports
from gateway.store.missed import MissedList
from gateway.store.program_sessions import ProgramSessions
from gateway.store.quality import Quality
from gateway.store.reading.following import SqliteFollower
from gateway.store.reading.log import EventLog
from gateway.store.saved_filters import SavedFilters
from gateway.store.search.search import CallFinder
from gateway.store.traffic import TrafficEntry, TrafficLog
from gateway.store.writing.drafts import OrderDraft, Recorded, Settlement
from gateway.store.writing.journal import Journal
from gateway.texts.text import Text, verbatim
from tests.migrated import migrated_database
from tests.postgresql import FreshDatabase, is_wanted

EXCHANGE = Origin("get", "192.168.0.9")
ANA = "47999998888"
PASSWORD = "segredo-123"


@dataclass
class Appliances:
    """The appliance that dials: it settles every order with ``outcome`` and ``detail``."""

    journal: Journal
    outcome: Outcome = Outcome.ACCEPTED
    detail: Text | str = "chamada aceita pela central"
    orders: list[OrderDraft] = field(default_factory=list)

    def admitted(self, draft: OrderDraft) -> AbstractContextManager[None]:
        return nullcontext()

    def hang_up(self, tenant: str, call_id: int) -> Delivery:
        return Delivery(Outcome.ACCEPTED, verbatim("chamada desligada"))

    def dial(self, order: Recorded, draft: OrderDraft) -> Delivery:
        self.orders.append(draft)
        assert order.order_id is not None
        delivery = Delivery(self.outcome, self.detail)
        self.journal.write(Settlement("acme", order.order_id, delivery, now_ms()))
        return delivery


@dataclass
class Office:
    """Two companies, ``acme`` and ``rival``, whose extensions and accounts are much alike."""

    database: Database
    journal: Journal
    log: EventLog
    calls: CallLog
    directory: Directory
    exchange: Appliances
    core: Core
    side: DiagnosticLog
    told_at: int = 0

    @property
    def engine(self) -> Engine:
        return self.database.engine

    @property
    def traffic(self) -> TrafficLog:
        return TrafficLog(self.side)

    @property
    def receipts(self) -> DeliveryReceiptLog:
        return DeliveryReceiptLog(self.side)

    def ring(self, telefone: str = ANA, ramal: str = "3501", *, tenant: str = "acme", at: int | None = None) -> int:
        """A call starts; its id."""
        return self.core.handle(CallStarted(tenant, ramal, telefone, EXCHANGE, at or now_ms())).call_id

    def answer(self, telefone: str = ANA, ramal: str = "3501", *, tenant: str = "acme", at: int | None = None) -> int:
        """A call is answered; its id."""
        return self.core.handle(CallAnswered(tenant, ramal, telefone, EXCHANGE, at or now_ms())).call_id

    def transfer(self, to: str, telefone: str = ANA, ramal: str = "3501") -> int:
        """A call goes on at another extension; the id that it has there."""
        return self.core.handle(CallTransferred("acme", ramal, telefone, to, EXCHANGE, now_ms())).call_id

    def hang_up(
        self,
        telefone: str = ANA,
        ramal: str = "3501",
        *,
        tenant: str = "acme",
        at: int | None = None,
        **extras: Any,
    ) -> int:
        """A call ends; its id."""
        return self.core.handle(CallEnded(tenant, ramal, telefone, EXCHANGE, at or now_ms(), **extras)).call_id

    def fill(self, code: str, number: str, contact: str = "", *, owner: str = "", **fields: str) -> int:
        """An import brings an account with fields, called as its code with "Conta" before; its id."""
        packed, _ = packed_fields(fields.items())
        account = LoadedAccount(
            code, f"Conta {code}", (Phone(number, contact, number),), owner=owner or None, fields=packed
        )
        self.journal.run(lambda connection: write_accounts(connection, "acme", "csv", [account], now_ms()))
        return self.directory.search("acme", code)[0].id

    def know(self, name: str, number: str, contact: str = "", *, tenant: str = "acme") -> None:
        """The CRM tells us of an account; each later than the one before, however quick this machine is."""
        self.told_at = max(now_ms(), self.told_at + 1)
        self.directory.load_accounts(tenant, [Account(name, name, ((number, contact),))], self.told_at)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    fresh = FreshDatabase() if is_wanted() else None
    database = fresh.open(tmp_path) if fresh else migrated_database(tmp_path)
    engine = database.engine
    journal = Journal(database)
    journal.start()
    log = database.event_log()
    exchange = Appliances(journal)
    tenants = {name: company(name) for name in ("acme", "rival")}
    core = Core(tenants=tenants, journal=journal, dialler=exchange)
    side = DiagnosticLog(tmp_path, keep_days=14, keep_mb=8)
    yield Office(database, journal, log, CallLog(engine), Directory(engine, journal), exchange, core, side)
    journal.stop()
    side.stop()
    database.close()
    if fresh:
        fresh.give_back()


def no_replay(_exchange: TrafficEntry, _by: str) -> tuple[str, str]:
    raise AssertionError("nobody asked for a replay")


def company(name: str) -> Tenant:
    appliances = tuple(Appliance(key, key, DialPlan("0")) for key in ("matriz", "filial"))
    return Tenant(name, NumberPlan(area_code="47"), appliances=appliances, default_appliance="matriz")


@pytest.fixture
def open_hub(office: Office) -> Iterator[Callable[..., Hub]]:
    """Starts hubs with quick heart-beats, and stops them."""
    hubs: list[Hub] = []

    def start(*, look_every_s: float = 0.02, **settings: float) -> Hub:
        ours = SqliteFollower(office.log, look_every_s=look_every_s) if not is_wanted() else None
        hub = Hub(
            office.log,
            ours or office.database.follower(look_every_s=look_every_s),
            **({"max_screens": 50, "heartbeat_s": 0.2, "watch": office.receipts.add} | settings),
            read_sessions=office.directory.open_sessions,
        )
        hub.start()
        hubs.append(hub)
        return hub

    yield start
    for hub in hubs:
        hub.stop()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Browser:
    """A browser that keeps cookies, at one company's desk."""

    client: Client
    tenant: str
    root: str = ""
    scheme: str = "http"

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **self._place(more))

    def post(self, path: str, **more: Any) -> TestResponse:
        return self.client.post(path, **self._place(more))

    def log_in(self, login: str = "ana", password: str = PASSWORD, **fields: str) -> TestResponse:
        """Fill in the form that the login page shows."""
        form = {"usuario": login, "senha": password, "csrf": self.token("/login")}
        return self.post("/login", data=form | fields)

    def token(self, path: str = "/") -> str:
        """The token of the form on a page."""
        found = re.search(r'name="csrf" value="(\w+)"', self.get(path).text)
        assert found
        return found[1]

    def _place(self, more: dict[str, Any]) -> dict[str, Any]:
        environ = {"cti.tenant": self.tenant, "cti.client": "192.168.0.50", "wsgi.url_scheme": self.scheme}
        more["environ_overrides"] = environ | {"SCRIPT_NAME": self.root} | more.pop("environ", {})
        return more


@dataclass
class Clock:
    """The desk's clock, which a test may put forward."""

    ahead_ms: int = 0

    def __call__(self) -> int:
        return now_ms() + self.ahead_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(open_hub: Callable[..., Hub]) -> Hub:
    return open_hub()


@pytest.fixture
def desk(office: Office, hub: Hub, clock: Clock) -> Desk:
    """The desk of both companies; at each an Ana and a Bruno, with the same extensions and passwords."""
    hashed = hash_password(PASSWORD)
    for tenant in ("acme", "rival"):
        for login, name, extension in (("ana", "Ana Martins", "3501"), ("bruno", "Bruno Lima", "3502")):
            agent = Agent(0, tenant, login, name, extension, role=Role.ADMINISTRATOR)
            office.directory.save_agent(agent, hashed, now_ms())
    appliances = {key: ApplianceSettings(adapter="url", title=key.title()) for key in ("matriz", "filial")}
    tenants = {
        "acme": TenantSettings(title="Acme Ltda.", appliances=appliances),
        "rival": TenantSettings(title="Rival S.A.", appliances=appliances),
    }
    return Desk(services_of(office, Config(tenants=tenants), hub), clock=clock)


def services_of(office: Office, config: Config, hub: Hub, *, replay: Replay = no_replay) -> Services:
    """What the desk of ``office`` works with."""
    zones = {name: ZoneInfo(tenant.timezone) for name, tenant in config.tenants.items()}
    reads = (office.calls, office.log, office.directory, office.traffic, office.receipts)
    return Services(
        config=config,
        core=office.core,
        calls=office.calls,
        finder=CallFinder(office.engine, None),
        board=BoardLog(office.engine),
        figures=FiguresLog(office.engine),
        log=office.log,
        directory=office.directory,
        verifier=verifier(office.directory, None, least_s=0.001),
        hub=hub,
        explainer=Explainer(office.core.tenants, zones, *reads),
        audit=AuditLog(office.engine, office.journal),
        people=AgentChanges(office.engine, office.journal),
        traffic=office.traffic,
        receipts=office.receipts,
        replay=replay,
        decide=office.journal.write,
        missed=MissedList(office.engine),
        notes=AgentNotes(office.engine),
        saved_filters=SavedFilters(office.engine, office.journal),
        imports=Imports(office.engine, office.journal),
        import_now=lambda _tenant, _name: None,
        quality=Quality(office.engine),
        corrections=Corrections(office.engine, office.journal),
        agent_states=AgentStates(office.engine),
        programs=ProgramSessions(office.engine, office.journal),
    )


@pytest.fixture
def browse(desk: Desk) -> Callable[..., Browser]:
    """Opens a browser at a company's desk, without logging in."""

    def start(tenant: str = "acme", root: str = "") -> Browser:
        return Browser(Client(desk), tenant, root)

    return start


@pytest.fixture
def ana_by_https(browse: Callable[..., Browser]) -> Browser:
    """Ana's browser, logged in at a desk behind https."""
    browser = browse()
    browser.scheme = "https"
    assert browser.log_in().status_code == 303
    return browser


@pytest.fixture
def ana(browse: Callable[..., Browser]) -> Browser:
    """Ana's browser, logged in."""
    browser = browse()
    assert browser.log_in().status_code == 303
    return browser
