"""Accounts come in from the CSV files that people have."""

import csv
import tracemalloc
from pathlib import Path

import pytest

from gateway.directory.columns import find_columns
from gateway.directory.sheet import SheetConfig, SheetSource
from gateway.errors import SourceError
from tests.directory.conftest import Office


def test_a_file_from_excel_in_brazil_is_read(office: Office) -> None:
    text = "Código;Razão Social;Contato;Telefone 1;Celular\r\n7;Padaria São José;Zé;(47) 3210-0123;47 99999-8888\r\n"
    office.sheet(text.encode("cp1252"))
    assert office.accounts() == {"7": ("Padaria São José", {"4732100123": "Zé", "47999998888": "Zé"})}


def test_commas_utf8_and_english_names_are_read_too(office: Office) -> None:
    office.sheet("\ufeffcode,name,contact,phone\nA1,Acme,Bob,4732100123\n")
    assert office.accounts() == {"A1": ("Acme", {"4732100123": "Bob"})}


def test_excel_s_unicode_text_is_read_too(office: Office) -> None:
    office.sheet("codigo\tnome\ttelefone\n1\tSão\t4732100123\n".encode("utf-16"))
    assert office.accounts() == {"1": ("São", {"4732100123": ""})}


def test_a_name_over_two_lines_in_quotes_is_one_name(office: Office) -> None:
    office.sheet('codigo;nome;telefone\n1;"A\nB";4732100123\n2;C;4732100124\n')
    assert office.accounts()["1"][0] == "A\nB"
    assert "2" in office.accounts()


def test_lines_with_one_code_are_one_account_wherever_they_stand(office: Office) -> None:
    lines = ["1;A;Ana;4732100123", *(f"x{i};X;;47321{i:05}" for i in range(3000)), "1;A;Bia;4732100124"]
    office.sheet("codigo;nome;contato;telefone\n" + "\n".join(lines))
    assert office.accounts()["1"] == ("A", {"4732100123": "Ana", "4732100124": "Bia"})


def test_accounts_and_contacts_may_be_two_files(office: Office) -> None:
    run = office.sheet(
        "codigo;nome;telefone\n1;A;4732100123\n", "codigo conta;contato;celular\n1;Bia;47999998888\n9;Zé;4732100199\n"
    )
    assert office.accounts() == {"1": ("A", {"4732100123": "", "47999998888": "Bia"})}
    assert [(one["place"], one["reason"]) for one in run.refusals] == [("1accounts.csv:3", "no_name")]


def test_contacts_may_come_for_accounts_that_are_there_already(office: Office) -> None:
    office.sheet("codigo;nome;telefone\n1;A;4732100123\n")
    office.sheet("codigo;contato;celular\n1;Bia;47999998888\n")
    assert office.accounts() == {"1": ("A", {"47999998888": "Bia"})}


def test_several_numbers_in_one_cell_are_all_taken(office: Office) -> None:
    office.sheet("codigo;nome;telefone\n1;A;4732100123 / 4732100124\n")
    assert set(office.accounts()["1"][1]) == {"4732100123", "4732100124"}


def test_any_column_may_be_mapped(office: Office) -> None:
    columns = {"Chave": "code", "Quem": "name", "Fone Resid.": "phone", "celular": "ignore"}
    office.sheet("Quem;Fone Resid.;Chave;Celular\nA;4732100123;k1;47999998888\n", columns=columns)
    assert office.accounts() == {"k1": ("A", {"4732100123": ""})}


def test_a_person_s_numbers_stay_with_that_person(office: Office) -> None:
    header = "codigo;nome;telefone;contato_1;celular_contato_1;contato_2;telefone_contato_2"
    office.sheet(f"{header}\n1;A;4732100123;Ana;47999998888;Bia;4732100124\n")
    assert office.accounts()["1"][1] == {"4732100123": "", "47999998888": "Ana", "4732100124": "Bia"}


