"""Requests that HTTP servers refuse, from raw sockets to a real gateway with its lenient port open."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.attackers import calls_logged
from tests.live.calls import fresh_number, the_call
from tests.live.conftest import LiveGateway, command, free_port, start_gateway
from tests.live.processes import until

START = b"/wconnect/WConnect_WSDL_ConsultaRamal.php"
END = b"/wconnect/WConnect_WSDL_FinalizaLigacao.php"


@dataclass
class Lenient:
    """A gateway and its lenient port."""

    gateway: LiveGateway
    port: int


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lenient]:
    folder = tmp_path_factory.mktemp("lenient")
    port = free_port()
    config = folder / "gateway.toml"
    config.write_text(
        f"[server]\nlenient_listen = '127.0.0.1:{port}'\nmax_body_bytes = 2048\n[log]\nformat = 'json'\n"
        "[tenants.acme]\nextensions = ['3500-3599']\n"
    )
    running = start_gateway(folder / "data", config=config)
    yield Lenient(running, port)
    assert running.stop() == 0
    assert "Traceback" not in running.log.read_text()


def send(port: int, request: bytes) -> tuple[int, bytes]:
    """Status and whole answer of ``request``, sent as it is."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(answer.split(b" ", 2)[1]), answer


def repaired(gateway: LiveGateway) -> list[dict[str, object]]:
    """What the log says of repairs."""
    lines = [json.loads(line) for line in gateway.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "request_repaired"]


