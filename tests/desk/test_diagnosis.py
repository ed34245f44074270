"""Why a call did or did not come up: found by somebody new to it, on the desk, in a terminal and as JSON."""

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from werkzeug.test import Client

from gateway.config.tables import Config
from gateway.config.tables import TenantSettings as TenantSettings
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from gateway.diagnosis.explainer import Explainer
from gateway.diagnosis.screens import SCREEN_MS
from gateway.domain.messages import CallAnswered, CallHeld, CallNoted, CallResumed, CallStarted, QueueEntered
from gateway.store.delivery_receipts import DeliveryReceipt, DeliveryReceiptLog, ReceiptKind
from gateway.store.shared.exchange_index import IndexedExchange
from gateway.store.traffic import TrafficLog
from tests.desk.conftest import ANA, EXCHANGE, Browser, Clock, Office, now_ms, services_of
from tests.desk.test_pages import words
from tests.store.test_traffic import made

Browse = Callable[..., Browser]
MINUTE = 60_000
ZONE = ZoneInfo("America/Sao_Paulo")


def verdict(browser: Browser, call_id: int) -> str:
    found = re.search(r'class="verdict[^"]*"><strong>([^<]*)', browser.get(f"/ligacoes/{call_id}").text)
    assert found
    return html.unescape(found[1])


def sight(office: Office, kind: ReceiptKind, at: int, *, screen: str = "s1", call_id: int | None = None) -> None:
    office.receipts.add(DeliveryReceipt(at, "acme", "3501", "ana", screen, kind.value, call_id))
    office.side.flush()


def test_a_call_that_came_up_says_where_and_how_soon(ana: Browser, office: Office) -> None:
    at = now_ms()
    call_id = office.ring(at=at)
    sight(office, ReceiptKind.OPENED, at - MINUTE)
    sight(office, ReceiptKind.DELIVERED, at + 3, call_id=call_id)
    sight(office, ReceiptKind.SHOWN, at + 40, call_id=call_id)
    assert re.fullmatch(r"Apareceu na tela de ana às \d\d:\d\d:\d\d, 40 ms depois de chegar\.", verdict(ana, call_id))


def test_a_page_that_shows_a_card_tells_so_and_it_is_written_down(ana: Browser, office: Office) -> None:
    call_id = office.ring()
    answer = ana.post(f"/telas/ligacao/{call_id}/mostrada", data={"csrf": ana.token()})
    assert answer.status_code == 204
    office.side.flush()
    assert verdict(ana, call_id).startswith("Apareceu na tela de ana")


def test_nobody_can_say_that_a_page_showed_it_without_its_token(ana: Browser, office: Office) -> None:
    call_id = office.ring()
    assert ana.post(f"/telas/ligacao/{call_id}/mostrada").status_code == 403


def test_screens_that_open_get_events_and_close_are_written_down(office: Office, hub: Hub) -> None:
    screen = hub.subscribe("acme", "3501", login="ana")
    call_id = office.ring()
    heard = b""
    while b"call_started" not in heard:
        heard += next(screen)
    screen.close()
    office.side.flush()
    kinds = [item.kind for item in office.receipts.around("acme", "3501", 0, 2 * now_ms())]
    assert kinds == ["opened", "closed"]
    (delivered,) = office.receipts.of_call("acme", call_id)
    assert (delivered.kind, delivered.login, delivered.extension) == ("delivered", "ana", "3501")


def test_a_screen_that_only_follows_the_company_was_not_given_the_call(office: Office, hub: Hub) -> None:
    screen = hub.subscribe("acme", "3502", login="bruno", whole_tenant=True)
    call_id = office.ring()
    heard = b""
    while b"event: log" not in heard:
        heard += next(screen)
    screen.close()
    office.side.flush()
    assert office.receipts.of_call("acme", call_id) == []


def test_no_screen_was_open_and_since_when(ana: Browser, office: Office) -> None:
    at = now_ms()
    sight(office, ReceiptKind.OPENED, at - 60 * MINUTE)
    sight(office, ReceiptKind.CLOSED, at - 27 * MINUTE)
    call_id = office.ring(at=at)
    closed = datetime.fromtimestamp((at - 27 * MINUTE) / 1000, ZONE).strftime("%H:%M:%S")
    said = verdict(ana, call_id)
    assert said.startswith("Não apareceu: nenhuma tela do ramal 3501 estava aberta às ")
    assert said.endswith(f"a última (ana) fechou às {closed}.")


def test_no_screen_was_ever_open(ana: Browser, office: Office) -> None:
    assert "nem nas 24 horas antes" in verdict(ana, office.ring())


