"""What a forward is told: all that the call knows, and only the events that it wants."""

from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import select

from gateway.config.crm import CrmSettings
from gateway.config.tables import TenantSettings
from gateway.desk.crm_links import event_link
from gateway.domain.conditions import condition
from gateway.domain.event_fields import FIELDS
from gateway.domain.messages import AgentState, AgentStateChanged, CallNoted
from gateway.domain.telling import TellingRules
from gateway.server.companies import telling_rules
from gateway.store import tables
from gateway.store.letters.stored import letter_fields
from gateway.store.writing.drafts import AgentStateDraft, EventDraft
from tests.store.conftest import HERE, PLAN, T0, Store, end_draft, heard, open_store, start_draft, store
from tests.store.test_whose import know

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


def test_whose_the_call_is_comes_with_a_link_where_the_company_has_set_one(store: Store) -> None:
    know(store, "10/1", "4732100123")
    link = partial(
        event_link, "https://crm.example/{{ code }}?de={{ number }}&por={{ agent|default('') }}{{ extension }}"
    )
    needs_more = partial(event_link, "https://crm.example/{{ code }}?c={{ cidade }}")
    told_of = (("3501", "4732100123", link), ("3501", "4733334444", link), ("3502", "4732100123", needs_more))
    for extension, number, rule in told_of:
        draft = replace(start_draft(extension, number), forwards=("crm",), rules=replace(RULES, link=rule))
        store.journal.write(draft)
    linked = [(fields["account_code"], fields["account_link"]) for _, fields in told(store)]
    assert linked == [("10/1", "https://crm.example/10%2F1?de=4732100123&por=3501"), ("", ""), ("10/1", "")]


def test_the_link_of_the_configuration_reaches_what_forwards_are_told() -> None:
    fields = dict.fromkeys(FIELDS, "") | {"account_id": "7", "account_code": "17"}
    link = CrmSettings(link="https://crm.example/{{ code }}")
    assert telling_rules(TenantSettings(crm=link), PLAN).of_account(fields) == {
        "account_link": "https://crm.example/17"
    }
    assert telling_rules(TenantSettings(), PLAN).of_account(fields) == {"account_link": ""}
