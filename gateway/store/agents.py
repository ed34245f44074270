"""What changes agents and their sessions, each with its line in the audit log, in one transaction.

``people`` is a counter that every such change moves on: screens look whether they may stay open as soon as they see it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from json import dumps
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, func, insert, select, update

from gateway.domain.audit import AuditAction, AuditEntry
from gateway.domain.roles import Role
from gateway.errors import BadParameter, LastAdministrator, NoSuchAgent
from gateway.store import tables
from gateway.store.audit import write
from gateway.store.directory import Agent, agent_of, people_changed
from gateway.store.writing.journal import Journal
from gateway.texts.text import Text

agents, sessions = tables.agents, tables.sessions
NAME_LENGTH = 16
"""Characters of a session's name, which is the beginning of what is stored of its cookie: it opens nothing."""


@dataclass(frozen=True, slots=True)
class AgentSession:
    """An open session; ``name`` says which, ``browser`` what has it, times are milliseconds since 1970 UTC."""

    name: str
    login: str
    agent_name: str
    client: str
    browser: str
    created_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something in a company, from which address, when."""

    tenant: str
    login: str
    client: str
    at: int

    def entry(self, action: AuditAction, subject: str = "", **detail: Any) -> AuditEntry:
        """Return the line of the audit log; ``detail`` holds no passwords."""
        told = dumps(detail, ensure_ascii=False) if detail else ""
        return AuditEntry(self.tenant, self.at, self.login, self.client, action, subject, told)


@dataclass(frozen=True, slots=True)
class AgentDetails:
    """What an administrator says of an agent. ``extension`` is empty where none is fixed."""

    name: str
    extension: str
    role: Role
    chooses_extension: bool = False

    def row(self) -> dict[str, Any]:
        return asdict(self) | {"role": self.role.value}


class AgentChanges:
    """Writes in the journal's turn; each raises ``BusyError`` where nothing was written."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal

    def add(self, new: Sequence[tuple[str, AgentDetails, str]], by: Actor) -> None:
        """Add agents, each a login, its details and the hash of a first password: all of them, or none.

        Raises ``BadParameter`` for a login that there is already.
        """

        def work(connection: Connection) -> None:
            for login, details, hashed in new:
                _refuse_known(connection, by.tenant, login)
                row = details.row() | {"tenant": by.tenant, "login": login, "created_at": by.at}
                connection.execute(insert(agents).values(row | {"password_hash": hashed, "first_password": True}))
                write(connection, by.entry(AuditAction.AGENT_ADDED, login, **details.row()))
            people_changed(connection, by.tenant)

        self._journal.run(work, tenant=by.tenant, news=True)

    def change(self, agent_id: int, details: AgentDetails, by: Actor) -> None:
        """Give an agent other details; open screens follow. Raises ``NoSuchAgent`` and ``LastAdministrator``."""

        def work(connection: Connection, agent: Agent) -> None:
            if details.role is not Role.ADMINISTRATOR:
                _refuse_last_administrator(connection, agent)
            old = AgentDetails(agent.name, agent.extension, agent.role, agent.chooses_extension).row()
            changed = {name: value for name, value in details.row().items() if value != old[name]}
            if changed.get("extension") == "" and details.chooses_extension and agent.chooses_extension:
                del changed["extension"]  # the one that was chosen stays
            if not changed:
                return
            connection.execute(update(agents).where(agents.c.id == agent.id).values(changed))
            before = {name: old[name] for name in changed}
            write(connection, by.entry(AuditAction.AGENT_CHANGED, agent.login, before=before, after=changed))

        self._with(agent_id, by, work)

    def lock(self, agent_id: int, by: Actor) -> None:
        """Let nobody log in as the agent any more, and end its sessions. Raises ``NoSuchAgent``,
        ``LastAdministrator``.
        """

        def work(connection: Connection, agent: Agent) -> None:
            _refuse_last_administrator(connection, agent)
            connection.execute(update(agents).where(agents.c.id == agent.id).values(locked_at=by.at))
            _end_all(connection, agent.id)
            write(connection, by.entry(AuditAction.AGENT_LOCKED, agent.login))

        self._with(agent_id, by, work)

    def unlock(self, agent_id: int, by: Actor) -> None:
        """Let the agent log in again. Raises ``NoSuchAgent``."""

        def work(connection: Connection, agent: Agent) -> None:
            connection.execute(update(agents).where(agents.c.id == agent.id).values(locked_at=None))
            write(connection, by.entry(AuditAction.AGENT_UNLOCKED, agent.login))

        self._with(agent_id, by, work)

    def remove(self, agent_id: int, by: Actor) -> None:
        """Remove an agent and end its sessions; its calls stay. Raises ``NoSuchAgent``, ``LastAdministrator``."""

        def work(connection: Connection, agent: Agent) -> None:
            _refuse_last_administrator(connection, agent)
            _end_all(connection, agent.id)
            connection.execute(delete(agents).where(agents.c.id == agent.id))
            write(connection, by.entry(AuditAction.AGENT_REMOVED, agent.login))

        self._with(agent_id, by, work)

    def give_password(self, agent_id: int, hashed: str, by: Actor) -> None:
        """Give an agent a first password, and end its sessions. Raises ``NoSuchAgent``."""

        def work(connection: Connection, agent: Agent) -> None:
            values = {"password_hash": hashed, "first_password": True}
            connection.execute(update(agents).where(agents.c.id == agent.id).values(values))
            _end_all(connection, agent.id)
            write(connection, by.entry(AuditAction.PASSWORD_CHANGED, agent.login))

        self._with(agent_id, by, work)

    def change_password(self, agent_id: int, hashed: str, by: Actor, *, keep: str) -> None:
        """Have an agent's own new password, and end its sessions but the one called ``keep``."""

        def work(connection: Connection, agent: Agent) -> None:
            values = {"password_hash": hashed, "first_password": False}
            connection.execute(update(agents).where(agents.c.id == agent.id).values(values))
            others = sessions.c.token_hash.not_like(f"{keep}%") if keep else sessions.c.agent_id == agent.id
            connection.execute(delete(sessions).where(sessions.c.agent_id == agent.id, others))
            write(connection, by.entry(AuditAction.PASSWORD_CHANGED, agent.login))

        self._with(agent_id, by, work)

    def sit(self, agent_id: int, extension: str, by: Actor, *, take_over: bool = False) -> Agent | None:
        """Have an agent who chooses the extension sit at ``extension``; empty: nowhere.

        Return who sits there instead, where somebody does; with ``take_over`` one who chose it loses it. Raises
        ``NoSuchAgent``.
        """

        def work(connection: Connection, agent: Agent) -> Agent | None:
            if extension and (other := _at(connection, by.tenant, extension, agent.id)):
                if not (take_over and other.chooses_extension):
                    return other
                connection.execute(update(agents).where(agents.c.id == other.id).values(extension="", seated_at=None))
            seat = {"extension": extension, "seated_at": by.at if extension else None}
            connection.execute(update(agents).where(agents.c.id == agent.id).values(seat))
            return None

        found: Agent | None = self._with(agent_id, by, work)
        return found

    def agent(self, tenant: str, agent_id: int) -> Agent:
        """Return one agent. Raises ``NoSuchAgent``."""
        with self._engine.connect() as connection:
            return _found(connection, tenant, agent_id)

    def sessions(self, tenant: str, at: int, agent_id: int | None = None) -> Sequence[AgentSession]:
        """Return the sessions that are open, the newest first: of one agent, or of all."""
        query = (
            select(sessions, agents.c.login, agents.c.name)
            .join(agents, agents.c.id == sessions.c.agent_id)
            .where(agents.c.tenant == tenant, sessions.c.expires_at > at, agents.c.locked_at.is_(None))
        )
        query = query if agent_id is None else query.where(agents.c.id == agent_id)
        with self._engine.connect() as connection:
            return [
                AgentSession(
                    row.token_hash[:NAME_LENGTH],
                    row.login,
                    row.name,
                    row.client or "",
                    row.program or row.browser or "",
                    row.created_at,
                    row.expires_at,
                )
                for row in connection.execute(query.order_by(sessions.c.created_at.desc()))
            ]

    def end_session(self, name: str, by: Actor, *, of_agent: int | None = None) -> bool:
        """End a session of the company (of one agent); False where there is none of that name."""

        def work(connection: Connection) -> bool:
            query = _session_called(name, by.tenant)
            row = connection.execute(query if of_agent is None else query.where(agents.c.id == of_agent)).first()
            if row is None:
                return False
            connection.execute(delete(sessions).where(sessions.c.token_hash == row.token_hash))
            write(connection, by.entry(AuditAction.SESSION_ENDED, row.login))
            people_changed(connection, by.tenant)
            return True

        return bool(self._journal.run(work, tenant=by.tenant, news=True))

    def _with(self, agent_id: int, by: Actor, work: Callable[[Connection, Agent], Any]) -> Any:
        def whole(connection: Connection) -> Any:
            done = work(connection, _found(connection, by.tenant, agent_id))
            people_changed(connection, by.tenant)
            return done

        return self._journal.run(whole, tenant=by.tenant, news=True)


