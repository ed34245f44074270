"""What a view works with: the gateway's services, and one visit to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from werkzeug.routing import MapAdapter
from werkzeug.wrappers import Request

from gateway.adapter import Probe, WireRequest
from gateway.config.tables import Config
from gateway.config.tables import TenantSettings as TenantSettings
from gateway.desk import framing
from gateway.desk.formats import day_start, identifier_name, local, number_text
from gateway.desk.hub import Hub
from gateway.desk.search_box import SearchReader
from gateway.desk.viewpoint import CallView
from gateway.desk.visible_calls import VisibleCalls
from gateway.diagnosis.explainer import Explainer
from gateway.domain.account_fields import label_in
from gateway.domain.calls.missed_list import MissedEntry, masked_entry
from gateway.domain.calls.scope import CallScope, scope_of
from gateway.domain.dialplan.trials import Failure
from gateway.domain.identifiers import plain
from gateway.domain.masking import is_masked, masked
from gateway.domain.messages import Direction, Origin
from gateway.domain.roles import NAMES, SHOWS_TELEPHONES, Right, may
from gateway.errors import CredentialsNeeded, RightMissing
from gateway.handlers import Core
from gateway.logins.passwords import Verifier
from gateway.orders.circuit_breaker import Health, Rules
from gateway.store.agent_notes import AgentNote, AgentNotes, FollowUp
from gateway.store.agent_states import AgentStates
from gateway.store.agents import AgentChanges
from gateway.store.audit import AuditLog
from gateway.store.board import BoardLog
from gateway.store.calls import CallLog, LoggedCall
from gateway.store.corrections import Corrections
from gateway.store.delivery_receipts import DeliveryReceiptLog
from gateway.store.directory import Agent, Directory, RecordOpening
from gateway.store.event_sources import SourceStandings
from gateway.store.figures.log import FiguresLog
from gateway.store.imports.runs import Imports
from gateway.store.letters.log import LetterLog
from gateway.store.missed import MissedList
from gateway.store.onsite.sites import OnsiteSites
from gateway.store.orders import OrderLog
from gateway.store.program_sessions import ProgramSessions
from gateway.store.quality import Quality
from gateway.store.reading.log import EventLog
from gateway.store.saved_filters import SavedFilters
from gateway.store.search.search import CallFinder
from gateway.store.traffic import TrafficEntry, TrafficLog
from gateway.store.writing.drafts import Choice, OrderDraft
from gateway.store.writing.journal import Said
from gateway.texts.languages import LANGUAGES, Language, first_of, of_browser
from gateway.texts.text import Text

Replay = Callable[[TrafficEntry, str], tuple[str, str]]
"""``replay(entry, by)`` serves a logged event again: the answer's status and body. Raises ``NotReplayable``."""


