"""What the columns of a table are, by their names and by a mapping."""

import pytest
from sqlalchemy import select

from gateway.directory.accounts import area_code
from gateway.directory.columns import find_columns
from gateway.store import tables
from tests.directory.conftest import Office


def numbers(office: Office, code: str = "1") -> set[str | None]:
    return set(office.accounts()[code][1])


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("DDD;Telefone;DDD Celular;Celular", "11;32100123;21;999998888", {"1132100123", "21999998888"}),
        ("DDD;Telefone;Celular;Fax", "11;32100123;999998888;32100124", {"1132100123", "11999998888", "1132100124"}),
        ("DDD;Telefone;DDD;Celular", "11;32100123;21;999998888", {"1132100123", "21999998888"}),
        ("DDD1;Telefone1;DDD2;Telefone2", "11;32100123;21;32100124", {"1132100123", "2132100124"}),
        (
            "Telefone 1;Telefone 2;DDD Telefone 2;DDD Telefone 1",
            "32100123;32100124;21;11",
            {"1132100123", "2132100124"},
        ),
        ("A1_DDD;A1_TEL;A1_FAX", "011;32100123;32100124", {"1132100123", "1132100124"}),
        ("DDD_FONE;FONE;DDD1;FONE1", "11;32100123;21;32100124", {"1132100123", "2132100124"}),
        ("Telefone;DDD;Celular;DDD", "32100123;11;999998888;21", {"1132100123", "21999998888"}),
        ("Area Code;Phone", "(11);32100123", {"1132100123"}),
        ("ddd_fone;fone", "11.0;32100123.0", {"1132100123"}),
        ("DDD;Telefone", ";32100123", {"4732100123"}),
        ("DDD;Telefone", "11;2132100123", {"2132100123"}),
        ("DDD;Telefone", "11;0800 123 4567", {"08001234567"}),
        ("DDD;Telefone", "11;32100123 / 32100124", {"1132100123", "1132100124"}),
        ("DDD Telefone;DDD Celular", "1132100123;21999998888", {"1132100123", "21999998888"}),
    ],
)
def test_an_area_code_in_a_column_of_its_own_belongs_to_its_telephone(
    office: Office, header: str, row: str, expected: set[str]
) -> None:
    run = office.sheet(f"codigo;nome;{header}\n1;A;{row}\n")
    assert numbers(office) == expected
    assert (run.counts.refused, run.message) == (0, "")


def test_an_area_code_of_its_own_column_stands_with_the_number_and_is_no_defect(office: Office) -> None:
    office.sheet("codigo;nome;ddd;telefone\n1;A;11;3210-0123\n")
    (phone,) = office.phones()
    assert (phone.as_written, phone.no_area) == ("(11) 3210-0123", False)


@pytest.mark.parametrize("area", ["20", "abc", "1"])
def test_a_number_is_not_put_into_the_own_area_when_its_area_code_does_not_exist(office: Office, area: str) -> None:
    run = office.sheet(f"codigo;nome;ddd;telefone\n1;A;{area};32100123\n")
    assert numbers(office) == {None}
    assert [(one["reason"], one["text"]) for one in run.refusals] == [("unreadable", f"({area}) 32100123")]


def test_area_codes_can_be_mapped(office: Office) -> None:
    columns = {"Prefixo": "area", "Fone A": "phone1", "P1": "area1"}
    office.sheet("codigo;nome;Prefixo;Celular;P1;Fone A\n1;A;11;999998888;21;32100123\n", columns=columns)
    assert numbers(office) == {"11999998888", "2132100123"}


@pytest.mark.parametrize(
    ("text", "code"),
    [("11", "11"), ("011", "11"), ("(11)", "11"), ("0xx11", "11"), ("11.0", "11"), ("+55 11", "11"), ("55", "55")],
)
def test_an_area_code_is_read_however_it_is_written(text: str, code: str) -> None:
    assert area_code(text) == code
    assert [area_code(bad) for bad in ("", "0", "20", "5", "111", "x")] == [None] * 6


@pytest.mark.parametrize(("owner", "kept"), [("3501.0", "3501"), ("3501", "3501"), ("ana", "ana"), ("", None)])
def test_who_looks_after_an_account_is_an_extension_also_where_a_program_made_a_number_of_it(
    office: Office, owner: str, kept: str | None
) -> None:
    office.sheet(f"codigo;nome;telefone;vendedor\n1;A;4732100123;{owner}\n")
    with office.store.engine.connect() as connection:
        assert connection.execute(select(tables.accounts.c.owner)).scalar() == kept


