"""Texts are fitted to their columns in one place, whichever way they are written."""

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, insert, select, text

from gateway.adapter import Delivery, Outcome
from gateway.store import delivery_receipts, tables, traffic
from gateway.store.bulk import Write
from gateway.store.fitting import Fitted, FittedString, FittedText, fit, fitter, is_storable
from gateway.store.imports.loading import LoadedAccount, Phone, write_accounts
from gateway.store.writing.drafts import OrderAttempt, Settlement
from tests.store.conftest import T0, Store

TABLES = [*tables.metadata.tables.values(), traffic.entries, delivery_receipts.receipts]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("São João", "São João"),
        ("a\0b", "ab"),
        ("a\ud83d", "a?"),
        ("é" * 9, "é" * 8),
        ("", ""),
        ("\0" + "x" * 8, "x" * 8),
    ],
)
def test_a_text_is_cut_and_loses_what_a_database_refuses(written: str, stored: str) -> None:
    assert fit(written, 8) == stored


@pytest.mark.parametrize("text", ["São João", "a\0b", "a\ud83d", "a" * 99, "", "\0"])
def test_what_a_database_takes_as_it_is_need_not_be_fitted(text: str) -> None:
    assert is_storable(text) == (fit(text) == text)


NARROW = Table(
    "narrow",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("code", FittedString(3)),
    Column("words", FittedText),
)


@pytest.mark.parametrize(
    ("code", "words"), [("abcd", "x"), ("abc", "x\0"), ("ab\ud83d", None), (None, "\ud83d"), ("é" * 4, "")]
)
def test_each_row_is_fitted_wherever_it_stands_among_others(code: str | None, words: str | None) -> None:
    fine = {"code": "abc", "words": "São João" * 99}
    rows = [{"id": count, **fine} for count in range(300)]
    rows[280] = {"id": 280, "code": code, "words": words}
    with create_engine("sqlite://").begin() as connection:
        NARROW.create(connection)
        Write(NARROW, ("id", "code", "words")).run(connection, rows)
        stored = {row.id: (row.code, row.words) for row in connection.execute(select(NARROW))}
    assert stored.pop(280) == (code and fit(code, 3), words and fit(words))
    assert set(stored.values()) == {tuple(fine.values())}
    assert len(stored) == 299


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_of_text_is_fitted(table: Table) -> None:
    assert [column.name for column in table.c if isinstance(column.type, String)] == []


def test_what_a_batch_writes_fits_its_columns(store: Store) -> None:
    store.order("3501", "4732100123\0" + "9" * 300)
    delivery = Delivery(Outcome.REFUSED, "n\0ão\ud800", "x" * 300)
    attempt = OrderAttempt("a" * 80, delivery, T0, T0 + 1)
    store.journal.write(Settlement("acme", 1, delivery, T0 + 1, (attempt,)))
    with store.engine.connect() as connection:
        order = connection.execute(select(tables.orders)).one()
        (detail,) = connection.execute(select(tables.attempts.c.detail)).one()
    assert (order.number, len(order.digits)) == (("4732100123" + "9" * 300)[:255], 64)
    # An id that was cut would be another call's.
    assert (order.detail, order.dialled_by, order.peer_ref) == ("não?", "a" * 63, None)
    assert detail == "não?"


def test_what_a_statement_writes_and_compares_fits_as_well(store: Store) -> None:
    code = "c" * 80
    values = {"tenant": "acme", "code": code, "name": "Ana\0", "updated_at": T0}
    with store.engine.begin() as connection:
        connection.execute(insert(tables.accounts).values(values))
        assert connection.execute(text("SELECT code, name FROM accounts")).one() == ("c" * 64, "Ana")
        assert connection.execute(select(tables.accounts.c.id).where(tables.accounts.c.code == code)).scalar() == 1


def test_a_telephone_that_was_put_right_is_known_again_however_long_its_text_is(store: Store) -> None:
    as_stored = fitter(tables.phones.c.as_written)
    account = LoadedAccount("1", "Ana" * 200, (Phone(None, "x" * 300, as_stored("ramal " * 99)),))
    with store.engine.begin() as connection:
        write_accounts(connection, "acme", "csv", [account], T0)
        connection.execute(text("UPDATE phones SET number = '4732100123', edited_at = 1"))
        write_accounts(connection, "acme", "csv", [account], T0 + 1)
        found = connection.execute(select(tables.phones)).one()
    assert (found.number, len(found.contact)) == ("4732100123", 255)


def test_only_a_column_of_text_has_a_length() -> None:
    assert all(isinstance(column.type, Fitted) for column in (tables.calls.c.number, tables.calls.c.recording_url))
    with pytest.raises(TypeError, match="holds no text"):
        fitter(tables.calls.c.started_at)
