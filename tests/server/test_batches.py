"""Requests that are served together on one thread, also when the database hangs."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.server import batches
from gateway.server.batches import AT_ONCE, MOST_BATCHES, CallBatches
from gateway.server.calls import Answered

Environ = dict[str, Any]


@dataclass
class Openings:
    """All requests are meant; how many each look-up was for. ``fails`` says whether looking up raises."""

    asked: list[int] = field(default_factory=list)
    fails: bool = False

    def is_meant(self, _environ: Environ) -> bool:
        return True

    @contextmanager
    def ahead(self, environs: Sequence[Environ]) -> Iterator[None]:
        self.asked.append(len(environs))
        if self.fails:
            raise ValueError("segredo")
        yield


@dataclass
class Desk:
    """An application that answers with the path, and waits at ``/slow`` until it is let go."""

    go: threading.Event = field(default_factory=threading.Event)
    is_stuck: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            self.is_stuck.set()
            assert self.go.wait(60)
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode()]


def bring(served: CallBatches, path: str) -> "asyncio.Future[Answered]":
    over: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
    served.bring({"PATH_INFO": path, "REQUEST_METHOD": "GET"}, over)
    return over


async def bodies(found: Sequence["asyncio.Future[Answered]"]) -> list[Any]:
    return [each.body for each in await asyncio.wait_for(asyncio.gather(*found), 60)]


def test_many_that_come_at_once_share_look_ups_and_each_gets_its_own_answer() -> None:
    openings, count = Openings(), 3 * AT_ONCE

    async def run() -> list[Any]:
        served = CallBatches(Desk(), openings, asyncio.get_running_loop())
        return await bodies([bring(served, f"/{number}") for number in range(count)])

    assert asyncio.run(run()) == [f"/{number}".encode() for number in range(count)]
    assert sum(openings.asked) == count
    assert max(openings.asked) == AT_ONCE
    assert len(openings.asked) <= 4


def test_one_that_hangs_keeps_nobody_waiting_but_those_of_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SLOW_S", 0.02)
    desk = Desk()

    async def run() -> tuple[list[Any], list[Any]]:
        served = CallBatches(desk, Openings(), asyncio.get_running_loop())
        slow = bring(served, "/slow")
        others = await bodies([bring(served, f"/{number}") for number in range(2 * AT_ONCE)])
        desk.go.set()
        return others, await bodies([slow])

    assert asyncio.run(run()) == ([f"/{number}".encode() for number in range(2 * AT_ONCE)], [b"/slow"])


def test_what_a_slow_batch_has_not_begun_is_served_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SLOW_S", 0.02)
    desk, openings, now = Desk(), Openings(), [0.0]
    paths = ["/slow", *(f"/{number}" for number in range(AT_ONCE + 2))]

    async def run() -> list[Any]:
        served = CallBatches(desk, openings, asyncio.get_running_loop(), lambda: now[0])
        first = bring(served, "/first")
        rest = [bring(served, path) for path in paths]
        await bodies([first])
        assert await asyncio.to_thread(desk.is_stuck.wait, 60)
        now[0] = 1.0
        await bodies(rest[AT_ONCE:])
        assert not any(each.done() for each in rest[:AT_ONCE])
        desk.go.set()
        return await bodies(rest)

    assert asyncio.run(run()) == [path.encode() for path in paths]
    assert openings.asked == [1, AT_ONCE, 3, AT_ONCE - 1]


def test_a_look_up_that_fails_is_a_defect_and_no_hanging_request() -> None:
    async def run() -> list[int]:
        served = CallBatches(Desk(), Openings(fails=True), asyncio.get_running_loop())
        found = await asyncio.wait_for(asyncio.gather(*(bring(served, f"/{number}") for number in range(3))), 60)
        assert not any(b"segredo" in each.body for each in found if isinstance(each.body, bytes))
        return [each.status for each in found]

    assert asyncio.run(run()) == [500, 500, 500]


def test_a_database_that_hangs_has_no_more_batches_than_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SLOW_S", 0.01)
    desk, openings, count = Desk(), Openings(), (MOST_BATCHES + 2) * AT_ONCE

    async def run() -> list[Any]:
        served = CallBatches(desk, openings, asyncio.get_running_loop())
        found = [bring(served, "/slow") for _ in range(count)]
        while len(openings.asked) < MOST_BATCHES:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)  # ten times as long as until one more would begin
        assert len(served._waiting) >= count - MOST_BATCHES * AT_ONCE, "what has not begun can be given to nobody else"
        desk.go.set()
        return await bodies(found)

    assert asyncio.run(run()) == [b"/slow"] * count
