"""The source as a whole: each way that lines come, what is remembered, what a peer may do."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from gateway.domain.messages import CallAnswered, CallEnded, CallStarted
from gateway.errors import EventSourceError
from gateway.event_source import EventSource
from gateway.events.lines.settings import LineSourceConfig, is_allowed
from gateway.events.lines.source import LineSource
from gateway.events.lines.transports import folders, listening
from gateway.texts.rendering import render
from tests.events.compliance import SECRET, EventSourceCompliance, exchange, silent
from tests.events.reports import CollectedReport, attempt, place, until

PANASONIC = (
    b"05/03/26 10:03AM 3501  03 <I>1133334444 ANA SILVA                            RC\r\n"
    b"05/03/26 10:03AM 3501  03 <I>1133334444 ANA SILVA   0'12                     AN\r\n"
    b"05/03/26 10:06AM 3501  03 <I>1133334444 ANA SILVA   0'12 00:02'41\r\n"
)
OFFICE = b"2026/03/05 10:03:22,00:02:41,12,1133334444,I,3501,1133330000,,0,%d,0,E3501,Ana,T9001,Line 1.1,0,0\r\n"


def settings(**table: Any) -> LineSourceConfig:
    return TypeAdapter(LineSourceConfig).validate_python(table)


def source(**table: Any) -> LineSource:
    return LineSource(settings(**table), place("lines"))


def english(error: BaseException | None) -> str:
    assert isinstance(error, EventSourceError)
    return render(error.text, "en")


class TestCompliance(EventSourceCompliance):
    kind: ClassVar[str] = "lines"

    def source(self, port: int) -> EventSource:
        own = {"transport": {"dialogue": [{"expect": "senha:", "send": "{password}\r\n", "within_s": 2}]}}
        table = {"preset": "avaya-ip-office", "by": "connect", "host": "127.0.0.1", "port": port, "password": SECRET}
        return source(description=own, **table)

    def talk(self, connection: socket.socket) -> None:
        connection.sendall(b"senha:")
        assert connection.recv(100) == SECRET.encode() + b"\r\n"
        connection.sendall(OFFICE % 1000123)
        silent(connection)


def says(data: bytes) -> Callable[[socket.socket], None]:
    """Return how an exchange talks that says ``data`` and closes."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        silent(connection)

    return talk


# over a connection that we make


def panasonic(password: bytes = b"pw", lines: bytes = PANASONIC) -> Callable[[socket.socket], None]:
    """Return how a Panasonic talks: a prompt, echoes, stars, lines."""

    def talk(connection: socket.socket) -> None:
        reader = connection.makefile("rb")
        connection.sendall(b"-")
        connection.sendall(reader.readline().upper() + b"Enter Password:")
        if reader.readline().strip() != password:
            connection.sendall(b"\r\nInvalid password\r\n")
            return
        connection.sendall(b"**\r\n" + lines)
        silent(connection)

    return talk


def by_port(port: int, **more: Any) -> LineSource:
    return source(preset="panasonic-smdr", host="127.0.0.1", port=port, password="pw", **more)


def test_a_panasonic_is_logged_in_to_and_its_ring_answer_and_end_are_told() -> None:
    with exchange(panasonic()) as port, attempt(by_port(port)) as made:
        until(lambda: len(made.report.messages) == 3, "three lines were told")
        assert bytes(made.report.said_bytes).endswith(b"SMDR\r\npw\r\n")
        assert made.report.hidden == ["pw", "pw"]
    started, answered, ended = made.report.messages
    assert isinstance(started, CallStarted)
    assert (started.ramal, started.telefone, started.caller_name) == ("3501", "1133334444", "ANA SILVA")
    assert isinstance(answered, CallAnswered)
    assert isinstance(ended, CallEnded)
    assert (ended.duration_s, ended.result) == (161, "answered")
    assert ended.started_at is not None


def test_a_wrong_password_is_told() -> None:
    with exchange(panasonic(b"other")) as port, attempt(by_port(port)) as made:
        assert made.ended()
    assert isinstance(made.error, EventSourceError)
    assert "refuses the login" in english(made.error)


