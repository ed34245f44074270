"""Filters of the call log that agents have saved, each with a name of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, insert, select, update

from gateway.errors import BadParameter
from gateway.store import tables
from gateway.store.writing.journal import Journal
from gateway.texts.text import Text

saved_filters = tables.saved_filters

MOST = 50
LONGEST_NAME, LONGEST_QUERY = 60, 1000


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """One filter; ``query`` are the parameters of the page's address."""

    id: int
    name: str
    query: str


class SavedFilters:
    """Reads and writes saved filters; safe for many threads."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal

    def of_agent(self, tenant: str, login: str) -> Sequence[SavedFilter]:
        """Return the filters of one agent, by name."""
        query = select(saved_filters.c.id, saved_filters.c.name, saved_filters.c.query).where(*_of(tenant, login))
        with self._engine.connect() as connection:
            return [SavedFilter(*row) for row in connection.execute(query.order_by(saved_filters.c.name))]

    def save(self, tenant: str, login: str, name: str, query: str, at: int) -> None:
        """Keep ``query`` as ``name``, in the place of one of that name.

        Raises ``BadParameter`` for a name that is empty or too long, a query that is, and one filter too many.
        """
        if not 0 < len(name) <= LONGEST_NAME:
            raise BadParameter("nome", name[:80], expected=Text("a name of 1 to {most} characters", most=LONGEST_NAME))
        if not 0 < len(query) <= LONGEST_QUERY:
            raise BadParameter("filtro", query[:80], expected=Text("a filter that is filled in"))
        self._journal.run(lambda connection: _save(connection, tenant, login, name, query, at), tenant=tenant)

    def remove(self, tenant: str, login: str, filter_id: int) -> bool:
        """Forget one filter of the agent; False when there was none."""
        statement = delete(saved_filters).where(*_of(tenant, login), saved_filters.c.id == filter_id)
        return bool(self._journal.run(lambda connection: connection.execute(statement).rowcount, tenant=tenant))


def _save(connection: Connection, tenant: str, login: str, name: str, query: str, at: int) -> None:
    values = {"query": query, "saved_at": at}
    same = update(saved_filters).where(*_of(tenant, login), saved_filters.c.name == name).values(values)
    if connection.execute(same).rowcount:
        return
    count = connection.execute(select(func.count()).select_from(saved_filters).where(*_of(tenant, login))).scalar_one()
    if count >= MOST:
        raise BadParameter("nome", name, expected=Text("at most {most} saved filters; remove one first", most=MOST))
    connection.execute(insert(saved_filters).values(tenant=tenant, login=login, name=name, **values))


def _of(tenant: str, login: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return saved_filters.c.tenant == tenant, saved_filters.c.login == login
