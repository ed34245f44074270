"""The tables of settings: field, type, default and one sentence. The models below *are* the reference.

Which file they are filled from, and how, stands in ``config/loader.py``.
"""

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PrivateAttr, SecretStr, model_validator

from gateway.config.after_call import MissedSettings, OutcomeSettings
from gateway.config.crm import CrmSettings
from gateway.config.dial_plans import DialPlanSettings
from gateway.config.forwards import EVENT_KINDS as EVENT_KINDS
from gateway.config.forwards import Forward as Forward
from gateway.config.people import AuditSettings, PrivacySettings, TeamSettings
from gateway.config.sources import AnySource, EventSourceSettings, SourceName, SourceSettings, exchange_of
from gateway.config.values import (
    TENANT_NAME,
    Address,
    AreaCode,
    HttpStatus,
    Interval,
    Network,
    PublicUrl,
    Secrets,
    Table,
    Timezone,
    UrlPath,
    seconds_of,
)
from gateway.domain.messages import ATTACHED
from gateway.texts.languages import DEFAULT, Language
from gateway.texts.text import Text

LISTENER_PARAMETERS: tuple[str, ...] = (
    *("ramal", "telefone", "url_audio", "id_ligacao", "data_hora", "direcao", "duracao", "resultado"),
    *ATTACHED.values(),
)
MORE_PARAMETERS: tuple[str, ...] = (
    *("ramal_destino", "espera", "atendida_em", "campos", "ramais", "tipo", "causa", "abandonada"),
    *("custo", "transcricao", "agente", "estado", "motivo"),
)
"""Parameters that came later: settings of before may have them as other names of those above."""
if TYPE_CHECKING:
    ListenerParameter = str
else:
    ListenerParameter = Literal[*LISTENER_PARAMETERS, *MORE_PARAMETERS]
LONGEST_NODE = 63
LineName = Annotated[str, Field(min_length=1, max_length=100)]


class ServerSettings(Table):
    """How the gateway listens."""

    listen: Address = Field("127.0.0.1:8080", description="address and port to listen on")
    lenient_listen: Address | None = Field(
        None,
        description="one more address and port, for exchanges whose malformed requests are mended; off when absent",
    )
    data: str = Field("data", description="folder of the database, relative to this file")
    database: SecretStr | None = Field(
        None,
        strict=False,
        description="address of a PostgreSQL database (postgresql://USER@HOST/NAME; env: or file:);"
        " SQLite in data when absent",
    )
    database_password: SecretStr | None = Field(
        None, strict=False, description="its password, where it does not stand in the address (env: or file:)"
    )
    database_direct: SecretStr | None = Field(
        None,
        strict=False,
        description="address of the server itself where database is a pooler's (PgBouncer) for reading (env: or file:)",
    )
    accept_loss: bool = Field(
        False, description="let a PostgreSQL without a synchronous standby pass 'check'; said at each start"
    )
    remove_whole_partitions: bool = Field(
        False,
        description="on PostgreSQL let what is old stay until its whole partition can go: 45 days at most",
    )
    spool: bool = Field(
        False, description="while PostgreSQL is away keep events on this node, and tell exchanges OK with id 0"
    )
    spool_mb: float = Field(
        100,
        ge=1,
        le=100_000,
        strict=False,
        description="megabytes of events that this node keeps; then exchanges get 503",
    )
    spool_hours: float = Field(
        24, gt=0, le=720, strict=False, description="age of the oldest event kept from which exchanges get 503"
    )
    node: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$",
        description="name of this machine among those that share a database; its host name when absent",
    )
    node_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#]+/?$",
        max_length=255,
        description="address of this node's own desk, such as http://n1:8080, by which others link to its traffic log",
    )
    workers: int = Field(1, ge=1, le=64, description="processes that share the port and the database")
    pin_workers: bool | None = Field(None, description="does nothing any more: leave it out")
    call_threads: int = Field(
        64, ge=4, le=512, description="threads for pages, /api, click-to-call and passwords; events need none"
    )
    max_screens: int = Field(10000, ge=0, le=20000, description="open agent screens per process; one more gets 503")
    max_connections: int = Field(
        4096, ge=64, le=100_000, description="open connections per process besides its screens; more wait"
    )
    requests_per_address: int = Field(
        512, ge=8, le=100_000, description="requests of one client address under way per process; one more gets 503"
    )
    head_timeout_s: float = Field(
        10, ge=1, le=600, strict=False, description="seconds for a request's head, and for a connection without use"
    )
    body_timeout_s: float = Field(30, ge=1, le=600, strict=False, description="seconds for a request's whole body")
    drain_s: float = Field(
        0.5, ge=0, le=300, strict=False, description="seconds in which a gateway told to stop still takes requests"
    )
    take_over: bool = Field(
        False, description="take the ports over from the gateway that runs on the same data; it then ends"
    )
    max_body_bytes: int = Field(1_048_576, ge=1024, description="largest request body accepted")
    write_queue: int = Field(4096, ge=16, description="events waiting to be written before new ones get 503")
    presets: str | None = Field(None, description="folder of presets of your own, relative to this file")
    trusted_proxies: tuple[Network, ...] = Field(
        (), strict=False, description="reverse proxies whose X-Forwarded-* headers are believed"
    )
    metrics_allow: tuple[Network, ...] = Field(
        ("loopback", "private"),
        strict=False,
        description="client addresses that may read /metrics: 'loopback', 'private', 'any' or networks (10.1.0.0/16)",
    )
    public_targets_only: bool = Field(
        False, description="no forward connects to a private address that its host's name leads to"
    )
    language: Language = Field(DEFAULT, description="language of texts where no company says another")

    def node_name(self) -> str:
        """Return the name of this machine among its database's nodes."""
        return self.node or socket.gethostname()[:LONGEST_NODE]


