"""Simulated exchanges that write lines: what they print, their faults, and what the gateway's presets make of it."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from gateway.domain.messages import CallAnswered, CallEnded, CallStarted
from gateway.events.lines.settings import LineSourceConfig
from gateway.events.lines.source import LineSource
from gateway.simulators import LINE_EXCHANGES, Behaviour
from gateway.simulators.line_exchanges import SimulatedLineExchange
from gateway.simulators.smdr import HipathLines, IpOfficeLines, MitelLines, PanasonicSmdr
from tests.events.reports import CollectedReport, attempt, place, until

NOW = datetime(2026, 3, 5, 10, 3, 22)


class ExchangeClock:
    """Local time that moves when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def playing(
    cls: type[SimulatedLineExchange], clock: ExchangeClock | None = None, fail: str = ""
) -> Iterator[SimulatedLineExchange]:
    port = free_port() if cls is IpOfficeLines else 0
    exchange = cls(port=port, behaviour=Behaviour(fail=fail), clock=clock or ExchangeClock()).start()
    try:
        yield exchange
    finally:
        exchange.stop()


def source_of(exchange: SimulatedLineExchange) -> LineSource:
    table = {name: value for name, value in exchange.source().items() if name != "kind"}
    return LineSource(TypeAdapter(LineSourceConfig).validate_python(table), place("lines"))


def play(exchange: SimulatedLineExchange, clock: ExchangeClock, *, answered: bool = True) -> None:
    call = exchange.ring()
    clock.move(12)
    if answered:
        exchange.answer(call)
        clock.move(161)
    exchange.end_call(call)


@pytest.mark.parametrize("name", sorted(LINE_EXCHANGES))
def test_the_gateway_reads_what_it_prints(name: str) -> None:
    clock = ExchangeClock()
    with playing(LINE_EXCHANGES[name], clock) as exchange, attempt(source_of(exchange)) as made:
        until(lambda: made.report.connections == 1, "it is connected")
        play(exchange, clock)
        play(exchange, clock, answered=False)
        until(lambda: len(ends(made.report)) == 2, "both calls ended")
    answered, missed = ends(made.report)
    assert (answered.ramal, answered.telefone, answered.duration_s) == ("3501", "1133334444", 161)
    assert answered.result == "answered"
    assert (missed.ramal, missed.telefone, missed.result) == ("3501", "1133334444", "no answer")
    assert made.report.problems == []


def ends(report: CollectedReport) -> list[CallEnded]:
    return [message for message in report.messages if isinstance(message, CallEnded)]


def test_a_panasonic_tells_of_the_ring_and_the_answer_a_hipath_of_the_ring() -> None:
    wanted: dict[type[SimulatedLineExchange], list[Any]] = {
        PanasonicSmdr: [CallStarted, CallAnswered, CallEnded],
        HipathLines: [CallStarted, CallEnded],
        MitelLines: [CallEnded],
    }
    for cls, kinds in wanted.items():
        clock = ExchangeClock()
        with playing(cls, clock) as exchange, attempt(source_of(exchange)) as made:
            play(exchange, clock)
            until(lambda made=made: bool(ends(made.report)), "it ended")  # type: ignore[misc]
        assert [type(message) for message in made.report.messages] == kinds


@pytest.mark.parametrize("fail", ["halves", "noise", "headers"])
def test_faults_of_the_line_lose_nothing(fail: str) -> None:
    clock = ExchangeClock()
    with playing(PanasonicSmdr, clock, fail) as exchange, attempt(source_of(exchange)) as made:
        play(exchange, clock)
        until(lambda: len(made.report.messages) == 3, "all three lines were told")
    assert made.report.problems == []


def test_what_a_new_connection_brings_again_has_the_ids_that_it_had() -> None:
    clock = ExchangeClock()
    ids: list[object] = []
    with playing(PanasonicSmdr, clock, "repeats") as exchange:
        for _ in range(3):
            with attempt(source_of(exchange)) as made:
                play(exchange, clock)
                until(lambda made=made: bool(ends(made.report)), "a call ended")  # type: ignore[misc]
            ids += [message.origin.mark.event_id for message in made.report.messages if message.origin.mark]
    assert len(ids) > len(set(ids))
    assert len(set(ids)) == 9


def test_a_line_that_was_cut_comes_whole_on_the_next_connection() -> None:
    clock = ExchangeClock()
    found: list[CallEnded] = []
    with playing(PanasonicSmdr, clock, "cut") as exchange:
        with attempt(source_of(exchange)) as made:
            play(exchange, clock)
            play(exchange, clock)
            assert made.ended(), "the exchange cut the connection"
        found += ends(made.report)
        with attempt(source_of(exchange)) as again:
            until(lambda: bool(ends(again.report)), "the rest was told")
        found += ends(again.report)
    assert [message.duration_s for message in found] == [161, 161]
    assert len(again.report.messages) == 2


def test_a_wrong_password_is_refused() -> None:
    with (
        playing(PanasonicSmdr, fail="auth") as exchange,
        closing(socket.create_connection(("127.0.0.1", exchange.port), timeout=5)) as client,
    ):
        client.sendall(b"SMDR\r\nanything\r\n")
        said = b"".join(iter(lambda: client.recv(1000), b""))
    assert said == b"-SMDR\r\nEnter Password:********\r\nIncorrect password\r\n"


def test_it_prints_the_documented_columns() -> None:
    clock = ExchangeClock()
    exchange = PanasonicSmdr(clock=clock)
    call = exchange.ring()
    assert exchange.rings(call) == "05/03/26 10:03AM 3501  03 <I>1133334444 ANA SILVA                            RC"


def test_one_that_connects_needs_to_know_where_to() -> None:
    with pytest.raises(ValueError, match="port"):
        IpOfficeLines().start()


def test_it_plays_calls_by_itself() -> None:
    exchange = MitelLines(calls_every_s=0.05, clock=datetime.now)
    exchange.start()
    try:
        with attempt(source_of(exchange)) as made:
            until(lambda: bool(ends(made.report)), "a call was played")
    finally:
        exchange.stop()
