"""What a forward is told: all that the call knows, and only the events that it wants."""

from dataclasses import replace
from typing import Any

from sqlalchemy import select

from gateway.domain.conditions import condition
from gateway.domain.event_fields import FIELDS
from gateway.domain.messages import AgentState, AgentStateChanged, CallNoted
from gateway.domain.telling import TellingRules
from gateway.store import tables
from gateway.store.drafts import AgentStateDraft, EventDraft
from gateway.store.outbox_letters import letter_fields
from tests.store.conftest import HERE, PLAN, T0, Store, end_draft, heard, open_store, start_draft, store

__all__ = ["open_store", "store"]

RULES = TellingRules("America/Manaus", PLAN)


def told(store: Store) -> list[tuple[str, dict[str, str]]]:
    with store.engine.connect() as connection:
        rows = connection.execute(select(tables.outbox).order_by(tables.outbox.c.id)).all()
    return [(row.kind, dict(letter_fields(row.body))) for row in rows]


def write(store: Store, *drafts: Any, **only: str) -> None:
    rules = replace(RULES, only={name: condition(text) for name, text in only.items()})
    for draft in drafts:
        store.journal.write(replace(draft, forwards=("crm", "erp") if "erp" in only else ("crm",), rules=rules))


def test_an_end_says_all_that_is_known_of_the_call(store: Store) -> None:
    write(store, start_draft("3501", "+55 (47) 3210-0123", call_ref="abc-1", line="1133330000"))
    write(store, end_draft("3501", "4732100123", call_ref="abc-1", result="BUSY", duration_s=60))
    (_, begun), (kind, ended) = told(store)
    assert kind == "call_ended"
    assert set(ended) == set(FIELDS)
    assert (begun["status"], begun["ended_at"], begun["duration_s"]) == ("ringing", "", "")
    assert (ended["status"], ended["duration_s"], ended["result"]) == ("ended", "60", "busy")
    assert (ended["telefone"], ended["number_kind"]) == ("4732100123", "fixed")
    assert (ended["number_e164"], ended["number_as_sent"]) == ("+554732100123", "+55 (47) 3210-0123")
    assert (ended["call_ref"], ended["linha"], ended["zone"]) == ("abc-1", "1133330000", "America/Manaus")
    assert ended["started_at"] == begun["started_at"] == begun["occurred_at"]
    assert begun["occurred_at"] < ended["ended_at"] == ended["occurred_at"]


def test_of_two_events_of_a_call_the_newer_one_has_the_larger_revision(store: Store) -> None:
    write(store, start_draft("3501", "4732100123"), end_draft("3501", "4732100123"))
    first, second = (int(fields["revision"]) for _, fields in told(store))
    assert first < second


def test_when_it_happened_is_what_the_exchange_says(store: Store) -> None:
    write(store, start_draft("3501", "4732100123", occurred_at=T0 - 90_000))
    ((_, fields),) = told(store)
    assert fields["occurred_at"] == fields["started_at"] != ""


def test_a_note_says_what_the_call_cost_and_what_was_said(store: Store) -> None:
    note = CallNoted("acme", "3501", "4732100123", HERE, T0, cost="R$ 0,32", transcript="Alô?")
    write(store, EventDraft(note, heard(note)))
    ((_, fields),) = told(store)
    assert (fields["cost"], fields["transcript"]) == ("R$ 0,32", "Alô?")


def test_each_forward_is_told_of_the_events_that_it_wants(store: Store) -> None:
    withheld, shown = start_draft("3501", "anonymous"), start_draft("3502", "4732100123")
    write(store, withheld, shown, crm="kind != 'withheld'", erp="event == 'call_ended'")
    with store.engine.connect() as connection:
        rows = connection.execute(select(tables.outbox)).all()
    assert [(row.target, letter_fields(row.body)["ramal"]) for row in rows] == [("crm", "3502")]


def test_an_agents_state_says_when_and_where_too(store: Store) -> None:
    message = AgentStateChanged("acme", "3501", "Ana", AgentState.PAUSE, HERE, T0, reason="almoço", queue="Vendas")
    write(store, AgentStateDraft(message, "3501"), crm="state == 'pause' and fila == 'Vendas'")
    ((kind, fields),) = told(store)
    assert (kind, fields["agent"], fields["reason"]) == ("agent_state_changed", "Ana", "almoço")
    assert fields["zone"] == "America/Manaus"
    assert int(fields["revision"]) > 0
    assert fields["occurred_at"]
