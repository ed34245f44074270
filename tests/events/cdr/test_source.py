"""A table of finished calls: each row is told once, whenever it comes, and however often it is looked at."""

import csv
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.domain.messages import CallEnded
from gateway.errors import EventSourceError
from gateway.event_source import EventSource
from gateway.events.cdr import reading
from gateway.events.cdr import source as source_module
from gateway.events.cdr.settings import TableSourceConfig
from gateway.events.cdr.source import TableSource, TableWatch
from gateway.texts.rendering import render
from tests.events.compliance import SECRET, EventSourceCompliance, exchange
from tests.events.reports import CollectedReport, attempt, place, until
from tests.postgresql import PostgresqlServer, server

RECORDED = Path(__file__).parents[2] / "recordings" / "lines" / "cdr_custom.csv"
ASTERISK = "calldate clid src dst dcontext channel dstchannel lastapp duration billsec disposition uniqueid linkedid "
ASTERISK += "sequence did recordingfile"
NOON = int(datetime(2026, 11, 30, 15, tzinfo=UTC).timestamp() * 1000)
"""12:00 in São Paulo, where the sources of these tests are."""
PLAIN = {"extension": "ramal", "number": "fone", "start": "inicio", "talk": "segundos", "direction": "sentido"}
HOUR = 3_600_000


class Table:
    """A table of calls in SQLite, and one who looks at it as a source does; the clock is ours."""

    def __init__(self, path: Path, names: str, **settings: Any) -> None:
        self.path, self.now, self.clock_ahead_ms = path, NOON, 0
        self.columns = names.split()
        self.run(f"CREATE TABLE calls ({', '.join(self.columns)})")
        self.settings = {"url": f"sqlite:///{path}", "table": "calls", "settle_s": 1, **settings}
        self.report = CollectedReport()
        self.watch = self.begin()

    def run(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement, values)

    def add(self, *rows: dict[str, Any], **row: Any) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            for each in (*rows, row) if row else rows:
                names = ", ".join(each)
                places = ", ".join("?" * len(each))
                connection.execute(f"INSERT INTO calls ({names}) VALUES ({places})", tuple(each.values()))

    def begin(self) -> TableWatch:
        """Begin anew, as another process does: with what was remembered, and nothing else."""
        config = settings(**self.settings)
        here = place("cdr", clock=lambda: self.now, clock_ahead_ms=self.clock_ahead_ms)
        source = TableSource(config, here)
        self.watch = TableWatch(config, here, source._opened(), source.peer, self.report, threading.Event())
        return self.watch

    def look(self, after_s: float = 10) -> list[CallEnded]:
        """Look, and once more when calls have settled; return what was told."""
        before = len(self.report.messages)
        for pause_s in (after_s, 2):
            self.now += round(pause_s * 1000)
            self.watch.look()
        return [message for message in self.report.messages[before:] if isinstance(message, CallEnded)]


def settings(**table: Any) -> TableSourceConfig:
    return TypeAdapter(TableSourceConfig).validate_python(table)


@pytest.fixture
def plain(tmp_path: Path) -> Table:
    """A tariff program's table with a time that grows and no ids of calls."""
    names = "inicio ramal fone segundos sentido"
    return Table(tmp_path / "calls.db", names, preset="generic-table", grows="inicio", columns=PLAIN)


@pytest.fixture
def numbered(tmp_path: Path) -> Table:
    """The same with a number that grows."""
    names = "n inicio ramal fone segundos sentido"
    return Table(
        tmp_path / "calls.db", names, preset="generic-table", grows="n", columns=PLAIN, late_rows=10, from_start=True
    )


def row(number: str = "47999990001", at: str = "2026-11-30 11:58:00", talk: int = 30, **more: Any) -> dict[str, Any]:
    return {"inicio": at, "ramal": "3501", "fone": number, "segundos": talk, "sentido": "in", **more}


def test_a_row_is_told_with_its_times_in_the_zone_of_the_table(plain: Table) -> None:
    plain.add(**row())
    (told,) = plain.look()
    assert (told.ramal, told.telefone, told.duration_s, told.result) == ("3501", "47999990001", 30, "answered")
    assert told.started_at == NOON - 120_000
    assert told.occurred_at == NOON - 90_000
    assert b"fone='47999990001'" in plain.report.heard_bytes


