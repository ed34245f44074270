"""A gateway that reads a table of finished calls, and is killed meanwhile: each call is in the log, once."""

import json
import sqlite3
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import LiveGateway, start_gateway
from tests.live.groups import kill_group
from tests.live.processes import until

CONFIG = """
[tenants.acme]
area_code = "47"
extensions = ["3500-3599"]

[tenants.acme.sources.bilhetes]
kind = "cdr"
preset = "asterisk-cdr"
url = "sqlite:///{table}"
timezone = "UTC"
same_exchange_as = "listeners"
recording_url = "https://rec.example/{{recordingfile}}"
every_s = 0.2
settle_s = 0.2
"""
COLUMNS = "calldate, src, dst, channel, dstchannel, duration, billsec, disposition, uniqueid, linkedid, recordingfile"


@dataclass
class Reading:
    """A gateway, and the table that it reads."""

    gateway: LiveGateway
    table: Path

    def add(self, *numbers: str, hours_ago: float = 0, recording: str = "") -> None:
        """Add a finished call of each of ``numbers``, whose id is ``ID-NUMBER``."""
        began = (datetime.now(UTC) - timedelta(hours=hours_ago, seconds=20)).strftime("%Y-%m-%d %H:%M:%S")
        with closing(sqlite3.connect(self.table)) as connection, connection:
            for number in numbers:
                row = (began, number, "s", "PJSIP/trunk-1", "PJSIP/3501-00000001", 15, 10, "ANSWERED")
                ids = (f"u-{number}", f"id-{number}", recording)
                connection.execute(f"INSERT INTO cdr VALUES ({', '.join('?' * 11)})", (*row, *ids))

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.gateway.cli("calls", "--format", "json").splitlines()]

    def numbers(self) -> list[str]:
        return sorted(call["number"] for call in self.logged())

    def killed(self) -> None:
        """Kill the gateway and start another one on its data."""
        kill_group(self.gateway.process)
        self.gateway = start_gateway(self.gateway.data, config=self.gateway.config, port=self.gateway.port)


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    folder = tmp_path_factory.mktemp("table")
    table, config = folder / "cdr.db", folder / "gateway.toml"
    with closing(sqlite3.connect(table)) as connection:
        connection.execute(f"CREATE TABLE cdr ({COLUMNS})")
    config.write_text(CONFIG.format(table=table))
    made = Reading(start_gateway(folder / "data", config=config), table)
    try:
        yield made
    finally:
        kill_group(made.gateway.process)


def test_a_row_completes_the_call_that_a_listener_was_told_of(reading: Reading) -> None:
    for operation in ("ConsultaRamal", "FinalizaLigacao"):
        _told(reading, f"{operation}.php?empresa=acme&ramal=3501&telefone=4732100123&id_ligacao=id-4732100123")
    reading.add("4732100123", recording="a.wav")
    until(lambda: any(call["recording_url"] for call in reading.logged()), "the row has come", timeout_s=40)
    (call,) = reading.logged()
    assert (call["recording_url"], call["result"]) == ("https://rec.example/a.wav", "answered")


def test_rows_that_come_while_the_gateway_is_killed_are_calls_once_each(reading: Reading) -> None:
    known = reading.numbers()
    numbers = [f"4799{place:07}" for place in range(120)]

    def write() -> None:
        for each in numbers:
            reading.add(each)

    writing = threading.Thread(target=write)
    writing.start()
    reading.killed()
    writing.join()
    reading.add("4732108888", hours_ago=5)
    reading.killed()
    until(lambda: len(reading.numbers()) >= len(known) + 121, "all rows have come", timeout_s=40)
    assert reading.numbers() == sorted([*known, *numbers, "4732108888"])


def _told(reading: Reading, event: str) -> None:
    address = f"{reading.gateway.url}/wconnect/WConnect_WSDL_{event}"
    with urllib.request.urlopen(address, timeout=20) as answer:
        assert answer.status == 200