class Log(Table):
    """What the gateway says of itself, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level written")
    format: Literal["console", "json"] = Field("console", description="for people or for machines")


class TrafficSettings(Table):
    """The traffic log: raw requests and answers of machines, secrets masked, for when something does not work."""

    record: bool = Field(True, description="write what machines send and are answered, and what appliances are sent")
    keep_days: float = Field(14, gt=0, le=3650, strict=False, description="older entries are let go of")
    keep_mb: float = Field(512, ge=1, le=1_000_000, strict=False, description="size of the file they are kept in")
    most_kb: int = Field(64, ge=1, le=1024, description="of longer requests and answers only the beginning is kept")


class EventSettings(Table):
    """Who may send call events to the tenant."""

    allow: tuple[Network, ...] = Field(
        ("loopback", "private"),
        strict=False,
        description="client addresses that need no token: 'loopback', 'private', 'any' or networks (10.1.0.0/16)",
    )
    token: Secrets = Field((), description="lets any address send events (env: or file:); several: any of them does")
    agent_states_days: float = Field(
        400, gt=0, le=36500, strict=False, description="days that what exchanges tell of agents is kept"
    )


class RetentionSettings(Table):
    """How long the tenant's calls and what hangs on them is kept. What is left out is kept for good."""

    calls_days: float | None = Field(
        None, ge=7, le=36_500, strict=False, description="calls, with legs, notes, events, orders and attempts"
    )
    events_days: float | None = Field(
        None, ge=2, le=36_500, strict=False, description="events, where they are kept for less time than their calls"
    )
    attempts_days: float | None = Field(
        None, ge=2, le=36_500, strict=False, description="attempts to dial, where for less time than their calls"
    )
    traffic_days: float | None = Field(
        None, gt=0, le=3650, strict=False, description="its entries of the traffic log, where for less than all others"
    )


class ListenerSettings(Table):
    """How the tenant's exchanges write events, and the answers they read."""

    aliases: dict[ListenerParameter, Annotated[tuple[str, ...], Field(strict=False)]] = Field(
        default_factory=dict, description="further names of the parameters of GET and forms, by parameter"
    )
    reply: str = Field("OK {id}\n", description="the listeners' body for an event that was taken; {id} is our call id")
    status_on_error: HttpStatus | None = Field(
        None, description="the status of errors told as text by the listeners and click-to-call (there 401 stays)"
    )
    fault_status: HttpStatus | None = Field(None, description="the status of SOAP faults, except 401")
    must_understand: Literal["tolerate", "refuse"] = Field(
        "tolerate", description="SOAP header blocks with mustUnderstand, of which none is: passed over, or refused"
    )
    keep_unknown: bool = Field(
        False, description="keep parameters of call events that nobody knows as free fields of the call"
    )
    wsdl_names: Literal["plain", "classic"] = Field(
        "plain",
        description="names and charset of the rpc/encoded WSDL: our own, or the classic WConnect's, with spaces",
    )

    @model_validator(mode="after")
    def _aliases_are_distinct(self) -> "ListenerSettings":
        taken = {*LISTENER_PARAMETERS, "token"}
        for alias in (alias.lower() for others in self.aliases.values() for alias in others):
            if alias in taken:
                raise ValueError(Text("alias {alias!r} is a parameter of its own or given twice", alias=alias))
            taken.add(alias)
        return self


class Pairing(Table):
    """How call events are brought together."""

    give_up_after_min: float = Field(
        240, ge=1, le=1440, strict=False, description="minutes after which the end of a call is not waited for any more"
    )


