"""What is kept of a call's whole life: legs, queues, notes, free fields, what is told of it, and missed calls that were
returned.
"""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from gateway.domain.calls.free_fields import LONGEST_NAME, MOST_FIELDS
from gateway.domain.messages import (
    AgentState,
    AgentStateChanged,
    CallHeld,
    CallNoted,
    QueueEntered,
    QueueLeft,
)
from gateway.store import tables
from gateway.store.calls import CallFilter, LoggedCall
from gateway.store.directory import Account
from gateway.store.reading.positions import Position
from gateway.store.writing.drafts import AgentStateDraft, GiveUp, Over
from tests.store.conftest import HERE, T0, Store, end_draft, start_draft

A, B = "3501", "3502"
NUMBER = "4732100123"


def only(store: Store) -> LoggedCall:
    """The only call."""
    (call,) = store.calls.recent("acme")
    return call


def noted(store: Store, later_ms: int = 0, **told: Any) -> None:
    """Have something noted of the call that the exchange calls ``a``, an hour after it began and more."""
    store.write(CallNoted("acme", "", "", HERE, T0 + 3_600_000 + later_ms, call_ref="a", **told))


def told_to(store: Store, extension: str) -> list[tuple[str, str]]:
    """What the log told an extension's screen: kinds of events, and statuses."""
    found = store.events.after_for("acme", extension, Position(0, 0))
    return [(event.kind, event.told["status"]) for event in found]


def group(store: Store) -> None:
    """A call rings at two extensions, and the second takes it."""
    store.start(A, NUMBER, T0, call_ref="a")
    store.start(B, NUMBER, T0, call_ref="a")
    store.answer(B, NUMBER, T0 + 5000, call_ref="a")


def test_a_named_call_is_told_once_with_its_legs(store: Store) -> None:
    group(store)
    store.end(B, NUMBER, T0 + 65_000, call_ref="a", result="ANSWERED")
    told = only(store).as_json()
    assert (told["extension"], told["answered_by"], told["rang"]) == (B, B, [A, B])
    first, second = told["legs"]
    assert (first["extension"], first["result"], first["answered_at"]) == (A, "elsewhere", None)
    assert (second["extension"], second["result"], second["result_text"]) == (B, "answered", "ANSWERED")
    assert (second["rang_at"], second["answered_at"]) == (told["started_at"], told["answered_at"])
    assert (second["ended_at"], second["transfer"], second["transferred_to"]) == (told["ended_at"], None, None)


def test_a_call_at_one_extension_is_its_own_leg_and_writes_none(store: Store) -> None:
    store.start(A, NUMBER, call_ref="a")
    store.end(A, NUMBER, call_ref="a", result="NO ANSWER")
    (leg,) = only(store).as_json()["legs"]
    assert (leg["extension"], leg["result"], leg["answered_at"]) == (A, "missed", None)
    with store.engine.connect() as connection:
        assert connection.execute(select(tables.legs)).all() == []


def test_each_extension_hears_of_its_own_leg(store: Store) -> None:
    group(store)
    store.end(B, NUMBER, T0 + 65_000, call_ref="a")
    assert told_to(store, A) == [("call_started", "ringing"), ("call_ended", "elsewhere")]
    assert told_to(store, B) == [("call_started", "ringing"), ("call_answered", "talking"), ("call_ended", "ended")]
    assert {event.call_id for event in store.events.after(0)} == {1}
    (left,) = [event.told for event in store.events.after(0) if event.told["status"] == "elsewhere"]
    assert (left["taken_by"], left["answered_by"], left["rang"]) == (1, B, [A, B])


def test_a_transfer_is_over_here_and_rings_there(store: Store) -> None:
    store.start(A, NUMBER, call_ref="a")
    store.answer(A, NUMBER, call_ref="a")
    done = store.transfer(A, NUMBER, B, call_ref="a")
    assert (done.call_id, told_to(store, A)[-1], told_to(store, B)) == (
        1,
        ("call_transferred", "ended"),
        [("call_started", "ringing")],
    )
    call = only(store)
    assert (call.transfer, call.transferred_to, call.status) == ("blind", B, "ringing")
    assert [leg["transfer"] for leg in call.as_json()["legs"]] == ["blind", None]


def test_a_call_is_found_by_each_extension_that_it_was_at(store: Store) -> None:
    group(store)
    store.start("3503", "4733330000")
    for extension, seen in ((A, "elsewhere"), (B, "talking")):
        (call,) = store.calls.recent("acme", CallFilter(extension=extension))
        assert (call.id, call.seen_from(extension)) == (1, seen)
        assert [each.id for each in store.calls.pages("acme", CallFilter(extension=extension))] == [1]
    assert [call.id for call in store.calls.recent(None, CallFilter(extension=A))] == [1]
    assert store.calls.recent("beta", CallFilter(extension=A)) == []