def test_a_row_is_told_once_however_often_it_is_looked_at(plain: Table) -> None:
    plain.add(**row())
    assert len(plain.look()) == 1
    assert plain.look() == plain.look(400) == []


def test_a_row_that_comes_hours_late_is_told(plain: Table) -> None:
    plain.add(**row())
    plain.look()
    plain.add(**row("47999990002", "2026-11-30 06:00:00"))
    told = [*plain.look(), *plain.look(400)]
    assert [each.telefone for each in told] == ["47999990002"]


def test_what_was_told_is_known_by_its_id_after_a_kill(plain: Table) -> None:
    plain.add(**row())
    (told,) = plain.look()
    plain.begin()
    (again,) = plain.look()
    assert told.origin.mark is not None
    assert again.origin.mark is not None
    assert told.origin.mark.event_id == again.origin.mark.event_id


def test_a_kill_between_reading_and_telling_leaves_nothing_out(plain: Table) -> None:
    plain.settings |= {"preset": "asterisk-cdr", "columns": {}}
    plain.run("DROP TABLE calls")
    plain.run(f"CREATE TABLE calls ({', '.join(ASTERISK.split())})")
    plain.settings["grows"] = "calldate"
    plain.begin()
    plain.add(**asterisk("2026-11-30 11:58:00", "1.1", "3501", 8))
    plain.watch.look()
    assert plain.report.messages == []
    plain.begin()
    assert [each.call_ref for each in plain.look()] == ["1.1"]


def test_a_row_that_is_changed_is_told_anew(plain: Table) -> None:
    plain.add(**row())
    plain.look()
    plain.run("UPDATE calls SET segundos = 45")
    assert [each.duration_s for each in plain.look()] == [45]


def test_a_row_of_a_call_that_goes_on_is_told_when_it_is_over(plain: Table) -> None:
    plain.settings["description"] = {"unfinished": {"absent": "segundos"}}
    plain.begin()
    plain.add(**row() | {"segundos": None})
    assert plain.look() == []
    plain.run("UPDATE calls SET segundos = 45")
    assert [each.duration_s for each in plain.look()] == [45]


def test_a_row_from_the_future_does_not_hide_those_with_the_right_time(plain: Table) -> None:
    plain.add(**row(at="2099-01-01 00:00:00"))
    plain.look()
    plain.add(**row("47999990002", "2026-11-30 12:00:05"))
    assert [each.telefone for each in plain.look()] == ["47999990002"]


def test_rows_older_than_a_day_are_not_told_at_the_first_start(plain: Table) -> None:
    plain.add(**row("47999990002", "2026-11-27 12:00:00"))
    plain.add(**row())
    assert [each.telefone for each in plain.look()] == ["47999990001"]


def test_all_rows_are_told_at_the_first_start_where_that_is_wanted(plain: Table, monkeypatch: Any) -> None:
    monkeypatch.setattr(source_module, "ROWS", 3)
    plain.settings["from_start"] = True
    plain.begin()
    for day in range(1, 11):
        plain.add(**row(f"4799999{day:04}", f"2026-11-{day:02} 12:00:00"))
    assert len(plain.look()) == 10


def test_many_rows_of_one_moment_are_all_told(plain: Table, monkeypatch: Any) -> None:
    monkeypatch.setattr(source_module, "ROWS", 3)
    plain.add(*(row(f"4799999{each:04}") for each in range(20)))
    assert len(plain.look()) == 20


def test_a_table_that_counts_rows_is_read_on(numbered: Table) -> None:
    numbered.add(*(row(f"4799999{n:04}", n=n) for n in range(1, 40)))
    assert len(numbered.look()) == 39
    numbered.add(n=35, **row("47999998888"))
    assert [each.telefone for each in numbered.look()] == ["47999998888"]


def test_a_table_that_is_emptied_and_counts_from_one_again_is_read_from_its_beginning(numbered: Table) -> None:
    numbered.add(*(row(f"4799999{n:04}", n=n) for n in range(1, 40)))
    numbered.look()
    numbered.run("DELETE FROM calls")
    numbered.add(n=1, **row("47999997777"))
    assert [each.telefone for each in numbered.look()] == ["47999997777"]
    numbered.run("DELETE FROM calls")
    numbered.look()
    numbered.add(n=1, **row("47999996666"))
    assert [each.telefone for each in numbered.look()] == ["47999996666"]


