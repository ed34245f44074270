"""Figures of a period are counted by interval, person and queue, on each kind of database."""

from gateway.domain.calls.scope import CallScope
from gateway.store.figures.counting import Figures
from gateway.store.figures.log import FiguresLog
from tests.store.conftest import T0, Store

HOUR = 3_600_000
ANA = "4732100123"


def taken(store: Store, extension: str, at: int, **more: object) -> None:
    store.start(extension, ANA, at, **more)
    store.answer(extension, ANA, at + 10_000)
    store.end(extension, ANA, at + 40_000)


def test_calls_are_counted_by_interval_person_and_queue(store: Store) -> None:
    taken(store, "3501", T0, queue="Vendas")
    taken(store, "3502", T0 + HOUR)
    found = FiguresLog(store.engine).of("acme", [T0, T0 + HOUR, T0 + 2 * HOUR])
    one = Figures(received=1, answered=1, waits=1, waited_s=10, longest_s=10, talked_s=30)
    assert found.intervals == [one, one]
    assert found.people == {"3501": one, "3502": one}
    assert found.queues == {"Vendas": one}


def test_one_interval_is_counted_as_several_are(store: Store) -> None:
    taken(store, "3501", T0)
    (found,) = FiguresLog(store.engine).of("acme", [T0, T0 + HOUR]).intervals
    assert (found.received, found.talked_s) == (1, 30)


def test_who_may_not_see_all_calls_counts_only_those(store: Store) -> None:
    taken(store, "3501", T0)
    taken(store, "3502", T0 + HOUR)
    mine = CallScope(everything=False, login="ana", seat="3501")
    found = FiguresLog(store.engine).of("acme", [T0, T0 + HOUR, T0 + 2 * HOUR], mine)
    assert [each.received for each in found.intervals] == [1, 0]
