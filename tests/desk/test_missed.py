"""The list of missed calls on the desk and for scripts."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from gateway.adapter import Outcome
from gateway.config.tables import PrivacySettings, TenantSettings
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from gateway.domain.calls.scope import Team
from gateway.domain.messages import CallAnswered, Direction
from gateway.domain.numbering.extensions import Extensions
from gateway.domain.roles import Role
from gateway.domain.tenant import Tenant
from gateway.logins.passwords import hash_password
from gateway.store.directory import Agent
from tests.desk.conftest import ANA, EXCHANGE, PASSWORD, Browser, Clock, Office, now_ms
from tests.desk.test_access import basic
from tests.desk.test_hub import told

OTHER = "4733334444"
MINUTE = 60_000


def miss(office: Office, number: str = ANA, *, ramal: str = "3501", ago_ms: int = MINUTE, tenant: str = "acme") -> int:
    """A call that nobody takes."""
    office.ring(number, ramal, tenant=tenant, at=now_ms() - ago_ms)
    return office.hang_up(number, ramal, tenant=tenant, at=now_ms() - ago_ms, result="NO ANSWER")


def list_of(browser: Browser) -> str:
    """The list alone, as the page's own script reads it."""
    return browser.get("/perdidas", headers={"HX-Request": "true"}).text


def entries(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'id="perdida-(\d+)"', page)]


def post(browser: Browser, path: str, **form: Any) -> Any:
    return browser.post(path, data=form | {"csrf": browser.token()}, headers={"HX-Request": "true"})


@pytest.fixture
def bruno(browse: Callable[..., Browser]) -> Browser:
    """Bruno's browser, logged in."""
    browser = browse()
    assert browser.log_in("bruno").status_code == 303
    return browser


def test_one_line_for_a_customer_who_rang_three_times(ana: Browser, office: Office) -> None:
    office.know("Metalúrgica Silva", ANA, "Carlos")
    last = [miss(office, ago_ms=ago * MINUTE) for ago in (9, 8, 7)][-1]
    page = ana.get("/perdidas").text
    assert entries(page) == [last]
    assert "Metalúrgica Silva" in page
    assert "3 ligações" in page
    assert "espera há 9 min" in page


def test_every_page_says_how_many_wait(ana: Browser, office: Office) -> None:
    assert 'class="badge' not in ana.get("/").text
    miss(office)
    miss(office, OTHER, ago_ms=20 * MINUTE)
    for path in ("/", "/ligacoes", "/pessoas", "/telas/perdidas"):
        assert re.search(r'class="badge late"><span aria-hidden="true">2<', ana.get(path).text), path


def test_mine_come_first(ana: Browser, bruno: Browser, office: Office) -> None:
    older, mine = miss(office, OTHER, ramal="3502", ago_ms=30 * MINUTE), miss(office)
    assert entries(ana.get("/perdidas").text) == [mine, older]
    assert entries(bruno.get("/perdidas").text) == [older, mine]


def test_who_waits_longer_than_the_goal_is_marked(ana: Browser, office: Office, clock: Clock) -> None:
    call_id = miss(office, ago_ms=0)
    assert f'id="perdida-{call_id}" class=""' in ana.get("/perdidas").text
    clock.ahead_ms = 16 * MINUTE
    assert f'id="perdida-{call_id}" class="late"' in ana.get("/perdidas").text


def test_one_is_taken_off_by_its_button_whatever_else_is_marked(ana: Browser, office: Office) -> None:
    one, other = miss(office), miss(office, OTHER)
    answer = post(ana, "/perdidas/resolvidas", uma=one, ligacao=other)
    assert entries(answer.text) == [other]
    assert re.search(rf'value="{other}"[^>]*checked', answer.text), "what was marked stays marked"
    assert "Ana Martins" in answer.text, "who did it is named"


def test_many_are_taken_off_and_put_back(ana: Browser, bruno: Browser, office: Office) -> None:
    both = [miss(office), miss(office, OTHER)]
    assert entries(post(ana, "/perdidas/resolvidas", ligacao=both).text) == []
    assert "Ninguém espera" in list_of(bruno)
    assert entries(post(bruno, "/perdidas/desfazer", uma=both[0]).text) == [both[0]]


def test_without_a_script_the_page_comes_again(ana: Browser, office: Office) -> None:
    call_id = miss(office)
    answer = ana.post("/perdidas/resolvidas", data={"uma": call_id, "csrf": ana.token()})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/perdidas")


def test_the_second_who_calls_back_is_told_who_does(ana: Browser, bruno: Browser, office: Office) -> None:
    call_id = miss(office)
    assert post(ana, f"/perdidas/{call_id}/ligar").status_code == 200
    assert [order.message.number for order in office.exchange.orders] == [ANA]
    answer = post(bruno, f"/perdidas/{call_id}/ligar")
    assert answer.status_code == 409
    assert "Ana Martins já está retornando" in answer.text
    assert len(office.exchange.orders) == 1, "it is not dialled"
    assert "Ana Martins está retornando desde" in list_of(bruno)
    assert "Você está retornando" in list_of(ana)
    assert f"/perdidas/{call_id}/ligar" not in list_of(bruno)


