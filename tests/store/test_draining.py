"""The node's spool is emptied into the database: each event once, in order, whatever goes wrong in between."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from gateway.errors import StoreUnavailable, StoreUnclear, UnknownTenant
from gateway.store import tables
from gateway.store.spool import draining
from gateway.store.spool.draining import SpoolDrain
from gateway.store.spool.file import Kept, Spool, SpoolRoom
from gateway.store.spool.messages import Told, packed
from gateway.store.writing.drafts import AgentStateDraft, EventDraft
from tests.store.conftest import T0, Store, end_draft, start_draft
from tests.waiting import until

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.parametrize("open_store", ["postgresql"], indirect=True),
]


def drafted(message: Told) -> EventDraft | AgentStateDraft:
    if message.tenant == "gone":
        raise UnknownTenant(message.tenant)
    make = end_draft if type(message).__name__ == "CallEnded" else start_draft
    return make(message.ramal, message.telefone, message.received_at, tenant=message.tenant)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    (tmp_path / "data").mkdir(exist_ok=True)
    found = Spool(tmp_path / "data", "n1", SpoolRoom(10_000_000, 3_600_000))
    yield found
    found.close()


def drain_of(store: Store, spool: Spool, now: int = T0 + 1000) -> SpoolDrain:
    return SpoolDrain(store.journal, spool, store.data, drafted, now_ms=lambda: now)


def keep(spool: Spool, *drafts: EventDraft) -> None:
    for draft in drafts:
        spool.keep([Kept(spool.place(), draft.message.received_at, packed(draft.message))])


def logged(store: Store, tenant: str = "acme") -> list[str]:
    """Return kind and number of the company's events, in their order."""
    events, calls = tables.events.c, tables.calls.c
    query = select(events.kind, calls.number_as_sent).join_from(tables.events, tables.calls, events.call_id == calls.id)
    with store.engine.connect() as connection:
        found = connection.execute(query.where(events.tenant == tenant).order_by(events.seq)).all()
    return [f"{kind} {number}" for kind, number in found]


def test_what_was_kept_is_written_once_in_its_order_and_numbered_without_gaps(store: Store, spool: Spool) -> None:
    store.start("3501", "4732100001")
    keep(spool, *(start_draft("3501", f"473210000{place}", T0 + place) for place in range(2, 6)))
    keep(spool, start_draft("3501", "4732100009", tenant="beta"), end_draft("3501", "4732100002", T0 + 500))
    drain = drain_of(store, spool)
    assert (drain.drain(), drain.drain()) == (6, 0)
    starts = [f"call_started 473210000{place}" for place in range(1, 6)]
    assert logged(store) == [*starts, "call_ended 4732100002"]
    assert logged(store, "beta") == ["call_started 4732100009"]
    assert store.events.newest("acme").seq == 6
    assert not spool.is_occupied()


