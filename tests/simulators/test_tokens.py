"""What appliances give out lives as long as they say."""

import pytest

from gateway.simulators import tokens
from gateway.simulators.tokens import Tokens


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(tokens, "monotonic", lambda: now[0])
    return now


def test_a_token_lives_from_when_it_was_given(clock):
    given = Tokens(60)
    token = given.give()
    clock[0] += 59
    assert given.knows(token)
    clock[0] += 1
    assert not given.knows(token)
    assert len(given) == 0


def test_a_renewed_token_lives_from_when_it_was_last_used(clock):
    given = Tokens(60, renewed=True)
    token = given.give("sid1")
    for _ in range(3):
        clock[0] += 59
        assert given.knows("sid1")
    clock[0] += 60
    assert not given.knows(token)


def test_a_token_may_have_a_life_of_its_own(clock):
    given = Tokens()
    short, long = given.give(life_s=1), given.give()
    clock[0] += 10**9
    assert (given.knows(short), given.knows(long)) == (False, True)


def test_the_oldest_makes_room():
    given = Tokens()
    first, *others = [given.give() for _ in range(tokens.KEPT + 1)]
    assert not given.knows(first)
    assert all(given.knows(each) for each in others)


def test_tokens_end_one_by_one_or_all_at_once():
    given = Tokens()
    one, two, three = (given.give() for _ in range(3))
    given.end(one)
    given.end("never given")
    assert [given.knows(each) for each in (one, two, three, "")] == [False, True, True, False]
    given.clear()
    assert not given.knows(two)
