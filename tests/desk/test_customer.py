"""The customer on the card: code, fields and links of the account; the account's page; what opens by itself."""

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert

from gateway.config.crm import CrmSettings
from gateway.config.people import PrivacySettings
from gateway.desk.frames import ScreenEvent
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from gateway.domain.roles import Role
from gateway.logins.passwords import hash_password
from gateway.source import kept_fields
from gateway.store import tables
from gateway.store.call_fields import LOG_FIELDS
from gateway.store.directory import Agent, RecordOpening
from tests.desk.conftest import ANA, PASSWORD, Browser, Office, now_ms, services_of
from tests.desk.test_pages import words

CRM = CrmSettings(
    link="https://crm.example/contas/{{ code }}?de={{ cidade }}",
    contact_link="https://crm.example/contatos?nome={{ contact }}",
    new_link="https://crm.example/novo?tel={{ international }}&nome={{ caller_name }}",
)
UNKNOWN = "4733334444"


@pytest.fixture
def with_crm(desk: Desk, office: Office, hub: Hub) -> Callable[..., None]:
    """Give the company settings of its CRM, and sources that keep fields with labels."""

    def set_up(crm: CrmSettings = CRM, **labels: Any) -> None:
        config = services_of(office, desk._services.config, hub).config
        source = SimpleNamespace(settings=SimpleNamespace(fields=kept_fields(labels), identifiers=None))
        acme = config.tenants["acme"].model_copy(update={"crm": crm, "directory": {"erp": source}})
        config = config.model_copy(update={"tenants": {**config.tenants, "acme": acme}})
        desk._services = replace(desk._services, config=config)

    return set_up


def card(browser: Browser, call_id: int) -> str:
    return html.unescape(browser.get(f"/telas/ligacao/{call_id}").text)


def rows(text: str) -> dict[str, str]:
    """What the card's list of the customer says, by label."""
    found = re.findall(r"<dt>([^<]*)</dt><dd[^>]*>\s*<bdi>([^<]*)</bdi>", text)
    return dict(found)


def test_the_card_has_the_account_s_code_and_its_first_fields(ana: Browser, office: Office) -> None:
    office.fill("1001", ANA, "Carlos", a="1", b="2", c="3", d="4", e="5", f="6")
    assert rows(card(ana, office.ring())) == {"Código": "1001", "A": "1", "B": "2", "C": "3", "D": "4", "E": "5"}


def test_the_configuration_says_which_fields_and_in_which_order(
    ana: Browser, office: Office, with_crm: Callable[..., None]
) -> None:
    with_crm(CrmSettings(fields=("Situação", "cidade", "owner", "cnpj")), situacao={"pt-BR": "Estado", "en": "State"})
    account = office.fill("1001", ANA, owner="3502", cidade="Lages", situacao="Ativo", obs="ligar cedo")
    call_id = office.ring()
    assert list(rows(card(ana, call_id)).items()) == [
        ("Código", "1001"),
        ("Estado", "Ativo"),
        ("Cidade", "Lages"),
        ("Aos cuidados de", "Bruno Lima"),
    ]
    english = ana.get(f"/telas/ligacao/{call_id}", headers={"Accept-Language": "en"}).text
    assert rows(english)["State"] == "Ativo"
    page = words(ana.get(f"/contas/{account}").text)
    assert re.search("Estado Ativo Cidade Lages Obs ligar cedo", page)


def test_no_fields_are_shown_where_none_are_wanted(ana: Browser, office: Office, with_crm: Callable[..., None]) -> None:
    with_crm(CrmSettings(fields=()))
    office.fill("1001", ANA, cidade="Lages")
    assert rows(card(ana, office.ring())) == {"Código": "1001"}


def test_what_a_directory_says_is_text_wherever_it_stands(
    ana: Browser, office: Office, with_crm: Callable[..., None]
) -> None:
    with_crm()
    account = office.fill("1'1", ANA, "R&D", cidade='<img src=x onerror="a()">"', note="\u202egnp.exe")
    for address in (f"/telas/ligacao/{office.ring()}", f"/contas/{account}", "/"):
        text = ana.get(address).text
        assert "<img src=x" not in text
        assert "\u202e" not in text


