"""``serve`` runs with a configuration that uses every table, and does what it says."""

import sqlite3
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.configurations import every_table
from tests.live.conftest import LiveGateway, free_port, start_gateway
from tests.live.processes import until

START = "/t/acme/wconnect/WConnect_WSDL_ConsultaRamal.php?dst=3501&src=4732100123"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[object]:
    """Starts the gateway, with texts of the configuration changed."""
    with every_table.running() as appliances:

        def start(*changed: tuple[str, str]) -> LiveGateway:
            config = every_table.write(tmp_path, appliances, changed=[("18100", str(free_port())), *changed])
            return start_gateway(tmp_path / "data", config=config)

        yield start


def start_a_call(gateway: LiveGateway) -> str:
    with urllib.request.urlopen(gateway.url + START, timeout=10) as answer:
        body: str = answer.read().decode()
    return body


def kept_requests(gateway: LiveGateway) -> int:
    """How many requests the traffic log has on disk."""
    path = gateway.data / "traffic.db"
    if not path.exists():
        return 0
    with sqlite3.connect(path) as connection:
        return int(connection.execute("SELECT count(*) FROM exchanges").fetchone()[0])


def test_it_takes_an_event_forwards_it_and_stops_in_good_order(serve) -> None:
    gateway = serve()
    assert start_a_call(gateway).startswith("ok ")
    until(lambda: "event_forwarded" in gateway.log.read_text(), "the event is passed on")
    until(lambda: kept_requests(gateway) >= 1, "the request is in the traffic log")
    assert gateway.stop() == 0
    assert "Traceback" not in gateway.log.read_text()


def test_without_a_traffic_log_nothing_of_a_request_is_kept(serve) -> None:
    gateway = serve(("record = true", "record = false"))
    assert start_a_call(gateway).startswith("ok ")
    assert gateway.stop() == 0
    assert kept_requests(gateway) == 0
