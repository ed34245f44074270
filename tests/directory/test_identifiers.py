"""What names accounts beside their telephones, as sources bring it."""

import sqlite3
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from gateway.directory.accounts import digest_of
from gateway.directory.database import DatabaseConfig, DatabaseSource
from gateway.source import Entry
from gateway.store import tables
from gateway.store.directory import Directory
from tests.directory.conftest import Office, Said

HEAD = "codigo;nome;telefone;CPF/CNPJ;Contrato"


def kept(office: Office) -> list[tuple[str, str, str]]:
    """Code of the account, kind and value of each identifier."""
    accounts, identifiers = tables.accounts, tables.identifiers
    query = select(accounts.c.code, identifiers.c.kind, identifiers.c.value)
    query = query.join_from(identifiers, accounts, accounts.c.id == identifiers.c.account_id)
    with office.store.engine.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(query))


def directory(office: Office) -> Directory:
    return Directory(office.store.engine, office.store.journal)


def test_columns_called_so_are_taken_and_in_one_form(office: Office) -> None:
    run = office.sheet(f"{HEAD}\n1;A;4732100123;529.982.247-25;C-10\n2;B;4732100124;11222333000181;10/1\n")
    assert kept(office) == [
        ("1", "contrato", "c10"),
        ("1", "cpf", "52998224725"),
        ("2", "cnpj", "11222333000181"),
        ("2", "contrato", "101"),
    ]
    assert (run.counts.refused, run.message) == (0, "")


def test_lines_of_one_account_add_up_and_a_cell_may_hold_several(office: Office) -> None:
    office.sheet("codigo;nome;telefone;contrato\n1;A;4732100123;11, 12\n1;;4732100124;12; 13\n1;;;14\n")
    assert [value for _, _, value in kept(office)] == ["11", "12", "14"]


def test_any_column_is_taken_that_the_import_is_told_of_and_then_no_other(office: Office) -> None:
    sheet = "codigo;nome;telefone;cpf;Matrícula\n1;A;4732100123;52998224725;M-7\n"
    office.sheet(sheet, identifiers=["matricula"])
    assert kept(office) == [("1", "matricula", "m7")]
    office.sheet(sheet, identifiers=[])
    assert kept(office) == []
    office.sheet(sheet.replace("Matrícula", "Nr"), columns={"Nr": "contrato"})
    assert kept(office) == [("1", "contrato", "m7"), ("1", "cpf", "52998224725")]


def test_a_document_of_any_kind_is_taken_only_where_it_is_told_of(office: Office) -> None:
    sheet = "codigo;nome;telefone;documento\n1;A;4732100123;52998224725\n2;B;4732100124;RG 12.345\n"
    assert (office.sheet(sheet).counts.refused, kept(office)) == (0, [])
    assert office.sheet(sheet, identifiers=["documento"]).counts.refused == 1
    assert kept(office) == [("1", "cpf", "52998224725")]


def test_an_account_with_one_that_does_not_read_is_not_read_anew_each_time(office: Office) -> None:
    sheet = f"{HEAD}\n1;A;4732100123;123;\n"
    office.sheet(sheet)
    again = office.sheet(sheet)
    assert (again.counts.unchanged, again.counts.refused) == (1, 0)


def test_a_column_that_is_not_there_is_named(office: Office) -> None:
    with pytest.raises(Exception, match=r"não há a coluna 'matricula'; há: codigo, nome, telefone"):
        office.sheet("codigo;nome;telefone\n1;A;4732100123\n", identifiers=["matricula"])


def test_a_file_of_contracts_needs_no_telephones_if_it_is_said_to_be_one(office: Office) -> None:
    office.sheet("codigo;nome;contrato\n1;A;77\n", identifiers=["contrato"])
    assert kept(office) == [("1", "contrato", "77")]
    with pytest.raises(Exception, match="não há coluna para o telefone"):
        office.sheet("codigo;nome;contrato\n1;A;77\n")


