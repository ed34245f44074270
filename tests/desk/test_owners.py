"""Several accounts with one number, and numbers of nobody: decided on the card, remembered for the number."""

import html
import re

import pytest

from gateway.store.drafts import Choice
from tests.desk.conftest import ANA, Browser, Office, now_ms
from tests.desk.test_pages import words

UNKNOWN = "4733334444"


def card(browser: Browser, call_id: int) -> str:
    return browser.get(f"/telas/ligacao/{call_id}").text


def name_on(text: str) -> str:
    return html.unescape(re.search(r"<h2[^>]*>([^<]*)</h2>", text)[1])  # type: ignore[index]


def account_id(text: str, name: str) -> str:
    found = re.search(r"hx-vals='\{(?:&#34;|\")conta(?:&#34;|\"): (?:&#34;|\")(\d+)(?:&#34;|\")\}'[^>]*>" + name, text)
    assert found, text
    return found[1]


@pytest.fixture
def two(office: Office) -> Office:
    """Two accounts with Ana's number; the newer one is ahead as long as nobody has said anything."""
    office.know("Padaria", ANA, "Carlos")
    office.know("Oficina", ANA, "Rita")
    return office


def test_all_accounts_with_the_number_are_offered_with_the_reason(ana: Browser, two: Office) -> None:
    text = card(ana, two.ring())
    assert name_on(text) == "Oficina"
    assert "Mais 1 conta com este número" in words(text)
    assert "cadastro mais recente" in words(text)
    assert "Padaria" in text


def test_the_agent_s_choice_is_taken_and_remembered_for_the_number(ana: Browser, two: Office) -> None:
    call_id = two.ring()
    chosen = account_id(card(ana, call_id), "Padaria")
    answer = ana.post(f"/telas/ligacao/{call_id}/conta", data={"csrf": ana.token(), "conta": chosen})
    assert name_on(answer.text) == "Padaria"
    assert "Carlos" in answer.text
    two.hang_up()
    later = card(ana, two.ring(at=now_ms() + 60_000))
    assert name_on(later) == "Padaria"
    assert "escolhida antes para este número" in words(later)


def test_the_choice_is_an_event_that_other_screens_hear_of(ana: Browser, two: Office) -> None:
    call_id = two.ring()
    chosen = account_id(card(ana, call_id), "Padaria")
    ana.post(f"/telas/ligacao/{call_id}/conta", data={"csrf": ana.token(), "conta": chosen})
    last = two.log.of_call("acme", call_id)[-1]
    assert (last.kind, last.told["account_name"], last.told["by"]) == ("account_chosen", "Padaria", "ana")
    assert "escolhida por ana" in words(ana.get(f"/ligacoes/{call_id}").text)


def test_the_account_of_the_last_call_comes_first(ana: Browser, two: Office) -> None:
    first = two.ring("+55 47 3333-0000")
    two.know("Padaria", "4733330000")
    padaria = two.directory.search("acme", "Padaria")[0].id
    two.journal.write(Choice("acme", first, padaria, "", "", "ana", now_ms()))
    two.know("Padaria", ANA, "Carlos")
    two.know("Oficina", ANA, "Rita")
    text = card(ana, two.ring())
    assert name_on(text) == "Padaria"
    assert "contato mais recente" in words(text)


@pytest.mark.parametrize("conta", ["", "999999", "x"])
def test_only_an_account_with_the_number_can_be_chosen(ana: Browser, two: Office, conta: str) -> None:
    call_id = two.ring()
    answer = ana.post(f"/telas/ligacao/{call_id}/conta", data={"csrf": ana.token(), "conta": conta})
    assert answer.status_code == 400
    assert name_on(card(ana, call_id)) == "Oficina"


def test_nobody_decides_without_the_form_s_token(ana: Browser, two: Office) -> None:
    call_id = two.ring()
    chosen = account_id(card(ana, call_id), "Padaria")
    assert ana.post(f"/telas/ligacao/{call_id}/conta", data={"conta": chosen}).status_code == 403
    assert ana.post(f"/telas/ligacao/{call_id}/vincular", data={"nome": "X"}).status_code == 403


def test_another_company_s_call_cannot_be_decided(ana: Browser, two: Office) -> None:
    call_id = two.ring(tenant="rival")
    token = ana.token()
    for path, form in (("conta", {"conta": "1"}), ("vincular", {"nome": "X"})):
        answer = ana.post(f"/telas/ligacao/{call_id}/{path}", data={"csrf": token, **form})
        assert answer.status_code == 404
    assert ana.get(f"/telas/ligacao/{call_id}/contas?busca=Padaria").status_code == 404


def test_a_number_of_nobody_is_given_to_an_account_that_is_looked_for(ana: Browser, office: Office) -> None:
    office.know("Metalúrgica Silva", ANA)
    call_id = office.ring(UNKNOWN)
    assert "Vincular a uma conta" in card(ana, call_id)
    found = ana.get(f"/telas/ligacao/{call_id}/contas?busca=silva").text
    chosen = account_id(found, "Metalúrgica Silva")
    form = {"csrf": ana.token(), "conta": chosen, "contato": "Compras"}
    answer = ana.post(f"/telas/ligacao/{call_id}/vincular", data=form)
    assert name_on(answer.text) == "Metalúrgica Silva"
    office.hang_up(UNKNOWN)
    later = card(ana, office.ring(UNKNOWN, at=now_ms() + 60_000))
    assert (name_on(later), "Compras" in later) == ("Metalúrgica Silva", True)


def test_an_account_is_found_by_its_code_too(ana: Browser, office: Office) -> None:
    office.know("Padaria", ANA)
    call_id = office.ring(UNKNOWN)
    assert "Padaria" in ana.get(f"/telas/ligacao/{call_id}/contas?busca=Padaria").text
    assert ana.get(f"/telas/ligacao/{call_id}/contas?busca=P").text.strip() == ""
    assert "<ul>" not in ana.get(f"/telas/ligacao/{call_id}/contas?busca=%25%25").text, "signs are no wildcards"


def test_an_account_is_opened_for_a_number_of_nobody(ana: Browser, office: Office) -> None:
    call_id = office.ring(UNKNOWN)
    assert "Criar a conta “Borracharia <b>”" in html.unescape(
        ana.get(f"/telas/ligacao/{call_id}/contas?busca=Borracharia+<b>").text
    )
    form = {"csrf": ana.token(), "nome": "Borracharia <b>", "contato": ""}
    answer = ana.post(f"/telas/ligacao/{call_id}/vincular", data=form)
    assert "Borracharia &lt;b&gt;" in answer.text
    assert office.calls.get("acme", call_id).account == "Borracharia <b>"  # type: ignore[union-attr]


def test_a_withheld_or_internal_call_offers_no_account(ana: Browser, office: Office) -> None:
    token = ana.token()
    for call_id in (office.ring("anonymous"), office.ring("3502")):
        assert "Vincular a uma conta" not in card(ana, call_id)
        answer = ana.post(f"/telas/ligacao/{call_id}/vincular", data={"csrf": token, "nome": "X"})
        assert answer.status_code == 400


def test_an_account_without_a_name_is_not_opened(ana: Browser, office: Office) -> None:
    call_id = office.ring(UNKNOWN)
    answer = ana.post(f"/telas/ligacao/{call_id}/vincular", data={"csrf": ana.token(), "nome": " "})
    assert answer.status_code == 400
