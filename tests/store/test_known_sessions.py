"""Whose a session is while the database does not answer."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import Engine, event

from gateway.clock import milliseconds
from gateway.errors import DatabaseAway
from gateway.store.directory import Agent, token_hash
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


@contextmanager
def reads(engine: Engine) -> Iterator[list[str]]:
    """The statements that are run within the block."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def test_sessions_of_many_are_looked_up_by_one_query(store: Store) -> None:
    now = milliseconds()
    agent, _ = logged_in(store)
    directory = store.directory
    tokens = [directory.open_session(agent, now, lifetime_ms=LIFETIME_MS) for _ in range(5)]
    with reads(store.engine) as statements, directory.looking_ahead([token_hash(each) for each in tokens]):
        assert [directory.session_agent(each, now + 1) for each in tokens] == [agent] * 5
    assert sum("sessions" in each for each in statements) == 1
    with reads(store.engine) as statements:
        assert directory.session_agent(tokens[0], now + 1) == agent
    assert sum("sessions" in each for each in statements) == 1


def test_what_was_looked_up_ahead_is_no_session_that_would_not_be_one(store: Store) -> None:
    now = milliseconds()
    agent, old = logged_in(store)
    directory = store.directory
    short, future, closed = (
        directory.open_session(agent, at, lifetime_ms=lifetime)
        for at, lifetime in ((now, 60_000), (now + 30 * 3600 * 1000, LIFETIME_MS), (now, LIFETIME_MS))
    )
    program = ProgramSessions(store.engine, store.journal).make(agent.id, "extension", now)
    assert program
    with directory.looking_ahead([token_hash(each) for each in (old, short, future, closed, program, "made up")]):
        directory.close_session(closed)
        found = [directory.session_agent(each, now + 60_001) for each in (old, short, future, closed, program)]
    assert found == [None] * 5


def test_a_session_that_ended_since_it_was_looked_up_ahead_is_over(store: Store) -> None:
    now = milliseconds()
    agent, _ = logged_in(store)
    here, there = store.directory, store.directory
    token = here.open_session(agent, now, lifetime_ms=LIFETIME_MS)
    with here.looking_ahead([token_hash(token)]):
        there.close_session(token)
        here.forget_sessions("acme")
        assert here.session_agent(token, now) is None


def test_a_database_that_is_away_is_asked_once_for_all(store: Store) -> None:
    now = milliseconds()
    agent, _ = logged_in(store)
    directory = store.directory
    token, other = (directory.open_session(agent, now, lifetime_ms=LIFETIME_MS) for _ in range(2))
    assert directory.session_agent(token, now) == agent
    with ExitStack() as stack:
        with away(store.engine):
            stack.enter_context(directory.looking_ahead([token_hash(token), token_hash(other)]))
        with reads(store.engine) as statements:
            assert directory.session_agent(token, now) == agent
            with pytest.raises(DatabaseAway):
                directory.session_agent(other, now)
        assert statements == []
    assert directory.session_agent(other, now) == agent
