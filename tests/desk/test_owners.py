"""Several accounts with one number, and numbers of nobody: decided on the card, remembered for the number."""

import html
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.test import TestResponse

from gateway.domain.messages import CallStarted
from gateway.store.directory import Account
from gateway.store.writing.drafts import Choice
from tests.desk.conftest import ANA, EXCHANGE, Browser, Office, now_ms
from tests.desk.test_pages import words

UNKNOWN = "4733334444"


def card(browser: Browser, call_id: int) -> str:
    return browser.get(f"/telas/ligacao/{call_id}").text


def name_on(text: str) -> str:
    return html.unescape(re.search(r"<h2[^>]*>([^<]*)</h2>", text)[1])  # type: ignore[index]


def account_id(text: str, name: str) -> str:
    found = re.search(r"hx-vals='\{\"conta\": \"(\d+)\"[^}]*\}'[^>]*>" + name, text)
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


def test_an_internal_call_offers_no_account(ana: Browser, office: Office) -> None:
    call_id, token = office.ring("3502"), ana.token()
    assert "Vincular a uma conta" not in card(ana, call_id)
    for scope in ("", "ligacao"):
        form = {"csrf": token, "nome": "X", "alcance": scope}
        assert ana.post(f"/telas/ligacao/{call_id}/vincular", data=form).status_code == 400


def test_a_withheld_call_can_be_given_to_an_account_alone(ana: Browser, office: Office) -> None:
    call_id, token = office.ring("anonymous"), ana.token()
    assert "isto vale só para esta ligação" in words(card(ana, call_id))
    form = {"csrf": token, "nome": "Padaria"}
    assert ana.post(f"/telas/ligacao/{call_id}/vincular", data=form).status_code == 400
    answer = ana.post(f"/telas/ligacao/{call_id}/vincular", data=form | {"alcance": "ligacao"})
    assert (answer.status_code, name_on(answer.text)) == (200, "Padaria")


def test_an_account_without_a_name_is_not_opened(ana: Browser, office: Office) -> None:
    call_id = office.ring(UNKNOWN)
    answer = ana.post(f"/telas/ligacao/{call_id}/vincular", data={"csrf": ana.token(), "nome": " "})
    assert answer.status_code == 400


# said by two at once


def seen_on(text: str) -> str:
    """What a card showed of its number."""
    found = re.search(r'"visto": "(\w+)"', text)
    assert found, text
    return found[1]


@pytest.fixture
def bruno(browse: Callable[..., Browser]) -> Browser:
    browser = browse()
    browser.log_in("bruno")
    return browser


@pytest.fixture
def both(office: Office) -> tuple[int, int]:
    """One unknown caller rings at Ana's and at Bruno's extension; Padaria and Oficina have other numbers."""
    office.know("Padaria", "4730001111")
    office.know("Oficina", "4730002222")
    return office.ring(UNKNOWN, "3501"), office.ring(UNKNOWN, "3502")


def give(browser: Browser, call_id: int, **fields: str) -> TestResponse:
    """Attach the call's number, having seen what is on its card now unless the fields say what was seen."""
    form = {"csrf": browser.token(), "visto": seen_on(card(browser, call_id))} | fields
    return browser.post(f"/telas/ligacao/{call_id}/vincular", data=form)


def id_of(office: Office, name: str) -> str:
    return str(office.directory.search("acme", name)[0].id)


def owners(office: Office, number: str = UNKNOWN) -> list[str]:
    return [owner.name for owner in office.directory.owners("acme", [number])]


def test_who_is_second_is_told_who_was_first_and_asked(
    ana: Browser, bruno: Browser, office: Office, both: tuple[int, int]
) -> None:
    mine, his = both
    seen = seen_on(card(bruno, his))
    assert give(ana, mine, conta=id_of(office, "Padaria")).status_code == 200
    answer = give(bruno, his, conta=id_of(office, "Oficina"), visto=seen)
    assert answer.status_code == 409
    said = words(answer.text)
    assert "ana deu este número à conta Padaria" in said
    assert "Trocar para Oficina" in said
    assert "Manter Padaria" in said
    assert owners(office) == ["Padaria"], "nothing is written before the answer"
    assert office.calls.get("acme", his).account is None  # type: ignore[union-attr]


