"""Whose figures are summed before they look for the first time: those of who leads a team."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from gateway.domain.calls.scope import CallScope, Team, scope_of
from gateway.domain.roles import Role
from gateway.store import tables
from gateway.store.directory import agent_of
from gateway.store.figures.scopes import MOST_SCOPES, lasting_part, name_of

agents = tables.agents


def expected_scopes(connection: Connection, tenant: str, teams: Sequence[Team]) -> Mapping[str, CallScope]:
    """Return by name the lasting scopes of the company's supervisors; in a company without teams they see all calls."""
    if not teams:
        return {}
    leading = (agents.c.tenant == tenant, agents.c.role == Role.SUPERVISOR.value, agents.c.locked_at.is_(None))
    rows = connection.execute(select(agents).where(*leading).order_by(agents.c.login).limit(MOST_SCOPES))
    found = [
        lasting_part(scope_of(me.role, me.login, me.extension, teams, seated_at=me.seated_at))
        for me in map(agent_of, rows)
    ]
    return {name_of(scope): scope for scope in found}
