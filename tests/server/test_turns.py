"""One address waits for its own calls only, and nothing that waits is forgotten."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from gateway.server.settling import Settling
from gateway.server.turns import CallTurns, Job


def test_calls_beyond_an_address_s_share_wait_and_those_of_others_go_first() -> None:
    ran: list[str] = []

    def job(name: str) -> Job:
        return lambda: ran.append(name)

    turns = CallTurns(2, lambda each: each())
    for name in ("a1", "a2", "a3", "a4"):
        turns.bring("a", job(name))
    turns.bring("b", job("b1"))
    assert ran == ["a1", "a2", "b1"]
    for client in ("a", "a", "b", "a", "a"):
        turns.done(client)
    assert ran == ["a1", "a2", "b1", "a3", "a4"]
    assert (turns._busy, turns._waiting) == ({}, {})  # strangers cannot fill the memory


def test_results_of_many_threads_all_arrive() -> None:
    async def run() -> list[int]:
        came: list[int] = []
        settling = Settling(asyncio.get_running_loop(), lambda _: None, came.append, lambda at: at % 3 == 0)

        def put(start: int) -> None:
            for at in range(start, 2000, 4):
                settling.put(at)

        threads = [threading.Thread(target=put, args=(start,)) for start in range(4)]
        for thread in threads:
            settling.finish_soon()
            thread.start()
        await asyncio.wait_for(until(lambda: len(came) == 2000), 20)
        return sorted(came)

    assert asyncio.run(run()) == list(range(2000))


@pytest.mark.parametrize(
    ("will_look", "is_awaited", "wakes"), [(False, False, True), (True, False, False), (True, True, True)]
)
def test_the_loop_is_woken_for_what_is_awaited_or_would_not_be_looked_at(
    will_look: bool, is_awaited: bool, wakes: bool
) -> None:
    async def run() -> list[int]:
        taken: list[int] = []
        came: list[int] = []
        loop = Loop()
        settling: Settling[int] = Settling(loop, taken.append, came.append, lambda _: is_awaited)  # type: ignore[arg-type]
        if will_look:
            settling.finish_soon()
        for at in range(3):
            settling.put(at)
        assert len(loop.woken) == wakes
        settling.look()
        assert (taken, came) == ([0, 1, 2], [])
        for each in (*loop.woken, *loop.later):
            each()
        settling.put(3)  # nobody looks any more
        assert len(loop.woken) == wakes + 1
        return came

    assert asyncio.run(run()) == [0, 1, 2]


class Loop:
    """Keeps what an event loop would call."""

    def __init__(self) -> None:
        self.woken: list[Job] = []
        self.later: list[Job] = []

    def call_soon_threadsafe(self, job: Job) -> None:
        self.woken.append(job)

    def call_later(self, _seconds: float, job: Job) -> None:
        self.later.append(job)


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await asyncio.sleep(0.001)