HOST = b" HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n"
REFUSED = {
    "space": b"GET %b?ramal=3501&telefone=%b&resultado=foi atendida" + HOST,
    "bytes": b"GET %b?ramal=3501&telefone=%b&resultado=n\xe3o" + HOST,
    "quotes": b'GET %b?ramal=3501&telefone=%b&resultado="Jo" <sip>' + HOST,
    "folding": b"GET %b?ramal=3501&telefone=%b HTTP/1.1\r\nHost: gateway\r\nUser-Agent: PABX\r\n  1.0\r\n"
    b"Connection: close\r\n\r\n",
}
MISREAD = {
    "fragment": b"GET %b?resultado=#1&ramal=3501&telefone=%b" + HOST,
    "method": b"get %b?ramal=3501&telefone=%b" + HOST,
    "lines": b"GET %b?ramal=3501&telefone=%b HTTP/1.0\n\n",
    "host": b"GET %b?ramal=3501&telefone=%b HTTP/1.1\r\n\r\n",
    "address": b"GET http://gateway%b?ramal=3501&telefone=%b HTTP/1.0\r\n\r\n",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_the_main_port_refuses_is_a_call_through_the_lenient_port(lenient: Lenient, kind: str) -> None:
    number = fresh_number()
    request = REFUSED[kind] % (START, number.encode())
    assert send(lenient.gateway.port, request)[0] == 400
    status, answer = send(lenient.port, request)
    call = the_call(lenient.gateway, number)
    assert (status, call["extension"]) == (200, "3501")
    assert answer.endswith(f"\r\n\r\nOK {call['id']}\n".encode())
    assert b"\r\nConnection: close\r\n" in answer


@pytest.mark.parametrize("kind", MISREAD)
def test_what_other_servers_misread_is_a_call_through_the_lenient_port(lenient: Lenient, kind: str) -> None:
    number = fresh_number()
    assert send(lenient.port, MISREAD[kind] % (START, number.encode()))[0] == 200
    assert the_call(lenient.gateway, number)["extension"] == "3501"
    assert kind in repaired(lenient.gateway)[-1]["repairs"]  # type: ignore[operator]


def test_the_log_says_what_was_mended_for_whom_but_never_the_query(lenient: Lenient) -> None:
    send(lenient.port, b"GET %b?ramal=3501&telefone=%b&token=s3 cret" % (START, fresh_number().encode()) + HOST)
    said = repaired(lenient.gateway)[-1]
    assert (said["repairs"], said["client"], said["path"]) == (["space"], "127.0.0.1", START.decode())
    assert "cret" not in lenient.gateway.log.read_text()


def test_a_good_request_is_served_without_a_word(lenient: Lenient) -> None:
    before = len(repaired(lenient.gateway))
    number = fresh_number()
    assert send(lenient.port, b"GET %b?ramal=3501&telefone=%b" % (START, number.encode()) + HOST)[0] == 200
    assert the_call(lenient.gateway, number)["tenant"] == "acme"
    assert len(repaired(lenient.gateway)) == before


@pytest.mark.parametrize("name", [b"Jos\xc3\xa9", b"Jos\xe9", b"Jos%E9", b"Jos%C3%A9"])
def test_names_in_the_query_are_read_whatever_their_charset(lenient: Lenient, name: bytes) -> None:
    number = fresh_number()
    request = b"GET %b?ramal=3501&telefone=%b&url_audio=http://pbx/%b.wav" % (END, number.encode(), name) + HOST
    assert send(lenient.port, request)[0] == 200
    assert the_call(lenient.gateway, number)["recording_url"] == "http://pbx/José.wav"


def test_a_posted_form_is_read_by_its_length(lenient: Lenient) -> None:
    number = fresh_number()
    body = f"ramal=3501&telefone={number}".encode()
    head = b"post %b HTTP/1.1\nHost: gateway\nExpect: 100-continue\nContent-Length: %d\n\n" % (START, len(body))
    with socket.create_connection(("127.0.0.1", lenient.port), timeout=20) as connection:
        connection.sendall(head)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
    assert the_call(lenient.gateway, number)["extension"] == "3501"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /c?t=" + b"1" * 70_000, 431),
        (b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 2049\r\n\r\n" % START + b"x" * 2049, 413),
        (b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\n" % START, 400),
        (b"POST %b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % START, 501),
        (b"\x16\x03\x01\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        (b"HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
        (b"GET /soap?wsdl HTTP/1.0\r\n\r\n", 200),
    ],
)
def test_limits_and_what_is_not_served_are_told_by_a_status(lenient: Lenient, request_: bytes, status: int) -> None:
    assert send(lenient.port, request_)[0] == status


def test_an_exchange_that_does_not_wait_for_its_answer_is_heard(lenient: Lenient) -> None:
    """As PHP scripts do that write and close: the main port may see the end before it has begun with the request."""
    numbers = [fresh_number() for _ in range(8)]
    for number in numbers:
        with socket.create_connection(("127.0.0.1", lenient.port), timeout=20) as connection:
            connection.sendall(b"GET %b?ramal=3501&telefone=%b HTTP/1.0\r\n\r\n" % (START, number.encode()))
    until(lambda: calls_logged(lenient.gateway).keys() >= set(numbers), "all are in the log")


def test_a_sender_that_stops_in_the_middle_is_cut(lenient: Lenient) -> None:
    with socket.create_connection(("127.0.0.1", lenient.port), timeout=20) as connection:
        connection.sendall(b"GET /c?t=1 2")
        began = time.monotonic()
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
        assert 5 < time.monotonic() - began < 15


def test_the_gateway_stops_at_once_while_someone_still_sends_and_leaves_the_port_free(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "gateway.toml"
    config.write_text(f"[server]\nworkers = 2\nlenient_listen = '127.0.0.1:{port}'\n")
    running = start_gateway(tmp_path / "data", config=config)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET /c?t=1 2")
        began = time.monotonic()
        assert running.stop() == 0
    assert time.monotonic() - began < 10
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    assert "Traceback" not in running.log.read_text()


def refusal(folder: Path, listen: int, lenient_listen: int) -> str:
    """What a gateway says that cannot start with these ports."""
    config = folder / "gateway.toml"
    config.write_text(f"[server]\nlenient_listen = '127.0.0.1:{lenient_listen}'\n")
    serve = [*command(), "serve", "--listen", f"127.0.0.1:{listen}", "--data", str(folder), "--config", str(config)]
    done = subprocess.run(serve, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    return done.stderr


def test_a_lenient_port_that_cannot_be_had_is_refused_with_a_clear_sentence(lenient: Lenient, tmp_path: Path) -> None:
    taken, free = lenient.port, free_port()
    assert f"cannot listen on 127.0.0.1:{taken} (Address already in use)" in refusal(tmp_path, free, taken)
    assert f"server.lenient_listen: port {free} is the main port" in refusal(tmp_path, free, free)


def test_the_lenient_port_is_off_by_default(gateway: LiveGateway) -> None:
    assert "listening_leniently" not in gateway.log.read_text()
