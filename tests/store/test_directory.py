"""Agents and their sessions."""

from gateway.store.directory import Agent
from tests.store.conftest import T0, Store

ANA = Agent(0, "acme", "ana", "Ana", "3501")
HOUR_MS = 3_600_000


def test_a_session_belongs_to_its_agent_until_it_is_over(store: Store) -> None:
    store.directory.save_agent(ANA, "hash", T0)
    (ana,) = store.directory.agents("acme")
    token = store.directory.open_session(ana, T0, lifetime_ms=HOUR_MS)
    assert store.directory.session_agent(token, T0 + HOUR_MS - 1) == ana
    assert store.directory.session_agent(token, T0 + HOUR_MS) is None
    assert store.directory.session_agent("forged", T0) is None


def test_a_session_of_a_clock_that_was_years_ahead_is_over_and_one_of_an_hour_ahead_is_not(store: Store) -> None:
    ana = Agent(0, "acme", "ana", "Ana", "3501")
    store.directory.save_agent(ana, "hash", T0)
    (ana,) = store.directory.agents("acme")
    token = store.directory.open_session(ana, T0, lifetime_ms=HOUR_MS)
    assert store.directory.session_agent(token, T0 - HOUR_MS) == ana
    assert store.directory.session_agent(token, T0 - 365 * 24 * HOUR_MS) is None


def test_a_new_password_ends_all_sessions_of_the_agent(store: Store) -> None:
    store.directory.save_agent(ANA, "hash", T0)
    (ana,) = store.directory.agents("acme")
    token = store.directory.open_session(ana, T0, lifetime_ms=HOUR_MS)
    store.directory.save_agent(ANA, "another hash", T0 + 1)
    assert store.directory.session_agent(token, T0 + 2) is None


def test_the_same_login_in_two_companies_is_two_people(store: Store) -> None:
    for tenant in ("acme", "beta"):
        store.directory.save_agent(Agent(0, tenant, "ana", f"Ana of {tenant}", "3501"), "hash", T0)
    assert [agent.name for agent in store.directory.agents("beta")] == ["Ana of beta"]


def test_a_session_s_cookie_is_not_stored(store: Store) -> None:
    store.directory.save_agent(ANA, "hash", T0)
    (ana,) = store.directory.agents("acme")
    token = store.directory.open_session(ana, T0, lifetime_ms=HOUR_MS)
    assert token.encode() not in b"".join(path.read_bytes() for path in store.data.iterdir())