PHONES = [
    *(
        "Office Phone",
        "Alternate Phone",
        "Work Number",
        "Business Phone",
        "Home Phone 2",
        "Mobile",
        "HomePhone",
        "Fone Res.",
    ),
    *(
        "MobilePhone",
        "Phone Number",
        "Phone 1 - Value",
        "Telefone",
        "Tel. Comercial",
        "Número",
        "WhatsApp",
        "Celular 2",
    ),
    *(
        "Fone Residencial",
        "telefone_1",
        "Número do Telefone",
        "Contact Phone",
        "Primary Phone",
        "Cell",
        "FAX",
        "A1_TEL",
    ),
]
OTHERS = [
    *(
        "Phone 1 - Type",
        "Phone 1 - Label",
        "Phonetic First Name",
        "Tipo de Telefone",
        "Operadora Celular",
        "Tem WhatsApp?",
    ),
    *("Account Number", "Número do pedido", "E-mail", "Phone Verified", "Data do telefone", "Ramal Telefone", "Cidade"),
    *("Cancelado", "Fonética", "Telhado", "Celebridade", "Number of Employees", "Obs. telefone"),
]


@pytest.mark.parametrize("name", PHONES)
def test_columns_of_telephones_are_known_by_their_names(name: str) -> None:
    columns = find_columns(["Nome", name], {})
    assert ([phone.at for phone in columns.phones], columns.unused) == ([1], ())


@pytest.mark.parametrize("name", OTHERS)
def test_what_only_sounds_like_a_telephone_is_none_and_is_named(name: str) -> None:
    columns = find_columns(["Nome", "Telefone", name], {})
    assert ([phone.at for phone in columns.phones], columns.unused) == ([1], (name,))


def test_the_number_of_a_house_is_no_telephone() -> None:
    columns = find_columns(["Nome", "Telefone", "Endereço", "Número", "Bairro"], {})
    assert [phone.at for phone in columns.phones] == [1]


def test_every_import_says_which_columns_it_did_not_use(office: Office) -> None:
    report = office.folder / "report.csv"
    run = office.sheet(
        "codigo;nome;telefone;E-mail;Cidade;Nota\n1;A;4732100123;a@x;B;=1\n", report=report, columns={"Nota": "ignore"}
    )
    assert (run.state, run.message) == ("done", "Colunas não usadas: E-mail, Cidade.")
    lines = report.read_text(encoding="utf-8-sig").splitlines()
    assert "accounts.csv;the column is not used;E-mail" in lines


def test_unused_columns_of_several_files_are_named_with_their_file(office: Office) -> None:
    run = office.sheet("codigo;nome;telefone;X\n1;A;4732100123;a\n", "codigo;celular;X\n1;47999998888;b\n")
    assert run.message == "Colunas não usadas: X (accounts.csv), X (1accounts.csv)."


def test_a_surname_is_part_of_the_name_and_tells_two_people_apart(office: Office) -> None:
    office.sheet("Nome;Sobrenome;Telefone\nAna;Souza;4732100123\nAna;Lima;4732100124\n")
    assert office.accounts() == {
        "Ana Souza": ("Ana Souza", {"4732100123": ""}),
        "Ana Lima": ("Ana Lima", {"4732100124": ""}),
    }


def test_a_name_that_has_its_surname_already_is_left_alone(office: Office) -> None:
    run = office.sheet(
        "Name,Given Name,Family Name,Phone 1 - Type,Phone 1 - Value\n"
        "Ana Souza,Ana,Souza,Mobile,4732100123 ::: 4732100124\n"
    )
    assert office.accounts() == {"Ana Souza": ("Ana Souza", {"4732100123": "", "4732100124": ""})}
    assert run.counts.refused == 0


@pytest.mark.parametrize("column", ["E-mail", "CPF", "Nascimento"])
def test_two_people_of_one_name_are_not_one_account(office: Office, column: str) -> None:
    run = office.sheet(f"Nome;Telefone;{column}\nAna;4732100123;1\nAna;4732100124;2\nAna;4732100125;1\n")
    assert office.accounts() == {"Ana": ("Ana", {"4732100123": "", "4732100125": ""})}
    refused = [(one["place"], one["reason"]) for one in run.refusals if one["reason"] != "bad_identifier"]
    assert refused == [("accounts.csv:3", "same_name")]


def test_lines_of_one_company_are_one_account_whoever_its_contacts_are(office: Office) -> None:
    office.sheet("Empresa;Contato;E-mail;Telefone\nAcme;Ana;a@x;4732100123\nAcme;Bia;b@x;4732100124\n")
    assert office.accounts() == {"Acme": ("Acme", {"4732100123": "Ana", "4732100124": "Bia"})}
