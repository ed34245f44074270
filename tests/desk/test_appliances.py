"""The page of appliances shows how each is doing and what would be sent, and rings nobody."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from gateway.adapter import Delivery, Outcome, Outgoing, Probe, WireRequest
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from gateway.domain.messages import PlaceCall
from gateway.handlers import Core
from gateway.orders.circuit_breaker import Rules
from gateway.orders.dispatcher import OrderDispatcher
from gateway.store.orders import OrderLog
from tests.desk.conftest import EXCHANGE, Browser, Office, now_ms
from tests.desk.test_pages import words
from tests.fakes import FakeAdapter
from tests.waiting import until


class Central(FakeAdapter):
    """An appliance that hangs up by command and whose request holds a secret."""

    can_hang_up = True
    ready = True

    def probe(self) -> Probe:
        return Probe(self.ready, "responde" if self.ready else "conexão recusada; confira a porta")

    def preview(self, message: Outgoing) -> list[WireRequest]:
        line = f"GET /dial?to={message.fields['number']}&key=s3nha HTTP/1.1\r\n\r\n"
        return [WireRequest("pbx:80", line.encode(), ("s3nha",))]

    def hangup(self, message: Outgoing) -> Delivery:
        self.delivered.append(message)
        return Delivery(Outcome.ACCEPTED, "A central desligou.")


@pytest.fixture
def matriz() -> Central:
    return Central(lambda _: Delivery(Outcome.ACCEPTED, "aceito", "ref-7"))


@pytest.fixture
def filial() -> FakeAdapter:
    return FakeAdapter(lambda _: Delivery(Outcome.UNREACHABLE, "Sem rede."))


@pytest.fixture
def orders(office: Office, matriz: Central, filial: FakeAdapter) -> Iterator[OrderDispatcher]:
    appliances = {("acme", "matriz"): matriz, ("acme", "filial"): filial}
    rules = dict.fromkeys(appliances, Rules(failures=2, pause_s=60, max_orders=4, orders_per_s=3))
    log = OrderLog(office.engine)
    made = OrderDispatcher(office.journal, appliances, log, rules=rules)
    yield made
    made.stop()


@pytest.fixture
def desk(desk: Desk, office: Office, orders: OrderDispatcher, hub: Hub) -> Desk:
    """The same desk with real orders behind it."""
    core = Core(office.core.tenants, office.journal, orders)
    services = replace(desk._services, core=core, appliances=orders, orders=OrderLog(office.engine))
    return Desk(services, clock=now_ms)


def order(office: Office, orders: OrderDispatcher, appliance: str, *, extension: str = "3501") -> int:
    core = Core(office.core.tenants, office.journal, orders)
    call_id = core.handle(PlaceCall("acme", extension, "47999998888", EXCHANGE, now_ms(), appliance)).call_id
    until(lambda: office.calls.get("acme", call_id).status != "ordered")  # type: ignore[union-attr]
    return call_id


def test_each_appliance_shows_its_state_limits_and_last_outcomes(
    ana: Browser, office: Office, orders: OrderDispatcher
) -> None:
    order(office, orders, "matriz")
    for _ in range(3):
        order(office, orders, "filial")
    shown = ana.get("/centrais").text
    matriz, filial = shown.split('data-central="filial"')
    assert "Recebe pedidos" in matriz
    assert "4 ao mesmo tempo, 3 por segundo" in matriz
    assert "aceita" in matriz
    assert "Não responde: deixada em paz até" in filial
    assert filial.count("Sem rede.") >= 3
    assert "não enviado" in filial


def test_a_probe_is_told_in_words_and_rings_nobody(ana: Browser, matriz: Central) -> None:
    token = ana.token("/centrais")
    htmx = {"HX-Request": "true", "X-CSRF-Token": token}
    assert "responde" in ana.post("/centrais/sondar", data={"central": "matriz"}, headers=htmx).text
    matriz.ready = False
    assert "confira a porta" in ana.post("/centrais/sondar", data={"central": "matriz"}, headers=htmx).text
    assert ana.post("/centrais/sondar", data={"central": "nada"}, headers=htmx).status_code == 404
    assert matriz.delivered == []


def test_the_exact_request_is_shown_with_its_secret_masked_and_not_sent(ana: Browser, matriz: Central) -> None:
    shown = ana.get("/centrais/pedido?central=matriz&numero=47999998888").text
    assert "GET /dial?to=047999998888&amp;key=**** HTTP/1.1" in shown
    assert "nada foi enviado" in shown
    assert "s3nha" not in shown
    assert matriz.delivered == []


def test_a_number_that_cannot_be_dialled_is_told_instead_of_a_request(ana: Browser) -> None:
    assert "não há o que discar" in ana.get("/centrais/pedido?central=matriz&numero=anonymous").text


def test_a_test_call_goes_to_ones_own_extension_by_that_appliance(ana: Browser, matriz: Central) -> None:
    form = {"csrf": ana.token("/centrais"), "central": "matriz", "numero": "3501"}
    assert ana.post("/discar", data=form).status_code == 303
    assert [message.fields["number"] for message in matriz.delivered] == ["3501"]


def test_whoever_is_not_logged_in_sees_no_appliance(browse: Callable[..., Browser]) -> None:
    assert browse().get("/centrais").status_code == 303


# ending a call


def test_a_call_that_rings_is_ended_by_its_appliance_and_the_history_shows_it(
    ana: Browser, office: Office, orders: OrderDispatcher, matriz: Central
) -> None:
    call_id = order(office, orders, "matriz")
    page = ana.get(f"/ligacoes/{call_id}").text
    assert "Desligar" in page
    done = ana.post(f"/ligacoes/{call_id}/desligar", data={"csrf": ana.token()}, headers={"HX-Request": "true"})
    assert "Pedido de desligar aceito" in done.text
    assert (matriz.delivered[-1].kind, matriz.delivered[-1].fields["peer_ref"]) == ("hangup", "ref-7")
    until(lambda: "desligar" in ana.get(f"/ligacoes/{call_id}").text.split("Tentativas")[1])


def test_a_script_ends_a_call_too(ana: Browser, office: Office, orders: OrderDispatcher) -> None:
    call_id = order(office, orders, "matriz")
    said = ana.post(f"/api/calls/{call_id}/hangup", headers={"X-CSRF-Token": ana.token()}).get_json()
    assert said == {"ok": True, "outcome": "accepted", "message": "A central desligou.", "call_id": call_id}


def test_a_call_that_cannot_be_ended_from_here_says_why(ana: Browser, office: Office, orders: OrderDispatcher) -> None:
    def said(call_id: int) -> str:
        answer = ana.post(f"/api/calls/{call_id}/hangup", headers={"X-CSRF-Token": ana.token()})
        assert answer.status_code in (403, 422)
        return str(answer.get_json()["message"])

    assert "não foi pedida por aqui" in said(office.ring())
    assert "já terminou" in said(order(office, orders, "filial"))
    assert "não é do seu ramal" in said(order(office, orders, "matriz", extension="3502"))


def test_an_appliance_that_does_not_hang_up_by_command_offers_no_button(
    ana: Browser, office: Office, orders: OrderDispatcher, matriz: Central
) -> None:
    call_id = order(office, orders, "matriz")
    matriz.can_hang_up = False
    assert "Desligar</span>" not in ana.get(f"/ligacoes/{call_id}").text


def test_scripts_see_how_appliances_are_doing(ana: Browser, office: Office, orders: OrderDispatcher) -> None:
    for _ in range(2):
        order(office, orders, "filial")
    found = {item["name"]: item for item in ana.get("/api/appliances").get_json()["appliances"]}
    assert (found["matriz"]["state"], found["matriz"]["retry_at"]) == ("closed", None)
    assert (found["filial"]["state"], found["filial"]["reason"]) == ("open", "Sem rede.")


def test_when_an_appliance_is_tried_again_is_shown_to_the_second(
    ana: Browser, office: Office, orders: OrderDispatcher
) -> None:
    for _ in range(2):
        order(office, orders, "filial")
    page = words(ana.get("/centrais").text)
    assert re.search(r"deixada em paz até \d\d:\d\d:\d\d(?!\.)", page), page
