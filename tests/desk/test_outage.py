"""The desk while its database does not answer."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from unittest.mock import Mock

import pytest
from sqlalchemy import event

from gateway.desk.hub import Hub
from gateway.desk.screens import Screen
from gateway.errors import DatabaseAway
from gateway.store.reading.following import SqliteFollower
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


@pytest.mark.sqlite("PostgreSQL's follower has a connection of its own: tests/cluster/test_outage.py")
def test_open_screens_stay_and_say_that_calls_come_late(
    open_hub: Callable[..., Hub], office: Office, away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = open_hub(heartbeat_s=0.05).subscribe("acme", "3501")
    with away(), monkeypatch.context() as follower:
        follower.setattr(SqliteFollower, "version", Mock(side_effect=sqlite3.OperationalError("disk I/O error")))
        assert told_of(screen, b'data: {"delayed":true}')
    office.ring()
    assert told_of(screen, b"event: call_started")
    assert told_of(screen, b"event: pulse\ndata: {}")


def told_of(screen: Screen, words: bytes) -> bool:
    """Return whether ``screen`` is sent ``words`` within a minute."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        if words in next(screen):
            return True
    return False
