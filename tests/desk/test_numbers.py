"""The page that explains a number to people who set exchanges up."""

import re
from dataclasses import replace

import pytest

from gateway.desk.numbers import KINDS
from gateway.domain.dialplan.forms import patterns
from gateway.domain.dialplan.plan import DialPlan
from gateway.domain.dialplan.rules import DialPlanRule
from gateway.domain.numbering.numbers import Extensions, NumberKind, NumberPlan
from gateway.domain.tenant import Appliance, Branch, Tenant
from tests.desk.conftest import Browser, Office

LOCAL = DialPlanRule.make(areas=["own"], dial="0{local}", note="sem DDD")
PLAN = DialPlan("0", (LOCAL,), patterns(["0900*"]))
BRANCH = Branch("recife", Extensions.parse(["6xx"]), NumberPlan("81"))


@pytest.fixture(autouse=True)
def _dialling(office: Office) -> None:
    """Acme with a branch, and two centrals that dial differently."""
    acme: Tenant = office.core.tenants["acme"]
    appliances = (Appliance("matriz", "Matriz", PLAN), Appliance("filial", "Filial", DialPlan("9")))
    office.core.tenants["acme"] = replace(acme, appliances=appliances, branches=(BRANCH,))  # type: ignore[index]


def steps(text: str) -> list[str]:
    return re.findall(r"<code>([a-z-]+)</code>", text)


def dialled(text: str) -> str:
    found = re.search(r'data-dialled="([^"]*)"', text)
    assert found
    return found[1]


def test_the_page_is_in_the_menu_and_begins_with_an_empty_form(ana: Browser, browse) -> None:
    assert 'href="/numero"' in ana.get("/").text
    page = ana.get("/numero")
    assert page.status_code == 200
    assert "Escreva um número" in page.text
    assert "data-dialled" not in page.text
    assert browse().get("/numero?valor=4799998888").status_code in (302, 303, 401)


def test_each_step_to_the_digits_is_told_in_portuguese(ana: Browser) -> None:
    text = ana.get("/numero", query_string={"valor": "0xx15 47 3210-0123"}).text
    assert steps(text) == ["carrier-blank", "noise", "trunk", "fixed", "dial-rule"]
    assert "Foi retirado 015: o 0 de longa distância e o código da operadora, se houver." in text
    assert "Discado pela regra do plano 1 (sem DDD): 0{local}." in text
    assert "(47) 3210-0123" in text
    assert "+554732100123" in text
    assert dialled(text) == "032100123"
    piece = ana.get("/numero?valor=190", headers={"HX-Request": "true"}).text
    assert "<html" not in piece
    assert dialled(piece) == "190"


def test_a_central_and_an_extension_can_be_chosen(ana: Browser) -> None:
    text = ana.get("/numero", query_string={"valor": "47 3210-0123", "por": "filial"}).text
    assert "Como a central Filial disca" in text
    assert dialled(text) == "94732100123"
    branch = ana.get("/numero", query_string={"valor": "3210-0123", "ramal": "601"}).text
    assert "+558132100123" in branch
    assert dialled(branch) == "032100123"
    missing = ana.get("/numero?valor=4733334444&por=nuvem").text
    assert "central desconhecida" in missing
    assert "Centrais: matriz, filial" in missing


def test_who_owns_the_number_is_named(ana: Browser, office: Office) -> None:
    office.know("Metalúrgica Silva & Filhos", "47999998888", "Carlos")
    office.know("Outra Empresa", "47999998888", tenant="rival")
    known = ana.get("/numero?valor=4799998888").text
    assert "Metalúrgica Silva &amp; Filhos" in known
    assert "Outra Empresa" not in known
    assert "ninguém no cadastro" in ana.get("/numero?valor=4733334444").text
    assert "Bruno Lima" in ana.get("/numero?valor=3502").text
    assert "ramal sem agente" in ana.get("/numero?valor=3599").text


def test_a_blocked_number_is_refused_with_the_setting_that_does(ana: Browser) -> None:
    text = ana.get("/numero", query_string={"valor": "0900 123 4567"}).text
    assert steps(text)[-1] == "dial-blocked"
    assert dialled(text) == ""
    assert "Como a central Matriz disca" in text
    assert "não permite ligar para" in text
    assert "dial_plan.blocked 0900*" in text


def test_nothing_that_is_typed_breaks_the_page(ana: Browser) -> None:
    for value in ("anonymous", "<script>alert(1)</script>", "\x00", "9" * 5000, "'\"><b>", "🙂", "{{ 7*7 }}", "   "):
        page = ana.get("/numero", query_string={"valor": value, "ramal": value, "por": "matriz"})
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<b>" not in page.text


def test_every_kind_has_its_word() -> None:
    assert set(KINDS) == set(NumberKind)
