"""The list of missed calls: what brings a customer into it, what takes them off, who calls back."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import event, text

from gateway.domain.calls import missed_list
from gateway.domain.calls.missed_list import MissedCall, MissedEntry
from gateway.errors import MissedClaimed, MissedCleared
from gateway.store.directory import Account
from gateway.store.missed import MissedList
from gateway.store.writing.drafts import MissedAction, MissedDraft, Recorded
from tests.store.conftest import OUTGOING, T0, Store
from tests.store.plans import assert_is_found_by

ANA, CARLOS = "4733334444", "47999998888"
MINUTE = 60_000


def miss(store: Store, number: str = ANA, at: int = T0, ramal: str = "3501") -> int:
    """A call that nobody takes; its id."""
    store.start(ramal, number, at)
    return store.end(ramal, number, at + 20_000, result="NO ANSWER").call_id


def waiting(store: Store, *, now: int = T0 + MINUTE, since: int = 0) -> Sequence[MissedEntry]:
    return MissedList(store.engine).entries("acme", since=since, now=now)


def ids(store: Store, **more: int) -> list[tuple[int, ...]]:
    return [entry.call_ids for entry in waiting(store, **more)]


def draft(action: MissedAction, *call_ids: int, by: str = "ana", at: int = T0 + MINUTE) -> MissedDraft:
    extension = {"ana": "3501", "bruno": "3502"}[by]
    return MissedDraft("acme", action, call_ids, by, at, by.title(), extension, until=at + 10 * MINUTE)


def do(store: Store, action: MissedAction, *call_ids: int, by: str = "ana", at: int = T0 + MINUTE) -> Recorded:
    return store.journal.write(draft(action, *call_ids, by=by, at=at))


def changes(store: Store) -> list[tuple[int, str]]:
    """What the log tells of the list: which call, and what happened."""
    told = [event.told for event in store.events.after(0) if event.kind == "missed_changed"]
    return [(each["missed_call"], each["change"]) for each in told]


def test_a_missed_call_waits_until_somebody_speaks_with_the_customer(store: Store) -> None:
    call_id = miss(store)
    assert ids(store) == [(call_id,)]
    store.start("3502", ANA, T0 + 2 * MINUTE, direction=OUTGOING)
    assert ids(store) == [(call_id,)]
    store.answer("3502", ANA, T0 + 3 * MINUTE, direction=OUTGOING)
    assert ids(store) == []
    assert changes(store) == [(call_id, "missed"), (call_id, "returned")]


def test_a_new_call_that_is_answered_takes_the_customer_off(store: Store) -> None:
    miss(store)
    store.start("3501", ANA, T0 + 5 * MINUTE)
    assert len(ids(store)) == 1
    store.answer("3501", ANA, T0 + 6 * MINUTE)
    assert ids(store) == []


def test_who_speaks_on_one_number_of_an_account_is_called_back_on_all(store: Store) -> None:
    store.directory.load_accounts("acme", [Account("17", "Silva", ((ANA, ""), (CARLOS, "")))], T0)
    first, second = miss(store), miss(store, CARLOS, T0 + MINUTE)
    assert ids(store) == [(second, first)]
    store.start("3501", CARLOS, T0 + 5 * MINUTE)
    store.answer("3501", CARLOS, T0 + 6 * MINUTE)
    assert ids(store) == []
    assert [store.calls.get("acme", each).returned_by for each in (first, second)] == [3, 3]  # type: ignore[union-attr]


def test_accounts_of_other_companies_are_not_looked_at(store: Store) -> None:
    miss(store)
    store.start("3501", ANA, T0, tenant="rival")
    store.end("3501", ANA, T0 + 20_000, tenant="rival", result="NO ANSWER")
    assert len(ids(store)) == 1
    do(store, MissedAction.CLEAR, 2)
    assert len(MissedList(store.engine).entries("rival", since=0, now=T0)) == 1


def test_old_missed_calls_leave_the_list_and_stay_in_the_log(store: Store) -> None:
    call_id = miss(store)
    assert ids(store, since=T0 + 1) == []
    assert store.calls.get("acme", call_id).missed  # type: ignore[union-attr]


def test_taking_off_by_hand_is_kept_and_can_be_undone(store: Store) -> None:
    first, second, other = miss(store), miss(store, at=T0 + MINUTE), miss(store, CARLOS, T0 + 2 * MINUTE)
    assert not do(store, MissedAction.CLEAR, second, at=T0 + 5 * MINUTE).repeated
    assert ids(store) == [(other,)]
    call = store.calls.get("acme", first)
    assert call
    assert (call.cleared_by, call.cleared_at) == ("ana", T0 + 5 * MINUTE)
    (cleared,) = MissedList(store.engine).cleared("acme", cleared_since=T0, since=0)
    assert (cleared.entry.call_ids, cleared.by, cleared.at) == ((second, first), "ana", T0 + 5 * MINUTE)
    do(store, MissedAction.RESTORE, second, by="bruno")
    assert ids(store) == [(second, first), (other,)]
    assert MissedList(store.engine).cleared("acme", cleared_since=T0, since=0) == []
    assert changes(store)[-2:] == [(second, "cleared"), (second, "restored")]


def test_many_are_taken_off_at_once_and_one_of_them_is_put_back_alone(store: Store) -> None:
    first, second = miss(store), miss(store, CARLOS)
    do(store, MissedAction.CLEAR, first, second)
    assert ids(store) == []
    do(store, MissedAction.RESTORE, first)
    assert ids(store) == [(first,)]


def test_a_call_that_came_after_the_page_was_shown_is_not_taken_off_with_it(store: Store) -> None:
    shown, later = miss(store), miss(store, at=T0 + MINUTE)
    do(store, MissedAction.CLEAR, shown)
    assert ids(store) == [(later,)]


def test_what_is_taken_off_twice_changes_nothing(store: Store) -> None:
    call_id = miss(store)
    do(store, MissedAction.CLEAR, call_id, at=T0 + MINUTE)
    assert do(store, MissedAction.CLEAR, call_id, by="bruno", at=T0 + 2 * MINUTE).repeated
    assert store.calls.get("acme", call_id).cleared_by == "ana"  # type: ignore[union-attr]


def test_who_was_taken_off_and_rings_again_is_back(store: Store) -> None:
    do(store, MissedAction.CLEAR, miss(store))
    again = miss(store, at=T0 + 10 * MINUTE)
    assert ids(store) == [(again,)]


def test_only_one_calls_a_customer_back(store: Store) -> None:
    call_id = miss(store)
    do(store, MissedAction.CLAIM, call_id, at=T0 + MINUTE)
    with pytest.raises(MissedClaimed) as refused:
        do(store, MissedAction.CLAIM, call_id, by="bruno")
    assert (refused.value.login, refused.value.name, refused.value.at) == ("ana", "Ana", T0 + MINUTE)
    again = miss(store, at=T0 + 2 * MINUTE)
    with pytest.raises(MissedClaimed):
        do(store, MissedAction.CLAIM, again, by="bruno")
    do(store, MissedAction.CLAIM, again)
    claim = waiting(store)[0].claim
    assert claim
    assert (claim.login, claim.call_id) == ("ana", again)


def test_a_claim_is_let_go_of_by_whoever_has_it_only(store: Store) -> None:
    call_id = miss(store)
    do(store, MissedAction.CLAIM, call_id)
    assert do(store, MissedAction.RELEASE, call_id, by="bruno").repeated
    assert waiting(store)[0].claim
    assert not do(store, MissedAction.RELEASE, call_id).repeated
    assert waiting(store)[0].claim is None


def test_a_claim_ends_with_its_time(store: Store) -> None:
    call_id = miss(store)
    do(store, MissedAction.CLAIM, call_id, at=T0 + MINUTE)
    assert waiting(store, now=T0 + 11 * MINUTE - 1)[0].claim
    assert waiting(store, now=T0 + 11 * MINUTE)[0].claim is None
    do(store, MissedAction.CLAIM, call_id, by="bruno", at=T0 + 12 * MINUTE)


def test_a_claim_ends_when_nobody_took_the_call_back(store: Store) -> None:
    call_id = miss(store)
    do(store, MissedAction.CLAIM, call_id, at=T0 + MINUTE)
    store.start("3501", CARLOS, T0 + MINUTE, direction=OUTGOING)
    store.end("3501", CARLOS, T0 + MINUTE + 5000, direction=OUTGOING, result="BUSY")
    assert waiting(store)[0].claim, "a call to somebody else ends nothing"
    store.start("3501", ANA, T0 + MINUTE + 10_000, direction=OUTGOING)
    assert waiting(store)[0].claim
    store.end("3501", ANA, T0 + MINUTE + 30_000, direction=OUTGOING, result="BUSY")
    assert [entry.claim for entry in waiting(store)] == [None]


def test_who_was_dealt_with_meanwhile_is_not_called_back_once_more(store: Store) -> None:
    call_id = miss(store)
    do(store, MissedAction.CLEAR, call_id)
    with pytest.raises(MissedCleared):
        do(store, MissedAction.CLAIM, call_id, by="bruno")


def test_the_log_tells_all_screens_and_no_call(store: Store) -> None:
    call_id = miss(store)
    (event,) = [event for event in store.events.after(0) if event.kind == "missed_changed"]
    assert (event.call_id, event.extension, json.loads(event.payload)["missed_call"]) == (0, "", call_id)


def test_the_list_is_found_by_index(store: Store) -> None:
    """Of a million calls the open ones are looked at alone."""
    open_ones = "missed AND returned_at IS NULL AND cleared_at IS NULL"
    queries = {
        f"SELECT * FROM calls WHERE tenant = 'a' AND logged_at >= 1 AND {open_ones}": "ix_calls_missed_open",
        "SELECT * FROM calls WHERE account_id = 1 AND missed AND returned_at IS NULL": "ix_calls_missed_account",
        "SELECT * FROM calls WHERE tenant = 'a' AND cleared_at >= 1": "ix_calls_cleared",
        "SELECT * FROM missed_claims WHERE tenant = 'a' AND until > 1": "ix_missed_claims_tenant_until",
    }
    with store.engine.connect() as connection:
        for query, index in queries.items():
            assert_is_found_by(connection, query, index)


@pytest.mark.sqlite("PostgreSQL knows how many calls each index holds")
def test_calls_that_were_dealt_with_are_not_looked_through(store: Store) -> None:
    """Of indexes that seem equally good the newest was taken: that of all calls, where one was made anew."""
    with store.engine.begin() as connection:
        connection.execute(text("CREATE INDEX ix_calls_newest ON calls (tenant, logged_at)"))
    asked: list[tuple[str, Any]] = []
    event.listen(store.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    call_id = miss(store)
    asked.clear()
    assert ids(store) == [(call_id,)]
    (wanted,) = [each for each in asked if "FROM calls" in each[0]]
    with store.engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {wanted[0]}", wanted[1])]
    assert plan[0] == "SEARCH calls USING INDEX ix_calls_missed_open (tenant=? AND logged_at>?)"
    assert "TEMP B-TREE" not in " ".join(plan)


def test_entries_are_made_once_for_who_may_see_all(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """To narrow three thousand entries that hold nothing else took a third of the time of the page."""
    made: list[MissedEntry] = []
    monkeypatch.setattr(missed_list, "replace", lambda entry, **more: made.append(entry))
    monkeypatch.setattr(MissedCall, "_replace", lambda call, **more: made.append(call))
    call_id = miss(store)
    assert ids(store) == [(call_id,)]
    assert made == []