def test_who_cannot_be_dialled_is_not_claimed(ana: Browser, bruno: Browser, office: Office) -> None:
    call_id = miss(office)
    answer = post(ana, f"/perdidas/{call_id}/ligar", central="nenhuma")
    assert answer.status_code == 422, answer.text
    assert "está retornando" not in list_of(bruno)


def test_a_call_back_that_was_refused_ends_the_claim(ana: Browser, bruno: Browser, office: Office) -> None:
    call_id = miss(office)
    office.exchange.outcome = Outcome.REFUSED
    post(ana, f"/perdidas/{call_id}/ligar")
    assert "está retornando" not in list_of(bruno)


def test_a_call_back_that_is_answered_takes_the_customer_off(ana: Browser, office: Office) -> None:
    call_id = miss(office)
    post(ana, f"/perdidas/{call_id}/ligar")
    office.core.handle(CallAnswered("acme", "3501", ANA, EXCHANGE, now_ms(), direction=Direction.OUTGOING))
    assert entries(list_of(ana)) == []


def test_a_withheld_number_has_no_button_to_call_back(ana: Browser, office: Office) -> None:
    call_id = miss(office, "anonymous")
    page = list_of(ana)
    assert entries(page) == [call_id]
    assert f"/perdidas/{call_id}/ligar" not in page


def test_other_companies_have_lists_of_their_own(ana: Browser, office: Office) -> None:
    theirs = miss(office, tenant="rival")
    assert entries(list_of(ana)) == []
    post(ana, "/perdidas/resolvidas", uma=theirs)
    assert post(ana, f"/perdidas/{theirs}/ligar").status_code == 409
    call = office.calls.get("rival", theirs)
    assert call
    assert call.cleared_at is None


def test_names_are_escaped(ana: Browser, office: Office) -> None:
    office.know("<script>alert(1)</script>", ANA, "<b>x</b>")
    miss(office)
    page = ana.get("/perdidas").text
    assert "<script>alert" not in page
    assert "<b>x" not in page


def test_every_screen_of_the_company_hears_of_the_list(office: Office, open_hub: Callable[..., Hub]) -> None:
    hub = open_hub()
    screen, rival = hub.subscribe("acme", "3599"), hub.subscribe("rival", "3599")
    call_id = miss(office)
    event = next(told(screen))
    assert (event["event"], event["missed_call"], event["change"]) == ("missed_changed", call_id, "missed")
    assert "call_id" not in event
    theirs = miss(office, tenant="rival")
    assert next(told(rival))["missed_call"] == theirs


@pytest.fixture
def script(browse: Callable[..., Browser]) -> Callable[..., Any]:
    """Asks as a program with Ana's password, or another's."""
    browser = browse()

    def ask(path: str, login: str = "ana", **body: Any) -> tuple[int, Any]:
        if path == "/api/missed":
            answer = browser.get(path, headers=basic(login))
        else:
            answer = browser.post(path, headers=basic(login), **({"json": body} if body else {}))
        return answer.status_code, answer.get_json()

    return ask


def test_scripts_get_the_list(script: Callable[..., Any], office: Office) -> None:
    office.know("Metalúrgica Silva", ANA, "Carlos")
    first, last = miss(office, ago_ms=20 * MINUTE), miss(office)
    status, answer = script("/api/missed")
    (entry,) = answer["missed"]
    assert (status, answer["goal_s"]) == (200, 900)
    assert (entry["call_id"], entry["call_ids"], entry["late"], entry["mine"]) == (last, [last, first], True, True)
    assert (entry["account"], entry["contact"], entry["number"]) == ("Metalúrgica Silva", "Carlos", ANA)
    assert 1200 <= entry["waiting_s"] < 1300
    assert (entry["extensions"], entry["claim"]) == (["3501"], None)


def test_scripts_claim_and_let_go(script: Callable[..., Any], office: Office) -> None:
    call_id = miss(office)
    assert script(f"/api/missed/{call_id}/claim")[0] == 200
    status, refused = script(f"/api/missed/{call_id}/claim", "bruno")
    assert (status, refused["code"]) == (409, 292)
    assert "Ana Martins" in refused["message"]
    claim = script("/api/missed")[1]["missed"][0]["claim"]
    assert (claim["login"], claim["name"], claim["extension"]) == ("ana", "Ana Martins", "3501")
    assert script(f"/api/missed/{call_id}/release")[1]["changed"] is True
    assert script(f"/api/missed/{call_id}/release")[1]["changed"] is False
    assert script(f"/api/missed/{call_id}/claim", "bruno")[0] == 200
    assert script("/api/missed/999/claim")[1]["code"] == 294