def test_who_looks_after_an_account_comes_along_and_is_offered_it_first(office: Office) -> None:
    office.sheet("codigo;nome;telefone;vendedor\n1;A;4732100123;3501\n2;B;4732100123;3502\n")
    for extension, code in (("3501", "1"), ("3502", "2")):
        assert office.store.directory.matches("acme", ["4732100123"], extension)[0].match.code == code
    assert office.sheet("codigo;nome;telefone;vendedor\n1;A;4732100123;3502\n").counts.changed == 1


def test_without_a_code_the_name_is_the_code(office: Office) -> None:
    office.sheet("nome,telefone\nAcme,4732100123\n")
    assert list(office.accounts()) == ["Acme"]


def test_what_cannot_be_used_is_reported_with_its_line(office: Office, tmp_path: Path) -> None:
    report = tmp_path / "refused.csv"
    content = "codigo;nome;telefone\n1;;4732100123\n2;B;anonymous\n\n3;C;=4732100123\n" + "9" * 65 + ";D;1\n"
    run = office.sheet(content, report=report)
    found = [(one["place"], one["reason"], one["text"][:9]) for one in run.refusals]
    assert found == [
        ("accounts.csv:6", "long_code", "999999999"),
        ("accounts.csv:2", "no_name", "1"),
        ("accounts.csv:3", "unreadable", "anonymous"),
    ]
    assert (run.counts.entries, run.counts.refused) == (3, 3)
    assert sorted(office.accounts()) == ["2", "3"]
    with report.open(encoding="utf-8-sig", newline="") as file:
        assert [row["text"][:10] for row in csv.DictReader(file, delimiter=";")] == ["9" * 10, "1", "anonymous"]


def test_a_report_is_no_trap_for_a_spreadsheet(office: Office, tmp_path: Path) -> None:
    office.sheet('codigo;nome;telefone\n1;A;"=HYPERLINK(""http:"")"\n', report=tmp_path / "refused.csv")
    assert "'=HYPERLINK" in (tmp_path / "refused.csv").read_text(encoding="utf-8-sig")


def test_what_was_refused_is_reported_again_when_nothing_changed(office: Office) -> None:
    content = "codigo;nome;telefone\n1;A;anonymous\n"
    runs = [office.sheet(content) for _ in range(2)]
    assert [run.counts.refused for run in runs] == [1, 1]
    assert runs[1].counts.unchanged == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "está vazio"),
        ("a;b\n1;2\n", "não há coluna para o telefone"),
        ("telefone\n1\n", "não há coluna para a conta"),
    ],
)
def test_a_file_without_the_needed_columns_says_which(office: Office, content: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        office.sheet(content)
    (run,) = office.importer.imports.last("acme")
    assert (run.state, said in run.message) == ("failed", True)


def test_a_mapping_to_a_column_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"there is no column 'Fone'; there are: Nome, Tel"):
        find_columns(["Nome", "Tel"], {"Fone": "phone"})


@pytest.mark.parametrize(
    "content",
    [
        "sep=;\ncodigo;nome;telefone\n1;A;4732100123\n",
        "\ufeffsep=,\r\ncodigo,nome,telefone\r\n1,A,4732100123\r\n",
        "\n\n;;\ncodigo;nome;telefone\n1;A;4732100123\n",
        "Clientes em 30/11\n\ncodigo;nome;telefone\n1;A;4732100123\n",
        "\r\n\r\ncodigo\tnome\ttelefone\r\n1\tA\t4732100123",
    ],
)
def test_what_stands_above_the_header_is_skipped(office: Office, content: str) -> None:
    office.sheet(content)
    assert office.accounts() == {"1": ("A", {"4732100123": ""})}


HEADER = "codigo;nome;telefone\n"
GOOD = "1;A;4732100121\n2;B;4732100122\n3;C;4732100123\n4;D;4732100124\n5;E;4732100125\n"
OPEN_QUOTES = {
    "to the end": (GOOD.replace("4;D;", '4;"D;'), 5),
    "to the next line's quote": (GOOD.replace("4;D;", '4;"D;').replace("5;E;", '5;"E";'), 5),
    "to a quote two lines further": (GOOD.replace("2;B;", '2;"B;').replace("4;D;", '4;D";'), 3),
    "in the last line": (GOOD.replace("5;E;", '5;"E;'), 6),
    "behind a text": (GOOD.replace("4;D;4732100124", '4;D;"4732100124'), 5),
}