def test_an_exchange_that_does_not_ask_is_told() -> None:
    own = {"transport": {"dialogue": [{"expect": "login:", "within_s": 0.2}]}}
    with exchange(lambda connection: connection.sendall(b"hello")) as port:
        found = by_port(port, description=own).probe()
    assert not found.ok
    assert "hello" in render(found.text, "en")


def test_lines_are_acknowledged_and_the_connection_kept_alive() -> None:
    own = {
        "transport": {
            "dialogue": [],
            "keepalive": {"send": "ping\r\n", "every_s": 1},
            "acknowledge": [{"to": r"<I>(\d+)", "send": "ack {1}\r\n"}],
        }
    }
    came: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        connection.sendall(PANASONIC.splitlines(keepends=True)[0])
        while data := connection.recv(100):
            came.append(data)

    with exchange(talk) as port, attempt(by_port(port, description=own)):
        until(lambda: b"ack 1133334444" in b"".join(came) and b"ping" in b"".join(came), "both were sent")


def test_a_last_line_without_its_end_is_read_after_a_moment_where_the_description_says_so_only() -> None:
    whole = PANASONIC.splitlines()[2]
    flushing = {"framing": {"flush_ms": 100}, "transport": {"dialogue": []}}

    def talk(connection: socket.socket) -> None:
        connection.sendall(whole)
        silent(connection)

    with exchange(talk) as port, attempt(by_port(port, description=flushing)) as made:
        until(lambda: bool(made.report.messages), "it was read")
    ends = {"transport": {"dialogue": []}}
    with (
        exchange(says(whole)) as port,
        attempt(by_port(port, description=ends)) as made,
    ):
        assert made.ended()
    assert made.report.messages == []
    assert [problem.id for problem in made.report.problems] == ["the connection ended in the midst of a line"]


def test_what_is_sent_again_after_a_new_connection_has_the_same_ids_and_what_is_alike_on_one_has_not() -> None:
    line = PANASONIC.splitlines(keepends=True)[0]
    own = {"transport": {"dialogue": []}}
    seen: list[list[str]] = []
    for _ in range(2):
        with exchange(says(line * 2)) as port, attempt(by_port(port, description=own)) as made:
            assert made.ended()
        marks = [message.origin.mark for message in made.report.messages]
        seen.append([str(mark.event_id) for mark in marks if mark])
    assert len(set(seen[0])) == 2
    assert seen[0] == seen[1]


def test_lines_that_nothing_fits_are_told_the_first_of_them_only() -> None:
    own = {"transport": {"dialogue": []}}
    with exchange(says(b"garbage of a modem\r\n" * 500)) as port, attempt(by_port(port, description=own)) as made:
        assert made.ended()
    assert len(made.report.problems) == 20


# over a connection that the exchange makes


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def connected(port: int) -> socket.socket:
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            time.sleep(0.02)
    raise AssertionError("nobody listens")


def test_an_exchange_connects_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "COMES_BACK_S", 0.5)
    port = free_port()
    listens = source(preset="avaya-ip-office", listen=f"127.0.0.1:{port}")
    assert listens.probe().ok
    with attempt(listens) as made:
        for number in range(2):
            with connected(port) as connection:
                connection.sendall(OFFICE % number)
                until(lambda wanted=number + 1: len(made.report.messages) == wanted, "its line was told")
        assert made.ended()
    assert "did not come back" in english(made.error)


def test_a_port_that_the_running_gateway_has_is_no_mistake() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = source(preset="avaya-ip-office", listen=f"127.0.0.1:{port}").probe()
    assert found.ok
    assert "listens there already" in render(found.text, "en")
    assert not source(preset="avaya-ip-office", listen="203.0.113.7:9000").probe().ok


