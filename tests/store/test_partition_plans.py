"""What the journal reads and changes lies in two partitions at most: of six months, each with a range of calls."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, insert, select, text

from gateway.adapter import Delivery, Outcome
from gateway.domain.messages import SourceMark
from gateway.store import tables
from gateway.store.among import among
from gateway.store.calls import CallFilter, CallLog
from gateway.store.missed import MissedList
from gateway.store.partitions import spans
from gateway.store.partitions.months import months_from
from gateway.store.writing.drafts import GiveUp, MissedAction, MissedDraft, Settlement
from gateway.store.writing.journal import Journal
from tests.store.conftest import HERE, OUTGOING, Store, start_draft
from tests.store.parted import parted_database

pytestmark = [pytest.mark.postgresql, pytest.mark.acceptance(16)]

DAY_MS = 86_400_000
MONTHS = months_from(round(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000), 5)
NOW = MONTHS[-1] + 3 * DAY_MS
"""So early in a month most look-ups go back into the one before."""
WIDTH = 200_000
ANA, BIA = "4732100123", "4733334444"
PARTITION = re.compile(r"(?:on|Update on|Delete on) ((?:events|calls|legs|notes)_\w+)")

Sent = list[tuple[str, Sequence[Any]]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Each month began with a new range of calls; in the last one 1,000 calls were placed."""
    with parted_database(tmp_path, MONTHS, [place * WIDTH for place in range(7)]) as database:
        with database.engine.begin() as connection:
            for place, month in enumerate(MONTHS):
                connection.execute(
                    text(f"UPDATE call_ranges SET reached_at = {month} WHERE first_id = {place * WIDTH}")
                )
            connection.execute(text(f"SELECT setval('call_ids', {5 * WIDTH + 1000})"))
        spans._spans.clear()
        journal = Journal(database)
        journal.start()
        yield Store(database, journal)
        journal.stop()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What is sent to PostgreSQL, with its parameters."""
    found: Sent = []
    run = psycopg.Cursor.execute

    def noted(self: Any, query: Any, params: Any = None, **more: Any) -> Any:
        found.append((str(query), list(params or ())))
        return run(self, query, params, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", noted)
    return found


def touched(store: Store, sent: Sent) -> dict[str, set[str]]:
    """Which partitions of a table each statement touches that names one, by statement and table."""
    wanted = [each for each in sent if re.search(r"\b(events|calls|legs|notes)\b", each[0])]
    found: dict[str, set[str]] = {}
    with store.database.direct_connection() as driver:
        for query, values in wanted:
            if not re.match(r"\s*(SELECT|WITH|UPDATE|DELETE|INSERT)", query):
                continue
            cursor = psycopg.RawCursor(driver) if "$1" in query else psycopg.ClientCursor(driver)
            # Which call an order has is known only when the order is read.
            how = "EXPLAIN (ANALYZE, COSTS OFF)" if "FROM orders" in query else "EXPLAIN"
            rows = [row[0] for row in cursor.execute(f"{how} {query}", values).fetchall()]
            for name in PARTITION.findall("\n".join(row for row in rows if "never executed" not in row)):
                found.setdefault(f"{query[:400]} -- {name.split('_')[0]}", set()).add(name)
    return found


def assert_few_are_touched(store: Store, sent: Sent) -> None:
    found = touched(store, list(sent))
    assert found
    assert {query: names for query, names in found.items() if len(names) > 2} == {}


def test_events_of_calls_look_into_two_partitions(store: Store, sent: Sent) -> None:
    store.start("3501", ANA, NOW, call_ref="a-1")
    store.answer("3501", ANA, NOW + 1000, call_ref="a-1")
    store.transfer("3501", ANA, "3502", NOW + 2000, call_ref="a-1")
    store.end("3502", ANA, NOW + 60_000, call_ref="a-1")
    store.start("3501", BIA, NOW + 60_000)
    store.end("3501", BIA, NOW + 120_000)
    assert_few_are_touched(store, sent)


def test_a_missed_call_that_is_returned_is_looked_for_in_two_partitions(store: Store, sent: Sent) -> None:
    missed = store.start("3501", ANA, NOW).call_id
    store.end("3501", ANA, NOW + 20_000, result="NO ANSWER")
    sent.clear()
    store.start("3502", ANA, NOW + 60_000, direction=OUTGOING)
    store.answer("3502", ANA, NOW + 61_000, direction=OUTGOING)
    returned = store.calls.get("acme", missed)
    assert returned is not None
    assert returned.returned_at == NOW + 61_000
    assert any("UPDATE calls SET returned_at" in query for query, _ in sent)
    assert_few_are_touched(store, sent)


def test_what_a_source_says_of_its_events_looks_into_two_partitions(store: Store, sent: Sent) -> None:
    mark = SourceMark("pbx", event_id="e-1", sequence=1, also_known_as=("b-1", "b-2"))
    draft = start_draft("3501", ANA, NOW, call_ref="a-1")
    store.journal.write(replace(draft, message=replace(draft.message, origin=replace(HERE, mark=mark))))
    assert any("call_ref" in query and "FROM calls" in query for query, _ in sent)
    assert_few_are_touched(store, sent)


def test_orders_and_calls_that_are_given_up_look_into_two_partitions(store: Store, sent: Sent) -> None:
    placed = store.order("3501", ANA, NOW)
    accepted = Delivery(Outcome.ACCEPTED, "")
    store.journal.write(Settlement("acme", placed.order_id, accepted, NOW + 20, ()))
    store.start("3501", BIA, NOW + 30_000)
    assert store.journal.give_up(GiveUp("acme", NOW, NOW + DAY_MS // 2, NOW + DAY_MS)) == 1
    assert_few_are_touched(store, sent)


def test_with_whom_one_spoke_last_is_looked_for_in_two_partitions_first(store: Store, sent: Sent) -> None:
    with store.engine.begin() as connection:
        for account in (1, 2):
            row = {"id": account, "tenant": "acme", "code": str(account), "name": "A", "updated_at": 1}
            connection.execute(insert(tables.accounts).values(row))
            phone = {"tenant": "acme", "number": ANA, "account_id": account}
            connection.execute(insert(tables.phones).values(phone))
            old = {"id": account, "tenant": "acme", "direction": "incoming", "extension": "3501", "number": BIA}
            old |= {"number_as_sent": BIA, "logged_at": MONTHS[0], "status": "ended", "account_id": account}
            connection.execute(insert(tables.calls).values(old))
        recent = old | {"id": 5 * WIDTH + 1, "account_id": 2, "logged_at": NOW - DAY_MS}
        connection.execute(insert(tables.calls).values(recent))
    sent.clear()
    found = store.calls.get("acme", store.start("3501", ANA, NOW).call_id)
    assert found is not None
    assert found.account_id == 2
    contacts = [each for each in sent if "max(calls.logged_at)" in each[0]]
    assert [len(names) for names in touched(store, contacts[:1]).values()] == [1]
    assert contacts[1][1][-1] == 1  # only of whom nothing was found


# what is right stays right


def test_lists_of_missed_calls_look_into_two_partitions(store: Store) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(store.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    claim = {"tenant": "acme", "call_id": 1, "extension": "3501", "claimed_at": NOW, "until": NOW + DAY_MS}
    with store.engine.begin() as connection:
        connection.execute(insert(tables.missed_claims), [claim | {"login": "ana", "name": "Ana"}])
        row = {"tenant": "acme", "direction": "incoming", "extension": "3501", "number": ANA, "number_as_sent": ANA}
        row |= {"id": 5 * WIDTH + 7, "logged_at": NOW, "status": "ended", "missed": True}
        connection.execute(insert(tables.calls), [row])
    asked.clear()
    assert MissedList(store.engine).entries("acme", since=NOW - 7 * DAY_MS, now=NOW)
    with store.engine.connect() as connection:
        for query, values in [each for each in asked if "FROM calls" in each[0]]:
            rows = connection.exec_driver_sql(f"EXPLAIN {query}", values).scalars()
            assert 1 <= len(set(PARTITION.findall("\n".join(rows)))) <= 2, query


@pytest.mark.parametrize("action", list(MissedAction))
def test_what_is_done_with_missed_calls_looks_into_two_partitions(
    store: Store, sent: Sent, action: MissedAction
) -> None:
    first, newest = _missed_call(store, NOW - 2 * DAY_MS), _missed_call(store, NOW)
    if action is MissedAction.RESTORE:
        store.journal.write(_of_missed(MissedAction.CLEAR, newest, NOW + 30_000))
    if action is MissedAction.RELEASE:
        store.journal.write(_of_missed(MissedAction.CLAIM, newest, NOW + 30_000))
    sent.clear()
    assert not store.journal.write(_of_missed(action, newest, NOW + 60_000)).repeated
    assert_few_are_touched(store, sent)
    left = MissedList(store.engine).entries("acme", since=NOW - 7 * DAY_MS, now=NOW)
    assert [each.call_ids for each in left] == ([] if action is MissedAction.CLEAR else [(newest, first)])


def test_what_was_taken_off_the_list_is_shown_from_two_partitions(store: Store, sent: Sent) -> None:
    call_id, missed = _missed_call(store, NOW - 6 * DAY_MS), MissedList(store.engine)
    store.journal.write(_of_missed(MissedAction.CLEAR, call_id, NOW))
    sent.clear()
    limits = {"cleared_since": NOW - DAY_MS, "since": NOW - 7 * DAY_MS}
    assert [each.entry.call_ids for each in missed.cleared("acme", **limits)] == [(call_id,)]
    assert_few_are_touched(store, sent)


def test_calls_of_the_list_are_found_however_far_back_it_goes(store: Store) -> None:
    """A company may have its list go back for a year."""
    old = {"id": 7, "tenant": "acme", "direction": "incoming", "extension": "3501", "number": ANA}
    old |= {"number_as_sent": ANA, "logged_at": MONTHS[0], "status": "ended", "missed": True}
    with store.engine.begin() as connection:
        connection.execute(insert(tables.calls), [old])
    newest, missed = _missed_call(store, NOW), MissedList(store.engine)
    for since, expected in ((NOW - 7 * DAY_MS, (newest,)), (MONTHS[0], (newest, 7))):
        entry = missed.entry("acme", newest, since=since, now=NOW)
        assert entry
        assert entry.call_ids == expected
    entry = missed.entry("acme", 7, since=NOW - 7 * DAY_MS, now=NOW)
    assert entry
    assert entry.call_ids == (newest, 7)
    store.journal.write(_of_missed(MissedAction.CLEAR, newest, NOW, since=MONTHS[0]))
    assert missed.entries("acme", since=0, now=NOW) == []
    limits = {"cleared_since": NOW - DAY_MS}
    assert [each.entry.call_ids for each in missed.cleared("acme", since=MONTHS[0], **limits)] == [(newest, 7)]


def _missed_call(store: Store, at: int) -> int:
    store.start("3501", ANA, at)
    return store.end("3501", ANA, at + 20_000, result="NO ANSWER").call_id


def _of_missed(action: MissedAction, call_id: int, at: int, since: int = NOW - 7 * DAY_MS) -> MissedDraft:
    return MissedDraft("acme", action, (call_id,), "ana", at, "Ana", "3501", until=at + 600_000, listed_since=since)


def test_calls_of_a_period_are_not_looked_for_from_the_newest_on(store: Store) -> None:
    """PostgreSQL went through ten million calls for a day of half a year ago."""
    asked: list[tuple[str, Any]] = []
    event.listen(store.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    row = {"tenant": "acme", "direction": "incoming", "extension": "3501", "number": ANA, "number_as_sent": ANA}
    row |= {"status": "ended"}
    with store.engine.begin() as connection:
        rows = [{"id": WIDTH + 7, "logged_at": MONTHS[1]}, {"id": 5 * WIDTH + 7, "logged_at": NOW}]
        connection.execute(insert(tables.calls), [row | each for each in rows])
    asked.clear()
    wanted = CallFilter(since=MONTHS[1], until=MONTHS[1] + DAY_MS)
    assert [each.id for each in CallLog(store.engine).recent("acme", wanted)] == [WIDTH + 7]
    found = [(query, values) for query, values in asked if "logged_at <" in query]
    with store.engine.connect() as connection:
        plans = ["\n".join(connection.exec_driver_sql(f"EXPLAIN {each}", values).scalars()) for each, values in found]
    assert len(plans) == 1
    assert re.search(r"Sort Key: \(\(calls_\d+\.id \+ '0'::bigint\)\) DESC", plans[0])


@pytest.mark.parametrize("wanted", [CallFilter(), CallFilter(since=NOW - 30 * DAY_MS)])
def test_the_newest_calls_are_read_in_their_order(store: Store, wanted: CallFilter) -> None:
    """PostgreSQL sorted the newest 20,000 for each page: it expected a handful of them to be the company's."""
    row = {"tenant": "acme", "direction": "incoming", "extension": "3501", "number": ANA, "number_as_sent": ANA}
    row |= {"status": "ended", "logged_at": NOW}
    with store.engine.begin() as connection:
        connection.execute(insert(tables.calls), [row | {"id": 5 * WIDTH + n} for n in range(1, 3001)])
        connection.execute(text("ANALYZE calls"))
    asked: list[tuple[str, Any]] = []
    event.listen(store.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    found = CallLog(store.engine).recent("acme", wanted)
    assert [each.id for each in found] == [5 * WIDTH + n for n in range(3000, 2950, -1)]
    (query,) = [each for each in asked if "agent_notes" in each[0]]
    with store.engine.connect() as connection:
        plan = list(connection.exec_driver_sql(f"EXPLAIN {query[0]}", query[1]).scalars())
    assert [line for line in plan if re.match(r"[ >-]*(Incremental )?Sort  \(cost", line)] == []
    assert any("Index Scan Backward" in line for line in plan)


def test_calls_are_looked_at_by_their_ids_in_few_partitions_by_a_prepared_statement_too(store: Store) -> None:
    row = {"tenant": "acme", "direction": "incoming", "extension": "3501", "number": ANA, "number_as_sent": ANA}
    row |= {"status": "ended", "logged_at": NOW}
    ids = [5 * WIDTH + n for n in range(1, 301)]
    with store.engine.begin() as connection:
        connection.execute(insert(tables.calls), [row | {"id": each} for each in ids])
        connection.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        query = select(tables.calls.c.id).where(among(connection, tables.calls.c.id, ids[:3]))
        asked: list[tuple[str, Any]] = []
        event.listen(store.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
        assert connection.execute(query).scalars().all() == ids[:3]
        (statement,) = asked
        numbers = count(1)
        numbered = re.sub("%s", lambda _: f"${next(numbers)}", statement[0])
        connection.exec_driver_sql(f"PREPARE looked (bigint[], bigint, bigint) AS {numbered}")
        array = "{" + ",".join(map(str, ids[:3])) + "}"
        plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE) EXECUTE looked ('{array}', {ids[0]}, {ids[2]})").scalars()
        told = "\n".join(plan)
    assert "Subplans Removed" in told
    assert len(set(PARTITION.findall(told))) == 1


def test_a_call_that_began_in_another_month_is_found_by_its_end(store: Store) -> None:
    began = store.start("3501", ANA, MONTHS[-1] - 3_600_000, call_ref="a-1")
    assert store.end("3501", ANA, MONTHS[-1] + 3_600_000, call_ref="a-1").call_id == began.call_id


@pytest.mark.parametrize(("days", "is_found"), [(25, True), (27, True), (70, False)])
def test_how_old_a_call_is_that_is_found_by_its_id(store: Store, days: int, is_found: bool) -> None:
    """At least 26 days: then all that lies in the range of that day."""
    first = max(place for place, month in enumerate(MONTHS) if month <= NOW - days * DAY_MS) * WIDTH
    row = {"id": first + 5, "tenant": "acme", "direction": "incoming", "extension": "3501", "number": ANA}
    row |= {"number_as_sent": ANA, "logged_at": NOW - days * DAY_MS, "status": "talking", "call_ref": "a-1"}
    with store.engine.begin() as connection:
        connection.execute(insert(tables.calls).values(row | {"start_heard_at": row["logged_at"]}))
    assert (store.end("3501", ANA, NOW, call_ref="a-1").call_id == first + 5) is is_found


def test_a_record_finds_the_call_of_the_time_that_it_names(store: Store) -> None:
    row = {"id": 5, "tenant": "acme", "direction": "incoming", "extension": "3501", "number": ANA}
    row |= {"number_as_sent": ANA, "logged_at": MONTHS[0] + DAY_MS, "status": "talking", "call_ref": "a-1"}
    with store.engine.begin() as connection:
        connection.execute(insert(tables.calls).values(row | {"start_heard_at": row["logged_at"]}))
    assert store.end("3501", ANA, NOW, call_ref="a-1", started_at=MONTHS[0] + DAY_MS).call_id == 5