def confirm(browser: Browser, answer: TestResponse, label: str) -> TestResponse:
    """Press the button of the question that is called ``label``."""
    found = re.search(r'hx-post="([^"]+)" hx-vals=\'([^\']+)\'[^>]*>' + label, answer.text)
    assert found, answer.text
    return browser.post(found[1], data={"csrf": browser.token(), **json.loads(html.unescape(found[2]))})


def test_the_second_may_change_it(ana: Browser, bruno: Browser, office: Office, both: tuple[int, int]) -> None:
    mine, his = both
    seen = seen_on(card(bruno, his))
    give(ana, mine, conta=id_of(office, "Padaria"))
    answer = give(bruno, his, conta=id_of(office, "Oficina"), contato="Rita", visto=seen)
    changed = confirm(bruno, answer, "Trocar para Oficina")
    assert (changed.status_code, name_on(changed.text), "Rita" in changed.text) == (200, "Oficina", True)
    assert owners(office) == ["Oficina"], "what was said at the desk alone is taken back"


def test_the_second_may_keep_it(ana: Browser, bruno: Browser, office: Office, both: tuple[int, int]) -> None:
    mine, his = both
    seen = seen_on(card(bruno, his))
    give(ana, mine, conta=id_of(office, "Padaria"))
    kept = confirm(bruno, give(bruno, his, nome="Nova", visto=seen), "Manter Padaria")
    assert (kept.status_code, name_on(kept.text)) == (200, "Padaria")
    assert owners(office) == ["Padaria"]
    assert office.directory.search("acme", "Nova") == [], "no account is opened before the answer"


def test_a_third_who_was_quicker_than_the_answer_is_told_too(
    ana: Browser, bruno: Browser, office: Office, both: tuple[int, int]
) -> None:
    mine, his = both
    seen = seen_on(card(bruno, his))
    give(ana, mine, conta=id_of(office, "Padaria"))
    answer = give(bruno, his, conta=id_of(office, "Oficina"), visto=seen)
    office.know("Terceira", "4730003333")
    give(ana, mine, conta=id_of(office, "Terceira"))
    again = confirm(bruno, answer, "Trocar para Oficina")
    assert (again.status_code, "à conta Terceira" in words(again.text)) == (409, True)


def test_two_who_say_the_same_are_not_asked(
    ana: Browser, bruno: Browser, office: Office, both: tuple[int, int]
) -> None:
    mine, his = both
    seen = seen_on(card(bruno, his))
    padaria = id_of(office, "Padaria")
    assert give(ana, mine, conta=padaria).status_code == 200
    answer = give(bruno, his, conta=padaria, visto=seen)
    assert (answer.status_code, name_on(answer.text)) == (200, "Padaria")
    assert owners(office) == ["Padaria"]


def test_of_two_at_the_very_same_moment_one_is_asked(
    ana: Browser, bruno: Browser, office: Office, both: tuple[int, int]
) -> None:
    seen, ids = seen_on(card(ana, both[0])), [id_of(office, name) for name in ("Padaria", "Oficina")]
    tokens = [ana.token(), bruno.token()]
    ask = [
        (browser, f"/telas/ligacao/{call_id}/vincular", {"csrf": token, "conta": account, "visto": seen})
        for browser, call_id, token, account in zip((ana, bruno), both, tokens, ids, strict=True)
    ]
    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(lambda each: each[0].post(each[1], data=each[2]).status_code, ask))
    assert statuses == [200, 409]
    assert len(owners(office)) == 1


def test_one_of_several_that_a_colleague_chose_meanwhile_is_asked_about(
    ana: Browser, bruno: Browser, two: Office
) -> None:
    mine, his = two.ring(), two.ring(ramal="3502")
    seen = seen_on(card(bruno, his))
    padaria, oficina = id_of(two, "Padaria"), id_of(two, "Oficina")
    form = {"csrf": ana.token(), "conta": padaria, "visto": seen_on(card(ana, mine))}
    assert ana.post(f"/telas/ligacao/{mine}/conta", data=form).status_code == 200
    form = {"csrf": bruno.token(), "conta": oficina, "visto": seen}
    answer = bruno.post(f"/telas/ligacao/{his}/conta", data=form)
    assert (answer.status_code, "ana deu este número à conta Padaria" in words(answer.text)) == (409, True)
    confirm(bruno, answer, "Trocar para Oficina")
    assert sorted(owners(two, ANA)) == ["Oficina", "Padaria"], "what the directory brought stays"


