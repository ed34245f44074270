"""Agents are added, changed, locked and removed on the desk; what they had open ends with it."""

import io
import re
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from gateway.desk.hub import Hub
from gateway.domain.roles import Role
from gateway.store.agents import AgentChanges
from gateway.store.directory import Agent
from tests.desk.conftest import PASSWORD, Browser, Office
from tests.desk.test_access import basic

Browse = Callable[..., Browser]
LIST = "login;nome;ramal;papel\nbia;Bia Reis;3510;agent\ncaio;Caio;*;supervisor\nana;Ana;3501;\ndavi;Davi;;\n"


def found(office: Office, login: str) -> Agent:
    agent = office.directory.agent("acme", login)
    assert agent
    return agent


def post(browser: Browser, path: str, **fields: object) -> TestResponse:
    return browser.post(path, data={"csrf": browser.token("/sessoes"), **fields}, headers={"Accept-Language": "en"})


def added(ana: Browser, login: str = "bia", **fields: str) -> str:
    """Add an agent; its first password."""
    form = {"usuario": login, "nome": login.title(), "ramal": "3510", "papel": "agent"} | fields
    answer = post(ana, "/pessoas/agentes", **form)
    password = re.search(r"<code>([\w-]+)</code>", answer.text)
    assert password, answer.text
    return password[1]


def test_an_agent_is_added_and_changes_the_first_password_before_anything_else(
    ana: Browser, browse: Browse, office: Office
) -> None:
    first = added(ana)
    assert re.fullmatch(r"(\w{4}-){2}\w{4}", first)
    assert first not in ana.get("/pessoas/agentes").text
    bia = browse()
    bia.log_in("bia", first)
    assert bia.get("/").location == "/senha"
    assert bia.get("/ligacoes").location == "/senha"
    assert bia.get("/telas/agora", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/senha"
    assert bia.get("/api/calls", headers=basic("bia", first)).get_json()["code"] == 375
    form = {"atual": first, "nova": "a-new-password", "outra_vez": "a-new-password"}
    csrf = bia.token("/senha")
    assert bia.post("/senha", data=form | {"csrf": csrf}).location == "/"
    assert bia.get("/").status_code == 200
    assert bia.get("/api/calls", headers=basic("bia", "a-new-password")).status_code == 200
    assert found(office, "bia").role is Role.AGENT


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"atual": "wrong"}, "The present password is wrong."),
        ({"outra_vez": "another-one"}, "not typed the same twice"),
        ({"nova": "short", "outra_vez": "short"}, "8 to 256 characters"),
        ({"nova": "12345678", "outra_vez": "12345678"}, "guessed too easily"),
    ],
)
def test_a_password_that_will_not_do_is_refused(ana: Browser, form: dict[str, str], says: str) -> None:
    good = {"atual": PASSWORD, "nova": "a-new-password", "outra_vez": "a-new-password"}
    answer = post(ana, "/senha", **(good | form))
    assert answer.status_code == 400
    assert says in answer.text


def test_a_changed_password_ends_all_other_sessions(ana: Browser, browse: Browse) -> None:

    elsewhere = browse()
    elsewhere.log_in()
    form = {"atual": PASSWORD, "nova": "a-new-password", "outra_vez": "a-new-password"}
    assert post(ana, "/senha", **form).status_code == 200
    assert ana.get("/").status_code == 200
    assert elsewhere.get("/").location == "/login"


def test_sixty_are_added_by_a_list_after_a_look_at_it(ana: Browser, office: Office) -> None:
    preview = post(ana, "/pessoas/agentes/lista", lista=LIST).text
    assert "Line 4 (<bdi>ana</bdi>): there is an agent &#39;ana&#39; already." in preview
    assert "Line 5 (<bdi>davi</bdi>): an extension is missing" in preview
    assert "Add 2 agents" in preview
    assert office.directory.agent("acme", "bia") is None
    done = post(ana, "/pessoas/agentes/lista", lista=LIST, confirma="1").text
    assert len(re.findall(r"<code>[\w-]{14}</code>", done)) == 2
    assert found(office, "caio").chooses_extension
    assert found(office, "bia").first_password