@pytest.mark.parametrize("case", OPEN_QUOTES)
def test_a_quote_that_is_never_closed_costs_its_own_line_and_no_account(office: Office, case: str) -> None:
    content, line = OPEN_QUOTES[case]
    office.sheet(HEADER + GOOD)
    run = office.sheet(HEADER + content, full=True)
    assert (f"accounts.csv:{line}", "open_quote") in [(one["place"], one["reason"]) for one in run.refusals]
    assert (run.counts.removed, sorted(office.accounts())) == (0, ["1", "2", "3", "4", "5"])
    assert "nenhuma conta foi removida" in run.message
    assert office.accounts()["5" if line != 6 else "4"][1]


def test_lines_that_could_be_read_are_removed_again_when_it_is_forced(office: Office) -> None:
    office.sheet(HEADER + GOOD)
    run = office.sheet(HEADER + '1;A;4732100121\n2;"B;4732100122\n', full=True, force=True)
    assert (run.counts.removed, sorted(office.accounts())) == (4, ["1"])


def test_quotes_in_the_middle_of_a_cell_are_signs_like_others(office: Office) -> None:
    office.sheet(HEADER + '1;TV 42" Ltda;4732100121\n2;"B" e C;4732100122\n3;"D ""E""";4732100123\n')
    assert [office.accounts()[code][0] for code in "123"] == ['TV 42" Ltda', "B e C", 'D "E"']


def test_a_line_without_end_is_refused_and_takes_no_memory(office: Office) -> None:
    path = office.folder / "long.csv"
    with path.open("w") as file:
        file.write(HEADER + "1;A;4732100121\n2;B;")
        for _ in range(30):
            file.write("4732100122," * 100_000)
        file.write("\n3;C;4732100123\n")
    tracemalloc.start()
    run = office.take(SheetSource(SheetConfig(path=path), name="csv"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [(one["place"], one["reason"]) for one in run.refusals] == [("long.csv:3", "long_line")]
    assert sorted(office.accounts()) == ["1", "3"]
    assert peak < 10_000_000


def test_a_header_without_end_is_refused(office: Office) -> None:
    with pytest.raises(SourceError, match=r"o cabeçalho não pôde ser lido \(linha 1\)"):
        office.sheet("codigo;nome;telefone;" + "x" * 3_000_000 + "\n1;A;4732100123\n")


def test_a_text_in_quotes_that_goes_on_for_ever_is_cut_after_a_while(office: Office) -> None:
    lines = "\n".join(f'{i};"A{i}";47321{i:05}' for i in range(10, 3000))
    run = office.sheet(HEADER + '1;"A;4732100121\n' + lines)
    assert len(office.accounts()) == 2990
    assert [one["reason"] for one in run.refusals] == ["open_quote"]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("5,51199E+12", "shortened"), ("4.8E+10", "shortened"), ("12E5", "shortened"), ("30/11/2026", "unreadable")],
)
def test_what_a_spreadsheet_spoiled_is_listed_with_the_reason(office: Office, cell: str, reason: str) -> None:
    run = office.sheet(HEADER + f"1;A;{cell}\n")
    assert [(one["reason"], one["text"]) for one in run.refusals] == [(reason, cell)]
    assert office.accounts() == {"1": ("A", {None: ""})}


def test_a_cell_that_is_longer_than_any_list_of_numbers_is_refused(office: Office) -> None:
    run = office.sheet(HEADER + "1;A;" + "4732100123 " * 1000 + "\n")
    assert [one["reason"] for one in run.refusals] == ["unreadable"]


def test_every_number_of_a_cell_is_taken(office: Office) -> None:
    office.sheet(HEADER + "1;A;47 3210-0123 (com.) 47 99999-8888 (cel.) ou (11) 3210-0124/0125\n")
    assert set(office.accounts()["1"][1]) == {"4732100123", "47999998888", "1132100124", "1132100125"}
