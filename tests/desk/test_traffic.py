"""The wire log as people see it."""

import html
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from werkzeug.test import Client

from gateway.config.tables import Config
from gateway.config.tables import TenantSettings as TenantSettings
from gateway.desk.curl import as_curl, readable
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from gateway.domain.roles import Role
from gateway.logins.passwords import hash_password
from gateway.store.directory import Agent
from gateway.store.traffic import OUT, Remark, RemarkCode, TrafficEntry
from tests.desk.conftest import PASSWORD, Browser, Office, now_ms, services_of
from tests.desk.test_pages import words
from tests.peers import need
from tests.store.test_traffic import T0, made


class Traffic:
    """Ana's browser at a desk with a wire log."""

    def __init__(self, office: Office, hub: Hub) -> None:
        self.office = office
        self.replayed: list[tuple[int, str]] = []
        for tenant in ("acme", "rival"):
            agent = Agent(0, tenant, "ana", "Ana Martins", "3501", role=Role.ADMINISTRATOR)
            office.directory.save_agent(agent, hash_password(PASSWORD), now_ms())
        config = Config(tenants={"acme": TenantSettings(timezone="America/Sao_Paulo"), "rival": TenantSettings()})
        self.desk = Desk(services_of(office, config, hub, replay=self._replay))
        self.ana = Browser(Client(self.desk), "acme")
        assert self.ana.log_in().status_code == 303

    def write(self, *items: TrafficEntry) -> None:
        for item in items:
            self.office.traffic.add(lambda item=item: item, 100)  # type: ignore[misc]
        self.office.side.flush()

    def _replay(self, exchange: TrafficEntry, by: str) -> tuple[str, str]:
        self.replayed.append((exchange.id, by))
        return "200 OK", "OK 12\n"


@pytest.fixture
def traffic(office: Office, hub: Hub) -> Traffic:
    return Traffic(office, hub)


def test_the_newest_exchanges_come_first_with_their_calls(traffic: Traffic) -> None:
    traffic.write(made(at=T0), made(at=T0 + 1, way=OUT, peer="matriz", operation="dial", call_id=7))
    page = traffic.ana.get("/trafego").text
    seen = words(page)
    assert seen.index("matriz") < seen.index("10.0.0.7")
    assert 'href="/ligacoes/7"' in page
    assert re.search(r"\d\d:\d\d:\d\d\.\d{3}", seen)


def test_the_page_searches_by_everything_it_offers(traffic: Traffic) -> None:
    traffic.write(
        made(at=T0, request=b"GET /achado"),
        made(at=T0 + 3_600_000, peer="10.0.0.8", call_id=9),
        made(at=T0 + 7_200_000, way=OUT, peer="matriz", call_id=9, status="sem resposta"),
    )
    for query, ids in {
        "sentido=out": ["3"],
        "cliente=10.0.0.8": ["2"],
        "ligacao=9": ["3", "2"],
        "texto=achado": ["1"],
        "falhas=1": ["3"],
        # 2026-05-28T20:26:40Z is 17:26:40 in São Paulo.
        "de=2026-05-28T18:00": ["3", "2"],
        "ate=2026-05-28T17:26": ["1"],
        "de=nonsense&ligacao=x&antes=-1": ["3", "2", "1"],
        "antes=2": ["1"],
    }.items():
        found = re.findall(r'data-entry="(\d+)"', traffic.ana.get(f"/trafego?{query}").text)
        assert found == ids, query


def test_the_page_s_script_gets_only_the_list(traffic: Traffic) -> None:
    traffic.write(made())
    piece = traffic.ana.get("/trafego", headers={"HX-Request": "true"}).text
    assert "<html" not in piece
    assert 'data-entry="1"' in piece


def test_fifty_fit_on_a_page_and_a_link_leads_on(traffic: Traffic) -> None:
    traffic.write(*(made() for _ in range(51)))
    page = traffic.ana.get("/trafego?sentido=in").text
    assert len(re.findall("data-entry", page)) == 50
    older = html.unescape(re.search(r'href="([^"]*antes=2[^"]*)"', page)[1])  # type: ignore[index]
    assert re.findall(r'data-entry="(\d+)"', traffic.ana.get(older).text) == ["1"]


def test_an_exchange_is_shown_as_it_went(traffic: Traffic) -> None:
    raw = "GET /x?nome=<b>Jos\u00e9</b> HTTP/1.1\r\nHost: pbx\r\n\r\n".encode("latin-1")
    traffic.write(made(request=raw, note="consertado: bytes"))
    page = traffic.ana.get("/trafego/1").text
    assert "GET /x?nome=&lt;b&gt;José&lt;/b&gt; HTTP/1.1" in page
    assert "consertado: bytes" in page
    assert "curl -i" in page


def test_other_companies_exchanges_do_not_exist_here(traffic: Traffic) -> None:
    traffic.write(made(tenant="rival"), made(tenant=""))
    assert "data-entry" not in traffic.ana.get("/trafego").text
    for entry_id in (1, 2, 3):
        assert traffic.ana.get(f"/trafego/{entry_id}").status_code == 404
        answer = traffic.ana.post(f"/trafego/{entry_id}/reenviar", data={"csrf": traffic.ana.token()})
        assert answer.status_code == 404
    assert traffic.replayed == []


def test_an_event_is_sent_again_by_a_button(traffic: Traffic) -> None:
    traffic.write(made())
    token = traffic.ana.token("/trafego/1")
    answer = traffic.ana.post("/trafego/1/reenviar", data={"csrf": token}, headers={"HX-Request": "true"})
    assert "Reenviado" in answer.text
    assert "200 OK — OK 12" in words(answer.text)
    assert traffic.ana.post("/trafego/1/reenviar", data={"csrf": token}).status_code == 303
    assert traffic.replayed == [(1, "ana"), (1, "ana")]