def test_a_list_comes_as_a_file_as_well(ana: Browser) -> None:
    file = (io.BytesIO("login;nome;ramal\nzé;José;3511\n".encode("cp1252")), "agentes.csv")
    data = {"csrf": ana.token("/sessoes"), "arquivo": file}
    assert "José" in ana.post("/pessoas/agentes/lista", data=data, content_type="multipart/form-data").text


def test_details_are_changed_and_what_will_not_do_is_refused(ana: Browser, office: Office) -> None:
    bruno = found(office, "bruno")
    path = f"/pessoas/agentes/{bruno.id}"
    assert post(ana, path, nome="Bruno B.", ramal="3520", papel="auditor").status_code == 303
    assert (found(office, "bruno").extension, found(office, "bruno").role) == ("3520", Role.AUDITOR)
    assert post(ana, path, nome="Bruno", ramal="", papel="agent").status_code == 400
    assert post(ana, "/pessoas/agentes/999", nome="x", ramal="1", papel="agent").status_code == 404


def test_an_agent_of_another_company_is_none(ana: Browser, office: Office) -> None:
    theirs = office.directory.agent("rival", "bruno")
    assert theirs
    for path in ("", "/bloquear", "/remover", "/senha"):
        assert post(ana, f"/pessoas/agentes/{theirs.id}{path}", nome="x", ramal="1", papel="agent").status_code == 404
    assert ana.get(f"/pessoas/agentes/{theirs.id}").status_code == 404


def test_the_last_administrator_cannot_be_locked_demoted_or_removed(ana: Browser, office: Office) -> None:
    post(ana, f"/pessoas/agentes/{found(office, 'bruno').id}", nome="Bruno", ramal="3502", papel="agent")
    mine = f"/pessoas/agentes/{found(office, 'ana').id}"
    for path in ("/bloquear", "/remover", ""):
        answer = post(ana, mine + path, nome="Ana", ramal="3501", papel="agent")
        assert answer.status_code == 409
        assert "only administrator" in answer.text
    assert found(office, "ana").role is Role.ADMINISTRATOR
    assert not found(office, "ana").locked


def test_a_locked_agent_s_session_ends_and_nobody_logs_in_as_it(ana: Browser, browse: Browse, office: Office) -> None:
    bruno = browse()
    bruno.log_in("bruno")
    path = f"/pessoas/agentes/{found(office, 'bruno').id}"
    assert post(ana, f"{path}/bloquear").status_code == 303
    assert bruno.get("/").location == "/login"
    assert bruno.log_in("bruno").status_code == 401
    assert bruno.get("/api/me", headers=basic("bruno")).status_code == 401
    post(ana, f"{path}/desbloquear")
    assert bruno.log_in("bruno").status_code == 303


def test_a_removed_agent_is_gone(ana: Browser, office: Office) -> None:
    assert post(ana, f"/pessoas/agentes/{found(office, 'bruno').id}/remover").status_code == 303
    assert office.directory.agent("acme", "bruno") is None


def test_a_session_is_ended_by_its_owner_or_an_administrator_and_nobody_else(
    ana: Browser, browse: Browse, office: Office, people: AgentChanges
) -> None:
    office.directory.give_role("acme", "bruno", Role.AGENT)
    bruno, elsewhere = browse(), browse()
    bruno.log_in("bruno")
    elsewhere.log_in("bruno")
    sessions = {each.login: each.name for each in people.sessions("acme", 0)}
    assert post(bruno, "/sessoes/encerrar", sessao=sessions["ana"]).status_code == 404
    assert "ana" not in bruno.get("/sessoes").text.partition("<tbody>")[2]
    mine, other = (each.name for each in people.sessions("acme", 0) if each.login == "bruno")
    assert mine in ana.get("/sessoes").text
    for name in (mine, other):
        assert post(ana, "/sessoes/encerrar", sessao=name).status_code == 303
    assert bruno.get("/").location == elsewhere.get("/").location == "/login"


@pytest.fixture
def people(office: Office) -> AgentChanges:
    return AgentChanges(office.engine, office.journal)