def test_a_stranger_is_let_go_of_and_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "MOST_CONNECTIONS", 2)
    port = free_port()
    with attempt(source(preset="avaya-ip-office", listen=f"127.0.0.1:{port}", allow=["10.0.0.0/8"])) as made:
        with connected(port) as connection:
            assert connection.recv(10) == b""
        assert made.report.connections == 0
    port = free_port()
    with attempt(source(preset="avaya-ip-office", listen=f"127.0.0.1:{port}")) as made:
        first, second, third = (connected(port) for _ in range(3))
        assert third.recv(10) == b""
        assert made.report.connections == 2
        for connection in (first, second, third):
            connection.close()


@pytest.mark.parametrize(
    ("address", "networks", "allowed"),
    [
        ("127.0.0.1", ("loopback",), True),
        ("127.0.0.1", ("private",), False),
        ("::ffff:127.0.0.1", ("loopback",), True),
        ("10.1.2.3", ("private",), True),
        ("8.8.8.8", ("loopback", "private"), False),
        ("8.8.8.8", ("any",), True),
        ("fe80::1%eth0", ("private",), True),
        ("203.0.113.7", ("203.0.113.0/24",), True),
    ],
)
def test_who_may_send(address: str, networks: tuple[str, ...], allowed: bool) -> None:
    assert is_allowed(address, networks) is allowed


# syslog


def test_syslog_messages_are_lines() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    told = source(preset="audiocodes-syslog", listen=f"127.0.0.1:{port}")
    with attempt(told) as made, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        until(lambda: made.report.connections == 1, "it listens")
        for line in (
            b"<134>|SBCReportType |EPTyp |LegId |SessionId |SrcURI |DstURI |Durat |SetupTime |ConnectTime",
            b"<134>|CALL_START |SBC |LCL|b1|1133334444@10.0.0.9 |3501@10.0.0.5 |0 |10:03:22.049 UTC Thu Mar 05 2026 |",
        ):
            sender.sendto(line, ("127.0.0.1", port))
        until(lambda: len(made.report.messages) == 1, "the start was told")
    assert isinstance(made.report.messages[0], CallStarted)
    assert made.report.messages[0].call_ref == "b1"


# files


CSV = "05/03/2026,10:{:02d}:00,in,3501,11333344{:02d},5,60\n"


def lines(*numbers: int) -> bytes:
    return "".join(CSV.format(number % 60, number) for number in numbers).encode()


@contextmanager
def tailing(memory: Mapping[str, Any], **table: Any) -> Iterator[CollectedReport]:
    report = CollectedReport(memory=memory)
    with attempt(source(preset="generic-csv", **table), report) as made:
        until(lambda: report.connections == 1, "it reads")
        yield report
        report.stop.set()
        assert made.ended(within_s=4)


def numbers(report: CollectedReport) -> list[int]:
    return [int(message.telefone[-2:]) for message in report.messages if isinstance(message, CallEnded)]


def told(report: CollectedReport, *wanted: int) -> None:
    until(lambda: numbers(report) == list(wanted), f"{wanted} were told")


def event_ids(report: CollectedReport) -> list[str]:
    marks = [message.origin.mark for message in report.messages]
    return [str(mark.event_id) for mark in marks if mark]


def test_what_is_added_to_a_file_is_read_and_what_was_there_before_is_not(tmp_path: Path) -> None:
    path = tmp_path / "cdr.csv"
    path.write_bytes(lines(1, 2))
    with tailing({}, by="file", path=str(path)) as report:
        with path.open("ab") as file:
            file.write(lines(3)[:20])
            file.flush()
            time.sleep(0.4)
            assert numbers(report) == []
            file.write(lines(3)[20:] + lines(4))
        told(report, 3, 4)
    with path.open("ab") as file:
        file.write(lines(5))
    with tailing(report.memory, by="file", path=str(path)) as again:
        told(again, 5)


def test_a_file_is_read_from_its_start_where_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "cdr.csv"
    path.write_bytes(lines(1, 2))
    with tailing({}, by="file", path=str(path), from_start=True) as report:
        told(report, 1, 2)


def test_a_file_that_is_not_there_at_first_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "cdr.csv"
    first = CollectedReport()
    with attempt(source(preset="generic-csv", by="file", path=str(path)), first) as made:
        assert made.ended()
    path.write_bytes(lines(1))
    with tailing(first.memory, by="file", path=str(path)) as report:
        told(report, 1)


