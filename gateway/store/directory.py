"""Accounts with their numbers, agents and their sessions."""

import hashlib
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, Row, Select, bindparam, delete, func, insert, select, text, update

from gateway.clock import milliseconds
from gateway.domain.account_fields import read_account_fields
from gateway.domain.calls.matching import Ranked
from gateway.domain.identifiers import named_by, searched, shown
from gateway.domain.roles import Role, role_of
from gateway.errors import DatabaseAway
from gateway.store import tables
from gateway.store.bulk import INSERTS
from gateway.store.choosing import Standing, standing
from gateway.store.identified import Identified
from gateway.store.imports.account_locks import accounts_lock
from gateway.store.imports.loading import LoadedAccount, Phone, write_accounts
from gateway.store.known_sessions import KnownSession, KnownSessions, SessionKey, SessionsAhead
from gateway.store.writing.journal import Journal
from gateway.store.writing.matching import FOREVER, Matches

log = structlog.get_logger()

accounts, phones, agents, sessions = tables.accounts, tables.phones, tables.agents, tables.sessions
identifiers, counters = tables.identifiers, tables.counters

BY_HAND = "csv"


PEOPLE_OF_TENANT = text(
    "INSERT INTO heads (tenant, seq, people) VALUES (:tenant, 0, 1)"
    " ON CONFLICT (tenant) DO UPDATE SET people = heads.people + 1"
)


