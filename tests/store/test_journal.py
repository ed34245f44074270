"""What is remembered of calls."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select, text

from gateway.adapter import Delivery, Outcome
from gateway.store import tables
from gateway.store.database import open_database
from gateway.store.directory import Account
from gateway.store.writing.drafts import Settlement
from gateway.store.writing.journal import Journal
from tests.store.conftest import T0, OpenStore, Store, end_draft, start_draft


def only_call(store: Store):
    (call,) = store.calls.recent("acme")
    return call


def test_a_start_and_its_end_are_one_call_with_duration_and_recording(store: Store) -> None:
    started = store.start("3501", "4732100123")
    ended = store.end("3501", "4732100123", T0 + 65_400, recording_url="http://pbx/rec/1.wav")
    call = only_call(store)
    assert started.call_id == ended.call_id == call.id
    assert (call.direction, call.extension, call.number, call.status) == (
        "incoming",
        "3501",
        "4732100123",
        "ended",
    )
    assert (call.started_at, call.ended_at, call.duration_s) == (T0, T0 + 65_400, 65)
    assert call.recording_url == "http://pbx/rec/1.wav"


def test_an_end_without_a_start_is_still_a_logged_call(store: Store) -> None:
    store.end("3501", "4732100123", T0, recording_url="http://pbx/rec/2.wav")
    call = only_call(store)
    assert (call.status, call.started_at, call.ended_at, call.duration_s) == ("ended", None, T0, None)
    assert call.recording_url == "http://pbx/rec/2.wav"


def test_an_end_without_a_start_takes_its_start_from_the_duration_given(store: Store) -> None:
    store.end("3501", "4732100123", T0, duration_s=30)
    call = only_call(store)
    assert (call.started_at, call.duration_s) == (T0 - 30_000, 30)


@pytest.mark.parametrize(
    ("ramal", "telefone", "direction", "extension", "number"),
    [
        ("3501", "4732100123", "incoming", "3501", "4732100123"),
        ("4732100123", "3501", "outgoing", "3501", "4732100123"),
        ("3501", "3502", "internal", "3501", "3502"),
    ],
)
def test_which_side_is_an_extension_decides_the_direction(
    store: Store, ramal: str, telefone: str, direction: str, extension: str, number: str
) -> None:
    store.start(ramal, telefone)
    call = only_call(store)
    assert (call.direction, call.extension, call.number) == (direction, extension, number)


def test_calls_at_the_same_time_on_one_extension_are_kept_apart(store: Store) -> None:
    store.start("3501", "4732100123")
    store.start("3501", "11987654321", T0 + 1)
    store.end("3501", "4732100123", T0 + 10_000)
    by_number = {call.number: call.status for call in store.calls.recent("acme")}
    assert by_number == {"4732100123": "ended", "11987654321": "ringing"}


def test_the_same_call_in_two_companies_stays_in_its_own(store: Store) -> None:
    store.start("3501", "4732100123", tenant="acme")
    store.start("3501", "4732100123", tenant="beta")
    store.end("3501", "4732100123", tenant="beta")
    assert only_call(store).status == "ringing"
    assert store.calls.recent("beta")[0].status == "ended"


def test_an_end_closes_the_newest_open_call_because_the_older_one_lost_its_end(store: Store) -> None:
    old = store.start("3501", "4732100123", T0)
    new = store.start("3501", "4732100123", T0 + 3_600_000)
    ended = store.end("3501", "4732100123", T0 + 3_700_000)
    assert old.call_id != new.call_id == ended.call_id


def test_an_end_does_not_close_a_call_of_the_day_before_yesterday(store: Store) -> None:
    old = store.start("3501", "4732100123", T0)
    ended = store.end("3501", "4732100123", T0 + 48 * 3_600_000)
    assert ended.call_id != old.call_id


def test_a_call_that_has_ended_takes_no_other_end(store: Store) -> None:
    first = store.start("3501", "4732100123", T0)
    store.end("3501", "4732100123", T0 + 60_000, recording_url="http://pbx/1.wav")
    later = store.end("3501", "4732100123", T0 + 3_600_000, recording_url="http://pbx/2.wav")
    assert later.call_id != first.call_id
    by_id = {call.id: call.recording_url for call in store.calls.recent("acme")}
    assert by_id == {first.call_id: "http://pbx/1.wav", later.call_id: "http://pbx/2.wav"}


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNREACHABLE])
def test_a_call_by_hand_after_a_failed_order_is_a_call_of_its_own(store: Store, outcome: Outcome) -> None:
    placed = store.order("3501", "4732100123")
    store.journal.write(Settlement("acme", placed.order_id, Delivery(outcome, "não"), T0 + 500))
    assert store.start("4732100123", "3501", T0 + 20_000).call_id != placed.call_id


def test_the_two_sides_of_an_internal_call_are_one_call_whichever_is_named_first(store: Store) -> None:
    started = store.start("3501", "3502")
    assert store.end("3502", "3501").call_id == started.call_id


def test_the_exchange_s_own_call_id_pairs_start_and_end(store: Store) -> None:
    first = store.start("3501", "4732100123", T0, call_ref="a1")
    second = store.start("3501", "4732100123", T0 + 1000, call_ref="b2")
    again = store.start("3501", "4732100123", T0 + 1500, call_ref="b2")
    ended = store.end("3502", "4732100123", T0 + 9000, call_ref="a1")
    assert first.call_id == ended.call_id != second.call_id == again.call_id


def test_a_start_and_an_end_in_one_transaction_still_find_each_other(store: Store) -> None:
    results = store.together([start_draft("3501", "4732100123"), end_draft("3501", "4732100123")])
    assert results[0].call_id == results[1].call_id
    assert only_call(store).status == "ended"


def test_a_call_knows_its_account_and_contact(store: Store) -> None:
    account = Account("C1", "Padaria São José", (("4732100123", "Ana"), ("47999998888", "José")))
    store.directory.load_accounts("acme", [account], T0)
    store.start("3501", "47999998888")
    call = only_call(store)
    assert (call.account, call.contact) == ("Padaria São José", "José")


def test_loading_an_account_again_replaces_its_name_and_numbers(store: Store) -> None:
    store.directory.load_accounts("acme", [Account("C1", "Velho", (("4732100123", ""),))], T0)
    store.directory.load_accounts("acme", [Account("C1", "Novo", (("4732100124", ""),))], T0 + 1)
    store.start("3501", "4732100123")
    store.start("3502", "4732100124")
    assert {call.number: call.account for call in store.calls.recent("acme")} == {
        "4732100123": None,
        "4732100124": "Novo",
    }


def test_an_account_of_one_company_is_not_shown_to_another(store: Store) -> None:
    store.directory.load_accounts("beta", [Account("C1", "Alheia", (("4732100123", ""),))], T0)
    store.start("3501", "4732100123")
    assert only_call(store).account is None


def test_an_order_is_a_row_and_a_logged_call_before_it_is_tried(store: Store) -> None:
    placed = store.order("3501", "4732100123")
    call = only_call(store)
    assert (call.id, call.direction, call.status, call.appliance) == (
        placed.call_id,
        "outgoing",
        "ordered",
        "pbx",
    )
    with store.engine.connect() as connection:
        assert connection.execute(select(tables.orders.c.outcome)).scalars().all() == [None]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_an_order_s_outcome_is_in_the_call_log(store: Store, outcome: Outcome) -> None:
    placed = store.order("3501", "4732100123")
    store.journal.write(Settlement("acme", placed.order_id, Delivery(outcome, "porque sim"), T0 + 500))
    call = only_call(store)
    assert (call.status, call.detail) == (outcome.value, "porque sim")


def test_the_first_outcome_of_an_order_stands(store: Store) -> None:
    placed = store.order("3501", "4732100123")
    for outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED):
        store.journal.write(Settlement("acme", placed.order_id, Delivery(outcome, outcome.value), T0 + 500))
    assert only_call(store).status == "unknown"


def test_the_call_an_order_caused_is_the_order_s_call_even_when_the_exchange_keeps_the_extension_in_ramal(
    store: Store,
) -> None:
    placed = store.order("3501", "4732100123")
    store.journal.write(Settlement("acme", placed.order_id, Delivery(Outcome.ACCEPTED, "ok"), T0 + 500))
    started = store.start("3501", "4732100123", T0 + 4000)
    ended = store.end("3501", "4732100123", T0 + 34_000)
    call = only_call(store)
    assert placed.call_id == started.call_id == ended.call_id
    assert (call.direction, call.started_at, call.duration_s, call.status) == (
        "outgoing",
        T0 + 4000,
        30,
        "ended",
    )


def test_an_outcome_that_comes_after_the_call_s_end_does_not_reopen_it(store: Store) -> None:
    placed = store.order("3501", "4732100123")
    store.start("3501", "4732100123", T0 + 1000)
    store.end("3501", "4732100123", T0 + 2000)
    store.journal.write(Settlement("acme", placed.order_id, Delivery(Outcome.ACCEPTED, "ok"), T0 + 2500))
    assert only_call(store).status == "ended"


def test_order_and_outcome_in_one_transaction_belong_together(store: Store) -> None:
    placed = store.order("3501", "4732100123")
    store.journal.write(Settlement("acme", placed.order_id, Delivery(Outcome.REFUSED, "ocupado"), T0 + 500))
    assert only_call(store).ended_at == T0 + 500


def test_the_event_log_has_no_gaps_and_holds_what_was_received(store: Store) -> None:
    store.start("3501", "+55 47 3210-0123")
    store.end("3501", "4732100123")
    events = store.events.after(0)
    assert [event.seq for event in events] == [1, 2]
    assert json.loads(events[0].payload)["received"]["telefone"] == "+55 47 3210-0123"


def test_an_event_with_a_forward_puts_a_letter_into_the_outbox_in_the_same_transaction(store: Store) -> None:
    store.start("3501", "4732100123", forwards=("crm",))
    with store.engine.connect() as connection:
        (letter,) = connection.execute(select(tables.outbox)).all()
    assert (letter.target, letter.kind, json.loads(letter.body)["telefone"]) == (
        "crm",
        "call_started",
        "4732100123",
    )


@pytest.mark.sqlite("pragmas")
def test_everything_is_on_disk_before_the_answer(store: Store) -> None:
    with store.engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2


def test_a_journal_that_was_stopped_holds_no_files(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    try:
        journal = Journal(database)
        journal.start()
        assert "gateway.waiting" in open_files(tmp_path)
        journal.stop()
        journal.stop()
        assert not open_files(tmp_path) & {"gateway.lock", "gateway.waiting"}
    finally:
        database.close()


def open_files(folder: Path) -> set[str]:
    """Return the names of the files in ``folder`` that this process has open."""
    targets = (link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return {target.name for target in targets if target.parent == folder}


def test_two_processes_share_one_log_without_gaps(open_store: OpenStore) -> None:
    one, other = open_store(), open_store()
    for i in range(20):
        (one if i % 2 else other).start("3501", f"4732100{i:03}")
    assert [event.seq for event in one.events.after(0)] == list(range(1, 21))
