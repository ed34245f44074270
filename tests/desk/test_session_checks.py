"""Whether screens may stay: looked up for many at once."""

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gateway.desk import session_checks
from gateway.desk.session_checks import MayStay, OpenSession, SessionChecks
from gateway.store.directory import Agent
from gateway.store.known_sessions import KnownSession, SessionKey
from tests.waiting import until

ANA = Agent(1, "acme", "ana", "Ana", "3501")
LONG = 10**15


@dataclass(eq=False)
class Open:
    stay: OpenSession | MayStay
    looked_up: int = 0
    asked_at: float = 0.0
    people_seen: int = 0
    is_over: bool = False


def of(number: int) -> Open:
    return Open(OpenSession((str(number), False), ANA, 0))


class Sessions:
    """A table of sessions; ``asked`` are the numbers of keys of each query."""

    def __init__(self, *numbers: int) -> None:
        self.rows: dict[SessionKey, KnownSession] = {(str(each), False): KnownSession(ANA, LONG) for each in numbers}
        self.asked: list[int] = []
        self.dismissed: list[Open] = []
        self.answers = threading.Event()
        self.answers.set()
        self.checks = SessionChecks[Open](self.read, people=lambda: 7, dismiss=self.dismiss)

    def read(self, keys: Collection[SessionKey]) -> Mapping[SessionKey, KnownSession]:
        self.asked.append(len(keys))
        assert self.answers.wait(60)
        return {key: self.rows[key] for key in keys if key in self.rows}

    def dismiss(self, found: Collection[Open]) -> None:
        self.dismissed += found


def test_many_are_looked_up_by_one_query_and_those_without_a_session_dismissed() -> None:
    sessions = Sessions(*range(99))
    screens = [of(number) for number in range(100)]
    sessions.checks.check(screens, within_s=60)
    assert (sessions.asked, sessions.dismissed) == ([100], [screens[99]])
    assert {each.people_seen for each in screens} == {7}


def test_another_role_and_the_end_of_the_session_end_its_screen() -> None:
    sessions = Sessions(1, 2, 3)
    sessions.rows["1", False] = KnownSession(Agent(1, "acme", "ana", "Ana", "3502"), LONG)
    sessions.rows["2", False] = KnownSession(ANA, int(time.monotonic() * 1000) - 1)
    screens = [of(number) for number in (1, 2, 3)]
    sessions.checks.check(screens, within_s=60)
    assert sessions.dismissed == screens[:2]


def test_nobody_waits_long_or_twice_for_a_database_that_hangs_and_its_late_answer_counts() -> None:
    sessions = Sessions()
    sessions.answers.clear()
    one, two = of(1), of(2)
    began = time.monotonic()
    sessions.checks.check([one], within_s=0.2)
    for _ in range(50):
        sessions.checks.check([one, two], within_s=0.2)
    assert time.monotonic() - began < 5, "each waits"
    assert one.people_seen == 0, "it is not known"
    sessions.answers.set()
    until(lambda: {*sessions.dismissed} == {one, two})
    assert len(sessions.asked) <= 2


def test_a_look_up_that_fails_is_made_again_and_ends_nobody() -> None:
    sessions = Sessions(1)
    failing = [True]

    def may_stay() -> bool:
        if failing:
            raise OSError
        return False

    screens = [Open(may_stay), of(1)]
    sessions.checks.check(screens, within_s=60)
    assert (sessions.dismissed, screens[0].people_seen) == ([], 0)
    failing.clear()
    sessions.checks.check(screens, within_s=60)
    assert sessions.dismissed == [screens[0]]


def test_a_query_is_of_bounded_size() -> None:
    sessions = Sessions(*range(500))
    sessions.checks.check([of(number) for number in range(500)], within_s=60)
    assert max(sessions.asked) <= session_checks.AT_ONCE
    assert sum(sessions.asked) == 500


def test_those_that_nobody_doubts_are_looked_up_together() -> None:
    sessions = Sessions(*range(100))
    screens = [of(number) for number in range(100)]
    for screen in screens:
        sessions.checks.ask([screen], within_s=60)
    assert sessions.asked == []
    sessions.checks.check(screens[:1], within_s=60)
    assert sessions.asked == [100]


def test_those_that_nobody_doubts_do_not_wait_for_ever() -> None:
    sessions = Sessions(*range(session_checks.AT_ONCE))
    sessions.checks.ask([of(1)], within_s=0.05)
    until(lambda: sessions.asked == [1])
    sessions.checks.ask([of(number) for number in range(session_checks.AT_ONCE)], within_s=60)
    until(lambda: sessions.asked == [1, session_checks.AT_ONCE])


def test_whoever_is_doubted_does_not_wait_with_those_who_are_not() -> None:
    sessions = Sessions(1, 2)
    with sessions.checks._changed:  # both, before either is looked up
        sessions.checks.ask([of(1)])
        sessions.checks.ask([of(2)], within_s=600)
    until(lambda: sessions.asked == [2])
