"""The page of integrations, and the same for scripts: what waits, what was given up, and what is done about it."""

import re
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from gateway.config.loader import parse
from gateway.desk.context import Services
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from gateway.domain.roles import Role
from gateway.logins.passwords import hash_password
from gateway.store.calls import iso
from gateway.store.directory import Agent
from gateway.store.letters.kept import LetterFilter
from gateway.store.letters.lifetimes import DAY_MS, Lifetimes
from gateway.store.letters.log import LetterLog
from tests.desk.conftest import PASSWORD, Browser, Office, now_ms, services_of
from tests.desk.test_pages import words
from tests.store.test_letter_log import DEAD, add

CRM = {"adapter": "url", "url": "http://127.0.0.1:1/?r={{ ramal }}", "success": "."}
COMPANIES = {"acme": {"language": "pt-BR", "forwards": {"crm": CRM}}, "rival": {"forwards": {"crm": CRM}}}
LIFETIMES = {("acme", "crm"): Lifetimes({"call_started": 20_000}), ("rival", "crm"): Lifetimes()}
REFUSED = DEAD | {"request": "GET /?r=3501&senha=****", "answer": "HTTP/1.1 400\r\n\r\n<b>não</b>"}


class Integrations:
    """A desk with one forward, seen by an administrator and by an auditor."""

    def __init__(self, office: Office, hub: Hub) -> None:
        self.office = office
        self.letters = LetterLog(office.engine, office.journal, LIFETIMES)
        config = parse({"tenants": COMPANIES}, source="test")
        for login, role in (("ana", Role.ADMINISTRATOR), ("auda", Role.AUDITOR), ("gil", Role.AGENT)):
            agent = Agent(0, "acme", login, login.title(), "3501", role=role)
            office.directory.save_agent(agent, hash_password(PASSWORD), now_ms())
        self.show(replace(services_of(office, config, hub), letters=self.letters))

    def show(self, services: Services) -> None:
        self.services, self.desk = services, Desk(services)
        self.ana = self.browser("ana")

    def browser(self, login: str) -> Browser:
        browser = Browser(Client(self.desk), "acme")
        browser.log_in(login)
        return browser

    def post(self, path: str, fields: dict[str, str]) -> TestResponse:
        return self.ana.post(path, data=fields | {"csrf": self.ana.token()})

    def standings(self) -> list[str]:
        found = self.letters.search("acme", LetterFilter(), limit=100)
        return [letter.standing.value for letter in reversed(found)]

    def api(self, path: str, **asked: Any) -> Any:
        login = {"auth": ("ana", PASSWORD)}
        answer = self.ana.client.open(f"/api/forwards{path}", **self.asked(asked), **login)
        return answer.get_json() | {"status": answer.status_code}

    def asked(self, body: dict[str, Any]) -> dict[str, Any]:
        environ = {"cti.tenant": "acme", "REMOTE_ADDR": "127.0.0.1"}
        more: dict[str, Any] = {"method": "POST", "json": body} if body else {}
        return {"environ_overrides": environ, **more}


@pytest.fixture
def desk(office: Office, hub: Hub) -> Integrations:
    return Integrations(office, hub)


def test_a_forward_that_does_not_answer_says_when_it_is_tried_again(desk: Integrations) -> None:
    assert [each["retry_at"] for each in desk.api("")["forwards"]] == [None]
    assert "Não responde" not in words(desk.ana.get("/integracoes").text)
    for again, said in (
        (now_ms() + 60_000, "Não responde: nova tentativa às "),
        (now_ms() - 1, "o próximo evento é um teste"),
    ):
        asked = {("acme", "crm"): again}
        desk.show(replace(desk.services, forward_retry_at=asked.get))
        assert said in words(desk.ana.get("/integracoes").text)
        assert desk.api("")["forwards"][0]["retry_at"] == iso(again)


def put(desk: Integrations, *letters: Any) -> None:
    add(desk.office, *letters)  # type: ignore[arg-type]


def test_each_forward_is_shown_with_what_it_has(desk: Integrations) -> None:
    put(desk, REFUSED, {"waits_since": now_ms(), "created_at": now_ms()}, {"target": "antigo"}, {"tenant": "rival"})
    text = words(desk.ana.get("/integracoes").text)
    assert "1 não entregue" in text
    assert "Não há mais um repasse com este nome" in text
    assert "3501" in text


