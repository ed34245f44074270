"""Through a real nginx, set up as docs/reverse-proxy.md says: what works, and what a stranger tries."""

import base64
import hashlib
import hmac
import json
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.live import nginx as proxy
from tests.live.conftest import LiveGateway, free_port, start_gateway
from tests.live.nginx import HOST, Nginx

DIAL = "/click-to-call?origem=3501&destino=4732100123"
EVENT = "/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=3501&telefone=4732100123"
STRANGER, EXCHANGE = "203.0.113.9", "192.168.0.10"
CRM_TOKEN = "segredo-do-crm"
EVENTS_TOKEN = "segredo-da-central"
SOURCE_SECRET = "segredo-da-nuvem-de-voz"
PASSWORD = "aquarela-de-ana-42"
CONFIG = """
[server]
trusted_proxies = ["127.0.0.1"]
lenient_listen = "127.0.0.1:{lenient}"

[tenants.acme]
hosts = ["cti.acme.com.br"]
area_code = "47"
extensions = ["3500-3599"]
[tenants.acme.events]
allow = ["loopback", "192.168.0.10"]
token = "{events_token}"
[tenants.acme.click_to_call]
token = "{crm_token}"

[tenants.acme.sources.signed]
kind = "webhook"
secret = "{source_secret}"
[tenants.acme.sources.signed.mapping]
other = "started"
values = {{ extension = "ramal", number = "telefone" }}
authenticity = {{ kind = "hmac", header = "X-Sign", signed = "{{url}}{{body}}" }}
[tenants.acme.sources.told]
kind = "webhook"
secret = "{source_secret}"
mapping = {{ other = "started", values = {{ extension = "ramal", number = "telefone" }} }}

[tenants.beta.events]
allow = ["loopback", "private"]
"""
MADE_UP = ("127.0.0.2", "127.0.0.1, 127.0.0.1", "::1", EXCHANGE, "unknown")
FORGED = (
    *(("X_Forwarded_For", value) for value in MADE_UP),
    *(("x_forwarded-for", value) for value in MADE_UP),
    *(("X-Forwarded-For", value) for value in MADE_UP),
    ("X-Real-IP", EXCHANGE),
    ("X_Real_IP", EXCHANGE),
    ("Forwarded", f"for={EXCHANGE}"),
    ("X-Forwarded-Host", "127.0.0.1"),
    ("Via", "1.1 localhost"),
    ("Host", "127.0.0.1"),
)


