"""Calls, events and attempts are let go of when they are older than their company keeps them, with all that hangs on
them; by default nothing is. Screens and the search index that are behind what went are not misled.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from pyroaring import BitMap
from sqlalchemy import Connection, Select, Table, func, insert, select, update
from structlog.testing import capture_logs

from gateway.adapter import Delivery, Outcome
from gateway.domain.calls.search_terms import Field, term_of
from gateway.errors import StoreUnavailable
from gateway.store import filling, removing, retention, tables
from gateway.store.audit import AuditFilter, AuditLog
from gateway.store.calls import CallFilter
from gateway.store.reading.positions import Position
from gateway.store.removing import Ages
from gateway.store.retention import DAY_MS, Retention
from gateway.store.search.index import Clauses, SearchIndex
from gateway.store.search.indexing import Indexer
from gateway.store.search.search import CallFinder
from gateway.store.search.segments import KEY_BITS
from gateway.store.writing.drafts import FollowUpDone, NoteDraft, OrderAttempt, Settlement
from tests.store.conftest import T0, Store
from tests.store.plans import assert_is_found_by_index, plan_of

ANA, CARLOS = "4732100123", "4799998888"
NOW = T0 + 30 * DAY_MS
RECENT = NOW - DAY_MS


class SetClock:
    """Our clock, which stands at ``NOW``."""

    now = NOW

    def __call__(self) -> int:
        return self.now

    def ago(self, ms: int) -> int:
        return self.now - ms


def keeper(
    store: Store, clock: SetClock | None = None, rest: Callable[[float], object] = str, **days: int
) -> Retention:
    """What keeps acme's calls so many days: ``calls=10``."""
    ages = Ages(**{f"{name}_ms": each * DAY_MS for name, each in days.items()})
    return Retention(store.engine, store.journal, {"acme": ages}, clock=clock or SetClock(), rest=rest)  # type: ignore[arg-type]


def whole_call(store: Store, number: str = ANA, at: int = T0, tenant: str = "acme") -> int:
    """A call with two legs, a note of its agent's and one of the exchange; its id."""
    store.start("3501", number, at, tenant=tenant)
    store.answer("3501", number, at + 1000, tenant=tenant)
    return store.end("3501", number, at + 60_000, tenant=tenant).call_id


def noted(store: Store, call_id: int, at: int = T0, follow_up_at: int | None = None) -> None:
    said = {"outcome": None, "follow_up_at": follow_up_at, "at": at}
    store.journal.write(NoteDraft("acme", call_id, "Pediu orçamento", base=0, by="ana", name="Ana", **said))


def dialled(store: Store, at: int = T0) -> int:
    """A call that somebody asked for, and two attempts to dial it; its id."""
    placed = store.order("3501", CARLOS, at)
    failed, accepted = (Delivery(outcome, "") for outcome in (Outcome.UNREACHABLE, Outcome.ACCEPTED))
    attempts = (OrderAttempt("pbx", failed, at, at + 10), OrderAttempt("other", accepted, at + 10, at + 20))
    store.journal.write(Settlement("acme", placed.order_id, accepted, at + 20, attempts))
    return placed.call_id


def count(store: Store, table: Table) -> int:
    with store.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def call_ids(store: Store) -> list[int]:
    with store.engine.connect() as connection:
        return [*connection.execute(select(tables.calls.c.id).order_by(tables.calls.c.id)).scalars()]


def seqs(store: Store, tenant: str = "acme") -> list[int]:
    events = tables.events
    with store.engine.connect() as connection:
        query = select(events.c.seq).where(events.c.tenant == tenant).order_by(events.c.seq)
        return [*connection.execute(query).scalars()]


def test_nothing_is_removed_unless_the_company_says_so(store: Store) -> None:
    whole_call(store)
    dialled(store)
    keeper(store).work(NOW)
    assert (len(call_ids(store)), count(store, tables.attempts)) == (2, 2)