def test_legs_are_known_to_the_next_process(open_store: Any) -> None:
    group(open_store())
    other: Store = open_store()
    other.start("3503", NUMBER, T0 + 30_000, call_ref="a")
    other.transfer(B, NUMBER, "3503", T0 + 40_000, call_ref="a", attended=True)
    legs = only(other).legs
    assert [(leg.extension, leg.result, leg.attended) for leg in legs] == [
        (A, "elsewhere", None),
        (B, "answered", True),
        ("3503", None, None),
    ]
    assert legs[2].answered_at == T0 + 40_000


def test_forwards_hear_of_each_extension_that_rings(store: Store) -> None:
    store.journal.write(start_draft(A, NUMBER, also_rings=(B, "3503"), forwards=("crm",)))
    sent = [json.loads(row.body) for row in outbox(store)]
    assert [(body["ramal"], body["call_id"]) for body in sent] == [(A, "1"), (B, "1"), ("3503", "1")]
    assert sent[0]["rang"] == "3501 3502 3503"


def outbox(store: Store) -> Any:
    """What forwards are to be sent."""
    with store.engine.connect() as connection:
        return connection.execute(select(tables.outbox).order_by(tables.outbox.c.id)).all()


# queues and holds


def test_a_caller_who_waits_is_kept_with_the_queue_and_the_wait(store: Store) -> None:
    store.write(QueueEntered("acme", "", NUMBER, HERE, T0, call_ref="a", queue="Vendas"))
    call = only(store)
    assert (call.status, call.extension, call.queue, call.queued_at, call.legs) == ("waiting", "", "Vendas", T0, ())
    store.start(A, NUMBER, T0 + 10_000, call_ref="a", queue="2000")
    store.write(QueueLeft("acme", "", NUMBER, HERE, T0 + 20_000, call_ref="a", waited_s=19))
    told = only(store).as_json()
    assert (told["status"], told["extension"], told["queue"], told["waited_s"]) == ("ringing", A, "Vendas", 19)


def test_a_hold_is_told_to_who_wants_to_know(store: Store) -> None:
    store.start(A, NUMBER)
    store.answer(A, NUMBER)
    store.write(CallHeld("acme", A, NUMBER, HERE, T0 + 20_000))
    call = only(store)
    assert (call.status, call.held_at, told_to(store, A)[-1]) == ("talking", T0 + 20_000, ("call_held", "talking"))


# free fields, lines and notes


def test_free_fields_are_kept_and_the_later_word_counts(store: Store) -> None:
    store.start(A, NUMBER, fields={"cpf": "1", "protocolo": "17"})
    store.end(A, NUMBER, fields={"cpf": "2", "nota": "5"})
    assert only(store).as_json()["fields"] == {"cpf": "2", "protocolo": "17", "nota": "5"}
    start, end = store.events.after(0)
    assert (start.told["fields"], start.told["received"]["campos"]) == ({"cpf": "1", "protocolo": "17"},) * 2
    assert end.told["fields"]["nota"] == "5"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({f"n{i}": "x" for i in range(MOST_FIELDS + 1)}, MOST_FIELDS),
        ({"long": "x" * 5000, "short": "x"}, 1),
        ({f"n{i}": "é" * 1000 for i in range(3)}, 2),
    ],
)
def test_what_is_too_much_is_left_out_with_a_mark_and_a_line_in_the_log(
    store: Store, sent: dict[str, str], kept: int
) -> None:
    with capture_logs() as logs:
        store.start(A, NUMBER, fields=sent)
    call = only(store).as_json()
    assert (len(call["fields"]), call["fields_cut"]) == (kept, True)
    assert [line["event"] for line in logs] == ["free_fields_cut"]
    store.end(A, NUMBER)
    assert only(store).fields_cut is True


def test_a_transferred_call_without_an_id_keeps_what_was_told_of_it(store: Store) -> None:
    draft = start_draft(A, NUMBER, fields={"cpf": "1"}, line="551133330000")
    store.journal.write(replace(draft, event=draft.event._replace(line_name="Vendas", waited_s=7)))
    store.end("3503", "4733330000")
    store.transfer(A, NUMBER, B)
    there = store.calls.recent("acme")[0].as_json()
    assert (there["extension"], there["fields"], there["line_name"]) == (B, {"cpf": "1"}, "Vendas")


def test_names_of_free_fields_are_fitted(store: Store) -> None:
    store.start(A, NUMBER, fields={"  " + "n" * 50: "x", " ": "y"})
    assert only(store).as_json()["fields"] == {"n" * LONGEST_NAME: "x"}
    assert only(store).as_json()["fields_cut"] is False


def test_notes_come_late_many_and_each_once(store: Store) -> None:
    store.start(A, NUMBER, call_ref="a")
    store.end(A, NUMBER, call_ref="a")
    noted(store, recording_url="http://pbx/1.wav")
    for _ in range(2):
        noted(store, recording_url="http://pbx/2.wav", cost="R$ 0,32")
    noted(store, later_ms=1000, transcript="Bom dia" + "." * 70_000)
    call = only(store).as_json()
    assert call["recording_url"] == "http://pbx/1.wav"
    assert [(note["recording_url"], note["cost"], note["transcript"]) for note in call["notes"]] == [
        ("http://pbx/2.wav", "R$ 0,32", None),
        (None, None, "Bom dia" + "." * 65_529),
    ]
    assert [event.kind for event in store.events.after(2)] == ["call_noted"] * 4