def test_a_file_that_is_renamed_and_begun_anew_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cdr.csv"
    path.write_bytes(lines(1))
    with tailing({}, by="file", path=str(path), from_start=True) as report:
        told(report, 1)
        path.rename(tmp_path / "cdr.csv.1")
        with (tmp_path / "cdr.csv.1").open("ab") as old:
            old.write(lines(2))
        path.write_bytes(lines(3))
        told(report, 1, 2, 3)


def test_a_file_that_is_emptied_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "cdr.csv"
    path.write_bytes(lines(1, 2))
    with tailing({}, by="file", path=str(path), from_start=True) as report:
        told(report, 1, 2)
        path.write_bytes(b"")
        time.sleep(0.4)
        path.write_bytes(lines(3))
        told(report, 1, 2, 3)


@pytest.mark.parametrize("copied", [True, False])
def test_what_was_added_before_a_rotation_while_nobody_ran_is_read(tmp_path: Path, copied: bool) -> None:
    path, old = tmp_path / "cdr.csv", tmp_path / "cdr.csv.1"
    path.write_bytes(lines(1))
    with tailing({}, by="file", path=str(path), from_start=True) as report:
        told(report, 1)
        until(lambda: bool(report.memory), "it remembers")
        time.sleep(0.3)
    memory = report.memory
    with path.open("ab") as file:
        file.write(lines(2))
    if copied:
        old.write_bytes(path.read_bytes())
    else:
        path.rename(old)
    path.write_bytes(lines(3))
    with tailing(memory, by="file", path=str(path)) as again:
        told(again, 2, 3)


def test_lines_that_are_read_again_after_a_kill_have_the_same_ids(tmp_path: Path) -> None:
    path = tmp_path / "cdr.csv"
    path.write_bytes(lines(1, 1, 2))
    ids = []
    for _ in range(2):
        with tailing({}, by="file", path=str(path), from_start=True) as report:
            told(report, 1, 1, 2)
            ids.append(event_ids(report))
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 3, "two lines that are alike are two calls"


def test_parts_of_a_call_that_are_held_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "smdr.csv"
    part = (OFFICE % 7).replace(b",0,7,0,", b",0,7,1,")
    path.write_bytes(part)
    table = {"by": "file", "path": str(path), "from_start": True}
    report = CollectedReport()
    with attempt(source(preset="avaya-ip-office", **table), report):
        until(lambda: bool(report.heard_bytes) and bool(report.memory), "the part was read")
    with path.open("ab") as file:
        file.write(OFFICE % 7)
    again = CollectedReport(memory=report.memory)
    with attempt(source(preset="avaya-ip-office", **table), again):
        until(lambda: len(again.messages) == 1, "the whole call was told")
    assert isinstance(again.messages[0], CallEnded)
    assert again.messages[0].duration_s == 322


def test_files_put_into_a_folder_are_read_once_in_their_order(tmp_path: Path) -> None:
    table = {"by": "folder", "path": str(tmp_path), "files": "*.csv"}
    for place_of, number in enumerate((2, 1)):
        path = tmp_path / f"{number}.csv"
        path.write_bytes(lines(number))
        os.utime(path, (1_700_000_000 + place_of, 1_700_000_000 + place_of))
    (tmp_path / "note.txt").write_bytes(lines(9))
    with tailing({}, **table) as report:
        told(report, 2, 1)
        (tmp_path / "3.csv").write_bytes(lines(3))
        told(report, 2, 1, 3)
        with (tmp_path / "3.csv").open("ab") as file:
            file.write(lines(4))
        told(report, 2, 1, 3, 4)
        until(lambda: len(report.memory.get("files", {})) == 3, "it remembers")
        time.sleep(0.2)
    memory = report.memory
    (tmp_path / "5.csv").write_bytes(lines(5))
    with tailing(memory, **table) as again:
        told(again, 5)


