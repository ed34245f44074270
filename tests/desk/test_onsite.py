"""The page of appliances shows how each gateway on site is doing."""

import re
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from gateway.config.tables import Config, TenantSettings
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from gateway.domain.roles import Role
from gateway.logins.passwords import hash_password
from gateway.store.audit import AuditFilter, AuditLog
from gateway.store.directory import Agent
from gateway.store.event_sources import SourceStanding, SourceState, row_of
from gateway.store.onsite.sites import OnsiteSites
from gateway.texts.text import Text
from tests.desk.conftest import PASSWORD, Browser, Office, now_ms, services_of
from tests.desk.test_pages import words

NOON = 1_796_050_800_000
"""12:00 in São Paulo on 30 November 2026."""


class Central:
    """Ana's browser at a company with one gateway on site, at noon."""

    def __init__(self, office: Office, hub: Hub) -> None:
        self.sites = OnsiteSites(office.engine, office.journal)
        self.sites.add("acme", "escritorio", NOON)
        self.sites.add("beta", "outro", NOON)
        config = Config(tenants={"acme": TenantSettings()})
        ana = Agent(0, "acme", "ana", "Ana Martins", "3501", role=Role.ADMINISTRATOR)
        office.directory.save_agent(ana, hash_password(PASSWORD), now_ms())
        services = replace(services_of(office, config, hub), onsite_sites=self.sites)
        self.ana = Browser(Client(Desk(services, clock=lambda: NOON + 1000)), "acme")
        assert self.ana.log_in().status_code == 303

    def told(self, polled_until: int | None = NOON + 20_000, ahead_ms: int = 0, **status: Any) -> str:
        site = self.sites.of("acme", "escritorio")
        assert site is not None
        facts = {"polled_until": polled_until, "poll": "p", "ahead_ms": ahead_ms, "address": "203.0.113.9"}
        self.sites.seen(site, NOON, status=status, **facts)
        return self.shown()

    def shown(self) -> str:
        answer = self.ana.get("/centrais")
        assert answer.status_code == 200
        return words(answer.text)


@pytest.fixture
def central(office: Office, hub: Hub) -> Central:
    return Central(office, hub)


def source(**facts: Any) -> dict[str, Any]:
    standing = replace(SourceStanding(SourceState.CONNECTED, NOON, seen_at=NOON), **facts)
    return {**row_of(("site", "ami"), standing), "kind": "ami", "title": "PABX da filial"}


def test_one_that_is_connected_shows_its_sources_and_what_waits(central: Central) -> None:
    page = central.told(waiting=1234, sources={"ami": source()})
    assert "Gateways locais" in page
    assert "Conectado escritorio" in page
    assert "203.0.113.9" in page
    assert "Eventos esperando lá 1.234" in page
    assert "PABX da filial (ami) Ouvida desde 30/11/2026 12:00:00" in page
    assert "outro" not in page


def test_a_source_that_it_cannot_hear_says_why(central: Central) -> None:
    problem = Text("the exchange closed the connection")
    page = central.told(sources={"ami": source(state=SourceState.WAITING, problem=problem)})
    assert "Sem ouvir desde 30/11/2026 12:00:00" in page
    assert "a central fechou a conexão" in page


def test_one_that_is_away_shows_when_it_was_last_heard_of(central: Central) -> None:
    assert "Nunca se conectou" in central.shown()
    assert "Não conectado; última notícia em 30/11/2026 12:00:00" in central.told(polled_until=None)
    assert "Não conectado" in central.told(polled_until=NOON + 999)


def test_a_full_disk_and_a_wrong_clock_are_told(central: Central) -> None:
    assert "não guarda mais eventos" not in central.told(is_full=False, ahead_ms=9_000)
    page = central.told(is_full=True, ahead_ms=-65_000, refused=2)
    assert "não guarda mais eventos" in page
    assert "O relógio dele difere em 65 s" in page


def test_a_key_that_is_revoked_is_told(central: Central) -> None:
    central.sites.revoke("acme", "escritorio", NOON)
    assert "Chave revogada em 30/11/2026 12:00:00" in central.shown()


def post(central: Central, path: str, **fields: str) -> TestResponse:
    return central.ana.post(f"/centrais/locais{path}", data=fields | {"csrf": central.ana.token()})


def key_in(answer: TestResponse) -> str:
    found = re.search(r"ctis_[\w-]+", answer.text)
    assert found
    return found[0]


def test_a_key_is_made_replaced_and_revoked_and_shown_once(central: Central, office: Office) -> None:
    made = post(central, "", local="filial")
    assert made.status_code == 200
    first = key_in(made)
    assert central.sites.by_key(first)
    assert first not in central.ana.get("/centrais").text
    second = key_in(post(central, "/filial/chave"))
    assert (central.sites.by_key(first), bool(central.sites.by_key(second))) == (None, True)
    assert post(central, "/filial/revogar").status_code == 303
    assert central.sites.by_key(second) is None
    assert post(central, "/filial/revogar").status_code == 404
    third = key_in(post(central, "", local="filial"))
    assert central.sites.by_key(third)
    log = list(AuditLog(office.engine, office.journal).pages("acme", AuditFilter(subject="filial")))
    assert [entry.action.removeprefix("onsite_key_") for entry in log] == ["added", "renewed", "revoked", "added"]
    assert {entry.login for entry in log} == {"ana"}
    assert not any(key in entry.detail for entry in log for key in (first, second, third))


@pytest.mark.parametrize(("name", "status"), [("Filial 1", 400), ("", 400), ("escritorio", 409)])
def test_a_key_is_made_for_no_name_that_is_none_or_taken(central: Central, name: str, status: int) -> None:
    before = central.sites.all()
    refused = post(central, "", local=name)
    assert (refused.status_code, 'role="alert"' in refused.text) == (status, True)
    assert central.sites.all() == before


@pytest.mark.parametrize("what", ["chave", "revogar"])
def test_the_key_of_another_company_is_nobody_s_here(central: Central, what: str) -> None:
    assert post(central, f"/outro/{what}").status_code == 404
    (other,) = central.sites.all("beta")
    assert not other.is_revoked


def test_a_form_without_its_token_makes_no_key(central: Central) -> None:
    refused = central.ana.post("/centrais/locais", data={"local": "filial"})
    assert refused.status_code >= 400
    assert central.sites.of("acme", "filial") is None


@pytest.mark.parametrize("told", [[], 3, {"ami": 3}, {"ami": {}}, {"ami": {"state": "dancing"}}, {"ami": {"gaps": 3}}])
def test_what_another_version_says_of_sources_is_passed_over(central: Central, told: Any) -> None:
    assert "Conectado escritorio" in central.told(waiting="many", sources=told)


@pytest.mark.parametrize("wrong", [{"since": "noon"}, {"since": 1 << 60}, {"since": None}, {"problem": ["lost"]}])
def test_a_source_of_which_something_reads_as_nothing_is_passed_over(central: Central, wrong: dict[str, Any]) -> None:
    page = central.told(sources={"bad": {**source(), "title": "Ruim"} | wrong, "ami": source()})
    assert "Conectado escritorio" in page
    assert "PABX da filial (ami) Ouvida desde 30/11/2026 12:00:00" in page
    assert "Ruim" not in page


def test_what_a_page_does_not_show_of_a_source_may_be_anything(central: Central) -> None:
    page = central.told(sources={"ami": source() | {"gaps": 3, "memory": None, "told": "many"}})
    assert "PABX da filial (ami) Ouvida desde 30/11/2026 12:00:00" in page
