"""``check`` and a company's CRM: each link is made of an example, each field of the card looked for."""

from pathlib import Path

import pytest

from tests.cli.test_commands import Run, run

__all__ = ["run"]
TABLES = """
[tenants.acme.directory.erp]
source = "csv"
path = "contas.csv"
fields = ["Cidade"]

[tenants.acme.crm]
"""


def check(run: Run, folder: Path, crm: str) -> tuple[int, str]:
    (folder / "contas.csv").write_text("codigo;nome;telefone;Cidade\n1;Padaria;4732100123;Lages\n", encoding="utf-8")
    (folder / "gateway.toml").write_text(TABLES + crm, encoding="utf-8")
    result = run("check", "--config", str(folder / "gateway.toml"))
    return result.exit_code, " ".join(result.output.split())


def test_each_link_is_shown_as_it_would_be(run: Run, tmp_path: Path) -> None:
    links = 'link = "https://crm.example/{{ code }}?c={{ cidade }}"\nnew_link = "https://crm.example/?t={{ number }}"'
    code, said = check(run, tmp_path, links)
    assert code == 0, said
    assert "ok [tenants.acme.crm] link https://crm.example/1001?c=exemplo%201" in said
    assert "ok [tenants.acme.crm] new_link https://crm.example/?t=4732100123" in said


@pytest.mark.parametrize(
    ("crm", "problem"),
    [
        ('link = "https://crm.example/{{ cod }}"', "link there is no 'cod'. Did you mean 'code'?"),
        ('link = "crm.example/{{ code }}"', "link it makes 'crm.example/1001', which is no http or https address"),
        ('new_link = "https://crm.example/{{ number"', "new_link the template is broken: unexpected end of template"),
        ('contact_link = "javascript:{{ contact }}"', "contact_link it makes 'javascript:Ana%20Souza', which is no"),
    ],
)
def test_a_link_that_is_none_fails_with_its_place(run: Run, tmp_path: Path, crm: str, problem: str) -> None:
    code, said = check(run, tmp_path, crm)
    assert code == 1
    assert f"FAIL [tenants.acme.crm] {problem}" in said


def test_a_field_that_nothing_has_is_warned_of(run: Run, tmp_path: Path) -> None:
    code, said = check(run, tmp_path, 'fields = ["cidade", "owner", "cnpj", "Cidad", "Zona"]')
    assert code == 0
    assert said.count("warn [tenants.acme.crm]") == 2
    assert "No source keeps the field 'Cidad', and no account has it. Did you mean 'Cidade'?" in said
    assert "'Zona', and no account has it. Name it in 'fields' of the source, or import with --field 'Zona'." in said


def test_fields_of_an_import_by_hand_are_known(run: Run, tmp_path: Path) -> None:
    sheet = tmp_path / "mais.csv"
    sheet.write_text("codigo;nome;telefone;Zona\n2;Bar;4732100124;Sul\n", encoding="utf-8")
    data = ("--config", str(tmp_path / "gateway.toml"))
    check(run, tmp_path, "")
    imported = run("import", "accounts", str(sheet), "--field", "zona", "--tenant", "acme", *data)
    assert imported.exit_code == 0, imported.output
    code, said = check(run, tmp_path, 'fields = ["Zona"]\nlink = "https://crm.example/{{ zona }}"')
    assert (code, "warn [tenants.acme.crm]" in said) == (0, False), said


def test_a_field_that_is_named_twice_by_hand_is_refused(run: Run, tmp_path: Path) -> None:
    sheet = tmp_path / "contas.csv"
    sheet.write_text("codigo;nome;telefone;Zona\n", encoding="utf-8")
    result = run("import", "accounts", str(sheet), "--field", "zona", "--field", "Zona")
    assert (result.exit_code, "a column is named twice" in result.output) == (2, True)
