"""The directory comes from another SQL database by a query."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.directory.database import DatabaseConfig, DatabaseSource, as_text
from gateway.directory.sources import job_of
from gateway.errors import SourceError
from gateway.source import Entry
from tests.directory.conftest import PLAN, T0, Office

QUERY = "SELECT id AS codigo, razao AS nome, fone AS telefone FROM clientes ORDER BY razao"
Erp = Callable[..., DatabaseSource]


@pytest.fixture
def erp(tmp_path: Path) -> Erp:
    path = tmp_path / "erp.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            """CREATE TABLE clientes (id INTEGER, razao TEXT, fone, mudou TEXT);
            INSERT INTO clientes VALUES (2, 'Padaria São José', 4732100123.0, '2026-01-01 10:00:00'),
                                        (1, 'Clínica', '(47) 99999-8888', '2026-03-01 10:00:00');"""
        )

    def source(query: str = QUERY, **more: Any) -> DatabaseSource:
        url = SecretStr(more.pop("url", f"sqlite:///{path}"))
        return DatabaseSource(DatabaseConfig(url=url, query=query, **more), name="erp")

    return source


def test_accounts_come_from_a_query(office: Office, erp: Erp) -> None:
    assert office.take(erp(), "erp").counts.added == 2
    assert office.accounts() == {
        "2": ("Padaria São José", {"4732100123": ""}),
        "1": ("Clínica", {"47999998888": ""}),
    }


def test_columns_of_a_query_may_be_mapped(office: Office, erp: Erp) -> None:
    columns = {"id": "code", "razao": "name", "fone": "phone"}
    office.take(erp("SELECT * FROM clientes", columns=columns), "erp")
    assert set(office.accounts()) == {"1", "2"}


def test_with_since_only_what_changed_is_asked_for_and_nothing_is_removed(office: Office, erp: Erp) -> None:
    from gateway.config.tables import DirectorySettings

    source = erp(QUERY.replace("ORDER", "WHERE mudou >= :since ORDER"), since_as="text")
    table = DirectorySettings(source="sql", full=True, settings=source._config)
    office.now = 1_771_000_000_000  # 2026-02-13
    jobs = []
    for _ in range(2):
        jobs.append(job_of("acme", "erp", table, PLAN, office.importer.imports))
        run = office.importer.run(jobs[-1], "sql")
    assert [job.since for job in jobs] == [None, 1_771_000_000_000 - 60_000]
    assert (run.counts.entries, run.counts.unchanged, run.counts.removed) == (1, 1, 0)
    assert len(office.accounts()) == 2


@pytest.mark.parametrize(
    ("since_as", "since"), [("unix", 1780000000), ("text", "2026-05-28 17:26:40"), ("datetime", None)]
)
def test_since_is_written_as_the_database_has_its_times(erp: Erp, since_as: Any, since: object) -> None:
    source = erp("SELECT id AS codigo, :since AS telefone FROM clientes", since_as=since_as)
    (first, *_) = source.entries(T0)
    source.close()
    assert isinstance(first, Entry)
    assert first.phones[0][0].startswith(str(since if since else "2026-05-28 17:26:40"))


def test_a_time_in_the_query_is_no_parameter(erp: Erp) -> None:
    source = erp("SELECT id AS codigo, '10:30' AS telefone FROM clientes")
    assert not source.incremental
    assert source.probe().ok


def test_check_looks_at_the_columns_and_reads_nothing(erp: Erp) -> None:
    assert erp().probe().detail == "O banco respondeu com as colunas codigo, nome, telefone."
    bad = erp("SELECT id, razao FROM clientes").probe()
    assert (bad.ok, "não há coluna para o telefone; há: id, razao." in bad.detail) == (False, True)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"query": "SELECT x FROM clientes"}, "não pôde ser lido: no such column: x."),
        ({"url": "sqlite:////no/such/file.db"}, "o arquivo /no/such/file.db não existe."),
        ({"url": "nonsense"}, "url não é um endereço de banco de dados. Esperado algo como postgresql+psycopg://"),
        ({"url": "klingon://h/b"}, "não há banco de dados 'klingon'. Conhecidos: sqlite://, postgresql+psycopg://"),
        ({"url": "oracle+oracledb://u:s3cret@h/b"}, "falta o pacote 'oracledb', com que se fala com oracle+oracledb."),
        ({"url": "mssql://u:s3cret@h/b"}, "Instale-o: pip install 'pyodbc'."),
        ({"url": "mysql://u:s3cret@h/b"}, "pip install 'mysqlclient' (ou use mysql+pymysql:// e instale 'pymysql')."),
    ],
)
def test_what_is_wrong_is_said_in_words_to_act_on_and_without_the_password(
    erp: Erp, more: dict[str, Any], said: str
) -> None:
    source = erp(**more)
    with pytest.raises(SourceError) as error:
        list(source.entries(None))
    source.close()
    assert said in str(error.value)
    assert "s3cret" not in str(error.value) + repr(source._config)


def test_a_query_that_never_ends_is_given_up(erp: Erp) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS id, 1 AS fone FROM n"
    source = erp(endless, timeout_s=0.2)
    with pytest.raises(SourceError, match=r"a consulta ao banco não terminou em 0\.2 s"):
        list(source.entries(None))
    source.close()


def test_a_query_may_not_write(erp: Erp) -> None:
    with pytest.raises(ValueError, match="query must be a SELECT"):
        erp("DELETE FROM clientes")
    source = erp("WITH x AS (SELECT 1) DELETE FROM clientes")
    with pytest.raises(SourceError, match="readonly"):
        list(source.entries(None))
    source.close()


def test_cells_are_read_as_people_would_write_them() -> None:
    from decimal import Decimal

    assert [as_text(value) for value in (None, 4732100123.0, Decimal("47.00"), 1.5, b"S\xe3o", b"\xc3\xa3", 7)] == [
        *("", "4732100123", "47", "1.5", "São", "ã", "7")
    ]


def test_an_area_code_in_a_column_of_the_query_belongs_to_its_telephone(office: Office, erp: Erp) -> None:
    query = "SELECT 1 AS codigo, 'A' AS nome, 11 AS ddd, 32100123.0 AS telefone, '3210-0124 / 21 3210-0125' AS fax"
    run = office.take(erp(query + ", 'x' AS cidade"), "erp")
    assert set(office.accounts()["1"][1]) == {"1132100123", "1132100124", "2132100125"}
    assert run.message == "Colunas não usadas: cidade."


@pytest.mark.parametrize("value", [Decimal("1E+30"), Decimal("Infinity"), Decimal("NaN"), float("inf"), float("nan")])
def test_no_number_of_a_database_ends_an_import(value: Any) -> None:
    assert as_text(value)
