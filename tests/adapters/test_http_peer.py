"""What the adapters share: digest, TLS, limits, the environment."""

import errno
import gzip
import hashlib
import re
import socket
import ssl
import time
import tracemalloc
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Event
from unittest.mock import Mock

import pytest
from pydantic import SecretStr

from adapters.http import connection as wire
from adapters.http.client import HttpRequest
from adapters.http.client import Peer as Appliance
from adapters.http.connecting import open_socket
from adapters.http.connection import MAX_BODY
from adapters.http.outcomes import Failed
from adapters.http.settings import HttpConfig
from gateway.adapter import Outcome
from gateway.texts.languages import DEFAULT
from gateway.texts.rendering import shown
from tests.adapters.bad_peers import answer, free_port, hang, serving
from tests.adapters.dialects import DIAL, make

pytestmark = pytest.mark.slow

PEM = Path(__file__).with_name("localhost.pem")
CHALLENGE = 'WWW-Authenticate: Digest realm="pabx", nonce="abc", qop="auth", algorithm=MD5'


def test_digest_answers_the_challenge_with_the_right_password():
    """Asterisk's /arawman and FreeSWITCH log in so; the first request carries no password at all."""

    def behave(peer, connection):
        first = b"Authorization: Digest" not in peer.requests[-1]
        answering = answer("401 Unauthorized", b"", "text/html", CHALLENGE) if first else answer("200 OK", b"OK 1")
        return answering(peer, connection)

    login = {"auth": "digest", "username": "gateway", "password": "s3nha"}
    with serving(behave) as peer, closing(make("url", peer.address, **login)) as adapter:
        delivery = adapter.deliver(DIAL)
        shown = adapter.preview(DIAL)
        assert delivery.outcome is Outcome.ACCEPTED
        assert shown[0].data == peer.requests[0]
    said = dict(re.findall(r'(\w+)="?([^",\r]+)', peer.requests[1].decode()))
    a1 = hashlib.md5(b"gateway:pabx:s3nha").hexdigest()
    a2 = hashlib.md5(f"GET:{said['uri']}".encode()).hexdigest()
    expected = hashlib.md5(f"{a1}:abc:{said['nc']}:{said['cnonce']}:auth:{a2}".encode()).hexdigest()
    assert said["response"] == expected
    assert peer.requests[1].startswith(f"GET {said['uri']} ".encode())


@pytest.mark.parametrize("challenge", ["WWW-Authenticate: Basic realm=x", "X: y", "WWW-Authenticate: Digest oops"])
def test_a_login_that_digest_cannot_answer_is_refused_after_one_request(challenge):
    login = {"auth": "digest", "username": "gateway", "password": "s3nha"}
    refusing = answer("401 Unauthorized", b"", "text/html", challenge)
    with serving(refusing) as peer, closing(make("url", peer.address, **login)) as adapter:
        assert adapter.deliver(DIAL).outcome is Outcome.REFUSED
        assert len(peer.requests) == 1


def appliance(**settings) -> Appliance:
    return Appliance(HttpConfig(**{"connect_timeout_s": 0.5, "timeout_s": 0.5, **settings}), name="pabx")


def failure(peer: Appliance, url: str) -> Failed:
    with closing(peer), pytest.raises(Failed) as caught:
        peer.exchange(HttpRequest("GET", url))
    return caught.value


def test_a_tls_handshake_that_hangs_means_nothing_was_sent():
    """requests calls this a read timeout, which after a real request would mean: unknown."""
    with serving(hang) as peer:
        failed = failure(appliance(), f"https://127.0.0.1:{peer.port}/")
    assert failed.outcome is Outcome.UNREACHABLE


def test_a_slow_connection_leaves_less_time_for_the_handshake(monkeypatch):
    def slow(*where, timeout_s, **options):
        time.sleep(1)
        opened = open_socket(*where, timeout_s=timeout_s, **options)
        opened.settimeout(30)
        return opened

    monkeypatch.setattr(wire, "open_socket", slow)
    began = time.monotonic()
    with serving(hang) as peer:
        failed = failure(appliance(connect_timeout_s=1.5, timeout_s=20), f"https://127.0.0.1:{peer.port}/")
    assert (failed.outcome, shown(failed.reason, DEFAULT)) == (Outcome.UNREACHABLE, "a conexão não foi aceita em 1.5 s")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("connect_s", [0.5, 30])
