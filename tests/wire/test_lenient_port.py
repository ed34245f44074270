"""What the lenient port does with clients that are slow, many or gone, and with an application that fails."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from prometheus_client import REGISTRY

from gateway.wire.lenient.port import LenientPort, PortLimits

pytestmark = pytest.mark.slow

SMALL = PortLimits(max_body_bytes=1000, connections=2, read_timeout_s=1, request_timeout_s=0.6)
GET = b"GET /c?t=1 2 HTTP/1.0\n\n"


def echo(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    """Answers with the query and the body, without a Content-Length."""
    start("200 OK", [("Content-Type", "text/plain"), ("Connection", "keep-alive")])
    return [environ["QUERY_STRING"].encode(), b" ", environ["wsgi.input"].read()]


@contextmanager
def lenient(application: Callable[..., Any] = echo, limits: PortLimits = SMALL) -> Iterator[LenientPort]:
    port = LenientPort(application, "127.0.0.1", 0, limits)
    port.start()
    try:
        yield port
    finally:
        port.close()


def connect(port: LenientPort, client: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", port.port), timeout=10, source_address=(client, 0))


def answer(connection: socket.socket) -> bytes:
    with connection:
        return b"".join(iter(lambda: connection.recv(65536), b""))


def ask(port: LenientPort, request: bytes, client: str = "127.0.0.1") -> bytes:
    connection = connect(port, client)
    connection.sendall(request)
    return answer(connection)


def test_the_answer_says_its_length_and_that_the_connection_ends() -> None:
    with lenient() as port:
        assert ask(port, b"POST /c?a=1 2 HTTP/1.0\nContent-Length: 3\n\nxyz and more") == (
            b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\nConnection: close\r\n\r\na=1%202 xyz"
        )


def drip(connection: socket.socket) -> None:
    """Send one byte after another for five seconds."""
    for _ in range(100):
        connection.sendall(b"x")
        time.sleep(0.05)


def test_a_sender_that_drips_is_cut_when_its_time_is_over() -> None:
    with lenient() as port, connect(port) as connection:
        began = time.monotonic()
        with pytest.raises(ConnectionError):
            drip(connection)
        assert time.monotonic() - began < 4


def test_a_body_that_ends_too_early_is_told() -> None:
    with lenient() as port:
        connection = connect(port)
        connection.sendall(b"POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nshort")
        connection.shutdown(socket.SHUT_WR)
        assert answer(connection).startswith(b"HTTP/1.1 400 ")


def test_one_more_client_than_are_served_at_once_waits_for_its_turn() -> None:
    with lenient() as port:
        slow = [connect(port) for _ in range(SMALL.connections)]
        began = time.monotonic()
        assert ask(port, GET).startswith(b"HTTP/1.0 200 ")
        assert time.monotonic() - began > 0.3
        assert all(answer(connection).startswith(b"HTTP/1.1 408 ") for connection in slow)


def test_clients_that_come_and_go_without_a_word_take_no_place_away() -> None:
    with lenient() as port:
        for _ in range(3 * SMALL.connections):
            connect(port).close()
        assert ask(port, GET).startswith(b"HTTP/1.0 200 ")


SHARED = PortLimits(max_body_bytes=1000, connections=3, connections_per_client=2, waiting_per_client=1)


def test_a_client_that_takes_its_whole_share_leaves_places_to_others() -> None:
    with lenient(limits=SHARED) as port:
        greedy = [connect(port) for _ in range(SHARED.connections_per_client + SHARED.waiting_per_client)]
        assert ask(port, GET).startswith(b"HTTP/1.1 503 ")
        assert ask(port, GET, client="127.0.0.2").startswith(b"HTTP/1.0 200 ")
        for connection in greedy:
            connection.close()


def test_a_burst_of_one_exchange_waits_for_its_turn_and_is_served_whole() -> None:
    with lenient(limits=SHARED) as port:
        burst = [connect(port) for _ in range(3)]
        for connection in reversed(burst):
            connection.sendall(GET)
        assert all(answer(connection).startswith(b"HTTP/1.0 200 ") for connection in burst)


def test_who_is_turned_away_learns_why_and_when_to_come_again() -> None:
    before = counted("cti_lenient_over_share_total")
    with lenient(limits=SHARED) as port:
        greedy = [connect(port) for _ in range(3)]
        told = ask(port, GET)
        for connection in greedy:
            connection.close()
    assert b"Retry-After: 1\r\n" in told
    assert b"ERRO 450: conex" in told
    assert counted("cti_lenient_over_share_total") == before + 1


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


def test_each_kind_of_repair_is_counted() -> None:
    kinds = ("space", "lines", "bytes")
    before = [counted("cti_lenient_repairs_total", kind=kind) for kind in kinds]
    with lenient() as port:
        ask(port, GET)
        ask(port, b"GET /c?t=\xe9 HTTP/1.0\r\n\r\n")
        ask(port, b"GET /c HTTP/1.0\r\n\r\n")
    after = [counted("cti_lenient_repairs_total", kind=kind) for kind in kinds]
    assert [new - old for old, new in zip(before, after, strict=True)] == [1, 1, 1]


def test_an_application_that_fails_is_answered_with_an_incident_only() -> None:
    def fails(_environ: Any, _start: Any) -> list[bytes]:
        raise RuntimeError("s3cret")

    with lenient(fails) as port:
        told = ask(port, GET)
    assert told.startswith(b"HTTP/1.0 500 ")
    assert b"incidente-" in told
    assert b"s3cret" not in told


def test_what_is_being_served_when_the_port_closes_is_still_answered() -> None:
    entered = threading.Event()

    def slow(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        entered.set()
        time.sleep(0.5)
        return echo(environ, start)

    with lenient(slow) as port:
        connection = connect(port)
        connection.sendall(GET)
        assert entered.wait(5)
    assert answer(connection).startswith(b"HTTP/1.0 200 ")
    with pytest.raises(ConnectionRefusedError):
        connect(port)
