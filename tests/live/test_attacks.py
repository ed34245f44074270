"""Whatever one address does, an exchange at another has its events answered, in time, and each is written once."""

import json
import select
import signal
import socket
import sqlite3
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.live.attackers import (
    ATTACKER,
    EXCHANGE,
    RESET,
    Exchange,
    answers,
    calls_logged,
    connect,
    event_of,
    event_path,
    fresh_number,
    head_of,
    post_of,
)
from tests.live.conftest import LiveGateway, start_gateway
from tests.live.office import PASSWORD, agent_ana
from tests.live.processes import until
from tests.live.screen import Screen, basic, screen_of
from tests.live.test_faults import Hanging, worker_of
from tests.live.test_roles import Person

WITHIN_S = 2.0
"""Within this the exchange is answered whatever happens, also beside other tests; alone it takes some milliseconds."""
CALL_THREADS = 8
MAX_BODY = 64_000
MEMORY_MB = 96
"""How much more memory an attack may cost, for all that an attacker sends."""
CONFIG = f"""
[server]
call_threads = {CALL_THREADS}
max_body_bytes = {MAX_BODY}
requests_per_address = 128
[tenants.default]
extensions = ["3500-3599"]
"""
HOLE = """
[tenants.default.appliances.{name}]
adapter = "url"
url = "http://127.0.0.1:{port}/?n={{{{ number }}}}"
success = "OK"
timeout_s = 1
"""
LOGIN = f"Authorization: {basic('ana', PASSWORD)['Authorization']}"
SOAP = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    '<m:{name} xmlns:m="urn:cti-gateway:wconnect:1">{inner}</m:{name}></e:Body></e:Envelope>'
)


@pytest.fixture(scope="module")
def hole() -> Iterator[Hanging]:
    with Hanging() as listening:
        yield listening


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, hole: Hanging) -> Iterator[LiveGateway]:
    folder: Path = tmp_path_factory.mktemp("attacks")
    config = folder / "gateway.toml"
    config.write_text(CONFIG + "".join(HOLE.format(name=name, port=hole.port) for name in ("hole", "other")))
    running = start_gateway(folder / "data", config=config)
    agent_ana(running)
    yield running
    assert running.process.poll() is not None or running.stop() == 0
    assert "Traceback" not in running.log.read_text()


@contextmanager
def served(gateway: LiveGateway, *, address: str = EXCHANGE, most_mb: int = MEMORY_MB) -> Iterator[Exchange]:
    """Have an exchange at ``address`` served during the block, and hold afterwards that it was served well, with
    ``most_mb`` of memory more than before.
    """
    before = memory_mb(gateway)
    with Exchange(gateway, address=address).sending() as exchange:
        yield exchange
    assert set(exchange.told) == {"OK"}
    assert exchange.slowest_s < WITHIN_S
    assert memory_mb(gateway) - before < most_mb


def memory_mb(gateway: LiveGateway) -> float:
    """Return the resident memory of the gateway's worker."""
    status = Path(f"/proc/{worker_of(gateway)}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def metric(gateway: LiveGateway, name: str) -> float:
    with ExitStack() as stack:
        ((_, body),) = answers(connect(gateway, stack, head_of("/metrics"), address="127.0.0.1"), 1)
    return float(next(line for line in body.decode().splitlines() if line.startswith(f"{name} ")).split()[1])


def pour(connections: list[socket.socket], request: bytes, *, seconds: float) -> int:
    """Send ``request`` again and again on all of ``connections``, read all that comes; how many bytes came."""
    until_s, came = time.monotonic() + seconds, 0
    for each in connections:
        each.setblocking(False)
    while time.monotonic() < until_s:
        readable, writable, _ = select.select(connections, connections, [], 0.1)
        came += sum(len(received(each)) for each in readable)
        for each in writable:
            try:
                each.send(request)
            except (BlockingIOError, ConnectionError):
                continue
    return came


def received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 20)
    except (BlockingIOError, ConnectionError):
        return b""


def test_a_flood_of_events_from_one_address_keeps_no_other_one_waiting(gateway: LiveGateway) -> None:
    with ExitStack() as stack, served(gateway):
        assert pour([connect(gateway, stack) for _ in range(64)], event_of(fresh_number()), seconds=1)


def test_a_flood_of_looks_at_the_readiness_keeps_neither_events_nor_other_watchers_waiting(
    gateway: LiveGateway,
) -> None:
    with ExitStack() as stack, served(gateway), ThreadPoolExecutor(1) as pool:
        flood = pool.submit(pour, [connect(gateway, stack) for _ in range(64)], head_of("/readyz") * 8, seconds=1)
        while not flood.done():
            began = time.monotonic()
            with ExitStack() as own:
                watcher = connect(gateway, own, head_of("/readyz"), address="127.0.0.4")
                assert [status for status, _ in answers(watcher, 1)] == [200]
            assert time.monotonic() - began < WITHIN_S


