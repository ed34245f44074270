"""Asterisk's table of calls where it mostly lies: in a MariaDB that we did not write."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from gateway.domain.messages import CallEnded
from gateway.errors import EventSourceError
from gateway.events.cdr.settings import TableSourceConfig
from gateway.events.cdr.source import TableSource
from gateway.texts.rendering import render
from tests.events.reports import ZONE, CollectedReport, attempt, place, until
from tests.live.mariadb import MariadbServer, mariadb

PASSWORD = "s3nha-do-leitor"
COMMON = """
    calldate DATETIME NOT NULL, clid VARCHAR(80) NOT NULL DEFAULT '', src VARCHAR(80) NOT NULL DEFAULT '',
    dst VARCHAR(80) NOT NULL DEFAULT '', dcontext VARCHAR(80) NOT NULL DEFAULT '',
    channel VARCHAR(80) NOT NULL DEFAULT '', dstchannel VARCHAR(80) NOT NULL DEFAULT '',
    lastapp VARCHAR(80) NOT NULL DEFAULT '', lastdata VARCHAR(80) NOT NULL DEFAULT '',
    duration INT NOT NULL DEFAULT 0, billsec INT NOT NULL DEFAULT 0, disposition VARCHAR(45) NOT NULL DEFAULT '',
    amaflags INT NOT NULL DEFAULT 0, accountcode VARCHAR(20) NOT NULL DEFAULT '',
    uniqueid VARCHAR(32) NOT NULL DEFAULT '', userfield VARCHAR(255) NOT NULL DEFAULT '',
    did VARCHAR(50) NOT NULL DEFAULT '', recordingfile VARCHAR(255) NOT NULL DEFAULT''"""
FREEPBX = (
    f"{COMMON}, linkedid VARCHAR(32) NOT NULL DEFAULT '', peeraccount VARCHAR(80) NOT NULL DEFAULT '', sequence INT"
)
"""The columns of FreePBX's table, of which Issabel's has no more than the ``COMMON`` ones."""


class Asterisk:
    """The tables of two exchanges, FreePBX's ``cdr`` and Issabel's ``old``, and who may only read them."""

    def __init__(self, server: MariadbServer) -> None:
        self.server = server
        server.run(
            "CREATE DATABASE asteriskcdrdb CHARACTER SET utf8mb4",
            f"CREATE TABLE asteriskcdrdb.cdr ({FREEPBX}, KEY calldate (calldate)) ENGINE=InnoDB",
            f"CREATE TABLE asteriskcdrdb.old ({COMMON}, KEY calldate (calldate)) ENGINE=MyISAM",
            f"CREATE USER leitor@localhost IDENTIFIED BY '{PASSWORD}'",
            "GRANT SELECT ON asteriskcdrdb.* TO leitor@localhost",
        )

    def add(self, uniqueid: str, extension: str, *, table: str = "cdr", talk: int = 10, **more: Any) -> None:
        row = {
            "calldate": datetime.now(ZONE) - timedelta(minutes=2),
            "clid": '"José Conceição" <47999990016>',
            "src": "47999990016",
            "dst": "s",
            "channel": "PJSIP/trunk-00000001",
            "dstchannel": f"PJSIP/{extension}-00000002",
            "duration": talk + 5,
            "billsec": talk,
            "disposition": "ANSWERED" if talk else "NO ANSWER",
            "uniqueid": uniqueid,
            "did": "4733330000",
            **({"linkedid": uniqueid} if table == "cdr" else {}),
            **more,
        }
        names, places = ", ".join(row), ", ".join(["%s"] * len(row))
        with self.server.connected() as connection, connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO asteriskcdrdb.{table} ({names}) VALUES ({places})", tuple(row.values()))

    def source(self, **more: Any) -> TableSource:
        table: dict[str, Any] = {
            "preset": "asterisk-cdr",
            "url": self.server.url("leitor", "asteriskcdrdb"),
            "password": PASSWORD,
            "every_s": 0.2,
            "settle_s": 0.3,
            "recording_url": "https://rec.example/{date_path}/{recordingfile}",
            **more,
        }
        return TableSource(TypeAdapter(TableSourceConfig).validate_python(table), place("cdr"))


@pytest.fixture(scope="module")
def asterisk() -> Iterator[Asterisk]:
    with mariadb() as server:
        yield Asterisk(server)


@pytest.fixture(autouse=True)
def _empty_tables(asterisk: Asterisk) -> None:
    asterisk.server.run("DELETE FROM asteriskcdrdb.cdr", "DELETE FROM asteriskcdrdb.old")


def told(report: CollectedReport, number: int) -> list[CallEnded]:
    until(lambda: len(report.messages) >= number, f"{number} calls are told", within_s=60)
    return [message for message in report.messages if isinstance(message, CallEnded)]


def test_rows_of_one_call_are_told_as_one_and_each_once(asterisk: Asterisk) -> None:
    asterisk.add("1.1", "3501", talk=0)
    began = datetime.now(ZONE) - timedelta(minutes=2)
    asterisk.add("1.2", "3502", linkedid="1.1", recordingfile="in-1.1.wav", calldate=began)
    with attempt(asterisk.source()) as made:
        (call,) = told(made.report, 1)
        asterisk.add("2.1", "3501", talk=0)
        assert [each.call_ref for each in told(made.report, 2)] == ["1.1", "2.1"]
    assert (call.ramal, call.telefone, call.duration_s, call.result) == ("3502", "47999990016", 10, "ANSWERED")
    assert (call.caller_name, call.line) == ("José Conceição", "4733330000")
    assert call.recording_url == f"https://rec.example/{began:%Y/%m/%d}/in-1.1.wav"
    assert made.report.missed_nothing


def test_a_row_that_is_changed_later_is_told_anew(asterisk: Asterisk) -> None:
    asterisk.add("1.1", "3501", talk=0)
    with attempt(asterisk.source()) as made:
        told(made.report, 1)
        asterisk.server.run("UPDATE asteriskcdrdb.cdr SET billsec = 7, duration = 12, disposition = 'ANSWERED'")
        assert [(each.result, each.duration_s or 0) for each in told(made.report, 2)][-1] == ("ANSWERED", 7)


def test_a_table_without_ids_that_join_rows_has_a_call_for_each(asterisk: Asterisk) -> None:
    asterisk.add("1.1", "3501", table="old")
    asterisk.add("1.2", "3502", table="old")
    with attempt(asterisk.source(table="old")) as made:
        assert {each.call_ref for each in told(made.report, 2)} == {"1.1", "1.2"}


def test_a_server_that_ends_is_told_and_goes_on_where_it_was(asterisk: Asterisk) -> None:
    asterisk.add("1.1", "3501")
    source, report = asterisk.source(), CollectedReport()
    with attempt(source, report) as made:
        told(report, 1)
        asterisk.server.stop()
        try:
            assert made.ended(60)
        finally:
            asterisk.server.start()
    assert isinstance(made.error, EventSourceError)
    assert PASSWORD not in render(made.error.text, "en")
    asterisk.add("2.1", "3501")
    following = CollectedReport(memory=report.memory)
    with attempt(source, following):
        assert "2.1" in [each.call_ref for each in told(following, 1)]


def test_a_table_that_somebody_locks_is_given_up_in_time(asterisk: Asterisk) -> None:
    source = asterisk.source(table="old", timeout_s=0.5)
    with asterisk.server.connected() as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLES asteriskcdrdb.old WRITE")
        probe = source.probe()
        cursor.execute("UNLOCK TABLES")
    assert not probe.ok
    assert asterisk.source(table="old").probe().ok


def test_a_wrong_password_is_told_without_it(asterisk: Asterisk) -> None:
    probe = asterisk.source(password="outra-s3nha").probe()
    assert not probe.ok
    assert "Access denied" in render(probe.text, "en")
    assert "outra-s3nha" not in render(probe.text, "en")