@dataclass(frozen=True, slots=True)
class Account:
    """One account to load: the CRM's own id, its name, and its (number, contact) pairs in canonical form."""

    code: str
    name: str
    phones: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AccountCard:
    """An account as people see it: id, the CRM's code, name and (number, contact) pairs.

    ``identifiers`` are (kind, text) pairs of what names it beside them; ``owner`` is who looks after it, ``source`` who
    brought it last; ``fields`` are what else it brought, by name.
    """

    id: int
    code: str
    name: str
    phones: tuple[tuple[str, str], ...]
    owner: str | None = None
    source: str = ""
    updated_at: int = 0
    identifiers: tuple[tuple[str, str], ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a number belongs to: the account's name and code, and the person who answers there."""

    name: str
    code: str
    contact: str


@dataclass(frozen=True, slots=True)
class Agent:
    """A person, or a program, with a login and an extension; ``language`` is empty where the browser's counts.

    One who ``chooses_extension`` sits at it since ``seated_at`` (milliseconds; 0: it is fixed), or nowhere. A
    ``first_password`` was given by somebody else. Nobody logs in as one who is ``locked``.
    """

    id: int
    tenant: str
    login: str
    name: str
    extension: str
    language: str = ""
    role: Role = Role.AGENT
    chooses_extension: bool = False
    seated_at: int = 0
    first_password: bool = False
    locked: bool = False


@dataclass(frozen=True, slots=True)
class RecordOpening:
    """When an agent has a customer's record in the CRM opened: at ``ring`` or ``answer``, empty: never.

    ``new``: also the page for a new customer, where nobody has the number.
    """

    incoming: str = ""
    outgoing: str = ""
    new: bool = False


SESSION = (
    select(agents, sessions.c.expires_at)
    .join(sessions, sessions.c.agent_id == agents.c.id)
    .where(sessions.c.token_hash == bindparam("hashed"), sessions.c.expires_at > bindparam("at"))
    .where(agents.c.locked_at.is_(None))
    # A session from far in the future would hold until then: the clock was wrong when it began.
    .where(sessions.c.created_at <= bindparam("latest"))
)
"""Made once: every page asks it, and making it took longer than asking."""
SESSION_OF_BROWSER = SESSION.where(sessions.c.program.is_(None))
SESSION_OF_PROGRAM = SESSION.where(sessions.c.program.is_not(None))
SESSIONS_OF_BROWSERS = (
    select(agents, sessions.c.expires_at, sessions.c.token_hash)
    .join(sessions, sessions.c.agent_id == agents.c.id)
    .where(sessions.c.token_hash.in_(bindparam("hashes", expanding=True)), sessions.c.expires_at > bindparam("at"))
    .where(agents.c.locked_at.is_(None), sessions.c.program.is_(None))
    .where(sessions.c.created_at <= bindparam("latest"))
)
CLOCK_WRONG_MS = 24 * 3600 * 1000
"""A session that began later than this from now is no longer good; a clock put right by less logs nobody out."""


class Directory:
    """Reads by the engine; writes in the journal's turn."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal
        self._known = KnownSessions()
        self._ahead = SessionsAhead()

    # accounts

    def load_accounts(self, tenant: str, batch: Sequence[Account], at: int) -> None:
        """Insert or replace a few accounts by their code, with their numbers, as an import by hand would."""
        loaded = [
            LoadedAccount(each.code, each.name, tuple(Phone(number, who, number) for number, who in each.phones))
            for each in batch
        ]
        self._journal.run(
            lambda connection: write_accounts(connection, tenant, BY_HAND, loaded, at),
            tenant=tenant,
            lock=accounts_lock(tenant),
        )

    def account(self, tenant: str, account_id: int) -> AccountCard | None:
        """Return one account of the tenant with its numbers."""
        query = select(accounts).where(accounts.c.tenant == tenant, accounts.c.id == account_id)
        numbers = select(phones.c.number, phones.c.contact).where(phones.c.account_id == account_id)
        numbers = numbers.where(phones.c.number.is_not(None))
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
            if row is None:
                return None
            pairs = tuple((number, contact) for number, contact in connection.execute(numbers))
            named = tuple((each.kind, shown(*each)) for each in connection.execute(_identifiers_of(account_id)))
        fields = read_account_fields(row.fields)
        return AccountCard(row.id, row.code, row.name, pairs, row.owner, row.source, row.updated_at, named, fields)

    def matches(
        self, tenant: str, numbers: Sequence[str], extension: str = "", *, before: int = FOREVER
    ) -> Sequence[Ranked]:
        """Return the accounts that have ``numbers`` (forms of one, the canonical first), the best first.

        They are ranked for a call at ``extension`` that came in at ``before``.
        """
        with self._engine.connect() as connection:
            found = Matches(connection, before=before)
            found.read({tenant: set(numbers)})
            return found.of(tenant, numbers, extension)

    def named_by(self, tenant: str, fields: Mapping[str, str]) -> Sequence[Ranked]:
        """Return the accounts that the free ``fields`` of a call name: those of the first field that names any."""
        wanted = named_by(fields)
        if not wanted:
            return ()
        with self._engine.connect() as connection:
            return Identified(connection).of(tenant, wanted)

    def standing(self, tenant: str, number: str, forms: Sequence[str]) -> Standing:
        """Return who has ``number`` in any of its ``forms``, and who decided so: a page sends this back with a change,
        so that another agent's change is noticed.
        """
        with self._engine.connect() as connection:
            return standing(connection, tenant, number, forms)

    def owners(self, tenant: str, numbers: Sequence[str]) -> Sequence[Owner]:
        """Return the accounts that have ``numbers`` (forms of one), the best first, without the reasons
        of their rank.
        """
        found = (ranked.match for ranked in self.matches(tenant, numbers))
        return [Owner(match.name, match.code, match.contact) for match in found]

    def search(self, tenant: str, text: str, *, limit: int = 8) -> Sequence[AccountCard]:
        """Return accounts whose code is ``text``, that have it as an identifier, or whose name holds it, without their
        numbers.
        """
        same_code = select(accounts).where(accounts.c.tenant == tenant, accounts.c.code == text)
        named = select(accounts).where(accounts.c.tenant == tenant, accounts.c.name.icontains(text, autoescape=True))
        with self._engine.connect() as connection:
            rows = [*connection.execute(same_code), *connection.execute(_with_identifier(tenant, text).limit(limit))]
            rows += connection.execute(named.order_by(accounts.c.id).limit(limit))
        found = {row.id: AccountCard(row.id, row.code, row.name, ()) for row in rows}
        return list(found.values())[:limit]

    def count_accounts(self, tenant: str) -> int:
        with self._engine.connect() as connection:
            query = select(func.count()).select_from(accounts).where(accounts.c.tenant == tenant)
            return connection.execute(query).scalar_one()

    def field_names(self, tenant: str, *, looked_at: int = 200) -> list[str]:
        """Return the names of the fields that accounts have, as far as those show that were written last."""
        query = select(accounts.c.fields).where(accounts.c.tenant == tenant, accounts.c.fields.is_not(None))
        with self._engine.connect() as connection:
            found = connection.execute(query.order_by(accounts.c.id.desc()).limit(looked_at)).scalars().all()
        return list(dict.fromkeys(name for text in found for name in read_account_fields(text)))

    # agents

    def save_agent(self, agent: Agent, password_hash: str, at: int) -> None:
        """Add an agent, or give the one with this login a new name, extension, role and password, and log it out
        everywhere. Without a language the one that was chosen stays.
        """
        values = {
            "tenant": agent.tenant,
            "login": agent.login,
            "name": agent.name,
            "extension": agent.extension,
            "password_hash": password_hash,
            "role": agent.role.value,
        }
        if agent.language:
            values["language"] = agent.language
        self._change_people(agent.tenant, lambda connection: _save_agent(connection, values, at))

    def give_role(self, tenant: str, login: str, role: Role) -> bool:
        """Give an agent another role; False when there is no such agent."""
        statement = update(agents).where(agents.c.tenant == tenant, agents.c.login == login).values(role=role.value)
        return bool(self._change_people(tenant, lambda connection: connection.execute(statement).rowcount))

    def choose_language(self, agent_id: int, language: str) -> None:
        """Keep the language of an agent's pages; empty for the browser's."""
        statement = update(agents).where(agents.c.id == agent_id).values(language=language or None)
        self._journal.run(lambda connection: connection.execute(statement) and None)

    def opening(self, agent_id: int) -> RecordOpening:
        """Return when the agent has customers' records in the CRM opened."""
        query = select(agents.c.opens_incoming, agents.c.opens_outgoing, agents.c.opens_new)
        with self._engine.connect() as connection:
            row = connection.execute(query.where(agents.c.id == agent_id)).first()
        return RecordOpening(row[0] or "", row[1] or "", bool(row[2])) if row else RecordOpening()

    def choose_opening(self, agent_id: int, opening: RecordOpening) -> None:
        """Keep when the agent wants customers' records opened."""
        values = {"opens_incoming": opening.incoming or None, "opens_outgoing": opening.outgoing or None}
        statement = update(agents).where(agents.c.id == agent_id).values(**values, opens_new=opening.new)
        self._journal.run(lambda connection: connection.execute(statement) and None)

    def remove_agent(self, tenant: str, login: str) -> bool:
        """Remove an agent and log it out everywhere; False when there was none."""
        return bool(self._change_people(tenant, lambda connection: _remove_agent(connection, tenant, login)))

    def agents(self, tenant: str | None = None) -> Sequence[Agent]:
        query = select(agents).order_by(agents.c.tenant, agents.c.login)
        if tenant is not None:
            query = query.where(agents.c.tenant == tenant)
        with self._engine.connect() as connection:
            return [agent_of(row) for row in connection.execute(query)]

    def agent(self, tenant: str, login: str) -> Agent | None:
        """Return one agent, also one that is locked."""
        query = select(agents).where(agents.c.tenant == tenant, agents.c.login == login)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return agent_of(row) if row else None

    def agent_with_hash(self, tenant: str, login: str) -> tuple[Agent, str] | None:
        """Return the agent and the hash to verify its password against; None where it is locked as well."""
        query = select(agents).where(agents.c.tenant == tenant, agents.c.login == login, agents.c.locked_at.is_(None))
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return (agent_of(row), row.password_hash) if row else None

    # sessions

    def open_session(self, agent: Agent, at: int, *, lifetime_ms: int, client: str = "", browser: str = "") -> str:
        """Start a session from the address ``client`` and return the cookie's value, stored only as a hash."""
        token = secrets.token_urlsafe(32)
        row = {
            "token_hash": token_hash(token),
            "agent_id": agent.id,
            "created_at": at,
            "expires_at": at + lifetime_ms,
            "client": client,
            "browser": browser,
        }
        self._journal.run(lambda connection: _open_session(connection, row, at), tenant=agent.tenant)
        return token

    def session_agent(self, token: str, at: int, *, of_program: bool = False) -> Agent | None:
        """Return the agent whose session ``token`` is, unless it is over: a browser's, or a program's.

        While the database does not answer, those go on that were good a while ago. Raises ``DatabaseAway`` for others.
        """
        key = (token_hash(token), of_program)
        asked = self._known.ask()
        try:
            found = self._ahead.find(key, at, asked) or self._session(*key, at)
        except DatabaseAway:
            if known := self._known.agent(key, at):
                return known
            raise
        self._known.note(key, found, asked)
        return found.agent if found else None

    def _session(self, hashed: str, of_program: bool, at: int) -> KnownSession | None:
        values = {"hashed": hashed, "at": at, "latest": at + CLOCK_WRONG_MS}
        with self._engine.connect() as connection:
            row = connection.execute(SESSION_OF_PROGRAM if of_program else SESSION_OF_BROWSER, values).first()
        return KnownSession(agent_of(row), row.expires_at) if row else None

    @contextmanager
    def looking_ahead(self, hashes: Collection[str]) -> Iterator[None]:
        """Have browsers' sessions (hashes of tokens) looked up by one query for what the calling thread asks within the
        block, which should be left soon. While the database is away it is asked nothing more within it.
        """
        asked, found, away = self._known.ask(), dict[SessionKey, KnownSession](), None
        try:
            found = self._sessions(hashes) if hashes else found
        except DatabaseAway as error:
            away = error
        except Exception as error:  # each is looked up when it is asked for
            log.warning("sessions_not_looked_up", error=type(error).__name__)
        with self._ahead.holding(found, asked, away):
            yield

    def _sessions(self, hashes: Collection[str]) -> dict[SessionKey, KnownSession]:
        now = milliseconds()
        values = {"hashes": list(hashes), "at": now, "latest": now + CLOCK_WRONG_MS}
        with self._engine.connect() as connection:
            rows = connection.execute(SESSIONS_OF_BROWSERS, values).all()
        return {(row.token_hash, False): KnownSession(agent_of(row), row.expires_at) for row in rows}

    def open_sessions(self, keys: Collection[SessionKey]) -> Mapping[SessionKey, KnownSession]:
        """Return what is known of those of ``keys`` (hashes of tokens, and whether they are programs') that are
        sessions of agents who are not locked; they may be over by their time. Raises ``DatabaseAway``.
        """
        query = (
            select(agents, sessions.c.expires_at, sessions.c.token_hash, sessions.c.program)
            .join(sessions, sessions.c.agent_id == agents.c.id)
            .where(sessions.c.token_hash.in_([hashed for hashed, _ in keys]), agents.c.locked_at.is_(None))
        )
        asked = self._known.ask()
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        found = {(row.token_hash, row.program is not None): KnownSession(agent_of(row), row.expires_at) for row in rows}
        for key in keys:
            self._known.note(key, found.get(key), asked)
        return found

    def forget_sessions(self, tenant: str) -> None:
        """Believe nothing of the sessions of ``tenant`` (empty: of all) any more: some of them may be over."""
        self._known.forget(tenant)

    def close_session(self, token: str) -> None:
        mine = sessions.c.token_hash == token_hash(token)
        query = select(agents.c.tenant).join(sessions, sessions.c.agent_id == agents.c.id).where(mine)
        with self._engine.connect() as connection:
            tenant = connection.execute(query).scalar()
        if tenant is not None:
            self._change_people(tenant, lambda connection: connection.execute(delete(sessions).where(mine)) and None)
            self._known.forget(tenant)

    def _change_people(self, tenant: str, work: Callable[[Connection], Any]) -> Any:
        """Run a change of agents or sessions, of which screens of the tenant hear at once."""

        def whole(connection: Connection) -> Any:
            done = work(connection)
            people_changed(connection, tenant)
            return done

        return self._journal.run(whole, tenant=tenant, news=True)


def _identifiers_of(account_id: int) -> Select[Any]:
    query = select(identifiers.c.kind, identifiers.c.value, identifiers.c.as_written)
    return query.where(identifiers.c.account_id == account_id).order_by(identifiers.c.kind, identifiers.c.id)


def _with_identifier(tenant: str, text: str) -> Select[Any]:
    mine = select(identifiers.c.account_id).where(
        identifiers.c.tenant == tenant, identifiers.c.value.in_(list(searched(text)))
    )
    return select(accounts).where(accounts.c.id.in_(mine)).order_by(accounts.c.id)


def people_changed(connection: Connection, tenant: str) -> None:
    """Say that an agent or a session of ``tenant`` changed: its open screens look whether they may stay.

    SQLite has one counter, which one machine's screens stand: on several nodes those of all tenants would be too many.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(update(counters).where(counters.c.name == "people").values(value=counters.c.value + 1))
    else:
        connection.execute(PEOPLE_OF_TENANT, {"tenant": tenant})


def token_hash(token: str) -> str:
    """Return what is stored of a session's cookie."""
    return hashlib.sha256(token.encode()).hexdigest()


def agent_of(row: Row[Any]) -> Agent:
    """Return the agent of a row of ``agents``."""
    return Agent(
        row.id,
        row.tenant,
        row.login,
        row.name,
        row.extension,
        row.language or "",
        role_of(row.role),
        bool(row.chooses_extension),
        row.seated_at or 0,
        bool(row.first_password),
        row.locked_at is not None,
    )


def _open_session(connection: Connection, row: dict[str, Any], at: int) -> None:
    connection.execute(delete(sessions).where(sessions.c.expires_at <= at))
    connection.execute(insert(sessions).values(row))


def _save_agent(connection: Connection, values: Mapping[str, Any], at: int) -> None:
    statement = INSERTS[connection.dialect.name](agents).values(**values, created_at=at)
    connection.execute(statement.on_conflict_do_update(index_elements=["tenant", "login"], set_=values))
    same = select(agents.c.id).where(agents.c.tenant == values["tenant"], agents.c.login == values["login"])
    connection.execute(delete(sessions).where(sessions.c.agent_id.in_(same)))


def _remove_agent(connection: Connection, tenant: str, login: str) -> bool:
    wanted = select(agents.c.id).where(agents.c.tenant == tenant, agents.c.login == login)
    agent_id = connection.execute(wanted).scalar()
    if agent_id is None:
        return False
    connection.execute(delete(sessions).where(sessions.c.agent_id == agent_id))
    connection.execute(delete(agents).where(agents.c.id == agent_id))
    return True