def test_a_row_without_a_number_waits_until_it_has_one(numbered: Table) -> None:
    numbered.add(row("47999991111"), row("47999992222", n=1))
    assert [each.telefone for each in numbered.look()] == ["47999992222"]
    numbered.run("UPDATE calls SET n = 2 WHERE n IS NULL")
    assert [each.telefone for each in numbered.look()] == ["47999991111"]


def test_old_rows_of_a_quiet_table_are_not_told_again_after_a_restart(numbered: Table) -> None:
    numbered.add(n=1, **row())
    assert len(numbered.look()) == 1
    numbered.now += 8 * 24 * HOUR  # what was told is not remembered for so long
    numbered.begin()
    assert numbered.look() == []


def test_the_hour_that_daylight_saving_leaves_out_or_repeats_is_read(plain: Table) -> None:
    zone = ZoneInfo("Europe/Lisbon")
    config = settings(**plain.settings)
    here = place("cdr", clock=lambda: int(datetime(2026, 10, 25, 4, tzinfo=UTC).timestamp() * 1000))
    object.__setattr__(here, "zone", zone)
    plain.watch = TableWatch(config, here, TableSource(config, here)._opened(), "x", plain.report, threading.Event())
    plain.add(**row(at="2026-10-25 00:30:00"))
    plain.add(**row("47999990002", at="2026-10-25 03:30:00"))
    plain.watch.look()
    first, second = plain.report.messages
    assert isinstance(first, CallEnded)
    assert isinstance(second, CallEnded)
    assert (second.started_at or 0) - (first.started_at or 0) == 4 * HOUR


def test_rows_ahead_of_a_clock_that_is_said_to_be_ahead_are_passed(plain: Table) -> None:
    """Else each look would read them anew, until the gateway's clock comes there."""
    for ahead_ms, passed in ((0, "12:00:12"), (HOUR, "12:58:00")):
        plain.clock_ahead_ms = ahead_ms
        plain.begin()
        plain.now = NOON
        plain.add(**row(at="2026-11-30 12:58:00"))
        plain.look()
        assert plain.report.memory["position"].endswith(passed)


# Asterisk's table


def asterisk(at: str, linkedid: str, extension: str, talk: int = 0, **more: Any) -> dict[str, Any]:
    """Return a row of an incoming call that ``extension`` takes, if there is talk."""
    return {
        "calldate": at,
        "src": "47999990016",
        "dst": "s",
        "channel": f"PJSIP/trunk-{linkedid}",
        "dstchannel": f"PJSIP/{extension}-00000001",
        "lastapp": "Dial",
        "duration": talk + 4,
        "billsec": talk,
        "disposition": "ANSWERED" if talk else "NO ANSWER",
        "uniqueid": linkedid,
        "linkedid": linkedid,
        **more,
    }


@pytest.fixture
def asterisk_table(tmp_path: Path) -> Table:
    return Table(tmp_path / "cdr.db", ASTERISK, preset="asterisk-cdr")


def test_the_rows_of_a_ring_group_are_one_call_at_the_extension_that_took_it(asterisk_table: Table) -> None:
    asterisk_table.add(**asterisk("2026-11-30 11:58:00", "1.1", "3501"))
    asterisk_table.add(**asterisk("2026-11-30 11:58:00", "1.1", "3502", 9, recordingfile="a.wav", did="4733330000"))
    (told,) = asterisk_table.look()
    assert (told.ramal, told.duration_s, told.result, told.line) == ("3502", 9, "ANSWERED", "4733330000")
    assert told.answered_at == NOON - 120_000 + 4_000


def test_a_recordings_file_becomes_its_address(asterisk_table: Table) -> None:
    asterisk_table.settings["recording_url"] = "https://pbx.example/rec/{date_path}/{recordingfile}"
    asterisk_table.begin()
    asterisk_table.add(asterisk("2026-11-30 11:58:00", "1.1", "3502", 9, recordingfile="a.wav"))
    asterisk_table.add(asterisk("2026-11-30 11:58:00", "1.2", "3502", 9, recordingfile=""))
    told = {each.call_ref: each.recording_url for each in asterisk_table.look()}
    assert told == {"1.1": "https://pbx.example/rec/2026/11/30/a.wav", "1.2": None}


