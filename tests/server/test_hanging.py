"""A whole gateway whose appliance takes connections and never answers."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

from gateway.config import loader as config_file
from gateway.server import bootstrap
from gateway.server.application import Application
from tests.waiting import until

CALL_THREADS = 8
LISTENER = "/wconnect/WConnect_WSDL_ConsultaRamal.php"
LOCAL = {"REMOTE_ADDR": "127.0.0.1"}


@pytest.fixture
def black_hole() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener


@pytest.fixture
def web(tmp_path: Path, black_hole: socket.socket) -> Iterator[Client]:
    """A gateway of 8 call threads, so that 4 may wait, of which 2 for one of two appliances."""
    url = f"http://127.0.0.1:{black_hole.getsockname()[1]}/?n={{{{ number }}}}"
    hangs = {"adapter": "url", "url": url, "success": "OK", "timeout_s": 15.0}
    tenant = {"area_code": "47", "extensions": ["3500-3599"], "appliances": {"hole": hangs, "other": hangs}}
    raw = {"server": {"call_threads": CALL_THREADS}, "tenants": {"acme": tenant}}
    application = Application(bootstrap.build(config_file.parse(raw, source="gateway.toml"), tmp_path))
    application.start()
    yield Client(application.wsgi)
    application.close()


def order(web: Client, count: int, told: list[tuple[int, dict]]) -> None:
    query = f"origem=3501&destino=4799999{count:04}&central=hole"
    answer = web.get("/click-to-call", query_string=query, headers={"Accept": "application/json"}, environ_base=LOCAL)
    told.append((answer.status_code, json.loads(answer.text)))


def test_those_who_wait_for_an_appliance_that_hangs_leave_threads_for_everybody_else(
    web: Client, black_hole: socket.socket
) -> None:
    told: list[tuple[int, dict]] = []
    threads = [threading.Thread(target=order, args=(web, count, told)) for count in range(CALL_THREADS)]
    for thread in threads:
        thread.start()
    until(lambda: len(told) == CALL_THREADS - 2)
    assert {(status, said["codigo"]) for status, said in told} == {(503, 460)}
    event = web.get(f"{LISTENER}?ramal=3501&telefone=4732100123", environ_base=LOCAL)
    assert event.status_code == 200
    assert len(told) == CALL_THREADS - 2, "the event waited for the appliance"
    for _ in range(2):
        black_hole.accept()[0].close()
    for thread in threads:
        thread.join()
    assert sorted(said["outcome"] for status, said in told if status == 504) == ["unknown", "unknown"]
    waiting = web.get("/metrics", environ_base=LOCAL).text
    assert "cti_orders_waiting 0.0" in waiting
    assert 'cti_appliance_breaker{appliance="hole",tenant="acme"} 0.0' in waiting
