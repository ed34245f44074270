"""What names an account beside its telephones, in whatever way it is written."""

import pytest

from gateway.domain.identifiers import identifiers_in, is_guessed, kind_of, named_by, read_identifier, searched, shown


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("cpf", "529.982.247-25", ("cpf", "52998224725")),
        ("CPF", " 52998224725 ", ("cpf", "52998224725")),
        ("CPF/CNPJ", "11.222.333/0001-81", ("cnpj", "11222333000181")),
        ("documento", "52998224725", ("cpf", "52998224725")),
        ("contaCnpj", "11222333000181", ("cnpj", "11222333000181")),
        ("cpf", "11.222.333/0001-81", ("cnpj", "11222333000181")),
        # Receita Federal's own example of a CNPJ with letters.
        ("cnpj", "12.ABC.345/01DE-35", ("cnpj", "12ABC34501DE35")),
        ("cnpj", "12abc34501de35", ("cnpj", "12ABC34501DE35")),
        # A spreadsheet took the zeros off: 00000000000191 is Banco do Brasil's.
        ("cpf", "4381234567", None),
        ("cpf", "1234567890", ("cpf", "01234567890")),
        ("cnpj", "360305000104", ("cnpj", "00360305000104")),
        ("cpf", "00000000000", None),
        ("cpf", "11111111111", None),
        ("cpf", "ISENTO", None),
        ("cnpj", "12.ABC.345/01DE-3X", None),
        ("cpf", "123", None),
        ("Contrato", "AB-0012/3", ("contrato", "ab00123")),
        ("Nº Contrato", "000012", ("contrato", "000012")),
        ("Matrícula", "99 88", ("matricula", "9988")),
        ("contrato", "---", None),
        ("contrato", "9" * 65, None),
        ("", "123", None),
    ],
)
def test_one_form_for_all_spellings(name: str, text: str, key: tuple[str, str] | None) -> None:
    found = read_identifier(name, text)
    assert (found.key if found else None) == key


def test_names_of_columns_and_fields_mean_the_same() -> None:
    assert {kind_of(name) for name in ("CPF", "cpf_cnpj", "A1_CGC", "contaCpf")} == {"cpf"}
    assert {kind_of(name) for name in ("Contrato", "contract", "número do contrato")} == {"contrato"}
    assert len(kind_of("x" * 90)) == 40


def test_a_cell_may_hold_several() -> None:
    found = [(text, read.key if read else None) for text, read in identifiers_in("contrato", "12; 13,ISENTO | ; 14")]
    assert found == [("12", ("contrato", "12")), ("13", ("contrato", "13")), ("14", ("contrato", "14"))]
    assert list(identifiers_in("cpf", "123; 0")) == [("123", None)]


def test_the_fields_of_a_call_name_accounts_in_their_order() -> None:
    fields = {"protocolo": "2026-77", "cpf": "529.982.247-25", "obs": "liga depois"}
    assert [each.key for each in named_by(fields)] == [("protocolo", "202677"), ("cpf", "52998224725")]


def test_people_search_and_read_them_as_they_write_them() -> None:
    assert list(searched("529.982.247-25")) == ["52998224725", "52998224725"]
    assert list(searched("AB-12")) == ["ab12"]
    assert list(searched("padaria")) == []
    assert shown("cpf", "52998224725") == "529.982.247-25"
    assert shown("cnpj", "12ABC34501DE35") == "12.ABC.345/01DE-35"
    assert shown("contrato", "ab12", "AB-12") == "AB-12"


@pytest.mark.parametrize(
    ("name", "guessed"), [("CPF", True), ("cnpj", True), ("documento", False), ("contrato", True), ("nome", False)]
)
def test_a_column_is_of_identifiers_by_its_name_unless_it_may_be_another_document(name: str, guessed: bool) -> None:
    assert is_guessed(name) is guessed


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("cpf", "12345678909", "123.456.789-09"),
        ("cpf", "1234567890", "as written"),
        ("cpf", "123456789099", "as written"),
        ("cnpj", "12345678000195", "12.345.678/0001-95"),
        ("cnpj", "1234567800019", "as written"),
        ("cnpj", "123456780001955", "as written"),
        ("contrato", "12345678909", "as written"),
    ],
)
def test_only_a_whole_document_is_written_with_its_signs(kind: str, value: str, text: str) -> None:
    assert shown(kind, value, "as written") == text
    assert shown("contrato", value) == value


def test_signs_alone_name_nobody() -> None:
    assert read_identifier("contrato", "-/-") is None