class ClickToCall(Table):
    """How the CRM asks for a call."""

    path: UrlPath | None = Field(None, description="one more path that takes click-to-call, as set in the CRM")
    origin_param: str = Field("origem", min_length=1, description="name of the parameter with the extension")
    destination_param: str = Field("destino", min_length=1, description="name of the parameter with the number")
    auth: tuple[Literal["basic", "header", "query"], ...] = Field(
        ("basic", "header", "query"),
        strict=False,
        description="credentials accepted: Basic of an agent, the header token_auth, the parameter token",
    )
    require_all: bool = Field(False, description="demand every kind in auth at once (the CRM's mode 4)")
    token: SecretStr | None = Field(None, strict=False, description="the CRM's token (env: or file:)")
    open_loopback: bool = Field(
        True, description="programs on this machine, a reverse proxy among them, need no credentials"
    )
    repeat_within_s: float = Field(
        3.0, ge=0, le=300, description="the same call asked for again within so many seconds dials once; 0 dials again"
    )


class ApplianceSettings(Table):
    """An exchange that can dial. All other keys of its table belong to its preset or its adapter."""

    adapter: str = Field(description="the protocol: one of the installed adapters (soap, xmlrpc, url)")
    preset: str | None = Field(None, description="instead of adapter: the kind of appliance, see 'cti-gateway presets'")
    title: str = Field("", description="name shown to people")
    extensions: tuple[str, ...] = Field((), strict=False, description="extensions that dial by it by default")
    dial_plan: DialPlanSettings | None = Field(None, description="instead of the tenant's dial plan")
    fallback: str | None = Field(None, description="the appliance that dials when this one was surely not reached")
    max_orders: int | None = Field(None, ge=1, le=256, description="calls being placed by it at once")
    orders_per_s: float | None = Field(None, gt=0, le=1000, description="calls begun by it in one second")
    max_wait_s: float = Field(3.0, ge=0, le=15, description="how long a call waits for its turn before it is refused")
    breaker_failures: int = Field(
        5, ge=0, le=1000, description="after so many attempts in a row without an answer it is left alone; 0: never"
    )
    breaker_pause_s: float = Field(
        30.0, gt=0, le=3600, description="how long it is left alone before it is tried again"
    )
    settings: Any = Field(None, exclude=True, description="the adapter's own settings")


class DirectorySettings(Table):
    """A source of the directory: accounts and their telephones. All other keys of its table belong to the source."""

    source: str = Field(description="what it is: one of the installed sources (csv, sql, wconnect)")
    every: Interval | None = Field(None, description="how often it is imported, such as '15m'; by hand when absent")
    full: bool = Field(False, description="it names all of its accounts: those that it no longer has are removed")
    settings: Any = Field(None, exclude=True, description="the source's own settings")

    @property
    def every_s(self) -> int | None:
        """How often, in seconds."""
        return seconds_of(self.every) if self.every else None


PEERS: Mapping[str, type[Table]] = {
    "appliances": ApplianceSettings,
    "forwards": Forward,
    "directory": DirectorySettings,
}
"""The tables whose keys belong to whoever one of them names: a preset, an adapter, or a source of the directory."""


class BranchSettings(Table):
    """Some of the company's extensions that sit in another area code."""

    extensions: tuple[str, ...] = Field(
        strict=False, min_length=1, description="the branch's extensions, written like the company's"
    )
    area_code: AreaCode = Field(description="DDD of numbers that come without one, for these extensions")


