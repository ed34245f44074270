"""Functions that run on the event loop's thread and wait there as if they were on threads of their own."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from greenlet import getcurrent
from sqlalchemy import Connection, create_engine, event
from structlog.testing import capture_logs

from gateway.errors import StoreUnavailable, StoreUnclear
from gateway.server import loop_runs
from gateway.server.loop_runs import LoopRuns, off_loop, wait_of
from gateway.store.spool.file import Kept, Spool, SpoolRoom
from gateway.store.writing.tickets import Ticket
from gateway.store.writing.writer import GroupCommit


class Pool:
    """Does jobs on threads, each at once, and notes whose they were and how many are done."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.taken_back: list[str] = []

    def give_away(self, client: str, job: Callable[[], None]) -> None:
        self.given.append(client)
        threading.Thread(target=job, daemon=True).start()

    def runs(self) -> LoopRuns:
        return LoopRuns(asyncio.get_running_loop(), self.give_away, self.taken_back.append)


async def done(runs: LoopRuns, *works: Callable[[], Any]) -> list[Any]:
    """Run all ``works`` side by side; return what each returned or raised."""
    found: list[Any] = [None] * len(works)

    def keep(place: int, work: Callable[[], Any]) -> None:
        try:
            found[place] = work()
        except Exception as error:
            found[place] = error

    overs = [runs.begin(lambda place=place, work=work: keep(place, work), "a") for place, work in enumerate(works)]  # type: ignore[misc]
    await asyncio.wait_for(asyncio.gather(*filter(None, overs)), 60)
    return found


def test_what_does_not_wait_is_done_at_once() -> None:
    async def run() -> list[object]:
        return [Pool().runs().begin(lambda: None, "a"), threading.get_ident()]

    assert asyncio.run(run())[0] is None


def test_a_run_that_waits_for_a_ticket_lets_others_go_on_and_has_its_result() -> None:
    async def run() -> list[Any]:
        runs, ticket = Pool().runs(), []

        def waiting() -> str:
            ticket.append(Ticket[str, str]("job", wait=wait_of()))
            return ticket[0].result(60)

        return await done(runs, waiting, lambda: ticket[0].settle("written") or "settled")

    assert asyncio.run(run()) == ["written", "settled"]


def test_a_run_waits_no_longer_than_it_wants_to_and_a_late_result_wakes_nobody() -> None:
    async def run() -> list[Any]:
        runs, late = Pool().runs(), []

        def waiting() -> str:
            ticket: Ticket[str, str] = Ticket("job", wait=wait_of())
            late.append(ticket)
            with pytest.raises(TimeoutError):
                ticket.result(0.01)
            ticket.settle("too late")
            other: Ticket[str, str] = Ticket("job", wait=wait_of())
            threading.Timer(0.05, other.settle, ["in time"]).start()
            return other.result(60)

        return await done(runs, waiting)

    assert asyncio.run(run()) == ["in time"]


def test_what_is_known_already_and_who_has_no_time_is_not_waited_for() -> None:
    async def run() -> list[object]:
        runs, told = Pool().runs(), []

        def settled() -> None:
            ticket: Ticket[str, str] = Ticket("job", wait=wait_of())
            ticket.settle("written")
            told.append(ticket.result(60))

        def hurried() -> None:
            with pytest.raises(TimeoutError):
                Ticket[str, str]("job", wait=wait_of()).result(0)
            told.append("no time")

        return [runs.begin(settled, "a"), runs.begin(hurried, "a"), told]

    assert asyncio.run(run()) == [None, None, ["written", "no time"]]


def test_the_stack_of_a_run_that_is_done_is_used_again() -> None:
    """A new one for each request costs more than all the rest of a run."""

    async def run() -> list[object]:
        runs, ticket, stacks = Pool().runs(), [], []

        def waiting() -> None:
            stacks.append(getcurrent())
            ticket.append(Ticket[str, str]("job", wait=wait_of()))
            ticket[-1].result(60)

        for _ in range(3):
            await done(runs, waiting, lambda: ticket[-1].settle("written"))
        return stacks

    assert len(set(map(id, asyncio.run(run())))) == 1


def test_a_run_goes_on_to_its_end_where_nobody_waits_for_that_any_more() -> None:
    async def run() -> tuple[list[str], list[object]]:
        runs, tickets, told, wrong = Pool().runs(), [], [], []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: wrong.append(context))

        def waiting() -> None:
            tickets.append(Ticket[str, str]("job", wait=wait_of()))
            told.append(tickets[-1].result(60))

        left = runs.begin(waiting, "a")
        assert left
        left.cancel()
        await done(runs, waiting, lambda: [ticket.settle("written") for ticket in tickets])
        return told, wrong

    assert asyncio.run(run()) == (["written", "written"], [])


def test_work_that_may_block_is_done_on_a_thread_in_the_turn_of_its_client() -> None:
    async def run() -> tuple[list[Any], Pool, int]:
        pool = Pool()
        found = await done(pool.runs(), lambda: off_loop(threading.get_ident), lambda: off_loop(_fail), lambda: 3)
        return found, pool, threading.get_ident()

    (thread, failed, quick), pool, loop_s = asyncio.run(run())
    assert thread != loop_s
    assert (str(failed), quick) == ("on purpose", 3)
    assert pool.given == pool.taken_back == ["a", "a"]


def _fail() -> None:
    raise ValueError("on purpose")


def test_elsewhere_work_is_done_by_who_asks_for_it() -> None:
    assert off_loop(threading.get_ident) == threading.get_ident()


