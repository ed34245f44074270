"""What hostile requests cost at most: processor time and memory, however fast the machine is and whatever it does
beside."""

import gc
import tracemalloc

import pytest

from gateway.wire.http import Front
from tests.fuzz.entrances import PATHS, knock_at
from tests.fuzz.hostile import BOMBS, knock_of
from tests.fuzz.wire import seeds, wires_of
from tests.loops import loops
from tests.wire.peers import RecordingCore, make_front
from tests.wire.test_fuzz_properties import FOUND

MOST_LOOPS = 20
"""A request may cost as much processor time as so many small loops: about 50 ms on a usual machine of 2023."""
MOST_BYTES = 16 * 1024 * 1024
MOST_LEFT = 512 * 1024


@pytest.fixture(scope="module")
def entrance() -> Front:
    """One with the default settings: bodies of a megabyte are let in."""
    return make_front(RecordingCore())


def wire_of(knock: bytes) -> str:
    (wire, *_) = (wire for wire in PATHS if knock.split(b" ", 2)[1].decode() in PATHS[wire])
    return wire


def least_loops(entrance: Front, wire: str, knock: bytes) -> float:
    return loops(lambda: knock_at(entrance, wire, knock).cpu_s, most=MOST_LOOPS)


@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_request_costs_no_more_than_20_small_loops(entrance: Front, name: str) -> None:
    knock = knock_of(name)
    assert least_loops(entrance, wire_of(knock), knock) < MOST_LOOPS


def test_nor_does_any_broken_request_that_was_ever_found_nor_any_real_one(entrance: Front) -> None:
    known = [*FOUND.values(), *((wire, seed) for seed in seeds() for wire in wires_of(seed, tuple(PATHS)))]
    slow = [knock[:80] for wire, knock in known if least_loops(entrance, wire, knock) >= MOST_LOOPS]
    assert not slow


def test_a_hostile_request_takes_no_more_than_16_megabytes_and_leaves_none_behind(entrance: Front) -> None:
    knocks = {name: knock_of(name) for name in BOMBS}
    for knock in knocks.values():
        knock_at(entrance, wire_of(knock), knock)
    gc.collect()
    tracemalloc.start()
    try:
        peaks = {name: peak_bytes(entrance, knock) for name, knock in knocks.items()}
        gc.collect()
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert {name: peak for name, peak in peaks.items() if peak > MOST_BYTES} == {}
    assert left < MOST_LEFT


def peak_bytes(entrance: Front, knock: bytes) -> int:
    """How much more than before was held at once, the request's own bytes included."""
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    knock_at(entrance, wire_of(knock), knock)
    return tracemalloc.get_traced_memory()[1] - before
