"""An exchange that writes lines: its ring is a card on the screen, its end the result and duration in the log."""

import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.simulators.smdr import PanasonicSmdr
from tests.live.conftest import start_gateway
from tests.live.office import PASSWORD, Office, agent_ana
from tests.live.processes import until
from tests.live.screen import screen_of

CONFIG = """
[tenants.default]
extensions = ["3500-3599"]

[tenants.default.sources.panasonic]
kind = "lines"
preset = "panasonic-smdr"
host = "127.0.0.1"
port = {port}
password = "PCCSMDR"

[tenants.default.sources.arquivo]
kind = "lines"
preset = "asterisk-cdr-csv"
path = "{path}"
"""
ROW = (
    '"","{number}","s","ext","""Ana"" <{number}>","PJSIP/trunk-{call:08x}","PJSIP/3501-{call:08x}","Dial","",'
    '"{start}","{answer}","{end}",72,60,"ANSWERED","DOCUMENTATION","{call}.1",""\n'
)


class MovedClock:
    """The time, and how far the exchange's calls have moved it on."""

    def __init__(self) -> None:
        self.seconds = 0

    def __call__(self) -> datetime:
        return datetime.now() + timedelta(seconds=self.seconds)


@pytest.fixture(scope="module")
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture(scope="module")
def exchange(clock: MovedClock) -> Iterator[PanasonicSmdr]:
    playing = PanasonicSmdr(clock=clock).start()
    yield playing
    playing.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lines")


@pytest.fixture(scope="module")
def office(folder: Path, exchange: PanasonicSmdr) -> Iterator[Office]:
    (folder / "Master.csv").touch()
    config = folder / "gateway.toml"
    config.write_text(CONFIG.format(port=exchange.port, path=folder / "Master.csv"))
    gateway = start_gateway(folder / "data", config=config)
    agent_ana(gateway)
    with screen_of(gateway, "ana", PASSWORD) as screen:
        yield Office(gateway, screen)
    gateway.stop()


def test_a_panasonic_pops_a_card_at_the_ring_and_the_log_has_result_and_duration(
    office: Office, exchange: PanasonicSmdr, clock: MovedClock
) -> None:
    call = exchange.ring(number="4732100123")
    assert office.told("call_started", "4732100123")["extension"] == "3501"
    clock.seconds += 12
    exchange.answer(call)
    office.told("call_answered", "4732100123")
    clock.seconds += 161
    exchange.end_call(call)
    office.told("call_ended", "4732100123")
    (logged,) = office.calls("4732100123")
    assert (logged["result"], logged["duration_s"], logged["caller_name"]) == ("answered", 161, "ANA SILVA")
    assert logged["status"] == "ended"


def test_a_call_that_nobody_takes_is_missed(office: Office, exchange: PanasonicSmdr, clock: MovedClock) -> None:
    call = exchange.ring(number="4732100124")
    office.told("call_started", "4732100124")
    clock.seconds += 30
    exchange.end_call(call)
    office.told("call_ended", "4732100124")
    (logged,) = office.calls("4732100124")
    assert (logged["result"], logged["missed"]) == ("missed", True)


def row(number: str, call: int) -> str:
    now = datetime.now().replace(microsecond=0)
    start, answer = now - timedelta(seconds=72), now - timedelta(seconds=60)
    return ROW.format(number=number, call=call, start=start, answer=answer, end=now)


def test_a_gateway_that_is_killed_leaves_out_no_line_of_a_file_and_tells_none_twice(
    office: Office, folder: Path
) -> None:
    gateway, path = office.gateway, folder / "Master.csv"
    with path.open("a") as file:
        file.write(row("4732100201", 201))
    until(lambda: bool(office.calls("4732100201")), "the first line is in the log")
    os.killpg(gateway.process.pid, signal.SIGKILL)
    gateway.process.wait(10)
    with path.open("a") as file:
        file.write(row("4732100202", 202))
    again = Office(start_gateway(gateway.data, config=gateway.config), office.screen)
    try:
        until(lambda: bool(again.calls("4732100202")), "the second line is in the log")
        (first,), (second,) = again.calls("4732100201"), again.calls("4732100202")
    finally:
        again.gateway.stop()
    for logged in (first, second):
        assert (logged["result"], logged["duration_s"], logged["ring_s"], logged["talk_s"]) == ("answered", 60, 12, 60)