def test_a_batch_wakes_the_loop_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    begun = threading.Event()

    def apply(connection: Connection, jobs: Sequence[str]) -> list[str]:
        assert begun.wait(60)
        return [job.upper() for job in jobs]

    async def run() -> tuple[list[Any], int]:
        runs, writer = Pool().runs(), GroupCommit(create_engine(f"sqlite:///{tmp_path}/x.db"), apply, wait_of=wait_of)
        loop = asyncio.get_running_loop()
        rung: list[object] = []
        soon = loop.call_soon_threadsafe
        monkeypatch.setattr(
            loop, "call_soon_threadsafe", lambda *call, **named: rung.append(call) or soon(*call, **named)
        )  # type: ignore[func-returns-value]
        writer.start()
        works = [lambda number=number: writer.write(f"job {number}") for number in range(20)]  # type: ignore[misc]
        asking = asyncio.create_task(done(runs, *works))
        await asyncio.sleep(0)
        begun.set()
        found = await asking
        await asyncio.to_thread(writer.stop)
        return found, sum(call == (runs._go_on,) for call in rung)

    found, rung = asyncio.run(run())
    assert found == [f"JOB {number}" for number in range(20)]
    assert 1 <= rung <= 2  # the first job is a batch of its own


def test_nobody_on_the_loop_writes_a_transaction(tmp_path: Path) -> None:
    wrote: set[str] = set()

    def apply(connection: Connection, jobs: Sequence[str]) -> list[str]:
        wrote.add(threading.current_thread().name)
        return list(jobs)

    async def run() -> list[Any]:
        writer = GroupCommit(create_engine(f"sqlite:///{tmp_path}/x.db"), apply, wait_of=wait_of)
        writer.start()
        found = await done(Pool().runs(), lambda: writer.write("a"))
        await asyncio.to_thread(writer.stop)
        return found

    assert asyncio.run(run()) == ["a"]
    assert wrote == {"writer"}


@pytest.mark.parametrize(("takes_it", "error"), [(False, StoreUnavailable), (True, StoreUnclear)])
def test_a_disk_that_does_not_answer_ends_the_wait(tmp_path: Path, takes_it: bool, error: type[Exception]) -> None:
    release, taken = threading.Event(), threading.Event()

    def apply(connection: Connection, jobs: Sequence[str]) -> list[str]:
        taken.set()
        assert release.wait(60)
        return list(jobs)

    async def run() -> list[Any]:
        writer = GroupCommit(create_engine(f"sqlite:///{tmp_path}/x.db"), apply, wait_of=wait_of)
        writer.start()
        runs = Pool().runs()
        if not takes_it:
            writer.submit("before")
            assert taken.wait(60)
        found = await done(runs, lambda: writer.write("a", timeout_s=0.2))
        release.set()
        await asyncio.to_thread(writer.stop)
        return found

    assert isinstance(asyncio.run(run())[0], error)


def test_a_defect_is_logged_and_ends_its_own_run_only() -> None:
    async def run() -> list[Any]:
        runs = Pool().runs()
        assert runs.begin(_fail, "a") is None
        return await done(runs, lambda: "next")

    with capture_logs() as logs:
        assert asyncio.run(run()) == ["next"]
    assert [entry["event"] for entry in logs] == ["request_job_failed"]


def test_many_that_arrive_at_once_leave_turns_to_other_callbacks_of_the_loop() -> None:
    async def run() -> list[int]:
        runs, tickets, went_on = Pool().runs(), [], []

        def waiting() -> None:
            tickets.append(Ticket[str, str]("job", wait=wait_of()))
            went_on.append(tickets[-1].result(60))

        asking = asyncio.create_task(done(runs, *[waiting] * (2 * loop_runs.MOST_AT_ONCE)))
        await asyncio.sleep(0)
        for ticket in tickets:
            ticket.settle("written")
        await asyncio.sleep(0)
        seen = len(went_on)
        await asking
        return [seen, len(went_on)]

    seen, all_of_them = asyncio.run(run())
    assert 0 < seen <= loop_runs.MOST_AT_ONCE < all_of_them == 2 * loop_runs.MOST_AT_ONCE


def test_many_whose_time_is_over_at_once_leave_turns_to_others_too() -> None:
    """A disk that hung lets them all go at the same moment."""

    async def run() -> tuple[list[int], list[Any]]:
        runs, went_on, seen = Pool().runs(), [0], []

        def waiting() -> None:
            with pytest.raises(TimeoutError):
                Ticket[str, str]("job", wait=wait_of()).result(0.01)
            went_on[0] += 1

        async def watch() -> None:
            while went_on[0] < 3 * loop_runs.MOST_AT_ONCE:
                seen.append(went_on[0])
                await asyncio.sleep(0)

        watching = asyncio.create_task(watch())
        found = await done(runs, *[waiting] * (3 * loop_runs.MOST_AT_ONCE))
        await watching
        return seen, found

    seen, found = asyncio.run(run())
    assert found == [None] * (3 * loop_runs.MOST_AT_ONCE)
    turns = sorted(set(seen))
    assert len(turns) >= 3
    assert max(later - before for before, later in pairwise(turns)) <= loop_runs.MOST_AT_ONCE


def test_a_run_that_keeps_an_event_in_the_spool_writes_it_on_another_thread(tmp_path: Path) -> None:
    wrote: list[int] = []
    spool = Spool(tmp_path, "n1", SpoolRoom(10_000_000, 60_000), wait_of=wait_of)
    event.listen(spool._engine, "commit", lambda _connection: wrote.append(threading.get_ident()))

    async def run() -> list[Any]:
        runs = Pool().runs()
        return await done(runs, lambda: spool.keep([Kept(1, 0, "a")]), lambda: spool.keep([Kept(2, 0, "b")]))

    assert asyncio.run(run()) == [None, None]
    assert (spool.waiting(), threading.get_ident() in wrote, bool(wrote)) == (2, False, True)
    spool.close()
