"""Clients that hold connections without end do not keep an exchange's event from being answered."""

import http.client
import resource
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.live.attackers import EXCHANGE, connect
from tests.live.conftest import LiveGateway, start_gateway
from tests.live.processes import until

MANY = 1500
SCREENS = 100
WITHIN_S = 4.0
"""Far below the timeouts of heads and bodies (12 s): an event that waits for one of those is noticed."""
EVENT = "/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=3501&telefone=4732100123"
BODY = b"POST /soap HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: 9\r\n\r\n"
CHUNKED = b"POST /soap HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
IDLE = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
CONFIG = """
[server]
head_timeout_s = 12
body_timeout_s = 12
[tenants.default]
extensions = ["3500-3599"]
"""


@pytest.fixture(scope="module", autouse=True)
def _enough_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < 2 * MANY:
        pytest.skip(f"only {before[1]} open files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], 2 * MANY), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture(scope="module")
def flooded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    folder: Path = tmp_path_factory.mktemp("floods")
    config = folder / "gateway.toml"
    config.write_text(CONFIG)
    running = start_gateway(folder / "data", config=config)
    running.cli(
        *("agent", "add", "ana", "--extension", "3501", "--name", "Ana", "--role", "administrator", "--password-stdin"),
        stdin="senha-boa-1\n",
    )
    yield running
    running.stop()


def event_s(gateway: LiveGateway) -> float:
    """How long the gateway takes to answer an event from another address."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=120, source_address=(EXCHANGE, 0))
    connection.request("GET", EVENT)
    assert connection.getresponse().read().startswith(b"OK ")
    connection.close()
    return time.monotonic() - began


def slowest_s(gateway: LiveGateway, seconds: float = 2.5) -> float:
    slowest, until = 0.0, time.monotonic() + seconds
    while time.monotonic() < until:
        slowest = max(slowest, event_s(gateway))
        time.sleep(0.1)
    return slowest


def metric(gateway: LiveGateway, name: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])


@pytest.mark.parametrize(
    "sent", [BODY, CHUNKED, b"GET / HTTP/1.1\r\nHo", b""], ids=["body", "chunks", "head", "nothing"]
)
def test_requests_that_never_come_whole_keep_no_event_waiting(flooded: LiveGateway, sent: bytes) -> None:
    with ExitStack() as stack:
        opened = [connect(flooded, stack, sent) for _ in range(MANY)]
        if not sent:
            # What is open is counted once a second: a fast machine opens all of them between two counts.
            until(lambda: metric(flooded, "cti_connections_open") >= MANY, "all are counted")
        assert slowest_s(flooded) < WITHIN_S
        if not sent:
            # Nobody has to wait for the attacker to leave.
            opened[0].settimeout(30)
            assert opened[0].recv(1) == b""


def test_screens_and_connections_without_use_keep_no_event_waiting(flooded: LiveGateway) -> None:
    login = b64encode(b"ana:senha-boa-1").decode()
    screen = f"GET /events HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {login}\r\n\r\n".encode()
    with ExitStack() as stack:
        screens = [connect(flooded, stack, screen) for _ in range(SCREENS)]
        assert all(each.recv(15) == b"HTTP/1.1 200 OK" for each in screens)
        for _ in range(MANY - SCREENS):  # one after the other: all at once would be more than the address's share
            assert connect(flooded, stack, IDLE).recv(15) == b"HTTP/1.1 200 OK"
        assert slowest_s(flooded) < WITHIN_S
        until(lambda: metric(flooded, "cti_screens_open") == SCREENS, "all screens are counted")


def test_more_connections_than_there_are_keep_no_event_waiting(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text("[server]\nmax_connections = 400\nmax_screens = 0\nhead_timeout_s = 60\n")
    running = start_gateway(tmp_path / "data", config=config)
    try:
        with ExitStack() as stack:
            silent = [connect(running, stack) for _ in range(MANY)]
            # Accepted in the order of arrival: those before the event are let go of in portions, four times a second.
            # Else it would wait until heads were given up three times: for 180 s.
            assert event_s(running) < 90
            assert slowest_s(running) < WITHIN_S
            assert silent[0].recv(1) == b""
            until(lambda: metric(running, "cti_connections_let_go_total") >= MANY - 400, "all let go of are counted")
    finally:
        running.stop()


def test_who_has_too_much_under_way_is_told_so(flooded: LiveGateway) -> None:
    before = metric(flooded, "cti_requests_over_share_total")
    with ExitStack() as stack:
        last = [connect(flooded, stack, BODY) for _ in range(700)][-1]
        told = b""
        while part := last.recv(4096):
            told += part
    assert told.startswith(b"HTTP/1.1 503 ")
    assert b"ERRO 470: " in told
    until(lambda: metric(flooded, "cti_requests_over_share_total") > before, "those over the share are counted")
    assert flooded.log.read_text().count("requests_over_share") < 60