def test_the_administrator_is_told_before_events_are_given_up(desk: Integrations) -> None:
    put(desk, {"waits_since": now_ms() - DAY_MS - 60_000, "created_at": now_ms() - DAY_MS - 60_000})
    assert "serão abandonados um a um" in words(desk.ana.get("/integracoes").text)
    desk.letters.drop("acme", LetterFilter(target="crm"), now_ms(), "Ana")
    assert "serão abandonados um a um" not in words(desk.ana.get("/integracoes").text)


def test_one_event_is_shown_with_request_and_answer_and_no_markup_of_others(desk: Integrations) -> None:
    put(desk, REFUSED)
    page = desk.ana.get("/integracoes/1").text
    assert "GET /?r=3501&amp;senha=****" in page
    assert "&lt;b&gt;não&lt;/b&gt;" in page
    assert desk.ana.get("/integracoes/2").status_code == 404


def test_one_is_sent_again_or_given_up_and_all_of_a_forward(desk: Integrations) -> None:
    put(desk, REFUSED, REFUSED, REFUSED)
    done = desk.post("/integracoes/reenviar", {"evento": "1", "volta": "evento"})
    assert (done.status_code, done.location) == (303, "/integracoes/1?enviados=1")
    assert "1 evento será reenviado" in words(desk.ana.get(done.location).text)
    desk.post("/integracoes/desistir", {"evento": "2"})
    assert desk.standings() == ["waiting", "dropped", "dead"]
    assert "Ana desistiu dele." in words(desk.ana.get("/integracoes/2").text)
    desk.post("/integracoes/reenviar", {"para": "crm"})
    assert desk.standings() == ["waiting", "dropped", "waiting"]


def test_nothing_is_done_to_all_where_nothing_is_named(desk: Integrations) -> None:
    put(desk, REFUSED)
    for path in ("reenviar", "desistir", "mover"):
        assert desk.post(f"/integracoes/{path}", {}).status_code == 404
    assert desk.standings() == ["dead"]


def test_the_events_of_a_renamed_forward_are_moved(desk: Integrations) -> None:
    put(desk, {"target": "antigo"})
    desk.post("/integracoes/mover", {"de": "antigo", "para": "crm"})
    assert [letter.target for letter in desk.letters.search("acme", LetterFilter(), limit=9)] == ["crm"]


def test_an_auditor_reads_and_changes_nothing_and_an_agent_does_not_see_it(desk: Integrations) -> None:
    put(desk, REFUSED)
    page = desk.browser("auda").get("/integracoes").text
    assert "data-letter" in page
    assert "/integracoes/reenviar" not in page
    assert desk.browser("gil").get("/integracoes").status_code == 403


def test_the_list_is_narrowed_and_paged(desk: Integrations) -> None:
    put(desk, *[{"order_key": str(n)} for n in range(60)], REFUSED)
    first = desk.ana.get("/integracoes?para=crm&situacao=waiting").text
    assert len(re.findall(r"data-letter=", first)) == 50
    older = re.search(r'href="(/integracoes\?[^"]*antes=\d+[^"]*)"', first)
    assert older
    assert len(re.findall(r"data-letter=", desk.ana.get(older[1].replace("&amp;", "&")).text)) == 10
    assert len(re.findall(r"data-letter=", desk.ana.get("/integracoes?situacao=dead").text)) == 1


def test_scripts_read_the_same(desk: Integrations) -> None:
    put(desk, REFUSED, {"order_key": "7"})
    (crm,) = desk.api("")["forwards"]
    assert (crm["name"], crm["waiting"], crm["dead"], crm["configured"]) == ("crm", 1, 1, True)
    found = desk.api("/events?state=dead,waiting")["events"]
    assert [(event["id"], event["state"], event["call_id"]) for event in found] == [(2, "waiting", 7), (1, "dead", 1)]
    assert desk.api("/events/1")["answer"].startswith("HTTP/1.1 400")
    assert [event["id"] for event in desk.api("/events?call_id=7")["events"]] == [2]
    assert desk.api("/events?state=lost")["status"] == 400
    assert desk.api("/events?limt=1")["status"] == 400


def test_scripts_do_the_same(desk: Integrations) -> None:
    put(desk, REFUSED, REFUSED, REFUSED | {"target": "antigo"})
    assert desk.api("/retry", id=1)["count"] == 1
    assert desk.api("/drop", target="crm", state="dead")["count"] == 1
    assert desk.api("/move", source="antigo", target="crm")["count"] == 1
    assert desk.standings() == ["waiting", "dropped", "waiting"]
    assert desk.api("/retry", limit=5)["status"] == 400, "all would be meant"
    assert desk.api("/move", source="crm", target="nenhum")["status"] == 400