def test_a_name_server_that_hangs_takes_no_longer_than_the_attempt(monkeypatch, connect_s):
    asked = Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: asked.wait(30))
    started = time.monotonic()
    failed = failure(appliance(connect_timeout_s=connect_s), "http://pabx.example/")
    asked.set()
    assert (failed.outcome, shown(failed.reason, DEFAULT)) == (
        Outcome.UNREACHABLE,
        f"a conexão não foi aceita em {connect_s} s",
    )
    assert time.monotonic() - started < 3


def test_the_next_address_of_a_name_is_tried_when_one_refuses(monkeypatch):
    with serving(answer("200 OK", b"OK")) as peer, closing(appliance()) as speaking:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (free_port(), peer.port)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert speaking.exchange(HttpRequest("GET", "http://pabx.example/")).body == b"OK"


def test_a_certificate_that_is_not_trusted_means_nothing_was_sent(tls_peer):
    failed = failure(appliance(timeout_s=5), f"https://localhost:{tls_peer.port}/")
    assert failed.outcome is Outcome.UNREACHABLE
    assert shown(failed.reason, DEFAULT) == "o certificado TLS não é confiável (é autoassinado)"
    assert tls_peer.requests == []


@pytest.mark.parametrize("verify", ["ca", False])
def test_a_certificate_is_trusted_by_its_ca_file_or_by_decision(tls_peer, verify):
    trusted = PEM if verify == "ca" else False
    with closing(appliance(timeout_s=5, tls_verify=trusted)) as peer:
        assert peer.touch(f"https://localhost:{tls_peer.port}").ok
        assert peer.exchange(HttpRequest("GET", f"https://localhost:{tls_peer.port}/x")).body == b"OK"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_is_missing_or_none_means_nothing_was_sent(tls_peer, tmp_path, content):
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    failed = failure(appliance(tls_verify=file), f"https://localhost:{tls_peer.port}/")
    assert failed.outcome is Outcome.UNREACHABLE
    assert shown(failed.reason, DEFAULT) == "o arquivo que tls_verify indica não existe ou não contém certificados"


def test_a_name_with_a_dot_at_its_end_is_the_same_name_to_a_certificate(tls_peer, monkeypatch):
    # Not every machine finds this name.
    monkeypatch.setattr(wire, "open_socket", lambda _, port, **options: open_socket("127.0.0.1", port, **options))
    with closing(appliance(timeout_s=5, tls_verify=PEM)) as peer:
        assert peer.exchange(HttpRequest("GET", f"https://localhost.:{tls_peer.port}/")).body == b"OK"


def test_a_network_that_does_not_lead_there_is_said_to_be_none(monkeypatch):
    unreachable = OSError(errno.ENETUNREACH, "Network is unreachable")
    monkeypatch.setattr(wire, "open_socket", Mock(side_effect=unreachable))
    failed = failure(appliance(), "http://192.0.2.1/")
    assert (failed.outcome, shown(failed.reason, DEFAULT)) == (Outcome.UNREACHABLE, "a rede não leva até ela")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://pabx.example/x", "pabx.example"),
        ("https://pabx.example:443/x", "pabx.example"),
        ("https://pabx.example:80/x", "pabx.example:80"),
        ("http://PABX.example:80/x", "pabx.example"),
        ("http://pabx.example:8080/x", "pabx.example:8080"),
        ("http://[::1]:8080/x", "[::1]:8080"),
    ],
)
def test_the_host_is_told_with_its_port_unless_that_is_the_usual_one(url, host):
    with closing(appliance()) as peer:
        lines = peer.record(HttpRequest("GET", url)).data.decode().split("\r\n")
    assert lines[:2] == ["GET /x HTTP/1.1", f"Host: {host}"]


