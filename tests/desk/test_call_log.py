"""The call log's page: the search box, its chips, and saved filters."""

import re
from collections.abc import Callable

from tests.desk.conftest import ANA, Browser, Office
from tests.desk.test_pages import words


def found(browser: Browser, line: str, **more: str) -> list[int]:
    text = browser.get("/ligacoes", query_string={"busca": line, **more}).text
    return [int(each) for each in re.findall(r'data-call="(\d+)"', text)]


def test_the_box_finds_calls_and_says_what_it_understood(ana: Browser, office: Office) -> None:
    office.know("Padaria São João", ANA, "Dona Inês")
    first = office.ring(ANA, "3501")
    office.hang_up(ANA, "3501", result="NOANSWER")
    second = office.ring("1133334444", "3502")
    assert found(ana, "joao") == [first]
    assert found(ana, "*4444") == [second]
    assert found(ana, "perdida hoje") == [first]
    assert found(ana, "ines", ramal="3502") == []
    assert set(found(ana, "resultado:sei_la")) == {first, second}
    page = ana.get("/ligacoes?busca=jo%C3%A3o+fila:x<b>+resultado:talvez").text
    chips = [words(each).strip() for each in re.findall(r'<li class="chip.*?</li>', page, re.S)]
    assert chips == [
        "Texto: joão",
        "Fila: x&lt;b&gt;",
        "Resultado: talvez \u2013 não foi entendido e fica de fora",
    ]
    assert 'href="/ligacoes?busca=jo%C3%A3o+resultado:talvez"' in page


def test_the_filter_goes_on_with_the_pages(ana: Browser, office: Office) -> None:
    for n in range(52):
        office.ring(f"47333300{n:02}", "3501")
    page = ana.get("/ligacoes?busca=3330").text
    (older,) = re.findall(r'href="(/ligacoes\?busca=3330&amp;antes=\d+)"', page)
    assert len(re.findall(r'data-call="\d', page)) == 50
    assert len(re.findall(r'data-call="\d', ana.get(older.replace("&amp;", "&")).text)) == 2


def save(browser: Browser, name: str, **fields: str) -> str:
    form = {"csrf": browser.token(), "nome": name, **fields}
    return browser.post("/ligacoes/filtros", data=form, headers={"HX-Request": "true"}).text


def test_a_filter_is_saved_shown_changed_and_removed(
    ana: Browser, browse: Callable[..., Browser], office: Office
) -> None:
    assert 'href="/ligacoes?busca=fila%3Avendas&amp;ramal=3501">Minhas vendas</a>' in save(
        ana, "Minhas vendas", busca="fila:vendas", ramal="3501", sentido="nonsense"
    )
    save(ana, "Minhas vendas", busca="fila:suporte")
    page = ana.get("/ligacoes").text
    assert page.count("Minhas vendas</a>") == 1
    assert "busca=fila%3Asuporte" in page
    bruno = browse()
    bruno.log_in("bruno")
    assert "Minhas vendas" not in bruno.get("/ligacoes").text
    (address,) = re.findall(r'hx-post="(/ligacoes/filtros/\d+/apagar)"', page)
    assert bruno.post(address, data={"csrf": bruno.token()}).status_code == 404
    assert "Minhas vendas" not in ana.post(address, data={"csrf": ana.token()}).text


def test_a_filter_needs_a_name_and_something_filled_in(ana: Browser) -> None:
    assert "um nome de 1 a 60 caracteres" in save(ana, "", busca="x")
    assert "um filtro preenchido" in save(ana, "Vazio")
    for n in range(50):
        assert f"Filtro {n:02}</a>" in save(ana, f"Filtro {n:02}", busca=str(n))
    assert "no máximo 50 filtros salvos" in save(ana, "Um a mais", busca="x")


def test_scripts_search_by_the_same_words(ana: Browser, office: Office) -> None:
    office.know("Padaria São João", ANA)
    first = office.ring(ANA, "3501")
    office.ring("1133334444", "3502")
    told = ana.get("/api/calls?search=padaria+hoje").get_json()
    assert [call["id"] for call in told["calls"]] == [first]
    refused = ana.get("/api/calls?search=padaria+resultado:talvez")
    assert refused.status_code == 400
    assert "resultado:talvez" in refused.get_json()["message"]
