"""Lists of calls hold what the rule admits, and nothing else."""

from collections.abc import Iterator
from itertools import product

import pytest
from sqlalchemy import insert

from gateway.domain.calls.scope import CallScope, CallSides, Team, scope_of
from gateway.domain.messages import Direction
from gateway.domain.numbering.extensions import Extensions
from gateway.domain.roles import Role
from gateway.store import tables
from gateway.store.calls import CallFilter, LoggedCall
from gateway.store.search.index import SearchIndex
from gateway.store.search.indexing import Indexer
from gateway.store.search.search import CallFinder, clauses_of_scope
from tests.store.conftest import T0, Store

SALES = Team(
    "sales", "", Extensions.parse(["3500-3509", "35"]), frozenset({"vendas"}), frozenset({"caio"}), frozenset({"rita"})
)
SUPPORT = Team("support", "", Extensions.parse(["36xx"]), frozenset(), frozenset(), frozenset({"rita", "rui"}))
TEAMS = (SALES, SUPPORT)
SCOPES = (
    scope_of(Role.AGENT, "ana", "3501", TEAMS),
    scope_of(Role.AGENT, "ana", "3501", TEAMS, seated_at=T0 + 1000),
    scope_of(Role.AGENT, "ana", "", TEAMS),
    scope_of(Role.AGENT, "caio", "3700", ()),
    scope_of(Role.SUPERVISOR, "rita", "3700", TEAMS),
    scope_of(Role.SUPERVISOR, "rui", "3501", TEAMS),
    scope_of(Role.AUDITOR, "x", "", TEAMS),
)


@pytest.fixture
def many(store: Store) -> Store:
    """Calls of all kinds: where, by whom, in which queue, missed or not, with legs, internal, ordered."""
    extensions, agents = ("", "35", "3501", "3509", "35010", "3600", "3700"), (None, "ana", "caio", "bia")
    rows, legs, orders = [], [], []
    cases = product(extensions, agents, (None, "vendas", "suporte"), (None, True), range(4))
    for number, (extension, agent, queue, missed, kind) in enumerate(cases, start=1):
        outside = extensions[number % len(extensions)] if kind == 1 else "4733334444"
        row = {"id": number, "tenant": "acme", "direction": "internal" if kind == 1 else "incoming", "queue": queue}
        row |= {"extension": extension, "number": outside, "number_as_sent": "", "status": "ended", "missed": missed}
        row |= {"logged_at": T0 + number * 5, "order_id": number if kind == 2 else None}
        row |= {
            "answered_agent": agent if kind != 2 else None,
            "leg_count": 2 if kind == 3 else None,
            "answered_by": None,
        }
        rows.append(row)
        if kind == 2:
            order = {"id": number, "tenant": "acme", "call_id": number, "extension": extension, "number": "1"}
            order |= {"digits": "1", "appliance": "a", "wire": "get", "client": "", "requested_at": T0}
            orders.append(order | {"requested_by": agent})
        if kind == 3:
            place = {"call_id": number, "tenant": "acme", "agent": None}
            legs.append(place | {"place": 1, "extension": extension})
            legs.append(place | {"place": 2, "extension": extensions[number % 7], "agent": agents[number % 4]})
    with store.engine.begin() as connection:
        connection.execute(insert(tables.calls), rows)
        connection.execute(insert(tables.orders), orders)
        connection.execute(insert(tables.legs), legs)
    return store


def sides_of(call: LoggedCall, placed_by: str | None) -> CallSides:
    other = {call.number} if call.direction == Direction.INTERNAL else set()
    extensions = {call.extension, *other, *(leg.extension for leg in call.legs)}
    logins = {call.answered_agent, placed_by, *(leg.agent for leg in call.legs)} - {None}
    known = frozenset(login for login in logins if login)
    return CallSides(frozenset(extensions), known, call.queue, bool(call.missed), call.logged_at)


def all_sides(store: Store) -> Iterator[tuple[int, CallSides]]:
    with store.engine.connect() as connection:
        placed = dict(
            connection.execute(
                tables.orders.select().with_only_columns(tables.orders.c.call_id, tables.orders.c.requested_by)
            ).all()
        )  # type: ignore[arg-type]
    for call in store.calls.pages("acme"):
        yield call.id, sides_of(call, placed.get(call.id))


def test_the_query_finds_what_the_rule_admits(many: Store) -> None:
    sides = dict(all_sides(many))
    assert len(sides) == 7 * 4 * 3 * 2 * 4
    for scope in SCOPES:
        admitted = [call_id for call_id, each in sides.items() if scope.admits(each)]
        assert 0 < len(admitted) <= len(sides)
        found = [call.id for call in many.calls.pages("acme", CallFilter(scope=scope))]
        assert found == admitted, scope
        assert [call.id for call in many.calls.recent("acme", CallFilter(scope=scope), limit=30)] == admitted[::-1][:30]


def test_one_call_is_found_where_the_rule_admits_it(many: Store) -> None:
    scope: CallScope = SCOPES[0]
    for call_id, sides in list(all_sides(many))[::9]:
        assert (many.calls.get("acme", call_id, scope) is not None) is scope.admits(sides), sides


def test_the_whole_number_is_asked_for_where_digits_shall_not_be_guessed(store: Store) -> None:
    store.start("3501", "4733334444")
    assert store.calls.recent("acme", CallFilter(number="4733"))
    assert not store.calls.recent("acme", CallFilter(number="4733", whole_number=True))
    assert store.calls.recent("acme", CallFilter(number="4733334444", whole_number=True))


def test_the_search_index_finds_the_same(many: Store) -> None:
    """Who has few calls among many finds them by the index, not by a look at each."""
    index = SearchIndex(many.data)
    indexer, finder = Indexer(many.database, index), CallFinder(many.engine, index)
    while indexer.index_once():
        pass
    progress = index.progress()
    assert progress
    assert progress.left == -1
    sides = dict(all_sides(many))
    for scope in SCOPES:
        admitted = [call_id for call_id, each in sides.items() if scope.admits(each)][::-1]
        assert [call.id for call in finder.find("acme", CallFilter(scope=scope), limit=1000).calls] == admitted
    finder.close()


def test_a_scope_s_facets_leave_out_what_it_does_not_admit() -> None:
    alone = list(clauses_of_scope(scope_of(Role.AGENT, "ana", "3501", TEAMS[1:])))
    assert alone == [{("login", "ana"), ("extension", "3501")}]
    seen, team = clauses_of_scope(scope_of(Role.AGENT, "ana", "3501", TEAMS))
    assert seen == {("login", "ana"), ("extension", "3501"), ("missed", "1")}
    assert {("queue", "vendas"), ("login", "caio"), ("extension", "35"), ("extension", "3509")} < team
    assert list(clauses_of_scope(scope_of(Role.AUDITOR, "x", "", TEAMS))) == []
    wide = Team("wide", "", Extensions.parse(["100000-199999"]), supervisors=frozenset({"rita"}))
    assert list(clauses_of_scope(scope_of(Role.SUPERVISOR, "rita", "", (wide,)))) == []