@pytest.mark.parametrize("url", ["http://pa bx/", "http://pabx:port/", "http://pabx/a b", "http://pabx/\u20ac"])
def test_an_address_that_is_none_is_said_to_be_none(url):
    failed = failure(appliance(), url)
    assert (failed.outcome, shown(failed.reason, DEFAULT)) == (
        Outcome.UNREACHABLE,
        "o endereço ou um cabeçalho é inválido",
    )
    with closing(appliance()) as peer:
        assert not peer.touch(url).ok


def test_a_peer_that_reads_nothing_is_not_written_to_for_ever():
    def deaf(_: socket.socket) -> socket.socket:
        stopped.wait(30)
        raise OSError

    stopped = Event()
    with serving(hang, deaf) as peer:
        with closing(appliance()) as ours, pytest.raises(Failed) as caught:
            ours.exchange(HttpRequest("POST", peer.address, {}, bytes(50_000_000)))
        stopped.set()
    assert (caught.value.outcome, shown(caught.value.reason, DEFAULT)) == (
        Outcome.UNKNOWN,
        "sem resposta completa em 0.5 s",
    )


def test_an_answer_that_comes_before_all_is_read_counts(monkeypatch):
    class Cut(socket.socket):
        def sendall(self, data, *flags):
            super().sendall(data, *flags)
            raise BrokenPipeError

    monkeypatch.setattr(wire, "open_socket", lambda *a, **b: Cut(fileno=open_socket(*a, **b).detach()))
    with serving(answer("413 Too Large")) as peer, closing(appliance()) as ours:
        assert ours.exchange(HttpRequest("POST", peer.address, {}, b"much")).status == 413


def test_few_idle_connections_are_kept_and_none_when_all_is_over(monkeypatch):
    monkeypatch.setattr(wire, "MAX_IDLE", 2)
    with ExitStack() as peers:
        addresses = [peers.enter_context(serving(answer("200 OK", b"OK"))).address for _ in range(3)]
        ours = appliance()
        for address in addresses:
            ours.exchange(HttpRequest("GET", address))
        kept = list(ours._live._idle)
        assert [each.origin for each in kept] == addresses[1:]
        late = ours._live._take(addresses[0])
        late.connect(ours.attempt(), 1)
        ours.close()
        ours._live._give_back(late)
    assert [each.sock for each in (*kept, late)] == [None] * 3


@pytest.mark.parametrize(("header", "connections"), [("Connection: close", 2), ("X: y", 1)])
def test_a_connection_that_the_peer_will_close_is_not_used_again(header, connections):
    with serving(answer("200 OK", b"OK", "text/plain", header)) as peer, closing(appliance()) as ours:
        for _ in range(2):
            ours.exchange(HttpRequest("GET", peer.address))
        assert (len(peer.requests), peer.connections) == (2, connections)


