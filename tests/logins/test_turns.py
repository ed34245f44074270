"""How many logins may be under way, and how long a refusal takes."""

import threading
import time
from contextlib import ExitStack

import pytest

from gateway.errors import LoginsBusy
from gateway.logins.turns import RESERVED, Alike, LoginTurns, Pace


def busy(turns: LoginTurns, address: str, *, known: bool = False) -> bool:
    try:
        with turns.of(address, known=known):
            return False
    except LoginsBusy:
        return True


def test_one_address_has_one_turn_and_a_bounded_queue() -> None:
    turns = LoginTurns(of_address=3, patience_s=20)
    began: list[int] = []
    with turns.of("a", known=False):
        waiting = [threading.Thread(target=lambda: began.append(busy(turns, "a"))) for _ in range(2)]
        for thread in waiting:
            thread.start()
        while turns._inside["a"] < 3:
            time.sleep(0.005)
        assert busy(turns, "a"), "beyond its share it is told at once"
        assert not busy(turns, "b"), "nobody else waits for it"
        assert began == []
    for thread in waiting:
        thread.join(20)
    assert began == [False, False]
    assert not turns._inside


def test_places_are_bounded_and_some_are_kept_for_those_who_were_here_before() -> None:
    turns = LoginTurns(inside=2)
    with ExitStack() as held:
        for number in range(2):
            held.enter_context(turns.of(str(number), known=False))
        assert busy(turns, "stranger")
        for number in range(RESERVED):
            held.enter_context(turns.of(f"known {number}", known=True))
        assert busy(turns, "one more", known=True)


def test_patience_ends() -> None:
    turns = LoginTurns(patience_s=0.01)
    with turns.of("a", known=False):
        assert busy(turns, "a")
    with turns.hashing(), turns.hashing(), pytest.raises(LoginsBusy), turns.hashing():
        raise AssertionError("no third one")


def test_who_tries_the_same_waits_for_the_first_and_of_many_only_some() -> None:
    alike = Alike(waiting=2, patience_s=20)
    began: list[int] = []

    def follow(number: int) -> None:
        with alike.after_first(b"a"):
            began.append(number)

    with alike.after_first(b"a"):
        waiting = [threading.Thread(target=follow, args=(number,)) for number in range(2)]
        for thread in waiting:
            thread.start()
        while alike._places._value:  # type: ignore[attr-defined]
            time.sleep(0.005)
        follow(2)
        with alike.after_first(b"b"):
            assert began == [2], "beyond the places nobody waits, nor for another's"
    for thread in waiting:
        thread.join(20)
    assert sorted(began) == [0, 1, 2]
    assert not alike._firsts
    assert not busy_alike(Alike(patience_s=0.01))


def busy_alike(alike: Alike) -> bool:
    """Whether somebody is still waiting although the first one never ends."""
    with alike.after_first(b"a"), alike.after_first(b"a"):
        return False


def test_a_refusal_takes_as_long_as_a_hashing_whether_one_was_done_or_not() -> None:
    slept: list[float] = []
    pace = Pace(least_s=0.5, sleep=slept.append)
    pace.refuse(time.monotonic())
    pace._usual_s = 0.6
    pace.refuse(time.monotonic())
    pace.refuse(time.monotonic() - 30)
    assert [round(each, 1) for each in slept] == [0.5, 0.9]


def test_what_hashing_takes_is_learned_quickly_and_forgotten_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 0.4, 1.0, 1.0])
    monkeypatch.setattr("gateway.logins.turns.time.monotonic", lambda: next(now))
    pace = Pace(least_s=0.1)
    with pace.measured():
        pass
    assert pace._usual_s == pytest.approx(0.4)
    with pace.measured():
        pass
    assert pace._usual_s == pytest.approx(0.36)
