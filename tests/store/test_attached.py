"""What an exchange attaches to a call is kept, whichever event says it first, and told wherever calls are told."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from gateway.desk.frames import ScreenEvent
from gateway.domain.messages import ATTACHED
from gateway.store import tables
from gateway.store.letters.outbox import Outbox
from tests.store.conftest import T0, Store, end_draft, start_draft

pytestmark = pytest.mark.parametrize("name", list(ATTACHED))
AB = ("3501", "4732100123")


def told(store: Store, name: str) -> Any:
    """What the log tells scripts of the only call."""
    (call,) = store.calls.recent("acme")
    return call.as_json()[name]


def test_a_start_says_it_and_an_end_does_not_say_it_anew(store: Store, name: str) -> None:
    store.start(*AB, **{name: "Vendas"})
    store.end(*AB, **{name: "Suporte"})
    assert told(store, name) == "Vendas"


def test_an_end_fills_what_the_start_did_not_say(store: Store, name: str) -> None:
    store.start(*AB)
    assert told(store, name) is None
    store.end(*AB, **{name: "Suporte"})
    assert told(store, name) == "Suporte"


def test_an_end_that_comes_alone_or_again_and_a_late_start_say_it(store: Store, name: str) -> None:
    store.end(*AB)
    store.start(*AB, T0 + 61_000, occurred_at=T0, **{name: "Vendas"})
    assert told(store, name) == "Vendas"
    store.end("3502", "4733330000")
    store.end("3502", "4733330000", T0 + 60_500, **{name: "Suporte"})
    assert store.calls.recent("acme")[0].as_json()[name] == "Suporte"


def test_an_order_s_call_gets_it_from_its_start(store: Store, name: str) -> None:
    store.order(*AB)
    store.start("3501", "4732100123", T0 + 1000, **{name: "Vendas", "direction": "outgoing"})
    assert told(store, name) == "Vendas"


def test_screens_are_told_of_it_where_it_is_known_and_the_log_keeps_it_as_received(store: Store, name: str) -> None:
    store.start(*AB)
    store.end(*AB, **{name: "Suporte"})
    start, end = store.events.after(0)
    assert name not in json.loads(start.payload)
    assert json.loads(end.payload)["received"][ATTACHED[name]] == "Suporte"
    assert f'"{name}":"Suporte"'.encode() in ScreenEvent.of(end).full


def test_a_forward_is_told_under_the_parameter_s_name(store: Store, name: str) -> None:
    store.journal.write(start_draft(*AB, forwards=("crm",)))
    store.journal.write(replace(end_draft(*AB, **{name: "Suporte"}), forwards=("crm",)))
    with store.engine.connect() as connection:
        bodies = [json.loads(body) for body in connection.execute(select(tables.outbox.c.body)).scalars()]
    assert [body[ATTACHED[name]] for body in bodies] == ["", "Suporte"]


def test_a_forward_hears_again_of_an_end_that_says_more_and_only_then(store: Store, name: str) -> None:
    for said in (None, "Suporte", "Suporte", "Vendas"):
        store.journal.write(replace(end_draft(*AB, **{name: said}), forwards=("crm",)))
    letter = Outbox(store.engine, store.journal)
    assert letter.waiting() == 2


def test_a_start_that_is_repeated_with_more_is_no_news_to_forwards(store: Store, name: str) -> None:
    for said in (None, "Vendas"):
        store.journal.write(start_draft(*AB, forwards=("crm",), **{name: said}))
    assert told(store, name) == "Vendas"
    assert Outbox(store.engine, store.journal).waiting() == 1