def test_a_file_with_its_header_goes_on_after_a_restart_where_it_was(tmp_path: Path) -> None:
    own = {
        "lines": [
            {"found": "^a,", "is_title": True},
            {"titles": True, "least": 7, "names": ["date", "time", "way", "ext", "number", "ring", "duration"]},
        ]
    }
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,time,date,way,ext,number,ring,duration\n" + b"z,10:03:00,05/03/2026,in,3501,1133334401,5,60\n")
    table = {"by": "folder", "path": str(tmp_path), "description": own}
    with tailing({}, **table) as report:
        told(report, 1)
        until(lambda: bool(report.memory), "it remembers")
    memory = report.memory
    with path.open("ab") as file:
        file.write(b"z,10:04:00,05/03/2026,in,3501,1133334402,5,60\n")
    with tailing(memory, **table) as again:
        told(again, 2)


def test_what_is_remembered_of_a_folder_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOST_REMEMBERED", 3)
    for number in range(10):
        (tmp_path / f"{number}.csv").write_bytes(lines(number))
    table = {"by": "folder", "path": str(tmp_path)}
    with tailing({}, **table) as report:
        until(lambda: sorted(numbers(report)) == list(range(10)), "all were told")
        (tmp_path / "10.csv").write_bytes(lines(10))
        until(lambda: len(report.messages) == 11, "one more was told")
        until(lambda: len(report.memory["files"]) <= 4, "few are remembered")
    memory = report.memory
    with tailing(memory, **table) as again:
        (tmp_path / "11.csv").write_bytes(lines(11))
        told(again, 11)


def test_files_that_are_still_being_written_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "_cdr_x").write_bytes(b"")
    (tmp_path / "cdr_x").write_bytes(b"")
    told_by = source(preset="cisco-cucm-cdr", path=str(tmp_path))
    assert "(1 files)" in render(told_by.probe().text, "en")


def test_a_file_or_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    for way in ("file", "folder"):
        lost = source(preset="generic-csv", by=way, path=str(tmp_path / "lost"))
        assert "cannot be read" in render(lost.probe().text, "en")
        with attempt(lost) as made:
            assert made.ended()
        assert "cannot be read" in english(made.error)


# settings


@pytest.mark.parametrize(
    ("table", "told_of"),
    [
        ({}, "lines"),
        ({"preset": "panasonic"}, "Did you mean 'panasonic-smdr'?"),
        ({"preset": "panasonic-smdr"}, "host is missing"),
        ({"preset": "hipath", "host": "10.0.0.5"}, "port is missing"),
        ({"preset": "avaya-ip-office"}, "listen is missing"),
        ({"preset": "cisco-cucm-cdr"}, "path is missing"),
        ({"preset": "panasonic-smdr", "host": "h", "hots": "x"}, "hots"),
        ({"preset": "panasonic-smdr", "host": "h", "date_order": "myd"}, "date_order"),
        ({"preset": "panasonic-smdr", "host": "h", "description": {"skipp": []}}, "Did you mean 'skip'?"),
    ],
)
def test_a_mistake_in_the_settings_is_told(table: dict[str, Any], told_of: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**table)
    assert told_of in str(caught.value)


def test_settings_may_name_presets_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "ours.toml").write_text('based_on = "generic-csv"\n')
    made = LineSource.config_for({}, tmp_path)
    config = TypeAdapter(made).validate_python({"preset": "ours", "by": "file", "path": "x"})
    assert config.described().times.order == "dmy"
    assert isinstance(config.password, SecretStr)


def test_a_flood_of_lines_waits_for_the_disk_and_holds_no_memory() -> None:
    report = CollectedReport()
    report.open_gate.clear()
    sent = threading.Event()

    def talk(connection: socket.socket) -> None:
        for number in range(200_000):
            connection.sendall(OFFICE % number)
        sent.set()

    with exchange(talk) as port:
        flooded = source(preset="avaya-ip-office", by="connect", host="127.0.0.1", port=port)
        with attempt(flooded, report):
            until(lambda: report.connections == 1, "it is connected")
            assert not sent.wait(1.0), "the exchange has to wait"
            assert report.messages == []