def test_a_number_that_the_directory_brought_meanwhile_is_asked_about(
    bruno: Browser, office: Office, both: tuple[int, int]
) -> None:
    seen = seen_on(card(bruno, both[1]))
    office.know("Importada", UNKNOWN)
    answer = give(bruno, both[1], conta=id_of(office, "Oficina"), visto=seen)
    assert (answer.status_code, "agora é da conta Importada, pelo cadastro" in words(answer.text)) == (409, True)


def test_an_older_page_that_does_not_say_what_it_showed_is_not_asked(
    ana: Browser, bruno: Browser, office: Office, both: tuple[int, int]
) -> None:
    give(ana, both[0], conta=id_of(office, "Padaria"))
    form = {"csrf": bruno.token(), "conta": id_of(office, "Oficina")}
    assert bruno.post(f"/telas/ligacao/{both[1]}/vincular", data=form).status_code == 200


# a wrong match


def test_a_lone_wrong_account_is_put_right_from_the_card(ana: Browser, office: Office) -> None:
    office.know("Padaria", ANA)
    office.know("Oficina", "4730002222")
    call_id = office.ring()
    text = card(ana, call_id)
    assert "Não é esta conta" in words(text)
    (kept,) = re.findall(r"hx-get=\"[^\"]+/contas\" hx-vals='([^']+)'", text)
    found = ana.get(f"/telas/ligacao/{call_id}/contas", query_string={"busca": "Ofi"} | json.loads(kept)).text
    (values,) = re.findall(r"hx-vals='([^']+)'[^>]*>Oficina", found)
    answer = ana.post(f"/telas/ligacao/{call_id}/vincular", data={"csrf": ana.token(), **json.loads(values)})
    assert name_on(answer.text) == "Oficina"
    assert owners(office, ANA) == ["Oficina"]
    office.hang_up()
    assert name_on(card(ana, office.ring(at=now_ms() + 60_000))) == "Oficina"


def test_a_number_can_be_said_to_be_nobody_s_and_that_can_be_undone(ana: Browser, office: Office) -> None:
    office.know("Padaria", ANA)
    call_id = office.ring()
    answer = give(ana, call_id, nenhuma="1", errada=id_of(office, "Padaria"))
    assert (answer.status_code, name_on(answer.text)) == (200, "Número desconhecido")
    assert "Vincular a uma conta" in words(answer.text)
    assert owners(office, ANA) == []
    last = office.log.of_call("acme", call_id)[-1]
    assert (last.kind, last.told["account_name"], last.told["by"]) == ("account_chosen", None, "ana")
    assert "Padaria" in ana.get("/qualidade?ver=corrigidos").text
    assert "ana disse que não é de nenhuma conta" in words(ana.get(f"/ligacoes/{call_id}").text)


def test_what_was_said_by_mistake_at_the_desk_leaves_nothing_behind(ana: Browser, office: Office) -> None:
    call_id = office.ring(UNKNOWN)
    give(ana, call_id, nome="Engano")
    engano = id_of(office, "Engano")
    give(ana, call_id, nenhuma="1", errada=engano)
    assert owners(office) == []
    assert "Engano" not in ana.get("/qualidade?ver=corrigidos").text
    later = office.ring(UNKNOWN, at=now_ms() + 60_000)
    assert name_on(card(ana, later)) == "Número desconhecido"


def test_of_several_accounts_none_loses_the_number_when_another_is_right(ana: Browser, two: Office) -> None:
    two.know("Terceira", "4730003333")
    call_id = two.ring()
    text = card(ana, call_id)
    assert "Não é nenhuma destas" in words(text)
    assert '"errada"' not in text
    give(ana, call_id, conta=id_of(two, "Terceira"))
    assert owners(two, ANA)[0] == "Terceira"
    assert sorted(owners(two, ANA)) == ["Oficina", "Padaria", "Terceira"]


def test_another_company_s_account_loses_nothing(ana: Browser, office: Office) -> None:
    office.know("Padaria", ANA)
    office.know("Da Rival", ANA, tenant="rival")
    theirs = str(office.directory.search("rival", "Da Rival")[0].id)
    give(ana, office.ring(), nenhuma="1", errada=theirs)
    assert [owner.name for owner in office.directory.owners("rival", [ANA])] == ["Da Rival"]
    assert give(ana, office.ring(at=now_ms() + 60_000), conta=theirs).status_code == 400