def test_scripts_take_off_and_put_back(script: Callable[..., Any], office: Office) -> None:
    both = [miss(office), miss(office, OTHER)]
    assert script("/api/missed/clear", call_id=both)[1]["changed"] is True
    assert script("/api/missed/clear", call_id=both[0])[1]["changed"] is False
    assert script("/api/missed")[1]["missed"] == []
    script("/api/missed/restore", call_id=both[1])
    assert [entry["call_id"] for entry in script("/api/missed")[1]["missed"]] == [both[1]]


@pytest.mark.parametrize("wrong", [[], "x", [1, "x"], {"a": 1}, None, True, -1, list(range(1, 600))])
def test_what_is_no_call_is_refused(script: Callable[..., Any], wrong: Any) -> None:
    status, answer = script("/api/missed/clear", call_id=wrong)
    assert (status, answer["code"]) == (400, 220), answer


def test_a_form_names_several_calls(browse: Callable[..., Browser], office: Office) -> None:
    both = [miss(office), miss(office, OTHER)]
    answer = browse().post("/api/missed/clear", data={"call_id": both}, headers=basic())
    assert answer.get_json()["changed"] is True


def test_an_auditor_sees_the_list_and_changes_nothing(
    browse: Callable[..., Browser], ana: Browser, office: Office
) -> None:
    auditor = Agent(0, "acme", "rui", "Rui", "3509", role=Role.AUDITOR)
    office.directory.save_agent(auditor, hash_password(PASSWORD), now_ms())
    one, other = miss(office), miss(office, OTHER)
    post(ana, "/perdidas/resolvidas", uma=other)
    browser = browse()
    browser.log_in("rui")
    page = browser.get("/perdidas").text
    assert entries(page) == [one]
    assert not re.search(r'action="/perdidas/(?!resolvidas)|name="(uma|ligacao)"|data-mark-all', page)


@pytest.fixture
def teams(office: Office, desk: Desk) -> None:
    """Carla of the shop (3510), Davi of the workshop (3520), whose teams have lists of their own; telephones masked."""
    named = {"loja": "351", "oficina": "352"}
    acme = replace(
        office.core.tenants["acme"],
        teams=tuple(Team(name, extensions=Extensions.parse([f"{begins}x"])) for name, begins in named.items()),
    )
    cast("dict[str, Tenant]", office.core.tenants)["acme"] = acme
    settings = desk._services.config.tenants["acme"]
    hidden = settings.model_copy(update={"privacy": PrivacySettings(mask_numbers_for=(Role.AGENT,))})
    cast("dict[str, TenantSettings]", desk._services.config.tenants)["acme"] = hidden
    for login, extension in (("carla", "3510"), ("davi", "3520")):
        office.directory.save_agent(
            Agent(0, "acme", login, login.title(), extension), hash_password(PASSWORD), now_ms()
        )


@pytest.fixture
def carla(teams: None, browse: Callable[..., Browser]) -> Browser:
    browser = browse()
    browser.log_in("carla")
    return browser


@pytest.fixture
def davi(teams: None, browse: Callable[..., Browser]) -> Browser:
    browser = browse()
    browser.log_in("davi")
    return browser


def test_an_agent_sees_what_the_own_team_missed(carla: Browser, davi: Browser, office: Office) -> None:
    shop, workshop = miss(office, ramal="3511"), miss(office, OTHER, ramal="3521")
    assert entries(list_of(carla)) == [shop]
    assert entries(list_of(davi)) == [workshop]
    assert ">1<" in carla.get("/telas/perdidas").text
    assert post(carla, f"/perdidas/{workshop}/ligar").status_code == 409
    post(carla, "/perdidas/resolvidas", uma=workshop)
    assert entries(list_of(davi)) == [workshop]


def test_a_customer_of_two_teams_is_called_back_once(carla: Browser, davi: Browser, office: Office) -> None:
    shop, workshop = miss(office, ramal="3511", ago_ms=30 * MINUTE), miss(office, ramal="3521")
    assert entries(list_of(carla)) == [shop]
    assert post(carla, f"/perdidas/{shop}/ligar").status_code == 200
    assert post(davi, f"/perdidas/{workshop}/ligar").status_code == 409
    assert "Carla está retornando" in list_of(davi)
    post(carla, "/perdidas/resolvidas", uma=shop)
    assert entries(list_of(davi)) == [workshop], "what the shop takes off stays with the workshop"


def test_telephones_are_masked_and_dialled_all_the_same(carla: Browser, office: Office) -> None:
    office.know(f"Silva {ANA}", ANA, "Ana 99999-8888")
    call_id = miss(office, ramal="3511")
    page = list_of(carla)
    assert "99999" not in page
    assert "8888" in page
    post(carla, "/perdidas/resolvidas", uma=call_id)
    assert "99999" not in list_of(carla), "nor among those taken off"
    post(carla, "/perdidas/desfazer", uma=call_id)
    assert post(carla, f"/perdidas/{call_id}/ligar").status_code == 200
    assert [order.message.number for order in office.exchange.orders] == [ANA]