def test_a_note_by_itself_gets_its_number_and_account_from_the_call(store: Store) -> None:
    store.directory.load_accounts("acme", [Account("C1", "Loja", ((NUMBER, "Ana"),))], T0)
    noted(store, cost="R$ 0,32")
    assert (only(store).status, only(store).account, only(store).number) == ("noted", None, "")
    store.start(A, NUMBER, T0 + 3_600_500, call_ref="a")
    call = only(store)
    assert (call.status, call.account, call.number, call.extension) == ("ringing", "Loja", NUMBER, A)
    assert call.notes[0].cost == "R$ 0,32"


# missed calls


def missed(store: Store) -> list[tuple[bool, int | None]]:
    """Whether each call was missed, and by which it was returned."""
    calls = sorted(store.calls.recent("acme"), key=lambda call: call.id)
    return [(bool(call.missed), call.returned_by) for call in calls]


def test_a_call_back_that_is_answered_returns_the_missed_calls_of_its_number(store: Store) -> None:
    for at in (T0, T0 + 600_000):
        store.start(A, NUMBER, at)
        store.end(A, NUMBER, at + 20_000, result="NO ANSWER")
    store.start(A, "4733330000", T0)
    store.end(A, "4733330000", T0 + 20_000, result="NO ANSWER")
    store.start(NUMBER, B, T0 + 90_000_000)
    assert missed(store) == [(True, None)] * 3 + [(False, None)]
    store.end(NUMBER, B, T0 + 90_060_000, duration_s=50)
    assert missed(store) == [(True, 4), (True, 4), (True, None), (False, None)]
    assert store.calls.get("acme", 1).as_json()["returned_at"] is not None  # type: ignore[union-attr]


def test_a_call_back_in_vain_returns_nothing_and_the_first_that_is_taken_counts(store: Store) -> None:
    store.start(A, NUMBER, T0)
    store.end(A, NUMBER, T0 + 20_000, result="NO ANSWER")
    store.start(NUMBER, A, T0 + 100_000)
    store.end(NUMBER, A, T0 + 120_000, result="BUSY")
    assert missed(store)[0] == (True, None)
    for at in (T0 + 200_000, T0 + 300_000):
        store.start(NUMBER, A, at)
        store.answer(NUMBER, A, at + 5000)
        store.end(NUMBER, A, at + 60_000)
    assert missed(store)[0] == (True, 3)


def test_one_transaction_keeps_what_many_would(store: Store) -> None:
    drafts = [
        start_draft(A, NUMBER, T0),
        end_draft(A, NUMBER, T0 + 20_000, result="NO ANSWER"),
        start_draft(NUMBER, B, T0 + 100_000),
        end_draft(NUMBER, B, T0 + 160_000, duration_s=50),
    ]
    store.together(drafts)
    assert missed(store) == [(True, 2), (False, None)]


# agents


def test_what_exchanges_tell_of_agents_is_kept_and_changes_no_call(store: Store) -> None:
    store.start(A, NUMBER)
    message = AgentStateChanged("acme", A, "Ana", AgentState.PAUSE, HERE, T0 + 1, reason="almoço", queue="Vendas")
    done = store.journal.write(AgentStateDraft(message, A, ("crm",)))
    assert (done.call_id, done.seq) == (0, 2)
    with store.engine.connect() as connection:
        (row,) = connection.execute(select(tables.agent_states)).all()
    assert (row.extension, row.agent, row.state, row.reason, row.queue) == (A, "Ana", "pause", "almoço", "Vendas")
    event = store.events.after(1)[0]
    assert (event.kind, event.call_id, event.extension, event.told["state"]) == ("agent_state_changed", 0, A, "pause")
    (letter,) = outbox(store)
    body = json.loads(letter.body)
    assert (letter.kind, body["ramal"], body["agent"], body["state"]) == ("agent_state_changed", A, "Ana", "pause")
    assert (body["reason"], body["fila"], body["telefone"]) == ("almoço", "Vendas", "")
    assert only(store).status == "ringing"


@pytest.mark.parametrize("how", ["over", "lost"])
def test_what_becomes_of_the_whole_call_is_told_to_each_of_its_extensions(store: Store, how: str) -> None:
    store.start(A, NUMBER, T0, also_rings=(B,))
    if how == "over":
        store.journal.write(Over("acme", 1, "ana", T0 + 1000))
    else:
        store.journal.give_up(GiveUp("acme", T0 - 1, T0 + 1, T0 + 14_400_000))
    for extension in (A, B):
        assert [status for _, status in told_to(store, extension)] == ["ringing", how]