def test_links_are_filled_in_and_encoded(ana: Browser, office: Office, with_crm: Callable[..., None]) -> None:
    with_crm()
    account = office.fill("10/01", ANA, "Ana & Rita", cidade="São José")
    text = card(ana, office.ring())
    address = "https://crm.example/contas/10%2F01?de=S%C3%A3o%20Jos%C3%A9"
    assert f'<a class="crm" href="{address}" target="_blank" rel="noopener noreferrer">' in text
    assert "https://crm.example/contatos?nome=Ana%20%26%20Rita" in text
    assert address in ana.get(f"/contas/{account}").text
    assert address in html.unescape(ana.get(f"/ligacoes/{office.ring()}").text)


def test_a_link_without_its_value_and_one_that_is_none_are_left_out(
    ana: Browser, office: Office, with_crm: Callable[..., None]
) -> None:
    with_crm(CrmSettings(link="https://crm.example/{{ cidade }}", contact_link="ftp://x/{{ contact }}"))
    office.fill("1001", ANA, "Carlos")
    assert 'class="crm"' not in card(ana, office.ring())


def test_for_a_number_of_nobody_the_crm_opens_with_the_number(
    ana: Browser, office: Office, with_crm: Callable[..., None]
) -> None:
    with_crm()
    text = card(ana, office.ring(UNKNOWN))
    assert 'href="https://crm.example/novo?tel=%2B554733334444&nome="' in text
    assert "Criar no CRM" in text
    assert "https://crm.example/novo" not in card(ana, office.ring("Anonymous"))
    assert "https://crm.example/novo" not in card(ana, office.ring("3502"))


def test_what_opens_by_itself_is_the_agent_s_choice_by_direction(
    ana: Browser, office: Office, with_crm: Callable[..., None]
) -> None:
    with_crm()
    office.fill("1001", ANA, cidade="Lages")
    known, unknown = office.ring(), office.ring(UNKNOWN)
    office.fill("1002", "4732100199", cidade="Lages")
    outgoing = office.ring("3501", "4732100199")
    opens = re.compile('data-record="([^"]*)" data-opens="([a-z]*)"')
    assert opens.findall(card(ana, known)) == []
    form = {"entrada": "ring", "saida": "", "csrf": ana.token()}
    assert ana.post("/ficha", data=form, headers={"HX-Request": "true"}).status_code == 204
    assert opens.findall(card(ana, known)) == [("https://crm.example/contas/1001?de=Lages", "ring")]
    assert opens.findall(card(ana, unknown)) == opens.findall(card(ana, outgoing)) == []
    assert ana.post("/ficha", data=form | {"saida": "answer", "novos": "1"}).status_code == 303
    assert [found[1] for found in opens.findall(card(ana, unknown))] == ["ring"]
    assert [found[1] for found in opens.findall(card(ana, outgoing))] == ["answer"]


def test_the_choice_is_the_agent_s_own_and_survives_a_new_login(
    ana: Browser, browse: Callable[..., Browser], office: Office, with_crm: Callable[..., None]
) -> None:
    with_crm()
    ana.post("/ficha", data={"entrada": "answer", "csrf": ana.token()})
    again, bruno = browse(), browse()
    again.log_in()
    bruno.log_in("bruno")
    chosen = '<option value="answer" selected>'
    assert chosen in again.get("/").text
    assert chosen not in bruno.get("/").text
    agent = next(each for each in office.directory.agents("acme") if each.login == "ana")
    assert office.directory.opening(agent.id) == RecordOpening("answer", "", new=False)


def test_a_moment_that_is_none_is_refused(ana: Browser) -> None:
    assert ana.post("/ficha", data={"entrada": "sometimes", "csrf": ana.token()}).status_code == 400


def test_without_links_nobody_is_asked_when_to_open_them(ana: Browser) -> None:
    assert "/ficha" not in ana.get("/").text


def test_an_account_s_calls_come_a_page_at_a_time(ana: Browser, office: Office) -> None:
    account = office.fill("1001", ANA)
    for at in range(23):
        office.ring(at=1_780_000_000_000 + at * 600_000)
        office.hang_up(at=1_780_000_000_000 + at * 600_000 + 5000)
    first = ana.get(f"/contas/{account}").text
    assert first.count("<li data-call=") == 20
    older = re.search(r'href="(/contas/\d+\?antes=\d+)"', first)
    assert older
    second = ana.get(older[1]).text
    assert second.count("<li data-call=") == 3
    assert f'href="/contas/{account}"' in second
    assert ana.get(f"/contas/{account}?antes=x").text.count("<li data-call=") == 20