def test_requests_in_one_piece_are_answered_in_their_order_and_each_is_written_once(gateway: LiveGateway) -> None:
    numbers = [fresh_number() for _ in range(300)]
    with ExitStack() as stack, served(gateway):
        connection = connect(gateway, stack, b"".join(map(event_of, numbers)))
        told = answers(connection, len(numbers))
    assert {status for status, _ in told} == {200}
    ids = [int(body.split()[1]) for _, body in told]
    assert ids == sorted(ids)
    logged = calls_logged(gateway)
    assert [logged[number] for number in numbers] == [1] * len(numbers)


def test_who_sends_and_never_reads_costs_no_memory(gateway: LiveGateway) -> None:
    with ExitStack() as stack, served(gateway):
        connections = [connect(gateway, stack) for _ in range(8)]
        for each in connections:
            each.setblocking(False)
        ends = time.monotonic() + 1
        request = head_of("/openapi.json") * 20
        while time.monotonic() < ends:
            _, writable, _ = select.select([], connections, [], 0.1)
            for each in writable:
                each.send(request)


@pytest.mark.parametrize("by_chunks", [True, False], ids=["chunked", "announced"])
def test_a_body_without_end_is_cut_and_costs_no_memory(gateway: LiveGateway, by_chunks: bool) -> None:
    piece = b"x" * 16_384
    sent = f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if by_chunks else piece
    length = "Transfer-Encoding: chunked" if by_chunks else f"Content-Length: {1 << 40}"
    with ExitStack() as stack, served(gateway):
        for _ in range(4):
            connection = connect(gateway, stack, head_of("/soap", "Content-Type: text/xml", length, method="POST"))
            assert sent_before_the_end(connection, sent) < MAX_BODY + (8 << 20)


def sent_before_the_end(connection: socket.socket, piece: bytes) -> int:
    """Send ``piece`` until the other side ends the connection; how many bytes that took."""
    count = 0
    try:
        while count < 1 << 28:
            connection.sendall(piece)
            count += len(piece)
    except ConnectionError:
        pass
    return count


def test_who_has_said_its_last_word_holds_no_connection(gateway: LiveGateway) -> None:
    with ExitStack() as stack, served(gateway):
        for _ in range(200):
            connect(gateway, stack, event_of(fresh_number())).shutdown(socket.SHUT_WR)
            connect(gateway, stack, b"POST /soap HTTP/1.1\r\nHost: a\r\n").shutdown(socket.SHUT_WR)
        until(lambda: descriptors(gateway) < 200, "the connections are given back")


def descriptors(gateway: LiveGateway) -> int:
    return len(list(Path(f"/proc/{worker_of(gateway)}/fd").iterdir()))


def test_an_event_whose_sender_does_not_wait_for_the_answer_is_written_once_at_most(gateway: LiveGateway) -> None:
    numbers = [fresh_number() for _ in range(200)]
    with served(gateway):
        for at, number in enumerate(numbers):
            leave(gateway, event_of(number), by_reset=bool(at % 2))
    logged = calls_logged(gateway)
    assert {logged[number] for number in numbers} <= {0, 1}


def leave(gateway: LiveGateway, sent: bytes, *, by_reset: bool) -> None:
    connection = socket.create_connection((gateway.host, gateway.port), timeout=30, source_address=(ATTACKER, 0))
    connection.sendall(sent)
    if by_reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


def test_screens_that_come_back_all_the_time_keep_no_event_waiting(gateway: LiveGateway) -> None:
    screen = head_of("/events", LOGIN)
    with served(gateway):
        for _ in range(3):
            with ExitStack() as stack:
                screens = [connect(gateway, stack, screen) for _ in range(100)]
                assert all(each.recv(15) == b"HTTP/1.1 200 OK" for each in screens)
    until(lambda: metric(gateway, "cti_screens_open") == 0, "no screen is left open")


DEAF = 200
LARGE_EVENT = urlencode({"campos": json.dumps({f"campo{number}": "x" * 500 for number in range(8)})})


def deaf_screen(gateway: LiveGateway, stack: ExitStack) -> socket.socket:
    """Open a screen that reads nothing, over a connection of which the kernel keeps little, the gateway all else."""
    connection = stack.enter_context(socket.socket())
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    connection.bind((ATTACKER, 0))
    connection.connect((gateway.host, gateway.port))
    connection.sendall(head_of("/events", LOGIN))
    assert connection.recv(15) == b"HTTP/1.1 200 OK"
    return connection


def until_told(screen: Screen, call_id: int) -> None:
    deadline = time.monotonic() + 60
    while not any(each["call_id"] == call_id for each in reversed(screen.told)):
        assert time.monotonic() < deadline, "the other screen is not told"
        time.sleep(0.002)


def test_screens_that_read_nothing_cost_only_themselves(gateway: LiveGateway) -> None:
    before = metric(gateway, "cti_streams_cut_total")
    with ExitStack() as stack, screen_of(gateway, "ana", PASSWORD) as screen, served(gateway, most_mb=2 * MEMORY_MB):
        for _ in range(DEAF):
            deaf_screen(gateway, stack)
        numbers = [fresh_number() for _ in range(240)]
        exchange = connect(gateway, stack)
        for number in numbers:
            exchange.sendall(head_of(f"{event_path(number)}&{LARGE_EVENT}"))
            ((status, told),) = answers(exchange, 1)
            assert status == 200
            until_told(screen, int(told.split()[1]))
        until(lambda: metric(gateway, "cti_streams_cut_total") - before == DEAF, "all are cut that read nothing")
    until(lambda: metric(gateway, "cti_screens_open") == 0, "no screen is left open")


