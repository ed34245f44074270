"""The call log by how calls ended, and what its lines say of who took them."""

import re
from collections.abc import Callable

import pytest

from gateway.domain.identifiers import Identifier
from gateway.store.imports.loading import LoadedAccount, Phone, write_accounts
from tests.desk.conftest import ANA, Browser, Office, now_ms
from tests.desk.test_access import basic
from tests.desk.test_pages import words

ENDED = {"4733330001": "NOANSWER", "4733330002": "BUSY", "4733330003": "ANSWERED", "4733330004": "resultado estranho"}


@pytest.fixture
def day(office: Office) -> Office:
    """Four calls that ended in different ways, and one that rings."""
    for number, result in ENDED.items():
        office.ring(number)
        office.hang_up(number, result=result)
    office.ring("4733330005")
    return office


@pytest.mark.parametrize(
    ("result", "wanted"),
    [("missed", ["1"]), ("busy", ["2"]), ("answered", ["3"]), ("unknown", ["4"]), ("que?", ["5", "4", "3", "2", "1"])],
)
def test_the_log_is_narrowed_by_result(ana: Browser, day: Office, result: str, wanted: list[str]) -> None:
    page = ana.get(f"/ligacoes?resultado={result}").text
    assert re.findall(r'<tr data-call="(\d+)"', page) == wanted
    assert (f'value="{result}" selected' in page) is (len(wanted) == 1)


def test_result_and_status_narrow_together_and_older_pages_keep_them(ana: Browser, day: Office) -> None:
    assert re.findall(r'<tr data-call="(\d+)"', ana.get("/ligacoes?situacao=missed&resultado=busy").text) == ["2"]
    for _ in range(60):
        day.ring("4733330009")
        day.hang_up("4733330009", result="BUSY")
    older = re.findall(r'href="([^"]+antes=\d+)"', ana.get("/ligacoes?resultado=busy").text)
    assert older
    assert "resultado=busy" in older[0]


def test_scripts_narrow_by_one_result_or_several(browse: Callable[..., Browser], day: Office) -> None:
    asked = {"result=busy": [2], "result=busy,missed": [2, 1], "result=busy&result=unknown": [4, 2]}
    for query, wanted in asked.items():
        found = browse().get(f"/api/calls?{query}", headers=basic()).get_json()["calls"]
        assert [call["id"] for call in found] == wanted
    refused = browse().get("/api/calls?result=ocupado", headers=basic()).get_json()
    assert refused["code"] == 220
    assert "busy" in refused["message"]


def test_a_line_says_who_took_the_call_and_how_long_its_caller_waited(ana: Browser, office: Office) -> None:
    office.ring(at=now_ms() - 100_000)
    office.answer(at=now_ms() - 75_000)
    office.hang_up(at=now_ms())
    assert re.search(r"Encerrada Ana( \w+)? · esperou 0:25", words(ana.get("/ligacoes").text))


def test_an_account_s_page_has_its_numbers_what_names_it_and_its_calls(ana: Browser, office: Office) -> None:
    phones = (Phone(ANA, "Carlos", ANA), Phone(None, "", "ilegível"))
    named = (Identifier("cnpj", "11222333000181", "11222333000181"), Identifier("matricula", "m1", "M-1"))
    silva = LoadedAccount("17", "Metalúrgica <Silva>", phones, owner="ana", identifiers=named)
    office.journal.run(lambda connection: write_accounts(connection, "acme", "erp", [silva], now_ms()))
    call_id = office.ring()
    (link,) = re.findall(r'<h1><a href="(/contas/\d+)">', ana.get(f"/ligacoes/{call_id}").text)
    page = ana.get(link).text
    shown = words(page)
    for text in ("Código 17", "CNPJ 11.222.333/0001-81", "Matricula M-1", "(47) 99999-8888 Carlos", "Ana Martins"):
        assert text in shown
    assert "Metalúrgica &lt;Silva&gt;" in page
    assert f'data-call="{call_id}"' in page
    assert ana.get("/contas/77").status_code == 404


def test_another_company_s_account_is_not_there(ana: Browser, office: Office) -> None:
    office.know("De outra", ANA, tenant="rival")
    assert ana.get("/contas/1").status_code == 404
