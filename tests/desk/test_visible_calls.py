"""What an agent sees of other people's calls: nothing, whatever id is guessed, on pages, by the API, on streams."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

import gateway.desk
from gateway.config.people import PrivacySettings
from gateway.config.tables import ApplianceSettings, Config, TenantSettings
from gateway.desk.hub import Hub, Screen
from gateway.desk.pages import Desk
from gateway.desk.routes import ROUTES
from gateway.domain.calls.scope import CallScope, Team, scope_of
from gateway.domain.numbering.extensions import Extensions
from gateway.domain.roles import Role
from gateway.handlers import Core
from gateway.logins.passwords import hash_password
from gateway.store.directory import Agent
from tests.desk.conftest import ANA, PASSWORD, Browser, Office, company, now_ms, services_of
from tests.desk.test_access import basic

NUMBER = "47988887777"
TEAMS = (
    Team("vendas", "", Extensions.parse(["3501-3503"]), frozenset({"vendas"}), supervisors=frozenset({"rita"})),
    Team("outros", "", Extensions.parse(["3600"])),
)
PEOPLE = (
    ("caio", "3503", Role.AGENT),
    ("davi", "3600", Role.AGENT),
    ("rita", "3700", Role.SUPERVISOR),
    ("crm", "", Role.PROGRAM),
)


@pytest.fixture
def teams(office: Office, hub: Hub) -> Callable[..., Browser]:
    """Opens a browser at the desk of a company with teams, logged in; the company may mask telephones for agents."""
    hashed = hash_password(PASSWORD)
    for login, extension, role in PEOPLE:
        office.directory.save_agent(Agent(0, "acme", login, login.title(), extension, role=role), hashed, now_ms())
    core = Core({"acme": replace(company("acme"), teams=TEAMS)}, office.journal, office.exchange)

    def open_browser(login: str, *, masked: bool = False) -> Browser:
        settings = TenantSettings(
            appliances={"matriz": ApplianceSettings(adapter="url")},
            privacy=PrivacySettings(mask_numbers_for=("agent",) if masked else ()),
        )
        desk = Desk(services_of(replace(office, core=core), Config(tenants={"acme": settings}), hub))
        browser = Browser(Client(desk), "acme")
        assert browser.log_in(login).status_code == 303
        return browser

    return open_browser


def test_other_peoples_calls_are_in_no_list(teams: Callable[..., Browser], office: Office) -> None:
    other, mine = office.ring(NUMBER, "3501"), office.ring("4733334444", "3503")
    caio = teams("caio")
    listed = caio.get("/api/calls", headers=basic("caio")).get_json()["calls"]
    assert [call["id"] for call in listed] == [mine]
    page = caio.get("/ligacoes").text
    assert f"/ligacoes/{mine}" in page
    assert f"/ligacoes/{other}" not in page
    assert f"/ligacoes/{other}" not in caio.get("/pessoas").text
    assert "98888-7777" not in page


def test_the_own_team_s_missed_calls_are_seen_and_others_are_not(teams: Callable[..., Browser], office: Office) -> None:
    missed = office.ring(NUMBER, "3501")
    office.hang_up(NUMBER, "3501", result="NOANSWER")
    calls = [each["id"] for each in teams("caio").get("/api/calls", headers=basic("caio")).get_json()["calls"]]
    assert calls == [missed]
    assert teams("davi").get("/api/calls", headers=basic("davi")).get_json()["calls"] == []


@pytest.mark.parametrize(
    "name",
    [name for name, route in ROUTES.items() if "call_id" in route.path and name not in ("shown", "why", "api_why")],
)
def test_a_guessed_id_is_as_if_there_were_no_such_call(
    teams: Callable[..., Browser], office: Office, name: str
) -> None:
    call_id = office.ring(NUMBER, "3501")
    caio, route = teams("caio"), ROUTES[name]
    form = {"csrf": caio.token("/ligacoes"), "nenhuma": "1"}
    answers = []
    for wanted in (call_id, 999_999):
        path = re.sub(r"<[^>]*call_id>", str(wanted), route.path).replace("<int(max=9999):place>", "0")
        body: dict[str, Any] = {"headers": basic("caio")} if path.startswith("/api") else {"data": form}
        if route.method == "PUT":
            body["json"] = {"text": "x"}
        answer = caio.client.open(path, method=route.method, **caio._place(body if route.method != "GET" else {}))
        if route.method == "GET" and path.startswith("/api"):
            answer = caio.get(path, headers=basic("caio"))
        answers.append(answer.status_code)
        assert answer.status_code in (404, 409) or name.endswith("missed_release")  # which lets go of nothing
        assert "7777" not in answer.text
    assert answers[0] == answers[1]
    found = office.calls.get("acme", call_id)
    assert found
    assert found.status == "ringing"


def test_a_supervisor_asks_why_of_the_teams_that_are_led_only(teams: Callable[..., Browser], office: Office) -> None:
    ours, others = office.ring(NUMBER, "3501"), office.ring(NUMBER, "3600")
    rita = teams("rita")
    assert rita.get(f"/api/calls/{ours}/why", headers=basic("rita")).status_code == 200
    assert rita.get(f"/api/calls/{others}/why", headers=basic("rita")).status_code == 404
    assert rita.get("/porque?ramal=3501&quando=2026-03-05T14:20").status_code == 200
    assert rita.get("/porque?ramal=3600&quando=2026-03-05T14:20").status_code == 403


def test_who_is_on_the_phone_is_told_and_with_whom_is_not(teams: Callable[..., Browser], office: Office) -> None:
    office.ring(NUMBER, "3503")
    davi, caio = (teams(login).get("/pessoas", headers={"HX-Request": "true"}).text for login in ("davi", "caio"))
    assert "Ao telefone" in davi
    assert "/ligacoes/1" not in davi
    assert "Ao telefone" not in caio
    assert "/ligacoes/1" in caio


def test_a_program_reads_all_calls_and_dials_from_every_extension(
    teams: Callable[..., Browser], office: Office
) -> None:
    office.ring(NUMBER, "3501")
    office.ring(NUMBER, "3600")
    crm = teams("crm")
    assert len(crm.get("/api/calls", headers=basic("crm")).get_json()["calls"]) == 2
    for extension in ("3501", "3600"):
        order = {"number": "4733334444", "extension": extension}
        assert crm.post("/api/dial", json=order, headers=basic("crm")).get_json()["ok"] is True
    assert [order.extension for order in office.exchange.orders] == ["3501", "3600"]
    refused = crm.post("/api/dial", json={"number": "4733334444"}, headers=basic("crm"))
    assert refused.status_code == 400


def test_an_agent_dials_from_the_own_extension_only(teams: Callable[..., Browser], office: Office) -> None:
    order = {"number": "4733334444", "extension": "3501"}
    assert teams("caio").post("/api/dial", json=order, headers=basic("caio")).status_code == 403
    assert office.exchange.orders == []


def kinds(screen: Screen, count: int) -> Iterator[str]:
    """The kinds of the next events, pulses left out."""
    while count:
        for line in next(screen).decode().splitlines():
            if line.startswith("event: ") and line != "event: pulse":
                count -= 1
                yield line.removeprefix("event: ")


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        (scope_of(Role.AGENT, "caio", "3503", TEAMS), ["call_started"]),
        (scope_of(Role.SUPERVISOR, "rita", "3503", TEAMS), ["log", "call_started"]),
    ],
)
def test_a_stream_tells_nothing_of_other_peoples_calls(
    office: Office, open_hub: Callable[..., Hub], scope: CallScope, told: list[str]
) -> None:
    with_all = open_hub().subscribe("acme", "3503", whole_tenant=True, scope=scope)
    office.ring(NUMBER, "3600")
    office.ring(NUMBER, "3501")
    office.ring("4733334444", "3503")
    assert list(kinds(with_all, len(told))) == told
    with_all.close()


def test_who_sits_nowhere_is_told_of_no_call_that_is_nowhere(office: Office, open_hub: Callable[..., Hub]) -> None:
    scope = scope_of(Role.AGENT, "ana", "", TEAMS)
    nowhere = open_hub().subscribe("acme", "", whole_tenant=True, scope=scope)
    office.ring(NUMBER, "")
    assert b"call_started" not in b"".join(next(nowhere) for _ in range(3))
    nowhere.close()


def test_telephones_are_masked_on_pages_and_dialled_all_the_same(teams: Callable[..., Browser], office: Office) -> None:
    office.know("Padaria", NUMBER)
    call_id = office.ring(NUMBER, "3503")
    caio = teams("caio", masked=True)
    account = office.directory.search("acme", "Padaria")[0].id
    for path in ("/", "/ligacoes", f"/ligacoes/{call_id}", f"/telas/ligacao/{call_id}", f"/contas/{account}"):
        text = caio.get(path).text
        assert "7777" in text, path
        assert "98888" not in text, path
    token = caio.token()
    for told in ({"ligacao": call_id}, {"conta": account, "posicao": 0}):
        caio.post("/discar", data={"csrf": token, **told}, headers={"HX-Request": "true"})
    assert [order.message.number for order in office.exchange.orders] == [NUMBER, NUMBER]


def test_telephones_are_masked_by_the_api(teams: Callable[..., Browser], office: Office) -> None:
    call_id = office.ring(NUMBER, "3503")
    office.hang_up(NUMBER, "3503", recording_url=f"http://pbx/{NUMBER}.wav", fields={"fone": "+55 47 98888-7777"})
    caio = teams("caio", masked=True)
    told = caio.get(f"/api/calls/{call_id}", headers=basic("caio"))
    assert told.get_json()["number"] == "•••••••7777"
    assert "8888" not in told.text
    guessed = caio.get("/api/calls?number=4799", headers=basic("caio")).get_json()["calls"]
    whole = caio.get(f"/api/calls?number={NUMBER}", headers=basic("caio")).get_json()["calls"]
    assert (len(guessed), len(whole)) == (0, 1)
    caio.post("/api/dial", json={"call_id": call_id}, headers=basic("caio"))
    assert [order.message.number for order in office.exchange.orders] == [NUMBER]


def test_telephones_are_masked_on_streams(office: Office, open_hub: Callable[..., Hub]) -> None:
    hub = open_hub()
    open_one, masked = (hub.subscribe("acme", "3501", masked=each) for each in (False, True))
    office.ring(ANA, "3501")
    texts = []
    for screen in (open_one, masked):
        text = ""
        while "call_started" not in text:
            text += next(screen).decode()
        texts.append(text)
        screen.close()
    assert ANA in texts[0]
    assert ANA not in texts[1]
    assert f"•{ANA[-4:]}" in texts[1]


def test_pages_that_show_telephones_as_they_came_are_closed_to_whom_they_are_masked_for(
    teams: Callable[..., Browser], office: Office
) -> None:
    rita = teams("rita")
    assert rita.get("/numero").status_code == 200
    object.__setattr__(rita, "client", teams("rita", masked=True).client)
    assert rita.get("/numero").status_code == 200  # masked for agents only
    assert teams("caio", masked=True).get("/numero").status_code == 403


def test_the_desk_reads_the_call_log_as_the_visitor_may_see_it_only() -> None:
    """A page that reads it past the visitor's scope shows other people's calls."""
    rooms = Path(gateway.desk.__file__).parent.rglob("*.py")
    assert {path.name for path in rooms if "services.calls" in path.read_text(encoding="utf-8")} == {"context.py"}


def test_a_search_finds_what_may_be_seen_and_no_masked_number_by_its_parts(
    teams: Callable[..., Browser], office: Office
) -> None:
    office.know("Padaria", NUMBER)
    office.ring(NUMBER, "3501")
    mine = office.ring(NUMBER, "3503")

    def found(browser: Browser, line: str) -> list[int]:
        return [call["id"] for call in browser.get("/api/calls", query_string={"search": line}).get_json()["calls"]]

    caio, masked = teams("caio"), teams("caio", masked=True)
    assert found(caio, "padaria") == found(masked, "padaria") == [mine]
    assert found(caio, "8777") == found(caio, "*7777") == [mine]
    assert found(masked, "8777") == found(masked, "*7777") == found(masked, f"numero:{NUMBER[:10]}") == []
    assert found(masked, NUMBER) == [mine]
    assert "4798" not in masked.get("/api/calls?search=padaria").text