@pytest.mark.parametrize(
    ("opened", "closed", "again", "is_open"),
    [
        (-5 * MINUTE, None, None, True),
        (-5 * MINUTE, +1000, None, True),
        (-5 * MINUTE, -1000, None, False),
        (-5 * MINUTE, -1000, +2000, True),  # connecting anew around that moment
        (-5 * MINUTE, -2 * MINUTE, +2000, False),
        (+2000, None, None, False),
        (-20 * MINUTE, None, None, False),  # died without closing: it would have connected anew since
    ],
)
def test_which_screens_were_open_at_a_moment(
    office: Office, hub: Hub, opened: int, closed: int | None, again: int | None, is_open: bool
) -> None:
    at = now_ms() - 30 * MINUTE
    sight(office, ReceiptKind.OPENED, at + opened)
    if closed is not None:
        sight(office, ReceiptKind.CLOSED, at + closed)
    if again is not None:
        sight(office, ReceiptKind.OPENED, at + again, screen="s2")
    services = services_of(office, Config(tenants={"acme": TenantSettings()}), hub)
    assert services.explainer.screens("acme", "3501", at).open_logins == (("ana",) if is_open else ())


def test_nobody_has_the_extension(ana: Browser, office: Office) -> None:
    said = verdict(ana, office.ring(ramal="3599"))
    assert said == "Não apareceu: nenhum usuário tem o ramal 3599. Cadastre um com 'cti-gateway agent add'."


def test_only_the_end_was_ever_told(ana: Browser, office: Office) -> None:
    assert "só avisou o fim" in verdict(ana, office.hang_up())


def test_the_start_came_behind_its_end(ana: Browser, office: Office) -> None:
    at = now_ms()
    office.hang_up(at=at)
    assert "o fim já tinha chegado" in verdict(ana, office.ring(at=at + 500))


def test_it_was_delivered_to_a_tab_that_nobody_saw(ana: Browser, office: Office) -> None:
    at = now_ms()
    sight(office, ReceiptKind.OPENED, at - MINUTE)
    call_id = office.ring(at=at)
    sight(office, ReceiptKind.DELIVERED, at + 5, call_id=call_id)
    assert "aba em segundo plano" in verdict(ana, call_id)


def test_a_screen_was_open_and_yet_got_nothing(ana: Browser, office: Office) -> None:
    at = now_ms()
    sight(office, ReceiptKind.OPENED, at - MINUTE)
    assert "reconectando" in verdict(ana, office.ring(at=at))


def test_without_a_record_of_screens_it_says_that_it_does_not_know(office: Office, hub: Hub, ana: Browser) -> None:
    services = services_of(office, Config(tenants={"acme": TenantSettings()}), hub)
    reads = (office.calls, office.log, office.directory, None, None)
    explainer = Explainer(office.core.tenants, {"acme": ZONE}, *reads)
    browser = Browser(Client(Desk(replace(services, explainer=explainer))), "acme")
    browser.log_in()
    assert "Não se sabe" in verdict(browser, office.ring())


@pytest.mark.parametrize(
    ("ago", "opened", "said"),
    [
        (MINUTE, False, "Não se sabe: o que chegou às telas só é registrado desde"),
        (MINUTE, True, "Não apareceu, embora houvesse uma tela aberta"),
        (SCREEN_MS, False, "Não apareceu: nenhuma tela do ramal 3501 estava aberta"),
    ],
)
def test_soon_after_a_failover_it_does_not_know_whether_a_screen_was_open(
    ana: Browser, office: Office, monkeypatch: pytest.MonkeyPatch, ago: int, opened: bool, said: str
) -> None:
    at = now_ms()
    monkeypatch.setattr(DeliveryReceiptLog, "since", lambda _self: at - ago)
    if opened:
        sight(office, ReceiptKind.OPENED, at - MINUTE)
    assert verdict(ana, office.ring(at=at)).startswith(said)


