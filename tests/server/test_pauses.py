"""What holds the interpreter from all other threads is kept short."""

import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from gateway.server import pauses
from gateway.server.pauses import LongLived, Turns

MANY = 50_000


class Watched:
    """Something whose end can be seen."""

    def __init__(self) -> None:
        self.itself: Watched | None = None


class Clock:
    """Says that each collection took ``each_s``."""

    def __init__(self) -> None:
        self.now = 0.0
        self.each_s = 1.0

    def __call__(self) -> float:
        self.now += self.each_s
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def long_lived(clock: Clock) -> Iterator[LongLived]:
    gc.disable()  # only the test collects
    thresholds = gc.get_threshold()
    found = LongLived(clock=clock)
    found.start()
    yield found
    found.stop()
    gc.set_threshold(*thresholds)
    gc.enable()


def test_what_has_lived_through_a_long_collection_is_not_walked_again(long_lived: LongLived) -> None:
    kept = [[each] for each in range(MANY)]
    gc.collect()
    assert len(gc.get_objects()) < MANY  # those that are walked
    del kept


def test_short_collections_leave_nothing_alone(long_lived: LongLived, clock: Clock) -> None:
    kept = [[each] for each in range(MANY)]
    clock.each_s = pauses.LONG_S / 2
    gc.collect()
    assert len(gc.get_objects()) > MANY
    del kept


def test_collections_of_young_containers_leave_nothing_alone(long_lived: LongLived) -> None:
    kept = [[each] for each in range(MANY)]
    gc.collect(0)
    gc.collect(1)
    assert len(gc.get_objects()) > MANY
    del kept


def test_garbage_among_what_is_left_alone_is_found_when_it_has_become_much(long_lived: LongLived) -> None:
    end = cycle_that_was_left_alone()
    gc.collect()
    assert end() is not None
    kept = [[each] for each in range(2 * gc.get_freeze_count())]
    for _ in range(pauses.COUNT_EVERY):
        gc.collect()
    assert end() is None
    del kept


def test_all_is_left_alone_again_after_it_was_walked(long_lived: LongLived) -> None:
    kept = [[each] for each in range(2 * gc.get_freeze_count())]
    for _ in range(3 * pauses.COUNT_EVERY):
        gc.collect()
    assert len(gc.get_objects()) < len(kept)


def test_full_collections_come_soon(long_lived: LongLived) -> None:
    assert gc.get_threshold()[2] == pauses.SOON


def test_the_young_are_not_walked_often(long_lived: LongLived) -> None:
    assert gc.get_threshold()[0] >= pauses.YOUNG


@pytest.fixture
def as_before() -> Iterator[None]:
    turn_s, thresholds = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(turn_s)
    gc.set_threshold(*thresholds)


def test_turns_are_short_while_there_are_screens(as_before: None) -> None:
    usual_s, screens = sys.getswitchinterval(), iter((0, 1, 3, 0))
    turns = Turns(lambda: next(screens))
    usual, found, young = gc.get_threshold(), [], []
    for _ in range(4):
        turns.look()
        found.append(sys.getswitchinterval())
        young.append(gc.get_threshold()[0])
    assert found == pytest.approx([usual_s, pauses.TURN_S, pauses.TURN_S, usual_s])
    assert young == [usual[0], pauses.WITH_SCREENS[0], pauses.WITH_SCREENS[0], usual[0]]
    assert gc.get_threshold() == usual


def test_a_worker_with_screens_makes_turns_short(as_before: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Turns, "start", Turns.look)
    pauses.shorten(lambda: 1).stop()
    assert sys.getswitchinterval() == pytest.approx(pauses.TURN_S)


def cycle_that_was_left_alone() -> "weakref.ref[Watched]":
    made = Watched()
    made.itself = made
    gc.collect()
    return weakref.ref(made)


def test_long_work_rests_behind_each_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    rests: list[tuple[float, int]] = []
    monkeypatch.setattr(pauses.time, "sleep", lambda seconds: rests.append((seconds, len(done))))
    for each in pauses.in_pieces(range(7), 3):
        done.append(each)
    assert done == [*range(7)]
    assert rests == [(pauses.REST_S, 3), (pauses.REST_S, 6)]