def test_an_account_s_page_says_what_was_put_right_and_by_whom(ana: Browser, office: Office) -> None:
    account = office.fill("1001", ANA)
    call_id = office.ring(UNKNOWN)
    ana.post(f"/telas/ligacao/{call_id}/vincular", data={"csrf": ana.token(), "conta": str(account)})
    page = words(ana.get(f"/contas/{account}").text)
    assert re.search(r"\(47\) 3333-4444 acrescentado Ana Martins", page)
    assert re.search(r"\(47\) 3333-4444 é desta conta Ana Martins", page)


def test_an_identifier_that_is_a_field_too_stands_on_the_page_once(ana: Browser, office: Office) -> None:
    account = office.fill("1001", ANA, cnpj="11.222.333/0001-81")
    row = {"tenant": "acme", "account_id": account, "kind": "cnpj", "value": "11222333000181", "as_written": ""}
    office.journal.run(lambda connection: connection.execute(insert(tables.identifiers).values(row)) and None)
    assert ana.get(f"/contas/{account}").text.count("11.222.333/0001-81") == 1


def test_an_account_s_id_and_code_are_told_to_scripts_and_screens(ana: Browser, office: Office) -> None:
    account = office.fill("1001", ANA)
    call_id = office.ring()
    called = ana.get(f"/api/calls/{call_id}").get_json()
    assert (called["account_id"], called["account_code"]) == (account, "1001")
    (event,) = office.log.of_call("acme", call_id)
    (line,) = re.findall(rb"^data: (.*)$", ScreenEvent.of(event).full, re.MULTILINE)
    told = json.loads(line)
    assert (told["account_id"], told["account_code"]) == (account, "1001")
    assert {"account_id", "account_code"} <= set(LOG_FIELDS), "the columns of CSV"


def test_another_company_s_account_is_not_there(browse: Callable[..., Browser], office: Office) -> None:
    account = office.fill("1001", ANA)
    rival = browse("rival")
    rival.log_in()
    assert [rival.get(f"/{path}/{account}").status_code for path in ("contas", "api/accounts")] == [404, 404]


def test_who_may_not_see_telephones_sees_none_in_fields_links_and_corrections(
    ana: Browser, office: Office, with_crm: Callable[..., None], desk: Desk
) -> None:
    with_crm(CRM.model_copy(update={"link": "https://crm.example/{{ code }}?f={{ fone|default('') }}"}))
    account = office.fill("1001", ANA, "Carlos", fone="+55 (47) 99999-8888", cidade="Lages")
    known, unknown = office.ring(), office.ring(UNKNOWN)
    ana.post(f"/telas/ligacao/{unknown}/vincular", data={"csrf": ana.token(), "conta": str(account)})
    acme = desk._services.config.tenants["acme"]
    acme = acme.model_copy(update={"privacy": PrivacySettings(mask_numbers_for=("agent",))})
    config = desk._services.config.model_copy(update={"tenants": {"acme": acme}})
    desk._services = replace(desk._services, config=config)
    hashed = hash_password(PASSWORD)
    office.directory.save_agent(Agent(0, "acme", "ana", "Ana", "3501", role=Role.AGENT), hashed, now_ms())
    ana.log_in()
    ana.post("/ficha", data={"csrf": ana.token(), "entrada": "ring", "novos": "1"})
    third = office.ring("4733335555")
    pages = [f"/telas/ligacao/{each}" for each in (known, unknown, third)]
    pages += [f"/ligacoes/{known}", f"/ligacoes/{third}", f"/contas/{account}", f"/api/accounts/{account}"]
    for path in pages:
        answer = ana.get(path)
        assert answer.status_code == 200, path
        digits = re.sub(r"[^0-9a-z<>]", "", html.unescape(answer.text))
        assert not any(number in digits for number in ("999998888", "33334444", "33335555")), path
    assert "https://crm.example/1001?f=" in card(ana, known)
    assert "crm.example/novo" not in card(ana, third)


def test_scripts_get_an_account(ana: Browser, office: Office, with_crm: Callable[..., None]) -> None:
    with_crm()
    account = office.fill("1001", ANA, "Carlos", cidade="Lages")
    found = ana.get(f"/api/accounts/{account}").get_json()
    assert found.pop("updated_at").endswith("Z")
    assert found == {
        "account_id": account,
        "account_code": "1001",
        "name": "Conta 1001",
        "owner": None,
        "phones": [{"number": ANA, "contact": "Carlos"}],
        "identifiers": [],
        "fields": {"cidade": "Lages"},
        "source": "csv",
        "link": "https://crm.example/contas/1001?de=Lages",
    }