def test_namesakes_are_told_apart_by_code_and_date(ana: Browser, office: Office) -> None:
    at = 1772731231123
    phone = ((ANA, ""),)
    same = [Account(code, "Padaria", phone) for code in ("17", "18", "19")]
    office.directory.load_accounts("acme", same, at)
    hints = re.findall(r'<span class="hint">([^<]+)</span>', card(ana, office.ring()))
    assert hints == [
        "17 · nada a distingue da seguinte",
        "18 · nada a distingue da seguinte",
        "19 · cadastro de 05/03/2026 14:20",
    ]


# one call only


def account_on(office: Office, call_id: int) -> str | None:
    found = office.calls.get("acme", call_id)
    assert found is not None
    return found.account


def shown_on(text: str) -> dict[str, str]:
    """What a card's forms say that it showed: of the number, and of the call."""
    found = re.search(r"hx-vals='(\{[^']*\"mostrada\"[^']*\})'", text)
    assert found, text
    values = json.loads(html.unescape(found[1]))
    return {name: values[name] for name in ("visto", "mostrada")}


def test_a_single_call_is_put_right_and_the_number_stays_whose_it_is(ana: Browser, office: Office) -> None:
    office.know("Padaria", ANA)
    office.know("Oficina", "4730002222")
    call_id = office.ring()
    answer = give(ana, call_id, conta=id_of(office, "Oficina"), errada=id_of(office, "Padaria"), alcance="ligacao")
    assert name_on(answer.text) == "Oficina"
    assert owners(office, ANA) == ["Padaria"]
    office.hang_up()
    assert account_on(office, office.ring(at=now_ms() + 60_000)) == "Padaria"


def test_of_several_accounts_one_is_chosen_for_a_single_call(ana: Browser, two: Office) -> None:
    call_id = two.ring()
    form = {"csrf": ana.token(), "conta": id_of(two, "Padaria"), "alcance": "ligacao"}
    assert name_on(ana.post(f"/telas/ligacao/{call_id}/conta", data=form).text) == "Padaria"
    assert two.directory.standing("acme", ANA, [ANA]).chosen is None, "nothing is remembered for the number"


def test_a_single_call_can_be_nobody_s(ana: Browser, office: Office) -> None:
    office.know("Padaria", ANA)
    call_id = office.ring()
    answer = give(ana, call_id, nenhuma="1", errada=id_of(office, "Padaria"), alcance="ligacao")
    assert (name_on(answer.text), owners(office, ANA)) == ("Número desconhecido", ["Padaria"])


def test_two_who_decide_a_single_call_are_told(ana: Browser, bruno: Browser, office: Office) -> None:
    for name, number in (("Padaria", ANA), ("Oficina", "4730002222"), ("Mercado", "4730003333")):
        office.know(name, number)
    call_id = office.ring()
    seen = shown_on(card(bruno, call_id))
    give(ana, call_id, conta=id_of(office, "Oficina"), alcance="ligacao")
    answer = give(bruno, call_id, conta=id_of(office, "Mercado"), alcance="ligacao", **seen)
    assert answer.status_code == 409
    assert re.search(r"ana deu esta ligação à conta Oficina às \d\d:\d\d", words(answer.text))
    assert account_on(office, call_id) == "Oficina"
    changed = confirm(bruno, answer, "Trocar para Mercado")
    assert (changed.status_code, name_on(changed.text)) == (200, "Mercado")
    assert owners(office, ANA) == ["Padaria"], "the answer is for the call only, as the question was"
    mine = give(ana, call_id, conta=id_of(office, "Padaria"), alcance="ligacao", mostrada=id_of(office, "Oficina"))
    assert (mine.status_code, "bruno deu esta ligação à conta Mercado" in words(mine.text)) == (409, True)


def test_of_two_who_decide_a_single_call_at_the_very_same_moment_one_is_asked(
    ana: Browser, bruno: Browser, office: Office
) -> None:
    for name, number in (("Padaria", ANA), ("Oficina", "4730002222"), ("Mercado", "4730003333")):
        office.know(name, number)
    call_id = office.ring()
    seen = shown_on(card(ana, call_id)) | {"alcance": "ligacao"}
    ask = [
        (browser, seen | {"csrf": browser.token(), "conta": id_of(office, name)})
        for browser, name in ((ana, "Oficina"), (bruno, "Mercado"))
    ]
    path = f"/telas/ligacao/{call_id}/vincular"
    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(lambda each: each[0].post(path, data=each[1]).status_code, ask))
    assert statuses == [200, 409]


