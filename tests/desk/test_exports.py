"""Calls as files: what is in them, that nothing in them is computed, and what they hold at most."""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from gateway.desk.exports import as_csv, as_xlsx, sheet_for_people, sheet_for_programs
from gateway.store.call_fields import LOG_FIELDS
from gateway.store.calls import LoggedCall
from tests.desk.conftest import ANA, Browser, Office

ZONE = ZoneInfo("America/Sao_Paulo")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1", '=HYPERLINK("http://x","y")', "{=1}", "http://x/a")


def read_csv(data: bytes, separator: str = ";") -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=separator))


def read_xlsx(data: bytes) -> tuple[list[list[Any]], str]:
    """The rows of the only sheet, and its XML."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml")
    rows = []
    for row in etree.fromstring(sheet).iter(f"{MAIN}row"):
        cells = row.iter(f"{MAIN}c")
        rows.append(["".join(each.itertext()) if each.get("t") == "inlineStr" else each[0].text for each in cells])
    return rows, sheet.decode()


@pytest.fixture
def two_calls(office: Office) -> None:
    office.know("Padaria São João", ANA)
    office.ring(ANA, "3501")
    office.hang_up(ANA, "3501", result="NOANSWER", queue="=cmd|' /C calc'!A0")
    office.ring("1133334444", "3502")


@pytest.mark.usefixtures("two_calls")
def test_a_page_s_calls_are_a_csv_and_a_spreadsheet_in_the_reader_s_language(ana: Browser) -> None:
    answer = ana.get("/ligacoes.csv?busca=padaria")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="acme-2')
    head, only = read_csv(answer.data)
    row = dict(zip(head, only, strict=True))
    assert row["Conta"] == "Padaria São João"
    assert row["Número"] == "(47) 99999-8888"
    assert row["Fila"] == "'=cmd|' /C calc'!A0"
    assert (row["Resultado"], row["Perdida"], row["Sentido"]) == ("Não atendida", "sim", "Recebida")
    datetime.strptime(row["Início"], "%Y-%m-%d %H:%M:%S")
    assert len(read_csv(ana.get("/ligacoes.csv").data)) == 3
    (head, only), xml = read_xlsx(ana.get("/ligacoes.xlsx?busca=padaria").data)
    assert "=cmd|' /C calc'!A0" in only
    assert "<f>" not in xml
    assert 'href="/ligacoes.xlsx?busca=padaria"' in ana.get("/ligacoes?busca=padaria").text


@pytest.mark.usefixtures("two_calls")
def test_programs_get_all_fields_by_the_filter_of_the_api(ana: Browser) -> None:
    head, only = read_csv(ana.get("/api/calls.csv?extension=3502").data, ",")
    assert tuple(head) == LOG_FIELDS
    assert dict(zip(head, only, strict=True))["number"] == "1133334444"
    rows, _ = read_xlsx(ana.get("/api/calls.xlsx?result=missed&search=padaria").data)
    assert len(rows) == 2
    refused = ana.get("/api/calls.csv?limit=5")
    assert (refused.status_code, refused.get_json()["code"]) == (400, 215)


CALL = LoggedCall(1, "acme", "incoming", "3501", ANA, None, None, None, 0, 0, None, None, None, "ringing")


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("name", ["account", "contact", "caller_name", "queue", "line", "result_text", "number"])
def test_no_text_is_a_formula(name: str, text: str) -> None:
    call = replace(CALL, **{name: text})  # type: ignore[arg-type]
    for sheet in (sheet_for_people(ZONE, "pt-BR"), sheet_for_programs(ZONE, "en")):
        for row in read_csv(b"".join(as_csv([call], sheet)), ","):
            assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\uff1d"))]
        with as_xlsx([call], sheet) as file:
            rows, xml = read_xlsx(file.read())
        assert "<f>" not in xml
        assert "hyperlink" not in xml
        assert name in ("result_text", "line") or text in rows[1]


def test_times_are_the_company_s() -> None:
    call = replace(CALL, started_at=1780000000000)
    local = datetime.fromtimestamp(1780000000, ZONE).strftime("%Y-%m-%d %H:%M:%S")
    assert local in b"".join(as_csv([call], sheet_for_people(ZONE, "es"))).decode()
    assert local in b"".join(as_csv([call], sheet_for_programs(ZONE, "es"))).decode()


def test_a_full_spreadsheet_says_that_there_is_more() -> None:
    sheet = sheet_for_people(ZONE, "pt-BR")
    with as_xlsx([replace(CALL, id=n) for n in range(4)], sheet, most=3) as file:
        rows, _ = read_xlsx(file.read())
    assert len(rows) == 4
    assert rows[-1][0].startswith("Mais ligações")
    with as_xlsx([replace(CALL, id=n) for n in range(3)], sheet, most=3) as file:
        assert "Mais" not in read_xlsx(file.read())[1]


def test_a_csv_is_written_while_calls_are_read() -> None:
    def forever() -> Iterator[LoggedCall]:
        while True:
            yield CALL

    lines = as_csv(forever(), sheet_for_people(ZONE, "pt-BR"))
    assert b"3501" in [next(lines) for _ in range(3)][2]