@pytest.mark.parametrize("what", ["bloquear", "remover", "senha", "papel", "sessao"])
def test_an_open_stream_ends_at_once_with_what_it_hangs_on(
    ana: Browser, browse: Browse, office: Office, hub: Hub, people: AgentChanges, what: str
) -> None:
    """Also in other processes: the hub sees the change in the database."""
    bruno = browse()
    bruno.log_in("bruno")
    stream = bruno.get("/events", buffered=False)
    frames = iter(stream.response)
    next(frames)
    agent = found(office, "bruno")
    if what == "sessao":
        name = next(each.name for each in people.sessions("acme", 0) if each.login == "bruno")
        post(ana, "/sessoes/encerrar", sessao=name)
    elif what == "papel":
        post(ana, f"/pessoas/agentes/{agent.id}", nome=agent.name, ramal=agent.extension, papel="agent")
    else:
        post(ana, f"/pessoas/agentes/{agent.id}/{what}")
    # Heart-beats come until the hub has seen it; the question that every screen is asked each 5 s would come later.
    assert len(list(frames)) < 20
    assert hub.open_screens() == 0


def test_who_chooses_the_extension_is_asked_for_it_and_leaves_it_with_the_session(
    ana: Browser, browse: Browse, office: Office
) -> None:
    people = AgentChanges(office.engine, office.journal)
    assert people
    bruno_id = found(office, "bruno").id
    post(ana, f"/pessoas/agentes/{bruno_id}", nome="Bruno", ramal="*", papel="agent")
    bruno = browse()
    bruno.log_in("bruno")
    post(bruno, "/ramal", ramal="3502")  # his own, from before it was chosen
    post(bruno, "/logout")
    bruno.log_in("bruno")
    assert bruno.get("/").location == "/ramal"
    held = post(bruno, "/ramal", ramal="3501")
    assert held.status_code == 409
    assert "Ana Martins sits at extension 3501." in held.text
    assert "assumir" not in held.text
    assert post(bruno, "/ramal", ramal="3530").location == "/"
    assert bruno.get("/").status_code == 200
    assert found(office, "bruno").extension == "3530"
    post(bruno, "/logout")
    assert found(office, "bruno").extension == ""


def test_a_seat_that_was_chosen_can_be_taken_over_when_asked_for(ana: Browser, browse: Browse, office: Office) -> None:
    browsers = {}
    for login in ("bia", "caio"):
        first = added(ana, login, ramal="*")
        browsers[login] = browse()
        browsers[login].log_in(login, first)
        form = {"atual": first, "nova": "a-new-password", "outra_vez": "a-new-password"}
        browsers[login].post("/senha", data=form | {"csrf": browsers[login].token("/senha")})
    assert post(browsers["bia"], "/ramal", ramal="3540").status_code == 303
    assert "Bia sits at extension 3540." in post(browsers["caio"], "/ramal", ramal="3540").text
    assert post(browsers["caio"], "/ramal", ramal="3540", assumir="1").status_code == 303
    assert (found(office, "bia").extension, found(office, "caio").extension) == ("", "3540")
    assert browsers["bia"].get("/").location == "/ramal"


def test_who_sat_at_an_extension_before_is_not_seen_by_who_sits_there_now(
    ana: Browser, browse: Browse, office: Office
) -> None:
    first = added(ana, "bia", ramal="*")
    earlier = office.ring("47988887777", "3540", at=1772731231123)
    bia = browse()
    bia.log_in("bia", first)
    form = {"atual": first, "nova": "a-new-password", "outra_vez": "a-new-password"}
    bia.post("/senha", data=form | {"csrf": bia.token("/senha")})
    post(bia, "/ramal", ramal="3540")
    now = office.ring("4733334444", "3540")
    page = bia.get("/ligacoes").text
    assert f"/ligacoes/{now}" in page
    assert f"/ligacoes/{earlier}" not in page


def test_who_has_a_fixed_extension_chooses_none(ana: Browser, office: Office) -> None:
    assert ana.get("/ramal").status_code == 404
    assert post(ana, "/ramal", ramal="3502").status_code == 404
    assert found(office, "ana").extension == "3501"