class Appliances(Protocol):
    """What the desk may ask of appliances; nothing of it rings anybody."""

    def health(self, tenant: str, name: str) -> Health: ...

    def rules(self, tenant: str, name: str) -> Rules: ...

    def probe(self, tenant: str, name: str) -> Probe: ...

    def preview(self, draft: OrderDraft) -> Sequence[WireRequest]: ...

    def can_hang_up(self, tenant: str, name: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the desk reads from, and the one entrance for what it asks to be done.

    ``traffic`` and ``receipts`` are None where the traffic log is off. ``dial_plan_failures`` are the tests in the
    configuration that do not hold, by company. ``forward_retry_at`` says when a forward that does not answer is tried
    again, in milliseconds since 1970 UTC.
    """

    config: Config
    core: Core
    calls: CallLog
    finder: CallFinder
    board: BoardLog
    figures: FiguresLog
    log: EventLog
    directory: Directory
    verifier: Verifier
    hub: Hub
    explainer: Explainer
    imports: Imports
    import_now: Callable[[str, str], None]
    quality: Quality
    corrections: Corrections
    replay: Replay
    decide: Callable[[Choice | Said], Any]
    missed: MissedList
    notes: AgentNotes
    audit: AuditLog
    people: AgentChanges
    saved_filters: SavedFilters
    traffic: TrafficLog | None
    receipts: DeliveryReceiptLog | None
    appliances: Appliances | None = None
    source_book: SourceStandings | None = None
    onsite_sites: OnsiteSites | None = None
    orders: OrderLog | None = None
    agent_states: AgentStates | None = None
    programs: ProgramSessions | None = None
    letters: LetterLog | None = None
    forward_retry_at: Callable[[tuple[str, str]], int | None] = lambda _key: None
    dial_plan_failures: Mapping[str, Sequence[Failure]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Central:
    """An appliance as people choose it."""

    name: str
    title: str
    default: bool


@dataclass(frozen=True)
class Visit:
    """One request: to which company, by whom, when.

    ``secret`` is the cookie's value that the tokens of forms hang on; it is empty for scripts that log in
    with every request.
    """

    request: Request
    urls: MapAdapter
    services: Services
    tenant: str
    settings: TenantSettings
    at: int
    agent: Agent | None
    secret: str
    token: str = ""
    """The token by which a program of the agent's asks."""

    @property
    def me(self) -> Agent:
        """The agent who is logged in. Raises ``CredentialsNeeded``."""
        if self.agent is None:
            raise CredentialsNeeded(by_token=False)
        return self.agent

    def may(self, right: Right) -> bool:
        """Return whether the visitor has ``right``; templates ask so what to show (``visit.may("dial")``)."""
        right = Right(right)
        if right in SHOWS_TELEPHONES and self.masks_numbers:
            return False
        return may(self.agent.role if self.agent else None, right)

    def require(self, right: Right) -> None:
        """Refuse a visitor without ``right``. Raises ``CredentialsNeeded`` and ``RightMissing``."""
        if self.may(right):
            return
        raise RightMissing(NAMES[self.me.role])

    @cached_property
    def scope(self) -> CallScope:
        """Which calls the visitor may see."""
        me, teams = self.me, self.services.core.tenant(self.tenant).teams
        return scope_of(me.role, me.login, me.extension, teams, seated_at=me.seated_at)

    @cached_property
    def calls(self) -> VisibleCalls:
        """The call log as far as the visitor may see it."""
        return VisibleCalls(self.services.calls, self.services.finder, self.tenant, self.scope, self.masks_numbers)

    @property
    def masks_numbers(self) -> bool:
        """Whether the company keeps telephones from the visitor's role."""
        return self.agent is not None and self.agent.role in self.settings.privacy.mask_numbers_for

    def telephone(self, number: str) -> str:
        """Return ``number`` as the visitor may see it."""
        return masked(number) if self.masks_numbers else number

    @property
    def title(self) -> str:
        """The company's name."""
        return self.settings.title or self.tenant

    @cached_property
    def language(self) -> Language:
        """The language of what this visitor reads: the agent's own, else the browser's, else the company's.

        Before the login the one that was chosen on the login page takes the place of the agent's.
        """
        chosen = self.agent.language if self.agent else self.asked_language
        browser = of_browser(self.request.headers.get("Accept-Language"))
        return first_of(chosen, browser, self.services.config.language(self.tenant))

    @property
    def asked_language(self) -> Language | None:
        """The language that was chosen on the login page."""
        wanted = self.request.args.get("idioma")
        return next((language for language in LANGUAGES if language == wanted), None)

    @property
    def origin(self) -> Origin:
        """Where a message of this visit comes from."""
        return Origin("desk", str(self.request.environ.get("cti.client") or self.request.remote_addr or ""))

    @property
    def by_htmx(self) -> bool:
        """Whether the page's own script asks, for a piece of a page; after "back" it shows the answer as a page."""
        headers = self.request.headers
        return "HX-Request" in headers and "HX-History-Restore-Request" not in headers

    @property
    def in_panel(self) -> bool:
        """Whether the panel asks, which may stand inside a page of the CRM."""
        return framing.is_panel(self.request.path) or framing.PANEL_HEADER in self.request.headers

    @property
    def login(self) -> str:
        """The name of the page to log in at: the panel has one of its own."""
        return "panel_login" if self.in_panel else "login"

    @property
    def home(self) -> str:
        """Where a login leads to when no page was asked for."""
        return self.url("panel", **{framing.JUST_LOGGED_IN: 1}) if self.in_panel else self.url("screen")

    @property
    def by_program(self) -> bool:
        """Whether JSON or events are asked for, not a page."""
        return self.request.path.startswith("/api/") or self.request.path == "/events"

    @cached_property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.settings.timezone)

    @property
    def reader(self) -> SearchReader:
        """Return what reads this visitor's searches."""
        return SearchReader(self.zone, local(self.at, self.zone).date(), self.language)

    @cached_property
    def centrals(self) -> Sequence[Central]:
        """The appliances that can dial for the company; the agent's own default is marked."""
        appliance = self.services.core.tenant(self.tenant).appliance_for(self.me.extension)
        default = appliance.name if appliance else None
        found = self.settings.appliances.items()
        return [Central(name, appliance.title or name, name == default) for name, appliance in found]

    @cached_property
    def missed_entries(self) -> Sequence[MissedEntry]:
        """The customers who wait to be called back, who waits longest first."""
        found = self.services.missed.entries(self.tenant, since=self.missed_since, now=self.at, scope=self.scope)
        return [self.shown_entry(entry) for entry in found]

    @property
    def missed_since(self) -> int:
        """As far as the list of missed calls goes back (milliseconds since 1970)."""
        return self.at - self.settings.missed.days_ms

    def shown_entry(self, entry: MissedEntry) -> MissedEntry:
        """Return ``entry`` as the visitor may see it."""
        return masked_entry(entry) if self.masks_numbers else entry

    @cached_property
    def follow_ups(self) -> Sequence[FollowUp]:
        """Customers whom somebody is to call again today, or was to; the oldest first."""
        until = day_start(local(self.at, self.zone).date(), self.zone, after=1)
        found = self.services.notes.due(self.tenant, until=until, login=self.me.login, scope=self.scope)
        return [follow_up.masked() for follow_up in found] if self.masks_numbers else found

    @property
    def missed_count(self) -> int:
        """How many customers wait to be called back, or are to be called again by now."""
        return len(self.missed_entries) + sum(1 for each in self.follow_ups if each.due_at <= self.at)

    @property
    def missed_late(self) -> bool:
        """Whether one of them has waited longer than the company wants."""
        return any(self.at - entry.since > self.settings.missed.goal_ms for entry in self.missed_entries[:1])

    def last_notes(self, call: LoggedCall) -> Sequence[AgentNote]:
        """Return what agents wrote of the customer's calls before ``call``."""
        return self._shown_notes(self.services.notes.before(self.calls.whole(call)))

    def notes_of_account(self, account_id: int) -> Sequence[AgentNote]:
        """Return what agents wrote of the account's calls."""
        return self._shown_notes(self.services.notes.of_account(self.tenant, account_id))

    def _shown_notes(self, notes: Sequence[AgentNote]) -> Sequence[AgentNote]:
        return [note.masked() for note in notes] if self.masks_numbers else notes

    def hides_note(self, call: LoggedCall) -> bool:
        """Return whether the visitor does not see all of the call's note, and so may not write in it."""
        return self.masks_numbers and is_masked(call.note or "")

    def outcomes(self, chosen: str | None = None) -> Sequence[tuple[str, str, bool]]:
        """Return the outcomes to choose from: code, name, whether it asks for a follow-up; with one that was ``chosen``
        before and is offered no more.
        """
        offered = [(each.code, each.label_in(self.language), each.follow_up) for each in self.settings.outcomes]
        known = {code for code, _, _ in offered}
        return [*offered, (chosen, chosen, False)] if chosen and chosen not in known else offered

    def outcome_name(self, code: str | None) -> str:
        """Return the name of an outcome, of one that is offered no more its code."""
        return next((name for known, name, _ in self.outcomes(code) if known == code), "")

    def local_minute(self, at: int | None) -> str:
        """Return a moment as fields of pages have it: the company's local time, to the minute."""
        return local(at, self.zone).strftime("%Y-%m-%dT%H:%M") if at is not None else ""

    @property
    def dial_plan_failures(self) -> Sequence[Failure]:
        """The tests of the company's dial plans that do not hold."""
        return self.services.dial_plan_failures.get(self.tenant, ())

    @cached_property
    def colleagues(self) -> dict[str, str]:
        """Who sits at which extension."""
        return {agent.extension: agent.name for agent in self.services.directory.agents(self.tenant)}

    @cached_property
    def names(self) -> dict[str, str]:
        """The agents' names by their logins."""
        return {agent.login: agent.name for agent in self.services.directory.agents(self.tenant)}

    def view(self, call: LoggedCall, mine: bool = False) -> CallView:
        """Return ``call`` as a whole, or as the agent's extension sees it."""
        return CallView(call, self.me.extension if mine else None)

    def who_took(self, call: LoggedCall, mine: bool = False) -> str:
        """Return the agent who took ``call`` at another extension, where that is known."""
        login = call.answered_agent if self.view(call, mine).taken_by else None
        return self.names.get(login, login) if login else ""

    def labelled(self, call: LoggedCall) -> Sequence[tuple[Text, str]]:
        """Return what the exchange attached to ``call``, each with its name for people, a line by its own name."""
        line = f"{call.line_name} · {number_text(call.line)}" if call.line and call.line_name else None
        return [(label, line if line and text == call.line else text) for label, text in call.labelled]

    def other_end(self, call: LoggedCall) -> str:
        """Return the number of ``call`` that is not the agent's own: of an internal call both are extensions."""
        if call.direction == Direction.INTERNAL and self.agent and call.number == self.agent.extension:
            return call.extension
        return call.number

    @cached_property
    def opening(self) -> RecordOpening:
        """When the agent has customers' records in the CRM opened."""
        return self.services.directory.opening(self.me.id)

    @cached_property
    def _labels(self) -> Mapping[str, str]:
        """The labels of accounts' fields in the visitor's language, by the fields' plain names."""
        found: dict[str, str] = {}
        for source in self.settings.directory.values():
            for name, labels in getattr(source.settings, "fields", {}).items():
                found.setdefault(plain(name), label_in(self.language, identifier_name(name), labels))
        return found

    def field_label(self, name: str) -> str:
        """Return what people read in the place of the name of an account's field."""
        return self._labels.get(plain(name)) or identifier_name(name)

    def central_title(self, name: str | None) -> str:
        """Return the title by which people know the appliance ``name``."""
        appliance = self.settings.appliances.get(name or "")
        return (appliance.title if appliance else "") or name or ""

    def may_hang_up(self, call: LoggedCall) -> bool:
        """Return whether a button to end ``call`` makes sense: it is the agent's own, goes on, and its appliance ends
        calls by command.
        """
        centrals = self.services.appliances
        over = call.ended_at is not None or call.status == "over"
        if centrals is None or not call.appliance or over or call.extension != self.me.extension:
            return False
        return centrals.can_hang_up(self.tenant, call.appliance)

    def url(self, endpoint: str, **values: Any) -> str:
        """Return the path of a page, below the company's own path."""
        return self.urls.build(endpoint, values)