def test_a_row_of_a_call_that_comes_later_completes_it(asterisk_table: Table) -> None:
    asterisk_table.add(**asterisk("2026-11-30 11:58:00", "1.1", "3501"))
    assert [each.result for each in asterisk_table.look()] == ["NO ANSWER"]
    asterisk_table.add(**asterisk("2026-11-30 11:58:00", "1.1", "3502", 9))
    assert [(each.ramal, each.result) for each in asterisk_table.look()] == [("3502", "ANSWERED")]


def test_calls_that_are_too_many_to_wait_for_their_rows_are_told_as_they_are(
    asterisk_table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written while nobody looked comes at once: it must not pile up for as long as rows are waited for."""
    monkeypatch.setattr(reading, "MOST_CALLS", 10)
    asterisk_table.settings["settle_s"] = 600
    watch = asterisk_table.begin()
    asterisk_table.add(*(asterisk("2026-11-30 11:58:00", f"1.{number}", "3501", 9) for number in range(30)))
    watch.look()
    told = [message.call_ref for message in asterisk_table.report.messages if isinstance(message, CallEnded)]
    assert (told, len(watch._reading._calls)) == ([f"1.{number}" for number in range(20)], 10)


def test_a_call_of_rows_without_end_is_kept_small_and_comes_to_the_same(
    asterisk_table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue that rings all again and again writes hundreds of rows; a wrong column makes all rows one call."""
    rows = [asterisk(f"2026-11-30 11:{number:02}:00", "1.1", "3501", 9 if number == 5 else 0) for number in range(30)]
    asterisk_table.add(*rows)
    (expected,) = asterisk_table.look()
    problems = list(asterisk_table.report.problems)
    monkeypatch.setattr(reading, "MOST_ROWS", 10)
    watch = asterisk_table.begin()
    (told,) = asterisk_table.look()
    assert len(watch._reading._calls["1.1"].rows) <= 10
    for each in ("ramal", "telefone", "duration_s", "result", "started_at", "occurred_at", "call_ref"):
        assert getattr(told, each) == getattr(expected, each)
    assert watch._reading.held_from() is None
    assert len(asterisk_table.report.problems) == len(problems) + 1, "it is said, and once"
    assert "1.1" in str(asterisk_table.report.problems[-1])


def test_rows_whose_column_that_grows_is_empty_hold_nobody_up(asterisk_table: Table) -> None:
    asterisk_table.settings["settle_s"] = 600
    watch = asterisk_table.begin()
    for linkedid, grown in (("1.1", None), ("1.2", 7)):
        list(watch._reading.take(ASTERISK.split(), _values(linkedid), grown))
    assert watch._reading.held_from() == 7


def _values(linkedid: str) -> list[Any]:
    told = asterisk("2026-11-30 11:58:00", linkedid, "3501", 9)
    return [told.get(name) for name in ASTERISK.split()]


def test_all_recorded_rows_are_told_one_call_for_each_linkedid(asterisk_table: Table) -> None:
    names = ASTERISK.split()
    with RECORDED.open(newline="") as file:
        rows = [dict(zip(names, each, strict=True)) for each in csv.reader(file)]
    asterisk_table.now = int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp() * 1000)
    asterisk_table.add(*rows)
    told = asterisk_table.look()
    assert asterisk_table.report.problems == []
    assert sorted(each.call_ref or "" for each in told) == sorted({each["linkedid"] for each in rows})


# what may be wrong


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"preset": "asterisk"}, "Did you mean 'asterisk-cdr'?"),
        ({"preset": ""}, "preset is missing"),
        ({"url": "calls"}, "no address of a database"),
        ({"preset": "generic-table", "table": "calls"}, "grows is missing"),
        ({"table": "cdr; DROP TABLE x"}, "is no name of a database"),
        ({"late_within": "8d"}, "more than 7d"),
        ({"description": {"tims": {}}}, "Did you mean 'times'?"),
    ],
)
def test_a_mistake_in_the_settings_is_told(wrong: dict[str, Any], told: str) -> None:
    right = {"url": "sqlite:////data/calls.db", "preset": "asterisk-cdr"}
    with pytest.raises(ValidationError) as caught:
        settings(**right | wrong)
    assert told in str(caught.value)


def test_a_table_that_is_not_there_is_told(plain: Table) -> None:
    made = TableSource(settings(**plain.settings | {"table": "calls2"}), place("cdr"))
    assert not made.probe().ok
    with attempt(made) as tried:
        assert tried.ended()
    assert isinstance(tried.error, EventSourceError)
    assert "calls2" in render(tried.error.text, "en")