def test_nothing_is_removed_from_which_older_calls_are_filled_in(store: Store) -> None:
    whole_call(store)
    counters = tables.counters
    filled = update(counters).where(counters.c.name == filling.COUNTER)
    store.journal.run(lambda connection: connection.execute(filled.values(value=2)) and None, lock="filling")
    keeping = keeper(store, calls=10, events=10)
    keeping.work(NOW)
    assert (len(call_ids(store)), len(seqs(store))) == (1, 3)
    store.journal.run(lambda connection: connection.execute(filled.values(value=0)) and None, lock="filling")
    keeping.work(NOW)
    assert call_ids(store) == []


def test_a_call_goes_with_all_that_hangs_on_it(store: Store) -> None:
    noted(store, whole_call(store))
    dialled(store, T0 + 200_000)
    keeper(store, calls=10).work(NOW)
    everything = [tables.calls, tables.events, tables.orders, tables.attempts, tables.agent_notes]
    assert [count(store, table) for table in everything] == [0] * 5


def test_its_legs_and_notes_and_who_calls_back_go_too_and_those_of_other_calls_stay(store: Store) -> None:
    old, young = whole_call(store), whole_call(store, at=RECENT)
    claim = {"login": "ana", "name": "Ana", "extension": "3501", "claimed_at": T0, "until": T0}
    told = ((tables.legs, {"place": 1, "extension": "3501"}), (tables.notes, {"digest": 1, "at": T0}))
    rows = (*told, (tables.missed_claims, claim))

    def write(connection: Connection) -> None:
        for table, values in rows:
            connection.execute(insert(table), [{"call_id": each, "tenant": "acme"} | values for each in (old, young)])

    store.journal.run(write, tenant="acme")
    keeper(store, calls=10).work(NOW)
    with store.engine.connect() as connection:
        assert [[*connection.execute(select(table.c.call_id)).scalars()] for table, _ in rows] == [[young]] * 3


def test_younger_calls_and_those_of_other_companies_stay(store: Store) -> None:
    whole_call(store)
    young, rival = whole_call(store, at=RECENT), whole_call(store, tenant="rival")
    keeper(store, calls=10).work(NOW)
    assert call_ids(store) == [young, rival]
    assert (len(seqs(store)), len(seqs(store, "rival"))) == (3, 3)


def test_a_call_stays_as_long_as_somebody_is_to_call_again(store: Store) -> None:
    call_id = whole_call(store)
    noted(store, call_id, follow_up_at=NOW + DAY_MS)
    keeper(store, calls=10).work(NOW)
    assert call_ids(store) == [call_id]
    store.journal.write(FollowUpDone("acme", call_id, by="ana", at=NOW))
    keeper(store, calls=10).work(NOW)
    assert call_ids(store) == []


def test_a_follow_up_that_is_as_old_as_its_call_keeps_nothing(store: Store) -> None:
    noted(store, whole_call(store), follow_up_at=T0 + DAY_MS)
    keeper(store, calls=10).work(NOW)
    assert call_ids(store) == []


def test_events_go_by_their_own_age_and_their_calls_stay(store: Store) -> None:
    calls = [whole_call(store), whole_call(store, at=RECENT)]
    before = seqs(store)
    keeper(store, events=10).work(NOW)
    assert (call_ids(store), seqs(store)) == (calls, before[3:])


def test_attempts_go_by_their_own_age_and_their_orders_stay(store: Store) -> None:
    dialled(store)
    dialled(store, RECENT)
    keeper(store, attempts=10).work(NOW)
    assert (count(store, tables.orders), count(store, tables.attempts)) == (2, 2)


