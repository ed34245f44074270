"""The pages of the directory: sources and imports, and what is wrong with the data."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from gateway.config.tables import DirectorySettings
from gateway.desk.pages import Desk
from gateway.directory.importer import Importer
from gateway.directory.run import Job
from gateway.directory.sheet import SheetConfig, SheetSource
from gateway.domain.numbering.numbers import NumberPlan
from gateway.errors import ImportRunning
from gateway.store.imports.loading import Loader
from gateway.store.imports.runs import Imports
from gateway.store.imports.stored_accounts import StoredAccounts
from tests.desk.conftest import Browser, Office, now_ms

LINES = """codigo;nome;contato;telefone;celular
1;Padaria São José;Zé;3210-0123;8888-7777
2;Clínica <b>Boa</b>;Ana;(47) 3210-0123;ligar depois
3;;;4732100199;
"""


@pytest.fixture
def bring(office: Office, tmp_path: Path) -> Callable[[str], None]:
    """Imports a CSV by hand for acme."""
    imports = Imports(office.engine, office.journal)
    importer = Importer(imports, StoredAccounts(office.engine), partial(Loader, office.database))

    def take(content: str = LINES) -> None:
        path = tmp_path / "contas.csv"
        path.write_text(content)
        source = SheetSource(SheetConfig(path=path), name="csv")
        importer.run(Job("acme", "csv", source, NumberPlan("47")), "csv")

    return take


Bring = Callable[..., None]


def test_an_empty_directory_says_how_to_fill_it(ana: Browser) -> None:
    assert "cti-gateway import accounts contas.csv --tenant acme" in ana.get("/cadastro").text


def test_the_directory_pages_name_the_columns_that_an_import_did_not_use(ana: Browser, bring: Bring) -> None:
    bring("codigo;nome;telefone;E-mail\n1;A;4732100123;a@x\n2;B;4,79999E+10;\n")
    for path in ("/cadastro", "/cadastro/1"):
        assert "Colunas não usadas: E-mail." in ana.get(path).text
        assert "Columnas no usadas: E-mail." in ana.get(path, headers={"Accept-Language": "es"}).text
    assert "uma planilha abreviou este número" in ana.get("/cadastro/1").text
    assert ana.get("/api/imports").get_json()["runs"][0]["message"] == "Colunas não usadas: E-mail."


def test_the_directory_page_shows_sources_runs_and_what_changed(ana: Browser, bring: Bring) -> None:
    bring()
    shown = ana.get("/cadastro").text
    assert "agora há 2 contas" in shown
    assert "concluída" in shown
    assert re.search(r'href="/cadastro/1">2</a>', shown)


def test_a_run_shows_each_refused_line_with_the_reason_in_words(ana: Browser, bring: Bring) -> None:
    bring()
    shown = ana.get("/cadastro/1").text
    assert "contas.csv:4" in shown
    assert "sem nome, e nenhuma outra linha deste código tem um" in shown
    assert "ligar depois" in shown
    assert "não dá para ler como telefone" in shown


def test_another_company_sees_nothing_of_it(browse: Callable[..., Browser], bring: Bring) -> None:
    bring()
    rival = browse("rival")
    rival.log_in()
    assert "Nada foi importado ainda" in rival.get("/cadastro").text
    assert rival.get("/cadastro/1").status_code == 404
    assert "3210-0123" not in rival.get("/qualidade?ver=sem-ddd").text


def test_a_script_reads_the_imports(ana: Browser, bring: Bring) -> None:
    bring()
    told = ana.get("/api/imports").get_json()
    assert told["sources"] == [{"name": "csv", "kind": "csv", "every": None, "full": False}]
    (run,) = told["runs"]
    assert (run["state"], run["entries"], run["added"], run["refused"]) == ("done", 3, 2, 2)
    assert {"place": "contas.csv:4", "reason": "no_name", "text": "3"} in run["refusals"]


def configured(desk: Desk, import_now: Callable[[str, str], None]) -> None:
    """Give acme a source, and a way to import it now."""
    services = desk._services
    erp = DirectorySettings(source="csv", every="15m")
    acme = services.config.tenants["acme"].model_copy(update={"directory": {"erp": erp}})
    config = services.config.model_copy(update={"tenants": services.config.tenants | {"acme": acme}})
    desk._services = replace(services, config=config, import_now=import_now)


def test_a_source_is_imported_now_by_a_click(desk: Desk, ana: Browser) -> None:
    asked: list[tuple[str, str]] = []
    configured(desk, lambda *what: asked.append(what))
    assert "a cada 15m" in ana.get("/cadastro").text
    form = {"csrf": ana.token("/cadastro"), "origem": "erp"}
    assert ana.post("/cadastro/importar", data=form).status_code == 303
    assert asked == [("acme", "erp")]
    assert ana.post("/cadastro/importar", data=form | {"origem": "x"}).status_code == 404
    assert ana.post("/cadastro/importar", data=form | {"csrf": "x"}).status_code == 403


def test_a_source_that_is_being_imported_already_says_so(desk: Desk, ana: Browser) -> None:
    def running(_tenant: str, name: str) -> None:
        raise ImportRunning(name)

    configured(desk, running)
    answer = ana.post("/cadastro/importar", data={"csrf": ana.token("/cadastro"), "origem": "erp"})
    assert (answer.status_code, "já há uma importação de" in answer.text) == (409, True)


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("sem-ddd", ["3210-0123", "Padaria São José"]),
        ("oito-digitos", ["8888-7777", "(47) 98888-7777"]),
        ("ilegiveis", ["ligar depois", "Clínica &lt;b&gt;Boa&lt;/b&gt;"]),
        ("repetidos", ["Padaria São José", "Clínica"]),
        ("corrigidos", ["Nada a corrigir aqui."]),
        ("chamadores", ["Nada a corrigir aqui."]),
    ],
)
def test_each_list_shows_the_number_the_words_and_the_account(
    ana: Browser, bring: Bring, view: str, said: list[str]
) -> None:
    bring()
    shown = ana.get(f"/qualidade?ver={view}").text
    for text in said:
        assert text in shown


def phone_id(browser: Browser, view: str) -> str:
    found = re.search(r'name="telefone_id" value="(\d+)"', browser.get(f"/qualidade?ver={view}").text)
    assert found
    return found[1]


def fix(browser: Browser, view: str, action: str, **more: str) -> int:
    page = f"/qualidade?ver={view}"
    form = {"csrf": browser.token(page), "ver": view, "telefone_id": phone_id(browser, view), "acao": action}
    return browser.post("/qualidade/corrigir", data=form | more).status_code


def test_a_number_is_put_right_on_the_spot_and_pops_the_account_up(ana: Browser, bring: Bring, office: Office) -> None:
    bring()
    assert fix(ana, "ilegiveis", "corrigir", numero="47 3322-1100") == 303
    assert "Nada a corrigir aqui" in ana.get("/qualidade?ver=ilegiveis").text
    office.ring("4733221100")
    assert "Boa" in ana.get("/").text
    shown = ana.get("/qualidade?ver=corrigidos").text
    assert "ligar depois" in shown
    assert "(47) 3322-1100" in shown
    assert "ana, " in shown


def test_a_correction_outlives_the_next_import_and_can_be_undone(ana: Browser, bring: Bring, office: Office) -> None:
    bring()
    assert fix(ana, "sem-ddd", "tirar") == 303
    bring(LINES.replace("Padaria São José", "Padaria Nova"))
    assert [owner.code for owner in office.directory.owners("acme", ["4732100123"])] == ["2"]
    assert fix(ana, "corrigidos", "desfazer") == 303
    assert {owner.code for owner in office.directory.owners("acme", ["4732100123"])} == {"1", "2"}
    assert "3210-0123" in ana.get("/qualidade?ver=sem-ddd").text


def test_what_does_not_read_as_a_number_is_not_taken(ana: Browser, bring: Bring) -> None:
    bring()
    assert fix(ana, "ilegiveis", "corrigir", numero="3501") == 400
    form = {"csrf": ana.token("/qualidade"), "ver": "ilegiveis", "telefone_id": "999", "acao": "tirar"}
    assert ana.post("/qualidade/corrigir", data=form).status_code == 404
    assert ana.post("/qualidade/corrigir", data=form | {"csrf": "x"}).status_code == 403


def test_a_frequent_caller_is_added_to_an_account(ana: Browser, bring: Bring, office: Office) -> None:
    bring()
    for hours in (3, 2, 1):
        office.ring("11987650000", at=now_ms() - hours * 3_600_000)
    page = ana.get("/qualidade").text
    assert "(11) 98765-0000" in page
    form = {"csrf": ana.token("/qualidade"), "numero": "11987650000", "codigo": "2", "contato": "Bia"}
    wrong = ana.post("/qualidade/acrescentar", data=form | {"codigo": "77"})
    assert wrong.status_code == 400
    assert (
        "A conta “77” não serve: informe o código de uma conta do cadastro, ou o nome dela por inteiro." in wrong.text
    )
    assert "parâmetro" not in wrong.text
    assert ana.post("/qualidade/acrescentar", data=form).status_code == 303
    assert "(11) 98765-0000" not in ana.get("/qualidade").text
    bring(LINES.replace("Ana", "Ana Maria"))
    (owner,) = office.directory.owners("acme", ["11987650000"])
    assert (owner.code, owner.contact) == ("2", "Bia")


def test_each_list_can_be_taken_along_for_excel(ana: Browser, bring: Bring) -> None:
    bring(LINES + "9;=cmd();;3344-5566;\n")
    answer = ana.get("/qualidade.csv?ver=sem-ddd")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="qualidade-sem-ddd.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    assert [(row["no_cadastro"], row["conta"]) for row in rows if row["codigo"] != "1"] == [("3344-5566", "'=cmd()")]
    for view in ("chamadores", "repetidos", "oito-digitos", "ilegiveis", "corrigidos"):
        assert ana.get(f"/qualidade.csv?ver={view}").status_code == 200


def test_long_lists_come_a_page_at_a_time(ana: Browser, bring: Bring) -> None:
    bring("codigo;nome;telefone\n" + "".join(f"{i};Conta {i};3210-{i:04}\n" for i in range(60)))
    first = ana.get("/qualidade?ver=sem-ddd").text
    assert first.count("data-phone=") == 50
    more = re.search(r'href="(/qualidade\?ver=sem-ddd&amp;depois=\d+)"', first)
    assert more
    assert ana.get(more[1].replace("&amp;", "&")).text.count("data-phone=") == 10


def test_a_list_that_does_not_exist_is_not_found(ana: Browser) -> None:
    assert ana.get("/qualidade?ver=x").status_code == 404


def test_a_caller_is_added_to_an_account_by_its_name_too(ana: Browser, bring: Bring, office: Office) -> None:
    """The page shows names: who types one means it."""
    bring()
    form = {"csrf": ana.token("/qualidade"), "numero": "11987650000", "codigo": "padaria são josé"}
    assert ana.post("/qualidade/acrescentar", data=form).status_code == 303
    (owner,) = office.directory.owners("acme", ["11987650000"])
    assert owner.code == "1"


def test_of_several_accounts_with_one_name_the_codes_are_said(ana: Browser, bring: Bring) -> None:
    bring(LINES.replace("Clínica <b>Boa</b>", "Padaria São José"))
    form = {"csrf": ana.token("/qualidade"), "numero": "11987650000", "codigo": "Padaria São José"}
    answer = ana.post("/qualidade/acrescentar", data=form)
    assert (answer.status_code, "há 2 contas com este nome (1, 2)" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"codigo": ""}, "A conta está em branco: informe o código de uma conta"),
        ({"numero": "ontem"}, "O número “ontem” não serve: informe DDD + número"),
        ({"numero": ""}, "O número está em branco: informe DDD + número"),
    ],
)
def test_what_does_not_fit_is_said_in_the_words_of_the_page(
    ana: Browser, bring: Bring, form: dict[str, str], sentence: str
) -> None:
    bring()
    whole = {"csrf": ana.token("/qualidade"), "numero": "11987650000", "codigo": "2"} | form
    answer = ana.post("/qualidade/acrescentar", data=whole)
    assert (answer.status_code, sentence in answer.text) == (400, True)
    assert "parâmetro" not in answer.text