def test_that_a_colleague_left_the_call_without_an_account_is_told_too(
    ana: Browser, bruno: Browser, office: Office
) -> None:
    office.know("Padaria", ANA)
    office.know("Oficina", "4730002222")
    call_id = office.ring()
    seen = shown_on(card(bruno, call_id))
    give(ana, call_id, nenhuma="1", alcance="ligacao")
    answer = give(bruno, call_id, conta=id_of(office, "Oficina"), alcance="ligacao", **seen)
    assert (answer.status_code, "ana deixou esta ligação sem conta às" in words(answer.text)) == (409, True)
    assert "Deixar assim" in words(answer.text)
    again = give(bruno, call_id, nenhuma="1", alcance="ligacao", **seen)
    assert again.status_code == 200, "two who say the same are not asked"


def test_who_decides_the_number_is_told_that_a_colleague_decided_this_call(
    ana: Browser, bruno: Browser, office: Office
) -> None:
    office.know("Padaria", ANA)
    office.know("Oficina", "4730002222")
    call_id = office.ring()
    seen = shown_on(card(bruno, call_id))
    give(ana, call_id, conta=id_of(office, "Oficina"), alcance="ligacao")
    answer = give(bruno, call_id, nome="Nova", errada=id_of(office, "Padaria"), **seen)
    assert (answer.status_code, "ana deu esta ligação à conta Oficina" in words(answer.text)) == (409, True)
    assert office.directory.search("acme", "Nova") == [], "no account is opened before the answer"
    assert name_on(confirm(bruno, answer, "Trocar para Nova").text) == "Nova"
    assert owners(office, ANA) == ["Nova"]


# on the call's page


def test_the_call_s_page_puts_right_and_is_shown_anew(ana: Browser, office: Office) -> None:
    office.know("Padaria", ANA)
    office.know("Oficina", "4730002222")
    call_id = office.ring()
    page = ana.get(f"/ligacoes/{call_id}").text
    assert f'hx-target="#dono-{call_id}"' in page
    (kept,) = re.findall(r"hx-get=\"[^\"]+/contas\" hx-vals='([^']+)'", page)
    found = ana.get(f"/telas/ligacao/{call_id}/contas", query_string={"busca": "Ofi"} | json.loads(kept)).text
    assert f'hx-target="#dono-{call_id}"' in found
    (values,) = re.findall(r"hx-vals='([^']+)'[^>]*>Oficina", found)
    form = {"csrf": ana.token(), "alcance": "ligacao", **json.loads(values)}
    answer = ana.post(f"/telas/ligacao/{call_id}/vincular", data=form, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"], account_on(office, call_id)) == (204, "true", "Oficina")


def test_a_question_on_the_call_s_page_stays_there(ana: Browser, bruno: Browser, office: Office) -> None:
    office.know("Padaria", ANA)
    office.know("Oficina", "4730002222")
    call_id = office.ring()
    seen = shown_on(bruno.get(f"/ligacoes/{call_id}").text)
    give(ana, call_id, nenhuma="1", alcance="ligacao")
    answer = give(bruno, call_id, conta=id_of(office, "Oficina"), alcance="ligacao", onde="pagina", **seen)
    assert (answer.status_code, answer.text.lstrip().startswith(f'<div class="owner" id="dono-{call_id}"')) == (
        409,
        True,
    )
    kept = bruno.get(f"/telas/ligacao/{call_id}?onde=pagina").text
    assert kept.lstrip().startswith('<div class="owner"')
    assert confirm(bruno, answer, "Trocar para Oficina").status_code == 204


def test_all_extensions_of_a_call_hear_whose_it_is(ana: Browser, office: Office) -> None:
    office.know("Oficina", "4730002222")
    call_id = office.core.handle(
        CallStarted("acme", "3501", UNKNOWN, EXCHANGE, now_ms(), call_ref="a-1", also_rings=("3502",))
    ).call_id
    give(ana, call_id, conta=id_of(office, "Oficina"), alcance="ligacao")
    heard = [event.extension for event in office.log.of_call("acme", call_id) if event.kind == "account_chosen"]
    assert sorted(heard) == ["3501", "3502"]
