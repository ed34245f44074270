"""What agents see."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.adapter import Outcome
from gateway.desk import assets
from gateway.desk import cards as board
from gateway.desk.hub import Hub
from gateway.domain.messages import PlaceCall
from gateway.domain.numbering.numbers import NumberPlan, read
from gateway.store.writing.drafts import OrderDraft
from gateway.texts.text import Text
from tests.desk.conftest import ANA, EXCHANGE, Browser, Clock, Office, now_ms

Browse = Callable[..., Browser]
UNKNOWN = "4733334444"
HOUR = 3_600_000


def words(text: str) -> str:
    """The text of a page without its tags, nor the texts that lie there for its script."""
    shown = re.sub(r"</?bdi>", "", re.sub(r"<(script|template)\b.*?</\1>", "", text, flags=re.DOTALL))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", shown))


def test_the_screen_says_who_and_where_i_am(ana: Browser) -> None:
    seen = words(ana.get("/").text)
    assert "Acme Ltda." in seen
    assert "Ana Martins ramal 3501" in seen
    assert "Nenhuma ligação agora" in seen


def test_a_ringing_call_shows_the_account_in_large_letters(ana: Browser, office: Office) -> None:
    office.know("Metalúrgica Silva", ANA, "Carlos")
    call_id = office.ring()
    seen = ana.get(f"/telas/ligacao/{call_id}").text
    assert ">Metalúrgica Silva</h2>" in seen
    assert 'data-state="ringing"' in seen
    for text in ("Recebida", "Tocando", "Carlos", "(47) 99999-8888"):
        assert text in words(seen)


def test_a_call_that_still_rings_is_there_after_a_reload(ana: Browser, office: Office) -> None:
    office.ring(UNKNOWN)
    assert "Número desconhecido" in ana.get("/").text
    office.hang_up(UNKNOWN)
    assert 'class="card ' not in ana.get("/").text


def test_a_call_whose_end_was_never_told_does_not_ring_for_ever(ana: Browser, office: Office, clock: Clock) -> None:
    office.ring(UNKNOWN)
    clock.ahead_ms = board.LONGEST_SHOWN_MS + 1000
    assert 'class="card ' not in ana.get("/").text
    assert "Sem fim informado" in ana.get("/ligacoes").text


@pytest.mark.parametrize("set_ms", [3_600_000, -3_600_000])
def test_an_order_is_not_shown_as_going_on_for_hours_because_the_clock_was_set(
    ana: Browser, office: Office, clock: Clock, set_ms: int
) -> None:
    message = PlaceCall("acme", "3501", UNKNOWN, EXCHANGE, now_ms())
    office.journal.write(OrderDraft(message, "3501", "pbx", UNKNOWN, read(UNKNOWN, NumberPlan("47"))))
    assert 'class="card ' in ana.get("/").text
    clock.ahead_ms = set_ms
    assert 'class="card ' not in ana.get("/").text


def test_after_a_minute_nobody_lets_it_ring_any_more(ana: Browser, office: Office, clock: Clock) -> None:
    call_id = office.ring(UNKNOWN)
    clock.ahead_ms = 60_000
    assert "Em andamento" in ana.get(f"/telas/ligacao/{call_id}").text


def test_a_withheld_number_offers_no_call(ana: Browser, office: Office) -> None:
    seen = ana.get(f"/telas/ligacao/{office.ring('anonymous')}").text
    assert "Número não identificado" in seen
    assert 'hx-post="/discar"' not in seen


def test_an_ended_call_shows_its_length_and_its_recording(ana: Browser, office: Office) -> None:
    office.ring(at=now_ms() - 75_000)
    call_id = office.hang_up(recording_url="http://pbx/1.wav")
    seen = ana.get(f"/telas/ligacao/{call_id}").text
    assert "Encerrada 1:15" in words(seen)
    assert '<audio controls preload="none" src="/ligacoes/1/gravacao">' in seen
    assert ana.get("/ligacoes/1/gravacao").location == "http://pbx/1.wav"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "file:///etc/passwd"]
)
def test_a_recording_address_that_could_run_something_is_not_a_link(ana: Browser, office: Office, url: str) -> None:
    office.ring()
    call_id = office.hang_up(recording_url=url)
    for path in (f"/telas/ligacao/{call_id}", f"/ligacoes/{call_id}", "/ligacoes", "/", "/api/calls"):
        assert url not in ana.get(path).text
    assert ana.get(f"/api/calls/{call_id}").get_json()["recording_url"] is None
    answer = ana.get("/events?last_event_id=0", buffered=False)
    blocks = iter(answer.response)
    heard = b"".join(next(blocks) for _ in range(3)).decode()
    answer.close()
    assert "call_ended" in heard
    assert "recording_url" not in heard


def test_a_recording_at_an_http_address_is_a_link_on_an_https_desk(
    ana: Browser, ana_by_https: Browser, office: Office
) -> None:
    """Browsers block what a page that came by https would play from http."""
    office.ring()
    call_id = office.hang_up(recording_url="http://pbx/1.wav")
    for path in (f"/telas/ligacao/{call_id}", f"/ligacoes/{call_id}"):
        seen = ana_by_https.get(path).text
        assert "<audio" not in seen
        assert f'href="/ligacoes/{call_id}/gravacao" target="_blank"' in seen
        assert "Abrir a gravação em nova aba" in seen
        assert "<audio" in ana.get(path).text


def test_a_recording_at_an_https_address_plays_on_any_desk(ana: Browser, ana_by_https: Browser, office: Office) -> None:
    office.ring()
    call_id = office.hang_up(recording_url="https://pbx/1.wav")
    for browser in (ana, ana_by_https):
        seen = browser.get(f"/telas/ligacao/{call_id}").text
        assert f'<audio controls preload="none" src="/ligacoes/{call_id}/gravacao">' in seen


def test_nothing_that_callers_or_crms_send_becomes_markup(ana: Browser, office: Office) -> None:
    evil = '<script>alert("x")</script>\'"'
    office.know(evil, ANA, evil)
    call_ids = [office.ring(), office.ring(evil)]
    pages = [
        "/",
        "/ligacoes",
        f"/ligacoes?ramal={evil}&numero={evil}",
        *(f"/telas/ligacao/{n}" for n in call_ids),
    ]
    for path in pages:
        seen = ana.get(path).text
        assert "<script>alert" not in seen, path
        assert "&lt;script&gt;" in seen, path


def test_names_that_turn_text_round_turn_nothing_round(ana: Browser, office: Office) -> None:
    office.know("Loja \u202e3321", ANA, "\u2066Ana\u2069")
    call_id = office.ring()
    for path in ("/", "/ligacoes", f"/ligacoes/{call_id}", f"/telas/ligacao/{call_id}", f"/numero?valor={ANA}"):
        seen = ana.get(path).text
        assert "Loja 3321" in seen, path
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", seen), path


def test_no_page_shares_its_class_with_a_part() -> None:
    """``/porque`` and its panels were both ``why``, so that the page was laid out like a panel."""
    templates = Path(assets.FOLDER.parent / "templates").glob("*.html")
    bodies = [name for text in templates for name in re.findall(r'<body class="([^"{]*)', text.read_text("utf-8"))]
    assert bodies
    assert all(name.startswith("page-") for name in bodies), bodies


def test_what_was_spoken_of_before_is_on_the_card(ana: Browser, office: Office) -> None:
    office.know("Metalúrgica Silva", ANA)
    office.ring(ramal="3502", at=now_ms() - HOUR)
    earlier = office.hang_up(ramal="3502", at=now_ms() - HOUR + 61_000)
    seen = ana.get(f"/telas/ligacao/{office.ring()}").text
    assert f'href="/ligacoes/{earlier}"' in seen
    assert "ramal 3502 1:01" in words(seen)


def test_an_internal_call_shows_the_colleague_at_both_ends(ana: Browser, browse: Browse, office: Office) -> None:
    call_id = office.ring("3502", "3501")
    assert ">Bruno Lima</h2>" in ana.get(f"/telas/ligacao/{call_id}").text
    bruno = browse()
    bruno.log_in("bruno")
    assert ">Ana Martins</h2>" in bruno.get("/").text
    assert "Ana Martins" in bruno.get("/telas/recentes").text


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.ACCEPTED, "Central Matriz: chamada aceita"),
        (Outcome.REFUSED, "Recusada : ramal ocupado"),
        (Outcome.UNREACHABLE, "Central inacessível"),
        (Outcome.UNKNOWN, "Sem resposta clara — não será rediscado"),
    ],
)
def test_the_outcome_of_a_dialled_call_is_said_in_words(
    ana: Browser, office: Office, outcome: Outcome, said: str
) -> None:
    office.exchange.outcome, office.exchange.detail = outcome, "ramal ocupado"
    answer = ana.post("/discar", data={"numero": UNKNOWN, "csrf": ana.token()})
    call_id = int(answer.location.rsplit("/", 1)[1])
    assert said.replace(" :", ":") in words(ana.get(f"/telas/ligacao/{call_id}").text).replace(" :", ":")
    assert f'data-state="{outcome}"' in ana.get(f"/telas/ligacao/{call_id}").text


def test_what_came_of_an_order_is_told_in_the_reader_s_language(ana: Browser, office: Office) -> None:
    office.exchange.outcome, office.exchange.detail = Outcome.REFUSED, Text("connection refused")
    form = {"numero": UNKNOWN, "csrf": ana.token()}
    notice = ana.post("/discar", data=form, headers={"HX-Request": "true", "Accept-Language": "en"})
    assert "connection refused" in notice.text
    (call,) = office.calls.recent("acme", limit=1)
    assert call.detail == "conexão recusada"
    assert "conexión rechazada" in ana.get(f"/telas/ligacao/{call.id}", headers={"Accept-Language": "es"}).text


def test_i_dial_from_my_own_extension_by_the_appliance_i_chose(ana: Browser, office: Office) -> None:
    form = {"numero": "(47) 3333-4444", "central": "filial", "csrf": ana.token()}
    answer = ana.post("/discar", data=form, headers={"HX-Request": "true"})
    assert "Chamada aceita" in answer.text
    (order,) = office.exchange.orders
    assert (order.extension, order.appliance, order.digits) == ("3501", "filial", "04733334444")
    assert (order.message.origin.wire, order.message.origin.client) == ("desk", "192.168.0.50")
    assert order.message.requested_by == "ana"


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"numero": "anonymous"}, 422, "não há o que discar"),
        ({"numero": ""}, 400, "O número está em branco: informe DDD + número ou um ramal."),
        ({"numero": UNKNOWN, "central": "outra"}, 422, "central desconhecida"),
    ],
)
def test_what_cannot_be_dialled_is_said_in_words(ana: Browser, form: dict[str, str], status: int, said: str) -> None:
    answer = ana.post("/discar", data=form | {"csrf": ana.token()}, headers={"HX-Request": "true"})
    assert (answer.status_code, said in answer.text) == (status, True)


def test_the_call_log_is_that_of_the_whole_company_newest_first(ana: Browser, office: Office) -> None:
    ids = [office.ring(ramal="3502"), office.ring(ramal="3501")]
    shown = re.findall(r'<tr data-call="(\d+)"', ana.get("/ligacoes").text)
    assert shown == [str(call_id) for call_id in reversed(ids)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ramal=3502", {1}),
        ("numero=(47)+9999", {0, 1}),
        ("numero=4733", {2}),
        ("sentido=internal", {3}),
        ("sentido=tudo", {0, 1, 2, 3}),
        ("de=2026-03-05&ate=2026-03-05", {1}),
        ("ate=2026-03-04", {0}),
        ("de=ontem", {0, 1, 2, 3}),
        ("ramal=9999", set()),
    ],
)
def test_the_call_log_is_filtered(ana: Browser, office: Office, query: str, found: set[int]) -> None:
    fifth = 1772679600000  # 2026-03-05 00:00 in São Paulo
    ids = [
        office.ring(ANA, "3501", at=fifth - 1),
        office.ring(ANA, "3502", at=fifth),
        office.ring(UNKNOWN, "3501", at=fifth + 24 * HOUR),
        office.ring("3503", "3501", at=fifth + 25 * HOUR),
    ]
    shown = re.findall(r'<tr data-call="(\d+)"', ana.get(f"/ligacoes?{query}").text)
    assert {int(call_id) for call_id in shown} == {ids[n] for n in found}


def test_older_calls_are_a_page_away_and_the_filter_goes_along(ana: Browser, office: Office) -> None:
    for n in range(53):
        office.ring(f"473333{n:04}")
    office.ring(ramal="3502")
    first = ana.get("/ligacoes?ramal=3501").text
    (older,) = re.findall(r'href="(/ligacoes\?[^"]*antes=\d+)"', first)
    second = ana.get(older.replace("&amp;", "&")).text
    shown = re.findall(r'<tr data-call="(\d+)"', first) + re.findall(r'<tr data-call="(\d+)"', second)
    assert [int(call_id) for call_id in shown] == list(range(53, 0, -1))
    assert "antes=" not in second.replace("ramal=3501", "")


def test_an_empty_call_log_says_how_to_send_the_first_event(ana_by_https: Browser) -> None:
    seen = ana_by_https.get("/ligacoes").text
    assert "https://localhost/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=3501" in seen


def test_a_search_that_finds_nothing_offers_all_calls(ana: Browser, office: Office) -> None:
    office.ring()
    assert "Nenhuma ligação com estes filtros" in ana.get("/ligacoes?ramal=9").text


def test_the_list_alone_is_sent_when_the_page_refreshes_it(ana: Browser, office: Office) -> None:
    office.ring()
    answer = ana.get("/ligacoes", headers={"HX-Request": "true"})
    assert "<html" not in answer.text
    assert "<tr" in answer.text
    assert "HX-Request" in answer.headers["Vary"]


RESTORED = {"HX-Request": "true", "HX-History-Restore-Request": "true"}


@pytest.mark.parametrize("path", ["/ligacoes", "/trafego", "/numero?valor=4732100123", "/centrais"])
def test_the_browsers_back_gets_the_whole_page_and_no_cache_mixes_it_up(ana: Browser, path: str) -> None:
    """htmx calls itself htmx there too, though what it asks for is shown as the page."""
    answer = ana.get(path, headers=RESTORED)
    assert "<html" in answer.text
    assert "<main" in answer.text
    assert {"HX-Request", "HX-History-Restore-Request"} <= set(answer.headers["Vary"].split(", "))


def test_the_page_of_a_call_tells_all_that_is_known(ana: Browser, office: Office) -> None:
    office.know("Metalúrgica Silva", ANA, "Carlos")
    office.ring(at=1772731231123)
    call_id = office.hang_up(recording_url="https://pbx/1.mp3", at=1772731231123 + 90_000)
    seen = words(ana.get(f"/ligacoes/{call_id}").text)
    for text in ("Metalúrgica Silva", "Carlos", "3501 · Ana Martins", "05/03/2026 14:20", "1:30", "Gravação"):
        assert text in seen


def test_one_company_never_sees_anothers_calls(ana: Browser, browse: Browse, office: Office) -> None:
    office.know("Segredo da Rival", UNKNOWN, tenant="rival")
    theirs = office.ring(UNKNOWN, tenant="rival")
    for path in (f"/ligacoes/{theirs}", f"/telas/ligacao/{theirs}", f"/api/calls/{theirs}"):
        assert ana.get(path).status_code == 404
    for path in ("/", "/ligacoes", "/telas/agora", "/telas/recentes", "/api/calls"):
        assert "Segredo" not in ana.get(path).text
    mine = ana.get(f"/telas/ligacao/{office.ring(UNKNOWN)}").text
    assert "Número desconhecido" in mine
    assert f"/ligacoes/{theirs}" not in mine


def test_events_stream_to_the_page_and_its_place_is_given_back(ana: Browser, office: Office, hub: Hub) -> None:
    call_id = office.ring()
    answer = ana.get("/events?last_event_id=0", buffered=False)
    assert answer.mimetype == "text/event-stream"
    blocks = iter(answer.response)
    assert next(blocks) == b"retry: 1000\n\n"
    assert f'"call_id":{call_id}' in next(blocks).decode()
    assert hub.open_screens() == 1
    answer.close()
    assert hub.open_screens() == 0


def test_the_browsers_own_last_event_wins_over_the_address(ana: Browser, office: Office) -> None:
    office.ring()
    second = office.ring(UNKNOWN)
    answer = ana.get("/events?last_event_id=0", headers={"Last-Event-ID": "1"})
    blocks = iter(answer.response)
    next(blocks)
    assert f'"call_id":{second}' in next(blocks).decode()
    answer.close()


def test_asking_only_for_the_headers_of_the_stream_takes_no_place(ana: Browser, hub: Hub) -> None:
    ana.client.head("/events", environ_overrides={"cti.tenant": "acme"}).close()
    assert hub.open_screens() == 0


def test_one_screen_too_many_is_told_when_to_come_back(ana: Browser, open_hub: Callable[..., Hub], hub: Hub) -> None:
    screens = [hub.subscribe("acme", "3501") for _ in range(50)]
    answer = ana.get("/events")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    for screen in screens:
        screen.close()


def test_pages_are_kept_to_themselves(ana: Browser) -> None:
    headers = ana.get("/").headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


def test_pages_hold_no_inline_script_or_style_and_load_nothing_from_elsewhere(ana: Browser, office: Office) -> None:
    office.ring()
    office.hang_up(recording_url="http://pbx/1.wav")
    for path in ("/", "/ligacoes", "/ligacoes/1", "/nada"):
        seen = ana.get(path).text
        assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", seen), path
        loaded = re.findall(r'<(?:script|link|img|use)[^>]*(?:src|href)="([^"]+)"', seen)
        assert loaded
        assert all(address.startswith(("/static/", "/manifest.webmanifest")) for address in loaded), path


def test_files_are_kept_by_browsers_until_they_change(ana: Browser) -> None:
    (address,) = re.findall(r'href="(/static/desk\.css\?v=\w+)"', ana.get("/").text)
    answer = ana.get(address)
    assert answer.mimetype == "text/css"
    assert "immutable" in answer.headers["Cache-Control"]
    again = ana.get("/static/desk.css", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, "public, no-cache")


def test_scripts_load_each_other_in_the_version_of_their_page(ana: Browser) -> None:
    """A folder names the version, so that no page is served by the shared worker of an older one."""
    main, worker = re.findall(r'(?:src|data-worker)="(/static/@\w+/desk/\w+\.js)"', ana.get("/").text)
    assert worker.rpartition("/")[0] == main.rpartition("/")[0]
    for name in (main, worker, main.replace("main.js", "link.js")):
        answer = ana.get(name)
        assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
        assert "immutable" in answer.headers["Cache-Control"]
    older = ana.get(re.sub("@\\w+", "@000000000000", main))
    assert (older.status_code, older.headers["Cache-Control"]) == (200, "public, no-cache")
    assert ana.get(main.replace("/desk/main.js", "/desk.css")).status_code == 404


@pytest.mark.parametrize("path", ["/static/../pages.py", "/static/nada.js", "/static/", "/nada", "/ligacoes/99"])
def test_what_does_not_exist_is_a_page_that_says_so(ana: Browser, path: str) -> None:
    answer = ana.get(path)
    assert answer.status_code == 404
    assert "Página não encontrada" in answer.text


def test_a_defect_shows_its_number_and_nothing_else(
    ana: Browser, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(office.calls), "recent", lambda *_, **__: 1 // 0)
    answer = ana.get("/")
    assert answer.status_code == 500
    assert re.search(r"procure desk-\w{12} no registro", answer.text)
    assert "ZeroDivision" not in answer.text
    assert ana.get("/api/calls").get_json()["code"] == 900


def test_a_form_that_is_far_too_large_is_refused(ana: Browser) -> None:
    assert ana.post("/discar", data={"numero": "1" * 100_000}).status_code == 413
