"""Accounts come in from the CSV files that people have."""

from pathlib import Path

import pytest

from gateway.domain.numbers import Extensions, NumberPlan
from gateway.errors import ConfigError
from gateway.importing import Sheet, read_sheet

PLAN = NumberPlan("47", Extensions.parse(["3500-3599"]))


def sheet(tmp_path: Path, content: bytes | str) -> Sheet:
    path = tmp_path / "accounts.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_sheet(path, PLAN)


def test_a_file_from_excel_in_brazil_is_read(tmp_path: Path) -> None:
    text = "Código;Razão Social;Contato;Telefone 1;Celular\r\n7;Padaria São José;Zé;(47) 3210-0123;47 99999-8888\r\n"
    (account,) = sheet(tmp_path, text.encode("cp1252")).accounts
    assert (account.code, account.name) == ("7", "Padaria São José")
    assert account.phones == (("4732100123", "Zé"), ("47999998888", "Zé"))


def test_commas_utf8_and_english_names_are_read_too(tmp_path: Path) -> None:
    (account,) = sheet(tmp_path, "\ufeffcode,name,contact,phone\nA1,Acme,Bob,4732100123\n").accounts
    assert account.phones == (("4732100123", "Bob"),)


def test_lines_with_one_code_are_one_account_with_several_contacts(tmp_path: Path) -> None:
    (account,) = sheet(tmp_path, "codigo;nome;contato;telefone\n1;A;Ana;4732100123\n1;A;Bia;4732100124\n").accounts
    assert account.phones == (("4732100123", "Ana"), ("4732100124", "Bia"))


def test_several_numbers_in_one_cell_are_all_taken(tmp_path: Path) -> None:
    (account,) = sheet(tmp_path, "codigo;nome;telefone\n1;A;4732100123 / 4732100124\n").accounts
    assert [number for number, _ in account.phones] == ["4732100123", "4732100124"]


def test_without_a_code_the_name_is_the_code(tmp_path: Path) -> None:
    assert sheet(tmp_path, "nome,telefone\nAcme,4732100123\n").accounts[0].code == "Acme"


def test_what_cannot_be_used_is_reported_with_its_line(tmp_path: Path) -> None:
    read = sheet(tmp_path, "codigo;nome;telefone\n1;;4732100123\n2;B;anonymous\n\n3;C;4732100123\n")
    assert [(refused.line, refused.reason) for refused in read.refused] == [
        (2, "the name is empty"),
        (3, "'anonymous' does not read as a telephone number"),
    ]
    assert [account.code for account in read.accounts] == ["2", "3"]


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "the file is empty"), ("a;b\n1;2\n", "no column for the name"), ("nome;b\n1;2\n", "no column for the phone")],
)
def test_a_file_without_the_needed_columns_says_which(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        sheet(tmp_path, content)
