"""Agents on the desk: listed, added one by one or by a sheet, changed, locked, removed; their first passwords.

First passwords are made here, shown once, and changed by the agent at the first login.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.desk.auditing import actor
from gateway.desk.context import Visit
from gateway.desk.rendering import page
from gateway.domain.roles import NAMES
from gateway.errors import BadParameter, LastAdministrator
from gateway.logins.agent_lists import TypedAgent, of_sheet, typed
from gateway.logins.passwords import hash_password
from gateway.store.agents import AgentDetails
from gateway.store.directory import Agent
from gateway.texts.text import Text

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters and digits that look alike: people type first passwords from paper."""
GROUPS, GROUP_LENGTH = 3, 4
LONGEST_LIST = 60_000
FIELDS = {"login": "usuario", "name": "nome", "extension": "ramal", "role": "papel", "lines": "lista"}
"""Fields of the forms, by what they hold."""


class FirstPassword(NamedTuple):
    """A first password, to be handed over and forgotten."""

    login: str
    name: str
    password: str


@dataclass(frozen=True, slots=True)
class ShownAgent:
    """An agent in the list, with how many sessions are open."""

    agent: Agent
    sessions: int


def agents(visit: Visit, *, problem: Text | str = "", status: int = 200) -> Response:
    """List all agents with their logins, roles and open sessions."""
    services, seq = visit.services, visit.services.log.newest(visit.tenant)
    opened = [each.login for each in services.people.sessions(visit.tenant, visit.at)]
    shown = [ShownAgent(each, opened.count(each.login)) for each in services.directory.agents(visit.tenant)]
    teams = visit.services.core.tenant(visit.tenant).teams
    given = {name: visit.request.form.get(field, "") for name, field in FIELDS.items()}
    values = {"shown": shown, "roles": NAMES, "teams": teams, "problem": problem, "given": given}
    return page(visit, "agents.html", status=status, seq=seq, **values)


def add(visit: Visit) -> Response:
    """Add one agent, and show its first password, once."""
    form = visit.request.form
    texts = (form.get(name, "") for name in ("usuario", "nome", "ramal", "papel"))
    new = typed(*texts, known=_logins(visit))
    if new.problem:
        return agents(visit, problem=new.problem, status=400)
    return _added(visit, [new], ())


def add_list(visit: Visit) -> Response:
    """Show what a sheet of agents would add, and what is refused; ``confirma`` adds them and shows first passwords."""
    text = _sheet(visit)
    try:
        found = of_sheet(text, _logins(visit))
    except ValueError as error:
        return agents(visit, problem=error.args[0], status=400)
    good, refused = [each for each in found if not each.problem], [each for each in found if each.problem]
    if visit.request.form.get("confirma") and good:
        return _added(visit, good, refused)
    seq = visit.services.log.newest(visit.tenant)
    return page(visit, "agents_preview.html", seq=seq, good=good, refused=refused, roles=NAMES, text=text)


def agent(visit: Visit, agent_id: int, *, problem: Text | str = "", status: int = 200) -> Response:
    """Show one agent with its sessions. Raises ``NoSuchAgent``."""
    people, seq = visit.services.people, visit.services.log.newest(visit.tenant)
    found = people.agent(visit.tenant, agent_id)
    opened = people.sessions(visit.tenant, visit.at, agent_id)
    return page(
        visit, "agent.html", status=status, seq=seq, agent=found, sessions=opened, roles=NAMES, problem=problem, mine=""
    )


def change(visit: Visit, agent_id: int) -> Response:
    """Give an agent another name, extension or role. Raises ``NoSuchAgent``."""
    form, people = visit.request.form, visit.services.people
    before = people.agent(visit.tenant, agent_id)
    texts = (form.get(name, "") for name in ("nome", "ramal", "papel"))
    new = typed(before.login, *texts)
    if new.problem:
        return agent(visit, agent_id, problem=new.problem, status=400)
    try:
        people.change(agent_id, _details(new), actor(visit))
    except LastAdministrator as error:
        return agent(visit, agent_id, problem=error.whole, status=error.http_status)
    return redirect(visit.url("agent", agent_id=agent_id), 303)


def lock(visit: Visit, agent_id: int) -> Response:
    """Let nobody log in as the agent any more; its sessions and open pages end at once."""
    return _done(visit, agent_id, lambda: visit.services.people.lock(agent_id, actor(visit)))


def unlock(visit: Visit, agent_id: int) -> Response:
    """Let the agent log in again."""
    return _done(visit, agent_id, lambda: visit.services.people.unlock(agent_id, actor(visit)))


def remove(visit: Visit, agent_id: int) -> Response:
    """Remove an agent; its calls stay. Answers with the list."""
    try:
        visit.services.people.remove(agent_id, actor(visit))
    except LastAdministrator as error:
        return agent(visit, agent_id, problem=error.whole, status=error.http_status)
    return redirect(visit.url("agents"), 303)


def new_password(visit: Visit, agent_id: int) -> Response:
    """Give an agent a new first password, show it once, and end its sessions. Raises ``NoSuchAgent``."""
    found = visit.services.people.agent(visit.tenant, agent_id)
    password = first_password()
    visit.services.people.give_password(agent_id, hash_password(password, login=found.login), actor(visit))
    return _passwords(visit, [FirstPassword(found.login, found.name, password)], ())


def first_password() -> str:
    """Make a password of 59 bits, such as ``k3fm-9xqa-7hwe``."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)


def _added(visit: Visit, good: Sequence[TypedAgent], refused: Sequence[TypedAgent]) -> Response:
    passwords = [FirstPassword(each.login, each.name, first_password()) for each in good]
    new = [
        (each.login, _details(each), hash_password(secret.password, login=each.login))
        for each, secret in zip(good, passwords, strict=True)
    ]
    try:
        visit.services.people.add(new, actor(visit))
    except BadParameter as error:  # somebody else added one meanwhile
        return agents(visit, problem=error.whole, status=error.http_status)
    return _passwords(visit, passwords, refused)


def _passwords(visit: Visit, passwords: Sequence[FirstPassword], refused: Sequence[TypedAgent]) -> Response:
    seq = visit.services.log.newest(visit.tenant)
    return page(visit, "agents_added.html", seq=seq, passwords=passwords, refused=refused)


def _done(visit: Visit, agent_id: int, work: Callable[[], None]) -> Response:
    """Do ``work`` and show the agent, or why it was refused."""
    try:
        work()
    except LastAdministrator as error:
        return agent(visit, agent_id, problem=error.whole, status=error.http_status)
    return redirect(visit.url("agent", agent_id=agent_id), 303)


def _logins(visit: Visit) -> Sequence[str]:
    return [each.login for each in visit.services.directory.agents(visit.tenant)]


def _sheet(visit: Visit) -> str:
    """Return the list that was typed, else the file that was chosen, in UTF-8 or as Excel writes it."""
    given = visit.request.files.get("arquivo")
    raw = given.stream.read(LONGEST_LIST) if given else b""
    if not raw:
        return visit.request.form.get("lista", "")[:LONGEST_LIST]
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _details(new: TypedAgent) -> AgentDetails:
    return AgentDetails(new.name, new.extension, new.role, new.chooses_extension)