def test_one_young_event_among_old_ones_keeps_only_itself(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock stood in the future for a moment."""
    monkeypatch.setattr(removing, "SLICE", 2)
    for number, at in enumerate((T0, NOW, T0, T0, T0, RECENT)):
        store.start("3501", f"473333000{number}", at)
    before = seqs(store)
    clock = SetClock()
    keeper(store, clock, events=10).work(NOW)
    assert seqs(store) == [before[1], before[5]]
    clock.now += 10 * DAY_MS + 1
    keeper(store, clock, events=10).work(clock.now)
    assert seqs(store) == []


def test_the_backlog_goes_in_slices_between_which_events_get_their_turn(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "SLICE", 2)
    for number in range(5):
        whole_call(store, f"473333000{number}")
    left: list[int] = []
    keeper(store, rest=lambda _: left.append(len(call_ids(store))), calls=10).work(NOW)
    assert left == [3, 1, 0]


def test_what_does_not_fit_into_one_turn_is_done_in_the_next(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removing, "SLICE", 2)
    monkeypatch.setattr(retention, "AT_ONCE_S", 0.0)
    for number in range(3):
        whole_call(store, f"473333000{number}")
    keeping = keeper(store, calls=10)
    left = []
    for _ in range(3):
        keeping.work(NOW)
        left.append(len(call_ids(store)))
    assert left == [1, 0, 0]
    assert told(store) == [{"calls": 3, "events": 9, "attempts": 0}]


def told(store: Store) -> list[dict[str, Any]]:
    """What the audit log says was removed."""
    found = AuditLog(store.engine, store.journal).newest("acme", AuditFilter(), limit=10)
    assert all((entry.login, entry.action) == ("cti-gateway", "old_removed") for entry in found)
    return [json.loads(entry.detail) for entry in found]


def test_what_went_is_said_in_the_log_and_in_the_audit_log(store: Store) -> None:
    whole_call(store)
    dialled(store, T0 + 200_000)
    with capture_logs() as logs:
        keeper(store, calls=10).work(NOW)
    gone = {"calls": 2, "events": 5, "attempts": 2}
    assert told(store) == [gone]
    assert [each for each in logs if each["event"] == "old_rows_removed"] == [
        {"event": "old_rows_removed", "log_level": "info", "tenant": "acme"} | gone
    ]


def test_it_is_done_once_a_day_and_said_only_where_something_went(store: Store) -> None:
    clock = SetClock()
    keeping = keeper(store, clock, calls=10)
    keeping.work(clock.now)
    whole_call(store)
    clock.now += DAY_MS // 2
    keeping.work(clock.now)
    assert (len(call_ids(store)), told(store)) == (1, [])
    clock.now += DAY_MS // 2
    keeping.work(clock.now)
    assert (call_ids(store), told(store)) == ([], [{"calls": 1, "events": 3, "attempts": 0}])


def test_what_was_put_off_is_done_the_next_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    whole_call(store)
    keeping = keeper(store, calls=10)
    with monkeypatch.context() as busy:
        busy.setattr(store.journal, "run", _busy)
        with pytest.raises(StoreUnavailable):
            keeping.work(NOW)
    keeping.work(NOW)
    assert call_ids(store) == []


def _busy(*_: object, **__: object) -> None:
    raise StoreUnavailable


def test_numbers_go_on_where_everything_is_gone(store: Store) -> None:
    last = whole_call(store)
    log = store.database.event_log()
    newest = log.newest("acme")
    keeper(store, calls=10).work(NOW)
    assert (seqs(store), log.newest("acme")) == ([], newest)
    recorded = store.start("3501", ANA, RECENT)
    assert (recorded.call_id > last, log.newest("acme").seq) == (True, newest.seq + 1)


@pytest.mark.parametrize("days", [{"calls": 10}, {"events": 10}])
def test_the_log_knows_up_to_where_events_may_be_missing(store: Store, days: dict[str, int]) -> None:
    log = store.database.event_log()
    assert log.removed("acme") == 0
    whole_call(store)
    whole_call(store, at=RECENT)
    keeper(store, **days).work(NOW)
    assert (log.removed("acme"), log.removed("rival")) == (seqs(store)[0] - 1, 0)


@pytest.fixture
def index(store: Store) -> Iterator[SearchIndex]:
    made = SearchIndex(store.data)
    yield made
    made.close()


def catch_up(store: Store, index: SearchIndex) -> None:
    indexer = Indexer(store.database, index)
    while indexer.index_once():
        pass


def found(store: Store, index: SearchIndex, digits: str) -> Sequence[int]:
    wanted = CallFilter(terms=tuple(filter(None, [term_of(Field.ANY, digits)])))
    return [call.id for call in CallFinder(store.engine, index).find("acme", wanted).calls]


def test_the_search_index_goes_on_where_its_last_event_is_gone(store: Store, index: SearchIndex) -> None:
    """It would be made anew, of millions of calls perhaps, if it took the database for another."""
    whole_call(store)
    catch_up(store, index)
    before = index.progress()
    keeper(store, calls=10).work(NOW)
    with capture_logs() as logs:
        catch_up(store, index)
    assert not [each for each in logs if each["event"] == "search_index_begun"]
    assert index.progress() == before
    young = whole_call(store, at=RECENT)
    catch_up(store, index)
    assert found(store, index, ANA) == [young]


@pytest.mark.parametrize("blocks_of_a_segment", [2, 16])
def test_the_search_index_forgets_what_is_gone(
    store: Store, index: SearchIndex, monkeypatch: pytest.MonkeyPatch, blocks_of_a_segment: int
) -> None:
    for name in ("indexing", "index", "search", "segments"):
        monkeypatch.setattr(f"gateway.store.search.{name}.BLOCK", 4)
    for name in ("search", "segments"):
        monkeypatch.setattr(f"gateway.store.search.{name}.BLOCKS", blocks_of_a_segment)
    first, rival = whole_call(store, "4733330000"), whole_call(store, CARLOS, tenant="rival")
    old = [first, *(whole_call(store, f"473333000{number}") for number in range(1, 6))]
    young = [whole_call(store, f"473333001{number}", RECENT) for number in range(8)]
    catch_up(store, index)
    assert bool(in_segments(index)) is (blocks_of_a_segment == 2)
    assert found(store, index, "33330001") == old[1:2]
    keeper(store, calls=10).work(NOW)
    catch_up(store, index)
    assert indexed(index, old) == set()
    assert indexed(index, [*old, rival, *young]) >= {rival, *young}
    assert found(store, index, "3333001") == young[::-1]


def indexed(index: SearchIndex, ids: Sequence[int]) -> set[int]:
    """Which of ``ids`` stand in any set of the index."""
    with index._connection() as connection:
        rows = connection.execute("SELECT block, token FROM postings").fetchall()
    in_blocks = {each for block, token in rows for each in index.found(Clauses([[token]]), [block])[block]}
    return (in_blocks | in_segments(index)) & set(ids)


def in_segments(index: SearchIndex) -> set[int]:
    """Which calls stand in any set of a segment, of two blocks of four calls."""
    with index._connection() as connection:
        rows = connection.execute("SELECT id >> ?, calls FROM segments", (KEY_BITS,)).fetchall()
    return {segment * 8 + offset for segment, packed in rows for offset in BitMap.deserialize(packed)}


def test_an_index_that_lacks_old_blocks_is_told_of_each_company_once(store: Store, index: SearchIndex) -> None:
    whole_call(store)
    catch_up(store, index)
    assert index.forgotten() == {}
    list(index.forget("acme", range(1), []))
    assert index.forgotten() == {"acme": 1}
    progress = index.progress()
    assert progress
    index.begin(progress)
    assert index.forgotten() == {}


def test_positions_of_whoever_missed_nothing_go_on(store: Store) -> None:
    whole_call(store)
    log = store.database.event_log()
    seen = log.newest("acme")
    keeper(store, events=10).work(NOW)
    assert (seen.seq >= log.removed("acme"), log.after_for("acme", None, seen)) == (True, [])
    assert seen > Position(0, 0)


@pytest.mark.parametrize("query", [removing.events_behind("acme", 7), removing.attempts_behind("acme", 7)])
def test_the_next_slice_is_read_in_the_order_of_its_keys(store: Store, query: Select[Any]) -> None:
    """A backlog of millions would be sorted for each two hundred."""
    written = str(query.compile(store.engine, compile_kwargs={"literal_binds": True}))
    with store.engine.connect() as connection:
        assert_is_found_by_index(connection, written)
        plan = plan_of(connection, written)
    assert "TEMP B-TREE" not in plan
    assert "Sort  (" not in plan  # PostgreSQL merges partitions by a "Sort Key"