def test_a_column_that_does_not_grow_in_order_is_told(plain: Table) -> None:
    plain.add(**row(at="30/11/2026 11:58"))
    found = TableSource(settings(**plain.settings), place("cdr")).probe()
    assert not found.ok
    assert "30/11/2026" in found.detail


def test_a_column_of_the_settings_that_is_missing_is_told(plain: Table) -> None:
    wrong = plain.settings | {"columns": PLAIN | {"line": "linha"}}
    found = TableSource(settings(**wrong), place("cdr")).probe()
    assert not found.ok
    assert "linha" in found.detail


def test_a_time_that_cannot_be_read_is_told_and_the_row_is_kept(plain: Table) -> None:
    plain.settings["columns"] = PLAIN | {"end": "ramal"}
    plain.begin()
    plain.add(**row())
    assert len(plain.look()) == 1
    assert len(plain.report.problems) == 1


# PostgreSQL


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgresqlServer]:
    running = server()
    running.run("DROP DATABASE IF EXISTS calls")
    running.run("CREATE DATABASE calls")
    running.run(
        "CREATE TABLE cdr (calldate timestamptz, clid text, src text, dst text, channel text, dstchannel text,"
        " duration int, billsec int, disposition text, uniqueid text, linkedid text, did text, recordingfile text)",
        "calls",
    )
    running.run(
        "INSERT INTO cdr SELECT now() - interval '1 minute', '', '47999990016', 's', 'PJSIP/trunk-1',"
        " 'PJSIP/3501-00000001', 12, 8, 'ANSWERED', '1.1', '1.1', '', ''",
        "calls",
    )
    yield running
    running.run("DROP DATABASE calls WITH (FORCE)")


class TestCompliance(EventSourceCompliance):
    kind: ClassVar[str] = "cdr"

    @pytest.fixture(autouse=True)
    def _server(self, postgresql: PostgresqlServer) -> None:
        self.socket = postgresql.folder / ".s.PGSQL.5432"

    def source(self, port: int) -> EventSource:
        url = f"postgresql+psycopg://cti@127.0.0.1:{port}/calls?sslmode=disable"
        table = {"url": url, "password": SECRET, "preset": "asterisk-cdr", "every_s": 0.2, "settle_s": 0.1}
        return TableSource(settings(**table), place("cdr"))

    def talk(self, connection: socket.socket) -> None:
        """Be the PostgreSQL that listens at a Unix socket."""
        with socket.socket(socket.AF_UNIX) as there, suppress(OSError):
            there.connect(str(self.socket))
            threading.Thread(target=_pass_on, args=(connection, there), daemon=True).start()
            _pass_on(there, connection)

    def test_an_exchange_that_goes_away_ends_the_attempt(self) -> None:
        """Each look is a connection of its own: the first one that fails is the end."""
        looks: list[socket.socket] = []

        def talk_once(connection: socket.socket) -> None:
            looks.append(connection)
            if len(looks) < 4:
                self.talk(connection)

        def talk_or_close(connection: socket.socket) -> None:
            talk_once(connection)
            connection.shutdown(socket.SHUT_RDWR)

        with exchange(talk_or_close) as port, attempt(self.source(port)) as made:
            assert made.ended()
            assert isinstance(made.error, EventSourceError)
            assert made.report.connections == 1


def _pass_on(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)


def test_rows_of_a_postgresql_are_told_as_they_come(postgresql: PostgresqlServer) -> None:
    url = postgresql.url("calls").replace("postgresql://", "postgresql+psycopg://")
    table = {"url": url, "preset": "asterisk-cdr", "every_s": 0.2, "settle_s": 0.1}
    with attempt(TableSource(settings(**table), place("cdr"))) as made:
        until(lambda: len(made.report.messages) == 1, "the first row was told")
        postgresql.run(
            "INSERT INTO cdr SELECT now(), '', '47999990017', 's', 'PJSIP/trunk-2',"
            " 'PJSIP/3502-00000001', 12, 8, 'ANSWERED', '2.1', '2.1', '', ''",
            "calls",
        )
        until(lambda: len(made.report.messages) == 2, "the second one was")
        assert made.report.missed_nothing
    assert made.error is None or not isinstance(made.error, EventSourceError)
    assert isinstance(made.report.messages[0], CallEnded)
