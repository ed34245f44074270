"""One address waits for its own calls only, and nothing that waits is forgotten."""

import asyncio
import threading

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
        loop = asyncio.get_running_loop()
        settling = Settling(loop)
        waiting = [loop.create_future() for _ in range(2000)]

        def put(start: int) -> None:
            for at in range(start, 2000, 4):
                settling.put(waiting[at], at)

        threads = [threading.Thread(target=put, args=(start,)) for start in range(4)]
        for thread in threads:
            thread.start()
        return list(await asyncio.wait_for(asyncio.gather(*waiting), 20))

    assert asyncio.run(run()) == list(range(2000))