def test_what_does_not_read_is_reported_with_its_line_and_the_rest_is_taken(office: Office) -> None:
    run = office.sheet(f"{HEAD}\n1;A;4732100123;123;\n2;B;4732100124;ISENTO;5\n3;C;4732100125;;\n")
    assert [(one["place"], one["reason"], one["text"]) for one in run.refusals] == [
        ("accounts.csv:2", "bad_identifier", "123")
    ]
    assert kept(office) == [("2", "contrato", "5")]


def test_no_account_has_more_than_a_hundred(office: Office) -> None:
    many = tuple(("contrato", f"c{number}") for number in range(1, 103))
    run = office.take(Said([Entry("1", "A", (("4732100123", ""),), "p:1", identifiers=many)]))
    assert len(kept(office)) == 100
    assert [one["reason"] for one in run.refusals] == ["many_identifiers"] * 2


def test_an_import_compares_and_replaces_and_removes(office: Office) -> None:
    sheet = f"{HEAD}\n1;A;4732100123;52998224725;\n2;B;4732100124;;9\n"
    office.sheet(sheet)
    assert office.sheet(sheet).counts.unchanged == 2
    changed = office.sheet(sheet.replace("52998224725", "11222333000181"))
    assert (changed.counts.changed, changed.counts.unchanged) == (1, 1)
    assert kept(office) == [("1", "cnpj", "11222333000181"), ("2", "contrato", "9")]
    office.sheet(f"{HEAD}\n1;A;4732100123;11222333000181;\n", full=True, force=True)
    assert kept(office) == [("1", "cnpj", "11222333000181")]


def test_accounts_without_any_are_not_written_anew_after_the_upgrade() -> None:
    """Their digests are what they were before there were identifiers."""
    said = repr(("A", [("4732100123", "")], None)).encode()
    before = int.from_bytes(blake2b(said, digest_size=8).digest(), signed=True)
    plain = Entry("1", "A", (("4732100123", ""),))
    assert digest_of("A", [plain], b"") == before
    assert digest_of("A", [replace(plain, identifiers=(("cpf", "52998224725"),))], b"") != before


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"cpf": "529.982.247-25"}, ["1"]),
        ({"obs": "liga depois", "documento": "52998224725"}, ["1"]),
        ({"contrato": "C 10", "cpf": "52998224725"}, ["2", "3"]),
        ({"protocolo": "52998224725"}, []),
        ({"cpf": "11222333000181"}, []),
        ({}, []),
    ],
)
def test_the_first_field_that_is_anybody_s_names_the_accounts(
    office: Office, fields: dict[str, str], wanted: list[str]
) -> None:
    office.sheet(f"{HEAD}\n1;A;4732100123;52998224725;\n2;B;4732100124;;c10\n3;C;4732100125;;C-10\n")
    found = directory(office).named_by("acme", fields)
    assert sorted(ranked.match.code for ranked in found) == wanted
    assert directory(office).named_by("rival", fields) in ([], ())


@pytest.mark.parametrize("text", ["529.982.247-25", "52998224725", "c-10", "C10"])
def test_people_find_an_account_by_them_and_see_them_as_people_write_them(office: Office, text: str) -> None:
    office.sheet(f"{HEAD}\n1;A;4732100123;52998224725;C-10\n2;B 52;4732100124;;c\n")
    (found,) = directory(office).search("acme", text)
    assert found.code == "1"
    card = directory(office).account("acme", found.id)
    assert card is not None
    assert card.identifiers == (("contrato", "C-10"), ("cpf", "529.982.247-25"))


def test_a_query_s_columns_are_taken_too(office: Office, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "erp.db") as erp:
        erp.execute("CREATE TABLE clientes (codigo, nome, telefone, cnpj, matricula)")
        erp.execute("INSERT INTO clientes VALUES ('1', 'A', '4732100123', 360305000104, 'M-1')")
    url = SecretStr(f"sqlite:///{tmp_path}/erp.db")
    query = "SELECT * FROM clientes"
    office.take(DatabaseSource(DatabaseConfig(url=url, query=query), name="erp"), "erp")
    assert kept(office) == [("1", "cnpj", "00360305000104")]
    told = DatabaseConfig(url=url, query=query, identifiers=["matricula"])
    office.take(DatabaseSource(told, name="erp"), "erp")
    assert kept(office) == [("1", "matricula", "m1")]