EXPORTED_MB = 24
ENTRIES = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
    "INSERT INTO audit (tenant, at, login, client, action, subject, detail) "
    "SELECT 'default', 0, 'ana', '', 'calls_exported', '', hex(zeroblob(1024)) FROM n"
)
MARK = b"0" * 2048


def test_who_takes_a_large_export_slowly_has_it_made_slowly(gateway: LiveGateway) -> None:
    count = EXPORTED_MB * 512
    change(gateway, ENTRIES, count)
    request = head_of("/auditoria.csv", Person(gateway, "ana", PASSWORD).cookies(), "Connection: close")
    with ExitStack() as stack, served(gateway):
        slow = connect(gateway, stack, request)
        assert slow.recv(15) == b"HTTP/1.1 200 OK"
        fast = connect(gateway, stack, request, address="127.0.0.1")
        assert answered_entries(fast) == count
        change(gateway, "DELETE FROM audit WHERE length(detail) = ?", len(MARK))
        assert 0 < answered_entries(slow) < count / 2, "what nobody took was made, and is kept in memory"


def change(gateway: LiveGateway, statement: str, value: int) -> None:
    with closing(sqlite3.connect(gateway.data / "gateway.db", timeout=30)) as database, database:
        database.execute(statement, (value,))


def answered_entries(connection: socket.socket) -> int:
    """Read to the end of the answer; how many entries of the audit log came whole, with the end of the last chunk."""
    came = bytearray()
    while piece := connection.recv(1 << 20):
        came += piece
    assert came.endswith(b"0\r\n\r\n"), "the answer is whole"
    return came.count(MARK)


def test_wrong_passwords_from_the_exchange_s_own_address_keep_no_event_waiting(gateway: LiveGateway) -> None:
    with ExitStack() as stack, served(gateway):
        for number in range(40):
            wrong = b64encode(f"ana:errada-{number}".encode()).decode()
            connect(gateway, stack, head_of("/api/me", f"Authorization: Basic {wrong}"), address=EXCHANGE)
        time.sleep(1)


def test_an_order_among_events_of_one_connection_is_answered_in_its_turn(gateway: LiveGateway) -> None:
    numbers = [fresh_number() for _ in range(6)]
    began = time.monotonic()
    with ExitStack() as stack, served(gateway):
        sent = [soap_event(each) for each in numbers[:3]] + [soap_order()] + [soap_event(each) for each in numbers[3:]]
        connection = connect(gateway, stack, b"".join(sent))
        told = answers(connection, len(sent))
    assert ["ConsultaRamalResponse" in body.decode() for _, body in told] == [True] * 3 + [False] + [True] * 3
    assert "ClickToCallResponse" in told[3][1].decode()
    assert time.monotonic() - began >= 1, "the appliance was waited for"
    logged = calls_logged(gateway)
    assert [logged[number] for number in numbers] == [1] * 6


def test_events_are_answered_while_as_many_orders_as_there_may_be_wait_for_an_appliance(
    gateway: LiveGateway, hole: Hanging
) -> None:
    with ExitStack() as stack, served(gateway):
        orders = [order(gateway, stack, ("hole", "other")[at % 2]) for at in range(3 * CALL_THREADS)]
        told = [status for each in orders for status, _ in answers(each, 1)]
    assert set(told) == {503, 504}


def order(gateway: LiveGateway, stack: ExitStack, appliance: str) -> socket.socket:
    path = f"/click-to-call?origem=3501&destino={fresh_number()}&central={appliance}"
    return connect(gateway, stack, head_of(path, LOGIN))


def soap_event(number: str) -> bytes:
    inner = f"<m:ramal>3501</m:ramal><m:telefone>{number}</m:telefone>"
    return post_of("/soap", SOAP.format(name="ConsultaRamal", inner=inner).encode())


def soap_order() -> bytes:
    inner = f"<m:ramal>3501</m:ramal><m:telefone>{fresh_number()}</m:telefone><m:central>hole</m:central>"
    return post_of("/soap", SOAP.format(name="ClickToCall", inner=inner).encode(), LOGIN)


def test_a_gateway_that_is_stopped_under_load_loses_nothing_and_leaves_nobody_waiting(gateway: LiveGateway) -> None:
    """The last one, since it stops the gateway."""
    exchanges = [Exchange(gateway, every_s=0.002) for _ in range(4)]
    with ExitStack() as stack:
        for each in exchanges:
            stack.enter_context(each.sending())
        until(lambda: all(len(each.acknowledged) > 20 for each in exchanges), "there is load", timeout_s=60)
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(60) == 0
    assert max(each.slowest_s for each in exchanges) < 10
    logged = calls_logged(gateway)
    acknowledged = set().union(*(each.acknowledged for each in exchanges))
    assert {logged[number] for number in acknowledged} == {1}
    assert set(logged.values()) == {1}