def test_the_proxy_of_the_environment_is_not_used(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with serving(answer("200 OK", b"OK")) as peer, closing(appliance()) as speaking:
        assert speaking.exchange(HttpRequest("GET", peer.address + "/x")).body == b"OK"


def test_cookies_are_not_carried_from_one_order_to_the_next():
    cookie = answer("200 OK", b"OK", "text/plain", "Set-Cookie: session=1; Path=/")
    with serving(cookie) as peer, closing(appliance()) as speaking:
        for _ in range(2):
            speaking.exchange(HttpRequest("GET", peer.address + "/x"))
        assert b"Cookie" not in peer.requests[1]


def test_head_and_body_leave_by_one_write(monkeypatch):
    written = []

    class Watched(socket.socket):
        def sendall(self, data, *flags):
            written.append(bytes(data))
            return super().sendall(data, *flags)

    def opened(*where, **options):
        return Watched(fileno=open_socket(*where, **options).detach())

    monkeypatch.setattr(wire, "open_socket", opened)
    with serving(answer("200 OK", b"OK")) as peer, closing(appliance()) as speaking:
        speaking.exchange(HttpRequest("POST", peer.address + "/x", {"Content-Type": "text/xml"}, b"<dial/>"))
        assert written == peer.requests
    assert written[0].endswith(b"\r\n\r\n<dial/>")


def test_a_small_answer_that_inflates_without_end_is_too_large():
    bomb = answer("200 OK", gzip.compress(bytes(50 * MAX_BODY)), "text/plain", "Content-Encoding: gzip")
    with serving(bomb) as peer:
        tracemalloc.start()
        try:
            failed = failure(appliance(timeout_s=5), peer.address + "/")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (failed.outcome, shown(failed.reason, DEFAULT)) == (Outcome.UNKNOWN, "a resposta é grande demais")
    assert peak < 10 * MAX_BODY


def test_interim_answers_without_end_are_too_large():
    def behave(peer, connection):
        while not peer.stopped.is_set():
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
        return False

    with serving(behave) as peer:
        failed = failure(appliance(timeout_s=20), peer.address + "/")
    assert (failed.outcome, shown(failed.reason, DEFAULT)) == (Outcome.UNKNOWN, "a resposta é grande demais")


def test_a_byte_late_in_the_attempt_does_not_start_its_time_again():
    def behave(peer, connection):
        peer.stopped.wait(1.2)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        return hang(peer, connection)

    with serving(behave) as peer:
        started = time.monotonic()
        assert failure(appliance(timeout_s=1.5), peer.address + "/").outcome is Outcome.UNKNOWN
        assert time.monotonic() - started < 2.5


def test_a_redirect_is_named_without_its_secrets():
    there = answer("302 Found", b"", "text/html", "Location: https://user:s3nha@crm.example.com/login?token=s3nha")
    with serving(there) as peer, closing(make("url", peer.address)) as adapter:
        detail = adapter.deliver(DIAL).detail
    assert "https://crm.example.com/login," in detail
    assert "s3nha" not in detail


@pytest.fixture
def tls_peer():
    """A peer over TLS for ``localhost``, with the self-signed certificate beside this file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    with serving(answer("200 OK", b"OK"), lambda raw: context.wrap_socket(raw, server_side=True)) as peer:
        yield peer


def test_headers_that_an_answer_repeats_stand_each_by_itself_in_its_bytes():
    """Two cookies joined by a comma are none that anybody sent."""
    both = answer("200 OK", b"OK", "text/plain", "Set-Cookie: a=1\r\nSet-Cookie: b=2")
    with serving(both) as peer, closing(appliance(timeout_s=5)) as ours:
        came = ours.exchange(HttpRequest("GET", peer.address))
    assert b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n" in came.raw
    assert came.headers.get("set-cookie") == "a=1, b=2"


def test_a_header_that_an_answer_folds_is_one_line():
    """In the wire log too: a session is masked there as it was read."""
    folded = answer("200 OK", b"OK", "text/plain", "X-Session: a1; \r\n\t \r\n  path=/")
    with serving(folded) as peer, closing(appliance(timeout_s=5)) as ours:
        came = ours.exchange(HttpRequest("GET", peer.address))
    assert came.headers.get("x-session") == "a1; path=/"
    assert b"\r\nX-Session: a1; path=/\r\n" in came.raw


@pytest.mark.parametrize("size", [b"-5", b"-FFFFFFFFFFFFFFFFF", b"FFFFFFFFFFFFFFFFF", b"two", b"", b"5"])
def test_a_body_in_chunks_of_no_size_came_in_part(size):
    def behave(peer, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n" + size + b"\r\nxx")
        return False

    with serving(behave) as peer:
        failed = failure(appliance(timeout_s=5), peer.address)
    assert (failed.outcome, shown(failed.reason, DEFAULT)) == (Outcome.UNKNOWN, "a resposta veio pela metade")


def test_of_headers_that_differ_in_capitals_the_configured_one_counts_and_of_logins_the_requests_own():
    headers = {"user-agent": SecretStr("PBX/1"), "Authorization": SecretStr("Basic configured")}
    request = HttpRequest("GET", "http://pabx.example/", {"USER-AGENT": "preset", "Authorization": "Digest own"})
    with closing(appliance(headers=headers)) as peer:
        lines = peer.record(request).data.decode().split("\r\n")
    assert [line for line in lines if line.lower().startswith(("user-agent", "authorization"))] == [
        "user-agent: PBX/1",
        "Authorization: Digest own",
    ]