class TenantSettings(Table):
    """One company."""

    title: str = Field("", description="name shown to people")
    hosts: tuple[str, ...] = Field((), strict=False, description="host names that mean this tenant")
    public_url: PublicUrl | None = Field(
        None, description="scheme and host by which others call the gateway, for the signatures of webhooks"
    )
    area_code: AreaCode | None = Field(None, description="DDD of numbers that come without one")
    extensions: tuple[str, ...] = Field(
        (), strict=False, description="internal extensions: '3500-3599', '2xx', '201', '/regex/'"
    )
    branches: dict[str, BranchSettings] = Field(
        default_factory=dict, description="offices elsewhere: some extensions with an area code of their own"
    )
    teams: dict[str, TeamSettings] = Field(
        default_factory=dict, description="who works with whom: what agents and supervisors see of each other's calls"
    )
    privacy: PrivacySettings = Field(default_factory=PrivacySettings, description="who sees telephones in full")
    timezone: Timezone = Field("America/Sao_Paulo", description="time zone of dates shown to people")
    language: Language | None = Field(None, description="language of answers, and of pages if no browser says one")
    default_appliance: str | None = Field(None, description="who dials when nothing else says (else the first)")
    events: EventSettings = Field(default_factory=EventSettings, description="who may send call events")
    retention: RetentionSettings = Field(
        default_factory=RetentionSettings, description="how long calls are kept: for good when absent"
    )
    listener: ListenerSettings = Field(default_factory=ListenerSettings, description="how exchanges write events")
    pairing: Pairing = Field(default_factory=Pairing, description="how call events are brought together")
    outcomes: tuple[OutcomeSettings, ...] = Field(
        (), strict=False, max_length=50, description="what an agent may choose as a call's outcome, in this order"
    )
    missed: MissedSettings = Field(default_factory=MissedSettings, description="the list of missed calls")
    click_to_call: ClickToCall = Field(default_factory=ClickToCall, description="how the CRM asks for a call")
    crm: CrmSettings = Field(default_factory=CrmSettings, description="the CRM in whose pages agents work")
    dial_plan: DialPlanSettings = Field(default_factory=DialPlanSettings, description="what is put before a number")
    appliances: dict[str, ApplianceSettings] = Field(default_factory=dict, description="exchanges that can dial")
    lines: dict[str, LineName] = Field(
        default_factory=dict, description="names of the company's own numbers, by the number that is called"
    )
    forwards: dict[str, Forward] = Field(default_factory=dict, description="who is told of call events")
    directory: dict[str, DirectorySettings] = Field(default_factory=dict, description="where the directory comes from")
    sources: dict[SourceName, AnySource] = Field(
        default_factory=dict, description="webhooks of cloud exchanges, at /in/NAME, and sources that we go and get"
    )

    @property
    def webhooks(self) -> Mapping[str, SourceSettings]:
        """The sources that send by themselves, by name."""
        return {name: source for name, source in self.sources.items() if isinstance(source, SourceSettings)}

    @property
    def event_sources(self) -> Mapping[str, EventSourceSettings]:
        """The sources that the gateway goes and gets, by name."""
        return {name: source for name, source in self.sources.items() if isinstance(source, EventSourceSettings)}

    @model_validator(mode="after")
    def _outcomes_are_distinct(self) -> "TenantSettings":
        codes = [outcome.code for outcome in self.outcomes]
        for code in codes:
            if codes.count(code) > 1:
                raise ValueError(Text("outcome {code!r} is given more than once", code=code))
        return self

    @model_validator(mode="after")
    def _default_exists(self) -> "TenantSettings":
        if self.default_appliance and self.default_appliance not in self.appliances:
            wanted = self.default_appliance
            raise ValueError(Text("default_appliance {name!r} is not one of the appliances", name=wanted))
        for name, appliance in self.appliances.items():
            if appliance.fallback == name or (appliance.fallback and appliance.fallback not in self.appliances):
                facts = {"name": name, "fallback": appliance.fallback}
                raise ValueError(
                    Text("appliances.{name}.fallback {fallback!r} is not another of the appliances", **facts)
                )
        for name in self.sources:
            exchange_of(name, self.sources)
        return self


class Config(Table):
    """Everything that can be set."""

    server: ServerSettings = Field(default_factory=ServerSettings, description="how the gateway listens")
    log: Log = Field(default_factory=Log, description="what the gateway says of itself")
    traffic: TrafficSettings = Field(default_factory=TrafficSettings, description="the traffic log")
    audit: AuditSettings = Field(default_factory=AuditSettings, description="the audit log")
    tenants: dict[str, TenantSettings] = Field(
        default_factory=lambda: {"default": TenantSettings()},
        description="companies, by the first label of their host",
    )
    _former_names: tuple[str, ...] = PrivateAttr(())

    @property
    def former_names(self) -> tuple[str, ...]:
        """The tables that the file calls by a name of an earlier version."""
        return self._former_names

    def language(self, tenant: str) -> Language:
        """Return the language of what machines of ``tenant`` are answered, also where there is no such tenant."""
        settings = self.tenants.get(tenant)
        return (settings.language if settings else None) or self.server.language

    @model_validator(mode="after")
    def _tenants_are_distinct(self) -> "Config":
        if not self.tenants:
            raise ValueError(Text("at least one [tenants.NAME] is needed"))
        for name in self.tenants:
            if not TENANT_NAME.fullmatch(name):
                raise ValueError(Text("tenant name {name!r}: expected small letters, digits and '-'", name=name))
        hosts = [host.lower() for tenant in self.tenants.values() for host in tenant.hosts]
        for host in hosts:
            if hosts.count(host) > 1:
                raise ValueError(Text("host {host!r} is claimed by more than one tenant", host=host))
        return self
