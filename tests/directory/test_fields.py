"""Fields of accounts: what an import is told to keep, to be shown with the account."""

import sqlite3
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, TypeAdapter

from gateway.config import loader as config_file
from gateway.directory.accounts import digest_of
from gateway.directory.database import DatabaseConfig, DatabaseSource
from gateway.directory.sheet import SheetConfig
from gateway.domain.account_fields import MOST_ACCOUNT_BYTES, label_in, packed_fields, read_account_fields
from gateway.errors import ConfigError
from gateway.source import Entry, kept_fields
from gateway.store.directory import Directory
from tests.directory.conftest import Office, Said

HEAD = "codigo;nome;telefone;Cidade;Situação;CNPJ;Obs"
SHEET = f"{HEAD}\n1;A;4732100123;Blumenau;Ativo;11222333000181;liga cedo\n2;B;4732100124;;Inativo;;\n"


def kept(office: Office, code: str = "1") -> dict[str, str]:
    directory = Directory(office.store.engine, office.store.journal)
    (found,) = [each for each in directory.search("acme", code) if each.code == code]
    card = directory.account("acme", found.id)
    assert card is not None
    return dict(card.fields)


def named(*names: str) -> Any:
    return kept_fields(names)


def test_columns_are_kept_by_the_names_and_in_the_order_that_were_asked_for(office: Office) -> None:
    run = office.sheet(SHEET, fields=named("situacao", "Cidade", "cnpj"))
    assert list(kept(office).items()) == [("situacao", "Ativo"), ("Cidade", "Blumenau"), ("cnpj", "11222333000181")]
    assert kept(office, "2") == {"situacao": "Inativo"}
    assert run.message == "Colunas não usadas: Obs."


def test_a_kept_column_goes_on_being_what_else_it_is(office: Office) -> None:
    office.sheet(SHEET, fields=named("CNPJ", "telefone"))
    directory = Directory(office.store.engine, office.store.journal)
    assert [each.code for each in directory.search("acme", "11.222.333/0001-81")] == ["1"]
    assert [each.code for each in directory.owners("acme", ["4732100123"])] == ["1"]


def test_nothing_is_kept_unasked(office: Office) -> None:
    run = office.sheet(SHEET)
    assert (kept(office), run.message) == ({}, "Colunas não usadas: Cidade, Situação, Obs.")


def test_a_column_that_is_not_there_is_named_and_nothing_imported(office: Office) -> None:
    with pytest.raises(Exception, match=r"não há a coluna 'bairro'; há: codigo, nome, telefone, Cidade"):
        office.sheet(SHEET, fields=named("bairro"))
    assert office.accounts() == {}


def test_of_several_files_one_must_have_it(office: Office) -> None:
    contacts = "codigo;contato;celular\n1;Ana;47999998888\n"
    assert office.sheet(SHEET, contacts, fields=named("Cidade")).counts.refused == 0
    run = office.sheet(SHEET, contacts, fields=named("Cidade", "Bairro"))
    assert [(one["reason"], one["text"]) for one in run.refusals] == [("no_field", "Bairro")]
    assert kept(office) == {"Cidade": "Blumenau"}


def test_a_change_of_a_field_is_seen_and_no_other_account_is_written(office: Office) -> None:
    fields = named("Cidade")
    office.sheet(SHEET, fields=fields)
    assert office.sheet(SHEET, fields=fields).counts.unchanged == 2
    changed = office.sheet(SHEET.replace("Blumenau", "Itajaí"), fields=fields)
    assert (changed.counts.changed, changed.counts.unchanged) == (1, 1)
    assert kept(office) == {"Cidade": "Itajaí"}
    assert office.sheet(SHEET).counts.changed == 1
    assert kept(office) == {}


def test_accounts_without_any_are_not_written_anew_after_the_upgrade() -> None:
    """Their digests are what they were before there were fields."""
    said = repr(("A", [("4732100123", "")], None)).encode()
    before = int.from_bytes(blake2b(said, digest_size=8).digest(), signed=True)
    assert digest_of("A", [Entry("1", "A", (("4732100123", ""),), fields=(("Cidade", ""),))], b"") == before


def test_what_is_too_long_is_cut_and_reported(office: Office) -> None:
    fields = (("Obs", "á" * 3000), ("Cidade", "Blumenau"))
    run = office.take(Said([Entry("1", "A", (("4732100123", ""),), "p:1", fields=fields)]))
    assert [(one["place"], one["reason"], one["text"]) for one in run.refusals] == [
        ("p:1", "cut_field", "Obs"),
        ("p:1", "cut_field", "Cidade"),
    ]
    assert kept(office) == {"Obs": "á" * ((MOST_ACCOUNT_BYTES - 3) // 2)}


def test_the_first_line_that_says_something_counts(office: Office) -> None:
    office.sheet(
        "codigo;nome;telefone;cidade\n1;A;1;\n1;;4732100123;Lages\n1;;4732100124;Itajaí\n", fields=named("cidade")
    )
    assert kept(office) == {"cidade": "Lages"}


def test_a_query_s_columns_are_kept_too(office: Office, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "erp.db") as database:
        database.execute("CREATE TABLE c (codigo, nome, telefone, limite, cidade)")
        database.execute("INSERT INTO c VALUES (1, 'A', '4732100123', 1500.0, NULL)")
    settings: Any = {"url": SecretStr(f"sqlite:///{tmp_path}/erp.db"), "query": "SELECT * FROM c"}
    settings["fields"] = named("limite", "cidade")
    run = office.take(DatabaseSource(DatabaseConfig(**settings), name="erp"), "erp")
    assert (kept(office), run.message) == ({"limite": "1500"}, "")


def test_labels_are_the_reader_s() -> None:
    labels = kept_fields({"st": {"pt-BR": "Situação", "en": "Status"}, "uf": "Estado", "obs": "Notas"})
    assert [label_in("en", name, each) for name, each in labels.items()] == ["Status", "Estado", "Notas"]
    assert [label_in("es", "st", labels["st"]), label_in("es", "x", {})] == ["Situação", "x"]


def test_any_text_survives() -> None:
    text, cut = packed_fields([("nota", '"<b>東京\n')])
    assert (read_account_fields(text), cut) == ({"nota": '"<b>東京\n'}, [])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("city", "erp.fields: came 'city'; expected a list of columns, or a table with a label for each"),
        ([1], "erp.fields: came 1; expected names of columns, of at most 60 characters"),
        (["Cidade", "cidade"], "a column is named twice"),
        ([f"c{number}" for number in range(31)], "expected at most 30 columns, came 31"),
        ({"st": 1}, "st: expected a label, or a table of labels by language"),
        ({"st": {"fr": "État"}}, "st: there is no language 'fr'; known: pt-BR, en, es"),
    ],
)
def test_a_mistake_is_named_with_its_place(fields: Any, said: str) -> None:
    erp = {"source": "csv", "path": "x.csv", "fields": fields}
    with pytest.raises(ConfigError) as error:
        config_file.parse({"tenants": {"acme": {"directory": {"erp": erp}}}}, source="gateway.toml")
    assert said in str(error.value)


def test_a_list_and_a_table_are_taken_by_the_settings() -> None:
    read = TypeAdapter(SheetConfig).validate_python({"path": "x.csv", "fields": ["Cidade", "UF"]})
    assert read.fields == {"Cidade": {}, "UF": {}}