def test_sending_again_needs_the_form_s_token(traffic: Traffic) -> None:
    traffic.write(made())
    assert traffic.ana.post("/trafego/1/reenviar").status_code == 403
    assert traffic.replayed == []


@pytest.mark.parametrize(
    "changes",
    [
        {"operation": "ClickToCall"},
        {"way": OUT, "operation": "dial"},
        {"note": "cortado: corpo de 9 bytes"},
        {"remarks": (Remark(RemarkCode.BODY_CUT, {"size": 9, "kept": 4}),)},
    ],
)
def test_what_cannot_be_sent_again_offers_no_button(traffic: Traffic, changes: dict[str, Any]) -> None:
    traffic.write(made(**changes))
    assert "Enviar de novo" not in traffic.ana.get("/trafego/1").text
    answer = traffic.ana.post("/trafego/1/reenviar", data={"csrf": traffic.ana.token()})
    assert answer.status_code == 409
    assert traffic.replayed == []


def test_without_a_wire_log_there_is_no_page(traffic: Traffic, office: Office, hub: Hub) -> None:
    services = replace(services_of(office, Config(tenants={"acme": TenantSettings()}), hub), traffic=None)
    browser = Browser(Client(Desk(services)), "acme")
    browser.log_in()
    assert browser.get("/trafego").status_code == 404


class Echo(BaseHTTPRequestHandler):
    """Remembers what came."""

    seen: list[dict[str, Any]]

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append({"line": self.requestline, "headers": dict(self.headers.items()), "body": body})
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = answer  # noqa: N815

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def echo() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    seen: list[dict[str, Any]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Echo,), {"seen": seen}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("request_line", "headers", "body"),
    [
        ("GET /x?ramal=3501&telefone=4732100123 HTTP/1.1", ["User-Agent: it's me"], b""),
        ("GET /x?nome=%E9&q='$(id)`id`\\ HTTP/1.1", ['X: "quoted" $HOME'], b""),
        ("POST /soap HTTP/1.1", ["Content-Type: text/xml"], b"<a>Jos\xe9 'x' \\n\n\x80\xff</a>\r\n"),
        ("POST /soap HTTP/1.1", ["Content-Type: text/xml"], "<a>São José</a>".encode()),
        ("POST /x HTTP/1.1", ["Content-Type: application/x-www-form-urlencoded"], b"@etc/passwd"),
    ],
)
def test_the_curl_command_sends_the_very_same_request(
    echo: tuple[str, list[dict[str, Any]]], request_line: str, headers: list[str], body: bytes
) -> None:
    need("curl", package="curl")
    bash = need("bash", package="bash")
    base, seen = echo
    head = "\r\n".join([request_line, "Host: elsewhere", "Content-Length: 1", *headers]).encode("latin-1")
    command = as_curl(made(request=head + b"\r\n\r\n" + body), base)
    subprocess.run([bash, "-c", command], check=True, capture_output=True, timeout=20)
    (got,) = seen
    assert got["line"] == request_line
    assert got["body"] == body
    for header in headers:
        name, _, value = header.partition(": ")
        assert got["headers"][name] == value


def test_what_went_out_goes_to_its_peer_again() -> None:
    sent = made(way=OUT, note="pbx:443; cortado", request=b"PUT /a HTTP/1.1\r\n\r\n")
    assert as_curl(sent, "http://ignored") == "curl -i -X PUT https://pbx:443/a"
    assert as_curl(made(way=OUT, note="pbx:8088", request=b""), "http://ignored") == ""


def test_the_address_of_what_went_out_is_a_remark() -> None:
    remarks = (Remark(RemarkCode.ADDRESS, {"address": "pbx:443"}), Remark(RemarkCode.CUT, {"size": 9, "kept": 4}))
    sent = made(way=OUT, remarks=remarks, request=b"PUT /a HTTP/1.1\r\n\r\n")
    assert as_curl(sent, "http://ignored") == "curl -i -X PUT https://pbx:443/a"


@pytest.mark.parametrize(
    ("language", "said"),
    [("pt-BR", "cortado: corpo de 9 bytes, guardados 4"), ("es", "cuerpo de 9 bytes"), ("en", "cut: body of 9 bytes")],
)
def test_remarks_are_said_in_the_reader_s_language(traffic: Traffic, language: str, said: str) -> None:
    traffic.write(made(remarks=(Remark(RemarkCode.BODY_CUT, {"size": 9, "kept": 4}),)))
    for path in ("/trafego", "/trafego/1"):
        assert said in traffic.ana.get(path, headers={"Accept-Language": language}).text


def test_what_was_not_http_is_no_curl_command() -> None:
    action = b"Action: Ping\r\nActionID: 1\r\n\r\n"
    assert as_curl(made(way=OUT, note="pbx:5038", request=action), "http://ignored") == ""
    assert as_curl(made(way=OUT, note="pager:4000", request=b"RING 3501 047\r\n"), "http://ignored") == ""


def test_bytes_that_are_no_text_are_shown_as_escapes() -> None:
    assert readable(b"POST / HTTP/1.1\r\nA: b\r\n\r\n\x00\xff") == "POST / HTTP/1.1\nA: b\n\n\\x00ÿ"


def test_the_menu_leads_to_it(traffic: Traffic) -> None:
    assert 'href="/trafego"' in traffic.ana.get("/").text
