"""What goes into the journal, and what into the node's spool: never both, never neither."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import GatewayError, InternalError, QueueFull, Stopping, StoreUnavailable, StoreUnclear
from gateway.store.spool.file import Spool, SpoolRoom
from gateway.store.spool.messages import unpacked
from gateway.store.spool.spooling import KEPT, SpoolingWriter
from gateway.store.writing.drafts import EventDraft, OrderDraft, Recorded
from gateway.store.writing.tickets import Ticket
from tests.store.conftest import HERE, PLAN, T0, PlaceCall, read, start_draft
from tests.waiting import until

STORED = Recorded(7, 70)


class Lane:
    """Stands for a journal whose database is away: what is handed in lies here until the test says what comes of it."""

    patience_s = 0.5

    def __init__(self) -> None:
        self.tickets: list[Ticket[Any, Any]] = []
        self.orders: list[OrderDraft] = []
        self.refuses: GatewayError | None = None

    def submit(self, draft: EventDraft) -> Ticket[Any, Any]:
        if self.refuses:
            raise self.refuses
        self.tickets.append(Ticket(draft))
        return self.tickets[-1]

    def write(self, draft: OrderDraft, *, within_s: float | None = None) -> Recorded:
        raise StoreUnavailable


@pytest.fixture
def lane() -> Lane:
    return Lane()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    found = Spool(tmp_path, "n1", SpoolRoom(10_000_000, 3_600_000))
    yield found
    found.close()


@pytest.fixture
def writer(lane: Lane, spool: Spool) -> SpoolingWriter:
    return SpoolingWriter(lane, spool, after_s=0.1)  # type: ignore[arg-type]


def numbers(spool: Spool) -> list[str]:
    return [unpacked(each.message).telefone for each in spool.next(100)]  # type: ignore[union-attr]


def test_what_the_journal_writes_in_time_is_not_kept(lane: Lane, spool: Spool, writer: SpoolingWriter) -> None:
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(writer.write, start_draft("3501", "1"))
        until(lambda: lane.tickets)
        assert lane.tickets[0].claim()
        lane.tickets[0].settle(STORED)
        assert told.result(5) == STORED
    assert not spool.is_occupied()
    assert writer.is_quiet()


def test_an_event_that_nobody_took_is_kept_and_can_never_be_written_as_well(
    lane: Lane, spool: Spool, writer: SpoolingWriter
) -> None:
    assert writer.write(start_draft("3501", "1")) == KEPT
    assert not lane.tickets[0].claim()
    assert numbers(spool) == ["1"]
    assert writer.is_quiet()


def test_behind_what_is_kept_everything_is_kept_and_nothing_asked_of_the_journal(
    lane: Lane, spool: Spool, writer: SpoolingWriter
) -> None:
    for number in ("1", "2", "3"):
        assert writer.write(start_draft("3501", number)) == KEPT
    assert len(lane.tickets) == 1
    assert numbers(spool) == ["1", "2", "3"]


def test_what_a_transaction_has_taken_is_unclear_and_not_kept(lane: Lane, spool: Spool, writer: SpoolingWriter) -> None:
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(writer.write, start_draft("3501", "1"))
        until(lambda: lane.tickets)
        assert lane.tickets[0].claim()
        with pytest.raises(StoreUnclear):
            told.result(5)
    assert not spool.is_occupied()


def test_what_a_transaction_has_given_back_is_kept(lane: Lane, spool: Spool, writer: SpoolingWriter) -> None:
    lane.patience_s = 20
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(writer.write, start_draft("3501", "1"))
        until(lambda: lane.tickets)
        assert lane.tickets[0].claim()
        threading.Timer(0.3, lane.tickets[0].let_go).start()
        assert told.result(5) == KEPT
    assert numbers(spool) == ["1"]


def test_those_behind_the_first_that_waits_too_long_are_kept_with_it_in_their_order(lane: Lane, spool: Spool) -> None:
    """The first has been taken by a transaction; none of those behind it may be written before it is known of it."""
    writer = SpoolingWriter(lane, spool, after_s=0.2)  # type: ignore[arg-type]
    lane.patience_s = 20
    told: list[Future[Recorded]] = []
    with ThreadPoolExecutor(6) as pool:
        for number in range(6):
            told.append(pool.submit(writer.write, start_draft("3501", str(number))))
            until(lambda number=number: len(lane.tickets) == number + 1)  # type: ignore[misc]
        assert lane.tickets[0].claim()
        assert [each.result(5) for each in told[1:]] == [KEPT] * 5
        lane.tickets[0].settle(STORED)
        assert told[0].result(5) == STORED
    assert numbers(spool) == ["1", "2", "3", "4", "5"]


def test_the_newest_is_taken_back_first(lane: Lane, spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SpoolingWriter(lane, spool, after_s=0.2)  # type: ignore[arg-type]
    claimed: list[str] = []
    claim = Ticket.claim

    def noted(ticket: Ticket[Any, Any]) -> bool:
        if ticket in lane.tickets:
            claimed.append(ticket.job.message.telefone)
        return claim(ticket)

    monkeypatch.setattr(Ticket, "claim", noted)
    with ThreadPoolExecutor(3) as pool:
        told = []
        for number in range(3):
            told.append(pool.submit(writer.write, start_draft("3501", str(number))))
            until(lambda number=number: len(lane.tickets) == number + 1)  # type: ignore[misc]
        assert [each.result(5) for each in told] == [KEPT] * 3
    assert claimed[:3] == ["2", "1", "0"]


@pytest.mark.parametrize("error", [QueueFull(5), StoreUnavailable()], ids=["queue", "database"])
def test_what_the_journal_surely_does_not_take_is_kept(
    lane: Lane, spool: Spool, writer: SpoolingWriter, error: GatewayError
) -> None:
    if isinstance(error, QueueFull):
        lane.refuses = error
        assert writer.write(start_draft("3501", "1")) == KEPT
    else:
        with ThreadPoolExecutor(1) as pool:
            told = pool.submit(writer.write, start_draft("3501", "1"))
            until(lambda: lane.tickets)
            assert lane.tickets[0].claim()
            lane.tickets[0].settle(error)
            assert told.result(5) == KEPT
    assert numbers(spool) == ["1"]


@pytest.mark.parametrize("error", [Stopping(), InternalError("write-1")])
def test_other_errors_are_the_sender_s(lane: Lane, spool: Spool, writer: SpoolingWriter, error: GatewayError) -> None:
    lane.refuses = error
    with pytest.raises(type(error)):
        writer.write(start_draft("3501", "1"))
    assert not spool.is_occupied()


def test_an_order_is_never_kept(spool: Spool, writer: SpoolingWriter) -> None:
    message = PlaceCall("acme", "3501", "4732100123", HERE, T0)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            writer.write(OrderDraft(message, "3501", "pbx", "04732100123", read("4732100123", PLAN)))
        assert writer.write(start_draft("3501", "1")) == KEPT


def test_a_full_spool_refuses_all_that_would_have_been_kept(lane: Lane, tmp_path: Path) -> None:
    spool = Spool(tmp_path, "n1", SpoolRoom(1, 3_600_000))
    try:
        with pytest.raises(StoreUnavailable):
            SpoolingWriter(lane, spool, after_s=0.05).write(start_draft("3501", "1"))  # type: ignore[arg-type]
        assert not spool.is_occupied()
        assert not lane.tickets[0].claim()  # refused: it must not be written after all
    finally:
        spool.close()
