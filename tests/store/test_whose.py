"""Whose a call is and who took it: in the log, in events and in what others are told."""

import json
from typing import Any

from sqlalchemy import text

from gateway.domain.identifiers import Identifier
from gateway.store.directory import Agent
from gateway.store.imports.loading import LoadedAccount, Phone, write_accounts
from tests.store.conftest import T0, Store

NUMBER, CPF = "4732100123", "52998224725"
CRM = {"forwards": ("crm",)}


def know(store: Store, code: str, *phones: str, cpf: str | None = None, tenant: str = "acme") -> None:
    named = (Identifier("cpf", cpf),) if cpf else ()
    loaded = LoadedAccount(code, f"Conta {code}", tuple(Phone(each, "Ana", each) for each in phones), identifiers=named)
    store.journal.run(lambda connection: write_accounts(connection, tenant, "erp", [loaded], T0))


def seat(store: Store, login: str, extension: str) -> None:
    store.directory.save_agent(Agent(0, "acme", login, login.title(), extension), "hash", T0)


def letters(store: Store) -> list[dict[str, Any]]:
    with store.engine.connect() as connection:
        return [json.loads(body) for body in connection.execute(text("SELECT body FROM outbox ORDER BY id")).scalars()]


def logged(store: Store) -> dict[str, Any]:
    return store.calls.recent("acme")[0].as_json()


def test_a_call_has_the_account_s_id_and_code_and_the_name_of_who_took_it(store: Store) -> None:
    know(store, "C-17", NUMBER)
    seat(store, "ana", "3501")
    store.start("3501", NUMBER, T0)
    store.answer("3501", NUMBER, T0 + 5000)
    call = logged(store)
    assert (call["account"], call["account_id"], call["account_code"]) == ("Conta C-17", 1, "C-17")
    assert (call["answered_agent"], call["answered_agent_name"]) == ("ana", "Ana")
    told = store.events.after(0)[-1].told
    assert (told["account_id"], told["account_code"], told["answered_agent_name"]) == (1, "C-17", "Ana")


def test_they_stay_what_they_were_and_older_calls_have_those_of_now(store: Store) -> None:
    know(store, "C-17", NUMBER)
    seat(store, "ana", "3501")
    store.start("3501", NUMBER, T0)
    store.answer("3501", NUMBER, T0 + 5000)
    store.directory.save_agent(Agent(0, "acme", "ana", "Ana Reis", "3501"), "hash", T0)
    assert logged(store)["answered_agent_name"] == "Ana"
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE calls SET account_code = NULL, answered_agent_name = NULL"))
    assert (logged(store)["account_code"], logged(store)["answered_agent_name"]) == ("C-17", "Ana Reis")


def test_a_forward_is_told_whose_the_call_is_and_who_sits_where_it_rings_or_took_it(store: Store) -> None:
    know(store, "C-17", NUMBER)
    seat(store, "ana", "3501")
    seat(store, "bruno", "3502")
    store.start("3501", NUMBER, T0, **CRM)
    store.start("3502", NUMBER, T0, **CRM)
    store.answer("3502", NUMBER, T0 + 5000, **CRM)
    store.start("3509", "4733334444", T0 + 9000, **CRM)
    ana, bruno, taken, nobody = letters(store)
    assert [(body["agent_login"], body["agent"]) for body in (ana, bruno, taken, nobody)] == [
        ("ana", "Ana"),
        ("bruno", "Bruno"),
        ("bruno", "Bruno"),
        ("", ""),
    ]
    assert (taken["account_id"], taken["account_code"], taken["account"], taken["contact"]) == (
        "1",
        "C-17",
        "Conta C-17",
        "Ana",
    )
    assert (ana["answered_agent_name"], taken["answered_agent_name"]) == ("", "Bruno")
    assert (nobody["account_id"], nobody["account_code"], nobody["account"]) == ("", "", "")


def test_fields_name_the_account_where_nobody_has_the_number(store: Store) -> None:
    know(store, "17", cpf=CPF)
    know(store, "18", cpf=CPF, tenant="rival")
    store.start("3501", NUMBER, T0, fields={"obs": "x", "cpf": "529.982.247-25"}, **CRM)
    assert logged(store)["account_code"] == "17"
    assert letters(store)[0]["account_code"] == "17"
    assert store.events.after(0)[0].told["matched"] == {"by": "identifier", "of": 1}


def test_the_number_counts_before_fields_and_fields_that_come_late_count_where_it_names_nobody(store: Store) -> None:
    know(store, "17", cpf=CPF)
    know(store, "18", NUMBER)
    store.start("3501", NUMBER, T0, fields={"cpf": CPF})
    assert logged(store)["account_code"] == "18"
    store.start("3502", "4733334444", T0)
    store.end("3502", "4733334444", T0 + 9000, fields={"cpf": CPF})
    assert logged(store)["account_code"] == "17"


def test_of_several_accounts_with_one_identifier_none_is_chosen(store: Store) -> None:
    for code in ("17", "18"):
        know(store, code, cpf=CPF)
    store.start("3501", NUMBER, T0, fields={"cpf": CPF})
    assert logged(store)["account_id"] is None
    assert store.events.after(0)[0].told["matched"] == {"by": "identifier", "of": 2}


def test_fields_of_an_internal_call_name_nobody(store: Store) -> None:
    know(store, "17", cpf=CPF)
    store.start("3501", "3502", T0, fields={"cpf": CPF})
    assert logged(store)["account_id"] is None
