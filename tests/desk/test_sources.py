"""The desk's pages of webhooks: what came, what the mapping makes of it now, a mapping to start from."""

import html
import json
import re
from dataclasses import replace

import pytest
from werkzeug.test import Client

from gateway.config.loader import parse
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from gateway.domain.roles import Role
from gateway.logins.passwords import hash_password
from gateway.store.directory import Agent
from gateway.store.traffic import TrafficEntry
from tests.desk.conftest import PASSWORD, Browser, Office, now_ms, services_of
from tests.desk.test_pages import words
from tests.store.test_traffic import T0, made

RING = {"type": "call.ring", "call": {"id": "c-77", "from": "4733334444", "ext": "PJSIP/201-00ab"}}
CLOUD = {
    "kind": "webhook",
    "title": "PABX na nuvem",
    "mapping": {
        "event": "type",
        "kinds": {"call.ring": "started", "ping": "ignore"},
        "values": {"id": "call.id", "number": "call.from", "extension": "call.ext", "queue": "call.queue", "at": "ts"},
    },
}
COMPANIES = {
    "acme": {"timezone": "America/Sao_Paulo", "sources": {"cloud": CLOUD, "new": {"kind": "webhook"}}},
    "rival": {},
}


class Sources:
    """Ana's browser at a desk with a traffic log."""

    def __init__(self, office: Office, hub: Hub) -> None:
        self.office = office
        config = parse({"tenants": COMPANIES}, source="test")
        for tenant in COMPANIES:
            agent = Agent(0, tenant, "ana", "Ana Martins", "3501", role=Role.ADMINISTRATOR)
            office.directory.save_agent(agent, hash_password(PASSWORD), now_ms())
        self.services = services_of(office, config, hub)
        self.desk = Desk(self.services)
        self.ana = self.browser("acme")

    def browser(self, tenant: str) -> Browser:
        browser = Browser(Client(self.desk), tenant)
        assert browser.log_in().status_code == 303
        return browser

    def came(self, body: object, *, source: str = "cloud", tenant: str = "acme", status: str = "200 OK") -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = b"POST /in/cloud HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
        entry: TrafficEntry = replace(
            made(at=T0), tenant=tenant, wire="webhook", operation=f"in/{source}", request=head + raw, status=status
        )
        self.office.traffic.add(lambda: entry, 100)
        self.office.side.flush()

    def page(self, path: str) -> str:
        answer = self.ana.get(path)
        assert answer.status_code == 200
        return answer.text


@pytest.fixture
def sources(office: Office, hub: Hub) -> Sources:
    return Sources(office, hub)


def test_the_list_has_each_source_with_its_address_and_last_request(sources: Sources) -> None:
    sources.came(RING)
    page = words(sources.page("/fontes"))
    assert "PABX na nuvem" in page
    assert "/in/cloud" in page
    assert "um mapeamento próprio" in page
    assert "200 OK" in page
    assert "ainda sem mapeamento" in page


def test_the_menu_leads_there_where_there_are_sources(sources: Sources) -> None:
    assert 'href="/fontes"' in sources.page("/trafego")
    assert 'href="/fontes"' not in sources.browser("rival").get("/trafego").text


def test_each_request_is_shown_with_what_the_mapping_makes_of_it_now(sources: Sources) -> None:
    sources.came(RING | {"ts": "soon"})
    page = sources.page("/fontes/cloud")
    cells = [html.unescape(re.sub("<[^>]+>", "", cell)) for cell in re.findall(r"<td[^>]*>(.*?)</td>", page)]
    assert cells == [
        "id", "c-77", "call.id",
        "extension", "201", "call.ext: PJSIP/201-00ab",
        "number", "4733334444", "call.from",
    ]  # fmt: skip
    assert "Não encontrado: queue" in words(page)
    assert "at: 'soon' não é um horário" in html.unescape(words(page))
    assert 'href="/trafego/1"' in page


def test_what_is_not_understood_says_why(sources: Sources) -> None:
    sources.came({"type": "fax"})
    sources.came({"type": "ping"})
    sources.came(b"{broken", status="400 Bad Request")
    page = html.unescape(words(sources.page("/fontes/cloud")))
    assert "o mapeamento não conhece o evento 'fax'" in page
    assert "Ignorado: o mapeamento não quer nada deste evento." in page
    assert "o corpo não é JSON (linha 1)" in page


def test_a_source_without_a_mapping_offers_one(sources: Sources) -> None:
    sources.came(RING, source="new")
    page = sources.page("/fontes/new")
    guessed = html.unescape(page.partition('<pre id="mapping"><code>')[2].partition("</code>")[0])
    assert "[tenants.acme.sources.new.mapping]" in guessed
    assert 'number = "call.from"' in guessed
    assert re.search(r"<details[^>]*\bopen>", page)


def test_without_a_traffic_log_the_page_says_why_there_is_nothing(sources: Sources) -> None:
    assert "Nada ainda" in words(sources.ana.get("/fontes/new").text)
    sources.desk = Desk(replace(sources.services, traffic=None))
    shown = words(sources.browser("acme").get("/fontes/new").text)
    assert "Nenhuma requisição é guardada" in shown
    assert "Nada ainda" not in shown


def test_a_request_may_be_sent_again(sources: Sources) -> None:
    sources.came(RING)
    assert "Enviar de novo" in sources.page("/trafego/1")


def test_markup_in_a_body_is_text(sources: Sources) -> None:
    sources.came({"type": "<script>x</script>", "call": {"id": "<b>1</b>"}})
    page = sources.page("/fontes/cloud") + sources.page("/fontes/new")
    assert "<script>x" not in page
    assert "<b>1" not in page


def test_another_company_s_sources_and_requests_are_not_there(sources: Sources) -> None:
    sources.came(RING, tenant="rival")
    assert "data-entry" not in sources.page("/fontes/cloud")
    assert sources.browser("rival").get("/fontes/cloud").status_code == 404
    assert sources.ana.get("/fontes/none").status_code == 404
