"""The desk while its database does not answer."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from sqlalchemy import event

from gateway.errors import DatabaseAway
from tests.desk.conftest import Browser, Office
from tests.desk.test_pages import words

Browse = Callable[..., Browser]
Away = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def away(office: Office) -> Away:
    """Has nobody who reads find a database, for the length of a block."""

    def refuse(_connection: object) -> None:
        raise DatabaseAway

    @contextmanager
    def begin() -> Iterator[None]:
        event.listen(office.engine, "engine_connect", refuse)
        yield
        event.remove(office.engine, "engine_connect", refuse)

    return begin


def test_people_get_a_page_in_their_language_that_says_when_to_come_back(ana: Browser, away: Away) -> None:
    with away():
        for language, title in (
            ("pt-BR", "O banco de dados não responde"),
            ("en", "The database does not answer"),
            ("es", "La base de datos no responde"),
        ):
            for path in ("/", "/ligacoes", "/perdidas"):
                answer = ana.get(path, headers={"Accept-Language": language})
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
                assert title in words(answer.text)
    assert ana.get("/").status_code == 200, "whoever was logged in still is"


def test_nobody_logs_in_meanwhile(browse: Browse, away: Away) -> None:
    stranger = browse()
    token = stranger.token("/login")
    with away():
        answer = stranger.post("/login", data={"usuario": "ana", "senha": "segredo-123", "csrf": token})
    assert answer.status_code == 503
    assert "Set-Cookie" not in answer.headers


def test_programs_get_the_reason_as_json(ana: Browser, away: Away) -> None:
    with away():
        answer = ana.get("/api/calls", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json is not None
    assert (answer.json["code"], answer.json["message"]) == (424, "the database does not answer.")
