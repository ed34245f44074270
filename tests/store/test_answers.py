"""What is kept of an answer, and who is told of it."""

import json

import pytest
from sqlalchemy import text

from gateway.store.directory import Agent
from gateway.store.writing.drafts import GiveUp
from tests.store.conftest import T0, Store

NUMBER = "4732100123"


def letters(store: Store) -> list[tuple[str, dict[str, str]]]:
    with store.engine.connect() as connection:
        rows = connection.execute(text("SELECT kind, body FROM outbox ORDER BY id")).all()
    return [(row.kind, json.loads(row.body)) for row in rows]


def test_who_sat_at_the_extension_that_answered_is_kept(store: Store) -> None:
    store.directory.save_agent(Agent(0, "acme", "ana", "Ana", "3501"), "hash", T0)
    store.start("3501", NUMBER, T0)
    call_id = store.answer("3501", NUMBER, T0 + 7000).call_id
    store.end("3501", NUMBER, T0 + 67_000)
    call = store.calls.get("acme", call_id)
    assert call is not None
    assert (call.answered_at, call.answered_by, call.answered_agent) == (T0 + 7000, "3501", "ana")
    assert (call.ring_s, call.talk_s, call.duration_s, call.spoken_s, call.taken_by) == (7, 60, 67, 60, None)
    plain = call.as_json()
    assert (plain["answered_at"], plain["answered_by"]) == ("2026-05-28T20:26:47.000Z", "3501")


@pytest.mark.parametrize("others", [[("bruno", "3501", "acme")], []])
def test_an_extension_that_several_share_is_nobody_s(store: Store, others: list[tuple[str, str, str]]) -> None:
    for login, extension, tenant in [("ana", "3501", "rival"), ("carla", "3502", "acme"), *others]:
        store.directory.save_agent(Agent(0, tenant, login, login, extension), "hash", T0)
    store.directory.save_agent(Agent(0, "acme", "dora", "dora", "3501"), "hash", T0)
    store.start("3501", NUMBER, T0)
    store.answer("3501", NUMBER)
    assert [call.answered_agent for call in store.calls.recent("acme")] == [None if others else "dora"]


def test_those_who_rang_too_are_told_who_took_it(store: Store) -> None:
    store.directory.save_agent(Agent(0, "acme", "ana", "Ana", "3502"), "hash", T0)
    store.start("3501", NUMBER, T0)
    store.start("3502", NUMBER, T0)
    store.answer("3502", NUMBER)
    gone, taken = store.events.after(2)
    assert (gone.kind, gone.extension, gone.told["status"], gone.told["taken_by"]) == (
        "call_ended",
        "3501",
        "elsewhere",
        2,
    )
    assert (gone.told["answered_by"], gone.told["answered_agent"]) == ("3502", "ana")
    assert (taken.kind, taken.extension, taken.told["status"]) == ("call_answered", "3502", "talking")
    assert (taken.told["ring_s"], taken.told["received"]["ramal"]) == (5, "3502")


def test_a_forward_is_told_of_an_answer_once_and_then_of_how_long_they_spoke(store: Store) -> None:
    store.start("3501", NUMBER, T0)
    store.answer("3501", NUMBER, T0 + 7000, forwards=("crm",))
    store.answer("3501", NUMBER, T0 + 8000, forwards=("crm",))
    ((kind, body),) = letters(store)
    assert (kind, body["answered_at"], body["answered_by"]) == ("call_answered", "2026-05-28T20:26:47.000Z", "3501")
    assert (body["ring_s"], body["talk_s"], body["answered_agent"]) == ("7", "", "")


def test_what_is_spoken_is_given_up_like_what_rings(store: Store) -> None:
    store.start("3501", NUMBER, T0)
    store.answer("3501", NUMBER)
    assert store.journal.give_up(GiveUp("acme", T0 - 1, T0 + 1, T0 + 10_000_000)) == 1
    assert [call.status for call in store.calls.recent("acme")] == ["lost"]


def test_a_transferred_call_comes_up_there_with_what_was_known(store: Store) -> None:
    store.start("3501", NUMBER, T0, queue="Vendas", forwards=("crm",))
    recorded = store.transfer("3501", NUMBER, "3502", T0 + 30_000, forwards=("crm",))
    assert recorded.call_id == 2
    left, there = store.events.after(1)
    assert (left.kind, left.extension, left.told["status"], left.told["goes_on_as"]) == (
        "call_transferred",
        "3501",
        "ended",
        2,
    )
    assert (there.kind, there.extension, there.told["status"], there.told["queue"]) == (
        "call_started",
        "3502",
        "ringing",
        "Vendas",
    )
    assert there.told["received"]["ramal_destino"] == "3502"
    assert [(kind, body["ramal"], body["fila"]) for kind, body in letters(store)] == [
        ("call_started", "3501", "Vendas"),
        ("call_transferred", "3502", "Vendas"),
    ]
    first = store.calls.get("acme", 1)
    assert first is not None
    assert (first.went_to, first.result, first.group_id) == ("3502", "forwarded", 1)