def _session_called(name: str, tenant: str) -> Select[Any]:
    query = select(sessions.c.token_hash, agents.c.login).join(agents, agents.c.id == sessions.c.agent_id)
    return query.where(func.substr(sessions.c.token_hash, 1, NAME_LENGTH) == name, agents.c.tenant == tenant)


def _found(connection: Connection, tenant: str, agent_id: int) -> Agent:
    row = connection.execute(select(agents).where(agents.c.tenant == tenant, agents.c.id == agent_id)).first()
    if row is None:
        raise NoSuchAgent
    return agent_of(row)


def _at(connection: Connection, tenant: str, extension: str, besides: int) -> Agent | None:
    """Return who else sits at ``extension``."""
    query = select(agents).where(agents.c.tenant == tenant, agents.c.extension == extension, agents.c.id != besides)
    row = connection.execute(query.where(agents.c.locked_at.is_(None)).order_by(agents.c.id)).first()
    return agent_of(row) if row else None


def _end_all(connection: Connection, agent_id: int) -> None:
    connection.execute(delete(sessions).where(sessions.c.agent_id == agent_id))


def _refuse_known(connection: Connection, tenant: str, login: str) -> None:
    same = select(agents.c.id).where(agents.c.tenant == tenant, agents.c.login == login)
    if connection.execute(same).first():
        raise BadParameter("usuario", login, expected=Text("a login that nobody has yet"))


def _refuse_last_administrator(connection: Connection, agent: Agent) -> None:
    """Refuse a change after which nobody could administer the company. Raises ``LastAdministrator``."""
    if agent.role is not Role.ADMINISTRATOR or agent.locked:
        return
    others: Mapping[Any, Any] = {agents.c.tenant: agent.tenant, agents.c.role: Role.ADMINISTRATOR.value}
    query = select(func.count()).where(*(column == value for column, value in others.items()))
    if not connection.execute(query.where(agents.c.id != agent.id, agents.c.locked_at.is_(None))).scalar():
        raise LastAdministrator
