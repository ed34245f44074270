"""Whose a session is while the database does not answer."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from gateway.errors import DatabaseAway
from gateway.store.directory import Agent
from gateway.store.known_sessions import KNOWN_FOR_S, MOST, KnownSession, KnownSessions
from gateway.store.program_sessions import ProgramSessions
from tests.store.conftest import T0, Store

LIFETIME_MS = 12 * 3600 * 1000
ANA = Agent(1, "acme", "ana", "Ana", "3501")


@contextmanager
def away(engine: Engine) -> Iterator[None]:
    """Nobody who reads finds a database for the length of the block."""

    def refuse(_connection: object) -> None:
        raise DatabaseAway

    event.listen(engine, "engine_connect", refuse)
    yield
    event.remove(engine, "engine_connect", refuse)


def logged_in(store: Store) -> tuple[Agent, str]:
    store.directory.save_agent(Agent(0, "acme", "ana", "Ana", "3501"), "hash", T0)
    agent = store.directory.agent("acme", "ana")
    assert agent
    return agent, store.directory.open_session(agent, T0, lifetime_ms=LIFETIME_MS)


def test_a_session_goes_on_that_was_good_and_no_other(store: Store) -> None:
    agent, token = logged_in(store)
    program = ProgramSessions(store.engine, store.journal).make(agent.id, "extension", T0)
    other = store.directory.open_session(agent, T0, lifetime_ms=LIFETIME_MS)
    directory = store.directory
    assert program
    assert directory.session_agent(token, T0) == agent
    assert directory.session_agent(program, T0, of_program=True) == agent
    with away(store.engine):
        assert directory.session_agent(token, T0 + 1) == agent
        assert directory.session_agent(program, T0 + 1, of_program=True) == agent
        for unknown, of_program in ((other, False), (token, True), (program, False)):
            with pytest.raises(DatabaseAway):
                directory.session_agent(unknown, T0 + 1, of_program=of_program)
        with pytest.raises(DatabaseAway):
            directory.session_agent(token, T0 + LIFETIME_MS)


def test_what_another_process_ended_is_over_at_once(store: Store) -> None:
    """While the database answers it is asked each time."""
    agent, token = logged_in(store)
    here, there = store.directory, store.directory
    assert here.session_agent(token, T0) == agent
    there.close_session(token)
    assert here.session_agent(token, T0 + 1) is None
    with away(store.engine), pytest.raises(DatabaseAway):
        here.session_agent(token, T0 + 2)


@pytest.mark.parametrize("tenant", ["acme", ""])
def test_a_change_of_people_makes_it_forget(store: Store, tenant: str) -> None:
    _, token = logged_in(store)
    directory = store.directory
    directory.session_agent(token, T0)
    directory.forget_sessions("rival")
    with away(store.engine):
        assert directory.session_agent(token, T0)
        directory.forget_sessions(tenant)
        with pytest.raises(DatabaseAway):
            directory.session_agent(token, T0)


def test_what_was_looked_up_before_a_change_is_not_remembered_behind_it() -> None:
    known, session = KnownSessions(), KnownSession(ANA, T0)
    asked = known.ask()
    known.forget("rival")
    known.note(("hash", False), session, asked)
    assert known.agent(("hash", False), T0 - 1) is None
    known.note(("hash", False), session, known.ask())
    assert known.agent(("hash", False), T0 - 1) == ANA


def test_it_knows_for_a_while_and_not_more_than_it_may() -> None:
    now = [0.0]
    known = KnownSessions(lambda: now[0])
    for number in range(MOST + 1):
        known.note((str(number), False), KnownSession(ANA, T0), known.ask())
    assert known.agent(("0", False), 0) is None
    assert known.agent(("1", False), 0) == ANA
    now[0] = KNOWN_FOR_S + 1
    assert known.agent(("1", False), 0) is None