@pytest.mark.parametrize("url", ["http://n2:8080", ""])
def test_a_request_that_another_node_keeps_is_looked_for_there(
    ana: Browser, office: Office, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    at = now_ms()
    call_id = office.ring(at=at)
    found = IndexedExchange(at, "acme", call_id, "n2", url, "in", "10.0.0.7", "ConsultaRamal", "200 OK")
    monkeypatch.setattr(TrafficLog, "elsewhere", lambda _self, _tenant, wanted: [found] if wanted == call_id else [])
    page = ana.get(f"/ligacoes/{call_id}").text
    assert (f'href="http://n2:8080/trafego?ligacao={call_id}"' in page) == bool(url)
    assert ("ver a requisição no nó n2" if url else "a requisição está no tráfego do nó n2") in words(page)
    traffic = ana.get(f"/trafego?ligacao={call_id}").text
    assert "Outros nós guardam estas requisições da ligação" in words(traffic)
    assert (f'href="http://n2:8080/trafego?ligacao={call_id}"' in traffic) == bool(url)
    assert "Nada ainda" not in words(traffic)
    assert "Outros nós" not in words(ana.get(f"/trafego?ligacao={call_id + 1}").text)
    assert "Outros nós" not in words(ana.get("/trafego").text)


def test_the_chain_goes_from_what_was_received_to_what_was_shown(ana: Browser, office: Office) -> None:
    office.know("Metalúrgica Silva", ANA, "Carlos")
    at = now_ms()
    sight(office, ReceiptKind.OPENED, at - MINUTE)
    call_id = office.ring("+55 47 99999-8888", at=at)
    sight(office, ReceiptKind.DELIVERED, at + 2, call_id=call_id)
    sight(office, ReceiptKind.SHOWN, at + 9, call_id=call_id)
    office.traffic.add(lambda: made(at=at, call_id=call_id), 10)
    office.side.flush()
    page = ana.get(f"/ligacoes/{call_id}").text
    links = re.findall(r'data-link="([\w-]+)"', page)
    assert links == ["received", "tenant", "extension", "agent", "screens", "number", "account", "delivered", "shown"]
    seen = words(page)
    for text in (
        "início, por get, de 192.168.0.9: ramal=3501 telefone=+55 47 99999-8888",
        "recebida no ramal 3501",
        "usuário do ramal: Ana Martins",
        "tela aberta naquele momento: ana",
        "lido como 47999998888 (celular)",
        "conta Metalúrgica Silva",
        "mostrada na tela de ana",
    ):
        assert text in seen
    assert 'href="/trafego/1"' in page, "the request itself is one click away"


def test_an_unknown_number_and_a_withheld_one_say_so(ana: Browser, office: Office) -> None:
    unknown = words(ana.get(f"/ligacoes/{office.ring('4733334444')}").text)
    assert "nenhuma conta tinha o número 4733334444" in unknown
    withheld = words(ana.get(f"/ligacoes/{office.ring('anonymous')}").text)
    assert "Quem liga não mostra o número" in withheld


def test_scripts_get_both_languages(ana: Browser, office: Office) -> None:
    call_id = office.ring(ramal="3599")
    told = ana.get(f"/api/calls/{call_id}/why").json
    assert told["popped"] is False
    assert told["verdict"]["en"].startswith("It did not come up: no agent has extension 3599.")
    assert {"link", "ok", "pt", "en"} <= set(told["chain"][0])
    assert told["chain"][0]["telefone"] == ANA


def test_another_company_s_call_is_not_explained(ana: Browser, office: Office) -> None:
    call_id = office.ring(tenant="rival")
    assert ana.get(f"/api/calls/{call_id}/why").status_code == 404


def quando(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, ZONE).strftime("%Y-%m-%dT%H:%M")


def test_somebody_new_asks_by_extension_and_time(ana: Browser, office: Office) -> None:
    at = now_ms()
    call_id = office.ring(at=at)
    office.ring(ramal="3502", at=at)
    page = ana.get(f"/porque?ramal=3501&quando={quando(at)}").text
    assert re.findall(r"Ligação (\d+)", page) == [str(call_id)]
    assert "nenhuma tela do ramal 3501 estava aberta" in page


def test_when_nothing_came_it_shows_what_was_refused_then(ana: Browser, office: Office) -> None:
    at = now_ms()
    refused = made(at=at, call_id=None, status="400 Bad Request", peer="10.0.0.9")
    office.traffic.add(lambda: refused, 10)
    office.traffic.add(lambda: made(at=at - 60 * MINUTE, status="400 Bad Request", peer="10.0.0.8"), 10)
    office.side.flush()
    seen = words(ana.get(f"/porque?ramal=3501&quando={quando(at)}").text)
    assert "Nenhum aviso de ligação chegou para este ramal" in seen
    assert "10.0.0.9 ConsultaRamal: 400 Bad Request" in seen
    assert "10.0.0.8" not in seen


def test_the_page_opens_with_my_extension_and_the_time_now(ana: Browser, clock: Clock) -> None:
    page = ana.get("/porque").text
    assert 'name="ramal" value="3501"' in page
    assert f'value="{quando(clock())}"' in page or f'value="{quando(clock() - MINUTE)}"' in page
    assert "verdict" not in page


def test_nonsense_in_the_address_asks_again(ana: Browser) -> None:
    assert ana.get("/porque?ramal=3501&quando=ontem").status_code == 200


def test_each_kind_of_event_is_told_by_its_name(ana: Browser, office: Office) -> None:
    here = ("acme", "3501", "4732100123", EXCHANGE)
    call_id = office.core.handle(CallStarted(*here, now_ms(), call_ref="a", also_rings=("3502",))).call_id
    for kind in (CallAnswered, CallHeld, CallResumed, CallNoted):
        office.core.handle(kind(*here, now_ms(), call_ref="a"))
    text = words(ana.get(f"/ligacoes/{call_id}").text)
    for what in ("início", "atendimento", "espera", "fim da espera", "anotação"):
        assert f"{what}, por get" in text
    assert "uma ligação só, em vários ramais: 3501, 3502" in text


def test_a_call_at_no_extension_says_why_nothing_came_up(ana: Browser, office: Office) -> None:
    waits = office.core.handle(QueueEntered("acme", "", "4732100123", EXCHANGE, now_ms(), queue="Vendas")).call_id
    assert verdict(ana, waits) == "Não apareceu: quem ligou esperou na fila, e a ligação não tocou em nenhum ramal."
    assert "entrada na fila, por get" in words(ana.get(f"/ligacoes/{waits}").text)
    noted = office.core.handle(CallNoted("acme", "", "", EXCHANGE, now_ms(), call_ref="z", cost="0,32")).call_id
    assert verdict(ana, noted) == "Não apareceu: não chegou nada que diga um ramal."