@pytest.fixture(scope="module")
def lenient_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, lenient_port: int) -> Iterator[LiveGateway]:
    """A gateway with two companies behind nginx; click-to-call's ``open_loopback`` is left as it is."""
    folder = tmp_path_factory.mktemp("proxied")
    config = folder / "gateway.toml"
    config.write_text(
        CONFIG.format(lenient=lenient_port, crm_token=CRM_TOKEN, events_token=EVENTS_TOKEN, source_secret=SOURCE_SECRET)
    )
    running = start_gateway(folder / "data", config=config)
    ana = ("ana", "--extension", "3501", "--tenant", "acme", "--role", "administrator")
    running.cli("agent", "add", *ana, "--password-stdin", stdin=f"{PASSWORD}\n")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def nginx(gateway: LiveGateway, lenient_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with proxy.serve(gateway, lenient_port, tmp_path_factory.mktemp("nginx")) as running:
        yield running


def calls(gateway: LiveGateway) -> int:
    """How many calls there are, of both companies."""
    with closing(sqlite3.connect(gateway.data / "gateway.db")) as database:
        found: int = database.execute("SELECT count(*) FROM calls").fetchone()[0]
    return found


def test_a_stranger_neither_dials_nor_sends_events_whatever_it_says(gateway: LiveGateway, nginx: Nginx) -> None:
    before = calls(gateway)
    for name, value in FORGED:
        header = ("-H", f"{name}: {value}")
        for path, status in ((DIAL, 401), (EVENT, 403), ("/metrics", 403)):
            assert nginx.curl(f"/t/acme{path}", *header)[0] == status, (name, value, path)
    assert calls(gateway) == before


def test_a_stranger_neither_dials_nor_sends_events_by_the_lenient_port(gateway: LiveGateway, nginx: Nginx) -> None:
    before = calls(gateway)
    for name, value in FORGED:
        for path, status in ((DIAL, 401), (EVENT, 403)):
            got = nginx.curl(f"http://127.0.0.1:{nginx.lenient}/t/acme{path}", "-H", f"{name}: {value}")
            assert got[0] == status, (name, value, got)
    assert calls(gateway) == before


@pytest.mark.parametrize("forged", ["X_Forwarded_For", "x_forwarded-for", "X-Forwarded_For"])
def test_a_name_with_an_underscore_is_no_proxys_word_on_either_port(
    gateway: LiveGateway, lenient_port: int, forged: str
) -> None:
    true = f"X-Forwarded-For: {STRANGER}"
    for port in (gateway.port, lenient_port):
        for told in ((f"{forged}: {EXCHANGE}", true), (true, f"{forged}: {EXCHANGE}")):
            assert ask(port, EVENT, *told) == 403, (port, told)
        assert ask(port, EVENT, f"{forged}: {STRANGER}", f"X-Forwarded-For: {EXCHANGE}") == 200, port


def test_of_several_lists_of_addresses_the_last_counts_on_either_port(gateway: LiveGateway, lenient_port: int) -> None:
    stranger, exchange = (f"X-Forwarded-For: {address}" for address in (STRANGER, EXCHANGE))
    for port in (gateway.port, lenient_port):
        assert ask(port, EVENT, exchange, stranger) == 403, port
        assert ask(port, EVENT, stranger, exchange) == 200, port


@pytest.mark.parametrize(
    ("place", "header"),
    [
        ("", f"Authorization: Bearer {SOURCE_SECRET}"),
        ("", f"Token-Auth: {SOURCE_SECRET}"),
        ("", f"token_auth: {SOURCE_SECRET}"),
        (f"/{SOURCE_SECRET}", "X-Nothing: x"),
    ],
)
def test_a_source_s_secret_comes_through_nginx(nginx: Nginx, place: str, header: str) -> None:
    data = ("-d", "ramal=3501&telefone=4732100123")
    assert nginx.curl(f"/in/told{place}", *data, "-H", header)[0] == 200
    assert nginx.curl(f"/in/told{place and '/wrong'}", *data, "-H", header[:-1])[0] == 403


def test_what_a_provider_signed_is_the_address_that_nginx_forwards(nginx: Nginx) -> None:
    body = "ramal=3501&telefone=4732100123"
    url = f"https://{HOST}:{nginx.https}/in/signed/call?x=%2B1"
    made = hmac.new(SOURCE_SECRET.encode(), (url + body).encode(), hashlib.sha256).hexdigest()
    assert nginx.curl("/in/signed/call?x=%2B1", "-d", body, "-H", f"X-Sign: {made}")[0] == 200
    for forged in ("X-Forwarded-Host: evil.example", "X-Forwarded-Proto: http", "X_Sign: 00"):
        assert nginx.curl("/in/signed/call?x=%2B1", "-d", body, "-H", f"X-Sign: {made}", "-H", forged)[0] == 200
    assert nginx.curl("/in/signed/call?x=%2B1", "-d", body, "-H", f"X_Sign: {made}")[0] == 403
    assert nginx.curl("/in/signed/call?x=%2B1", "-d", body + "&a=1", "-H", f"X-Sign: {made}")[0] == 403


def test_a_stranger_s_guesses_hold_nobody_back_but_itself(nginx: Nginx) -> None:
    """Behind the proxy clients are told apart by what it forwards."""
    data, right = ("-d", "ramal=3501&telefone=4732100123"), ("-H", f"Authorization: Bearer {SOURCE_SECRET}")
    statuses = [nginx.curl(f"/in/told/guess-{number}", *data, client="198.51.100.7")[0] for number in range(21)]
    assert statuses == [403] * 20 + [429]
    assert nginx.curl("/in/told", *data, *right, client="198.51.100.7")[0] == 429
    assert nginx.curl("/in/told", *data, *right, client="198.51.100.8")[0] == 200


def ask(port: int, path: str, *headers: str) -> int:
    """The status of a request with exactly these ``headers``, as the trusted proxy on this machine may send it."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        head = "\r\n".join((f"GET /t/acme{path} HTTP/1.1", f"Host: {HOST}", "Connection: close", *headers))
        connection.sendall(f"{head}\r\n\r\n".encode())
        return int(connection.makefile("rb").readline().split()[1])


def test_a_proxy_that_says_nothing_does_not_dial_although_open_loopback_is_on(nginx: Nginx) -> None:
    assert nginx.curl(f"http://127.0.0.1:{nginx.bare}/t/acme{DIAL}")[0] == 401


def test_the_exchange_sends_events_through_nginx(nginx: Nginx) -> None:
    status, body = nginx.curl(EVENT, client=EXCHANGE)
    assert (status, body[:3]) == (200, "OK ")
    assert nginx.curl(EVENT, client="192.168.0.11")[0] == 403
    assert nginx.curl(f"{EVENT}&token={EVENTS_TOKEN}")[0] == 200


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        (f"token_auth: {CRM_TOKEN}", "ERRO 510"),  # let in: what is missing is an appliance
        (f"Token-Auth: {CRM_TOKEN}", "ERRO 510"),
        (f"Authorization: Bearer {CRM_TOKEN}", "ERRO 510"),
        ("token_auth: wrong", "ERRO 330"),
        ("token_auth;", "ERRO 320"),
    ],
)
def test_the_crms_token_arrives(nginx: Nginx, header: str, answer: str) -> None:
    for version in ("--http1.1", "--http2"):
        assert nginx.curl(DIAL, "-H", header, version)[1].startswith(answer), version


def test_the_wsdl_names_the_address_that_the_client_used(nginx: Nginx) -> None:
    ours = f'"https://{HOST}:{nginx.https}/soap"'
    for name in ("X_Forwarded_Host", "X-Forwarded-Host", "X_Forwarded_Proto", "X-Forwarded-Proto"):
        status, wsdl = nginx.curl("/soap?wsdl", "-H", f"{name}: evil.example")
        assert (status, ours in wsdl, "evil" in wsdl) == (200, True, False), name


def test_each_company_has_its_host_name(nginx: Nginx) -> None:
    assert nginx.curl(EVENT, client="192.168.0.77", host="beta.cti.example.com")[0] == 200
    assert nginx.curl(EVENT, client="192.168.0.77", host="acme.cti.example.com")[0] == 403
    assert "ERRO 270" in nginx.curl(EVENT, client="192.168.0.77", host="nobody.cti.example.com")[1]


def test_plain_http_is_sent_to_https(nginx: Nginx) -> None:
    status, _ = nginx.curl(f"http://127.0.0.1:{nginx.http}/", "-H", f"Host: {HOST}")
    assert status == 301


def test_a_body_too_large_ends_at_nginx(nginx: Nginx) -> None:
    (nginx.folder / "large").write_bytes(b"x" * 1_100_000)
    assert nginx.curl("/soap", "--data-binary", f"@{nginx.folder}/large")[0] == 413


def test_metrics_are_read_from_the_office_only(nginx: Nginx) -> None:
    assert nginx.curl("/metrics", client="192.168.0.77")[0] == 200
    status, body = nginx.curl("/metrics", client=STRANGER)
    assert (status, STRANGER in body) == (403, True)


def test_a_call_comes_up_at_once_through_nginx(gateway: LiveGateway, nginx: Nginx) -> None:
    login = base64.b64encode(f"ana:{PASSWORD}".encode()).decode()
    known = ("--cacert", str(nginx.folder / "cert.pem"), "--resolve", f"{HOST}:{nginx.https}:127.0.0.1")
    options = ("curl", "-sSN", "-m", "30", *known, "-H", f"Authorization: Basic {login}")
    with subprocess.Popen([*options, f"https://{HOST}:{nginx.https}/events"], stdout=subprocess.PIPE) as stream:
        assert stream.stdout
        stream.stdout.readline()  # the stream is open
        began = time.monotonic()
        nginx.curl(EVENT.replace("4732100123", "47988887777"), client=EXCHANGE)
        told = next(line for line in stream.stdout if b"47988887777" in line)
        took = time.monotonic() - began
        stream.terminate()
    assert json.loads(told.partition(b":")[2])
    assert took < 5  # buffered, it would take until the buffer is full


def test_no_token_and_no_number_is_in_the_access_log(nginx: Nginx) -> None:
    nginx.curl(f"{EVENT}&token={EVENTS_TOKEN}")
    log = (nginx.folder / "cti-gateway.log").read_text()
    assert "WConnect_WSDL_ConsultaRamal.php" in log
    assert EVENTS_TOKEN not in log
    assert "4732100123" not in log