@pytest.mark.acceptance(14)
def test_a_drain_that_dies_after_its_commit_is_not_repeated(
    store: Store, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(spool, start_draft("3501", "4732100001"), start_draft("3502", "4732100002"))
    with monkeypatch.context() as dying:
        dying.setattr(spool, "forget", _die)
        with pytest.raises(KeyboardInterrupt):
            drain_of(store, spool).drain()
    keep(spool, start_draft("3503", "4732100003"))
    again = drain_of(store, spool)
    while again.drain():
        pass
    assert logged(store) == [f"call_started 473210000{place}" for place in (1, 2, 3)]


@pytest.mark.control(14)
def test_without_the_database_s_count_it_would_be_repeated(
    store: Store, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a count that starts anew has everything written twice."""
    keep(spool, start_draft("3501", "4732100001"))
    monkeypatch.setattr(spool, "forget", lambda _turn: None)
    drain_of(store, spool).drain()
    store.journal.run(lambda connection: connection.execute(text("UPDATE writers SET spooled = 0")), lock="test")
    drain_of(store, spool).drain()
    assert logged(store) == ["call_started 4732100001"] * 2


@pytest.mark.parametrize("error", [StoreUnavailable, StoreUnclear])
def test_what_the_database_does_not_take_now_is_tried_again(
    store: Store, spool: Spool, monkeypatch: pytest.MonkeyPatch, error: type[StoreUnavailable]
) -> None:
    keep(spool, start_draft("3501", "4732100001"))
    drain = drain_of(store, spool)
    with monkeypatch.context() as away:
        away.setattr(store.journal, "run", _raising(error))
        with pytest.raises(error):
            drain.drain()
    assert spool.waiting() == 1
    assert drain.drain() == 1
    assert logged(store) == ["call_started 4732100001"]


def test_one_that_the_database_refuses_is_put_aside_and_the_others_are_written(
    store: Store, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = draining.apply

    def picky(connection: Connection, drafts: list[EventDraft], *more: object) -> list[object]:
        if any(draft.message.telefone == "4732100002" for draft in drafts):
            connection.execute(text("SELECT 1 / 0"))
        return apply(connection, drafts, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(draining, "apply", picky)
    keep(spool, *(start_draft("3501", f"473210000{place}", T0 + place) for place in (1, 2, 3)))
    drain = drain_of(store, spool)
    while drain.drain():
        pass
    assert logged(store) == ["call_started 4732100001", "call_started 4732100003"]
    assert (spool.waiting(), spool.refused()) == (0, 1)


def test_what_nobody_can_read_any_more_or_is_of_no_company_is_put_aside(store: Store, spool: Spool) -> None:
    spool.keep([Kept(spool.place(), T0, '["Unheard", {}]')])
    keep(spool, start_draft("3501", "4732100001", tenant="gone"), start_draft("3501", "4732100002"))
    drain_of(store, spool).drain()
    assert logged(store) == ["call_started 4732100002"]
    assert (spool.waiting(), spool.refused()) == (0, 2)


@pytest.mark.parametrize(("after_ms", "late"), [(15_000, None), (15_001, True)])
def test_events_older_than_fifteen_seconds_say_that_they_are_late(
    store: Store, spool: Spool, after_ms: int, late: bool | None
) -> None:
    keep(spool, start_draft("3501", "4732100001"))
    drain_of(store, spool, T0 + after_ms).drain()
    (event,) = store.events.after(0)
    assert event.told.get("late") is late


def test_how_late_they_are_is_seen_when_the_database_is_back(
    store: Store, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction that writes them is asked for as soon as they are kept, and waits for the database."""
    now = [T0 + 1000]
    run = store.journal.run

    def wait_and_run(*given: Any, **named: Any) -> Any:
        now[0] = T0 + 60_000
        return run(*given, **named)

    monkeypatch.setattr(store.journal, "run", wait_and_run)
    keep(spool, start_draft("3501", "4732100001"))
    SpoolDrain(store.journal, spool, store.data, drafted, now_ms=lambda: now[0]).drain()
    (event,) = store.events.after(0)
    assert event.told["late"] is True


def test_one_process_of_a_node_drains_and_another_when_it_has_ended(store: Store, spool: Spool) -> None:
    first, second = drain_of(store, spool), drain_of(store, spool)
    assert first._has_lock()
    assert not second._has_lock()
    first.stop()
    assert second._has_lock()
    second.stop()


def test_it_drains_by_itself_once_nothing_older_is_under_way(store: Store, spool: Spool) -> None:
    is_quiet: list[bool] = []
    drain = SpoolDrain(store.journal, spool, store.data, drafted, is_quiet=lambda: bool(is_quiet))
    keep(spool, start_draft("3501", "4732100001"))
    drain.start()
    try:
        until(lambda: drain._thread.is_alive())
        assert spool.waiting() == 1
        is_quiet.append(True)
        until(lambda: not spool.is_occupied())
    finally:
        drain.stop()
    assert logged(store) == ["call_started 4732100001"]


def _die(_turn: int) -> None:
    raise KeyboardInterrupt


def _raising(error: type[StoreUnavailable]) -> Callable[..., object]:
    def run(*_: object, **__: object) -> object:
        raise error

    return run
