"""What a site brings is written once, in order, as its company's, by our clock."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, select

from gateway.domain.messages import AgentState, AgentStateChanged, CallEnded, CallStarted, Origin, SourceMark
from gateway.errors import GatewayError, StoreUnavailable, UnknownTenant
from gateway.store import tables
from gateway.store.onsite.arrivals import Arrival, OnsiteArrivals, as_of_site, in_our_time
from gateway.store.onsite.sites import OnsiteSite
from gateway.store.spool.messages import Told, packed
from gateway.store.writing.drafts import AgentStateDraft, EventDraft
from gateway.store.writing.journal import Journal, apply
from gateway.texts.text import Text
from tests.store.conftest import HERE, T0, Store, end_draft, start_draft

SPOOL = "onsite/spool-1"
NOW = T0 + 5_000


def drafted(message: Told) -> EventDraft | AgentStateDraft:
    if isinstance(message, AgentStateChanged):
        return AgentStateDraft(message)
    if message.tenant == "fechada":
        raise UnknownTenant(message.tenant)
    if message.telefone == "4700000000":
        raise GatewayError(Text("cannot be"))
    make = end_draft if isinstance(message, CallEnded) else start_draft
    made = make(message.ramal, message.telefone, message.received_at, tenant=message.tenant)
    if message.telefone == "4799999999":
        return replace(made, event=made.event._replace(event=None))  # type: ignore[arg-type]  # a defect
    return made


def ring(number: str, at: int = T0) -> str:
    return packed(CallStarted("whoever", "3501", number, HERE, at))


def arrivals_of(store: Store, clock: Callable[[], int] = lambda: NOW) -> OnsiteArrivals:
    return OnsiteArrivals(store.journal, drafted, clock)


def numbered(*messages: str, first: int = 1) -> list[Arrival]:
    return [Arrival(turn, T0, message) for turn, message in enumerate(messages, start=first)]


def logged(store: Store) -> Sequence[tuple[str, str]]:
    """Company and number of the events, in their order."""
    events, calls = tables.events.c, tables.calls.c
    query = select(events.tenant, calls.number_as_sent)
    query = query.join_from(tables.events, tables.calls, events.call_id == calls.id).order_by(events.seq)
    with store.engine.connect() as connection:
        return [(row.tenant, row.number_as_sent) for row in connection.execute(query)]


def test_what_comes_again_counts_once_and_the_order_stays(store: Store, site: OnsiteSite) -> None:
    arrivals = arrivals_of(store)
    sent = numbered(*(ring(f"473210000{place}") for place in range(1, 6)))
    assert arrivals.take(site, SPOOL, sent[:3], 0).turn == 3
    assert arrivals.take(site, SPOOL, sent, 0).turn == 5  # the answer to the first was lost
    assert arrivals.take(site, SPOOL, sent[:2], 0).turn == 5
    assert logged(store) == [("acme", f"473210000{place}") for place in range(1, 6)]


def test_a_new_spool_begins_anew_and_a_site_has_its_own(store: Store, site: OnsiteSite) -> None:
    arrivals = arrivals_of(store)
    arrivals.take(site, SPOOL, numbered(ring("4732100001")), 0)
    arrivals.take(site, "onsite/spool-2", numbered(ring("4732100002")), 0)
    arrivals.take(replace(site, name="filial"), SPOOL, numbered(ring("4732100003")), 0)
    assert [number for _tenant, number in logged(store)] == ["4732100001", "4732100002", "4732100003"]


def test_two_requests_with_the_same_events_at_once_count_once(store: Store, site: OnsiteSite) -> None:
    arrivals = arrivals_of(store)
    sent = numbered(*(ring(f"47321000{place:02}") for place in range(1, 31)))
    threads = [threading.Thread(target=arrivals.take, args=(site, SPOOL, sent, 0)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [number for _tenant, number in logged(store)] == [f"47321000{place:02}" for place in range(1, 31)]


def test_what_can_never_be_written_keeps_nothing_else(store: Store, site: OnsiteSite) -> None:
    sent = numbered(ring("4732100001"), "no message", ring("4700000000"), ring("4799999999"), ring("4732100002"))
    taken = arrivals_of(store).take(site, SPOOL, sent, 0)
    assert (taken.turn, sorted(each.turn for each in taken.refused)) == (5, [2, 3, 4])
    assert [number for _tenant, number in logged(store)] == ["4732100001", "4732100002"]


def test_a_database_that_is_away_refuses_nothing_for_good(
    store: Store, site: OnsiteSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: object, **_named: object) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "run", away)
        with pytest.raises(StoreUnavailable):
            arrivals_of(store).take(site, SPOOL, numbered(ring("4732100001")), 0)
    assert arrivals_of(store).take(site, SPOOL, numbered(ring("4732100001")), 0).refused == []
    assert len(logged(store)) == 1


def test_an_event_that_waited_long_is_listed_and_pops_up_no_more(store: Store, site: OnsiteSite) -> None:
    made: list[EventDraft] = []

    arrivals = arrivals_of(store, lambda: T0 + 60_000)
    for at in (T0, T0 + 59_000):
        draft = arrivals._dated(arrivals._draft(site, Arrival(1, at, ring("4732100001", at)), 0))
        assert isinstance(draft, EventDraft)
        made.append(draft)
    assert [(draft.late, draft.event.kept) for draft in made] == [(True, True), (False, False)]


def test_an_event_that_waited_for_the_database_pops_up_no_more(
    store: Store, site: OnsiteSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, run, written = [NOW], Journal.run, list[EventDraft | AgentStateDraft]()

    def waiting(journal: Journal, *arguments: Any, **named: Any) -> Any:
        now[0] += 60_000
        return run(journal, *arguments, **named)

    def keep(connection: Connection, drafts: Sequence[EventDraft | AgentStateDraft], *more: Any) -> None:
        written.extend(drafts)
        apply(connection, drafts, *more)

    monkeypatch.setattr(Journal, "run", waiting)
    monkeypatch.setattr("gateway.store.onsite.arrivals.apply", keep)
    arrivals_of(store, lambda: now[0]).take(site, SPOOL, numbered(ring("4732100001")), 0)
    assert [isinstance(draft, EventDraft) and draft.late for draft in written] == [True]


def test_a_message_is_the_site_s_company_s_whatever_it_says(site: OnsiteSite) -> None:
    mark = SourceMark("pabx", event_id="7", also_known_as=("a",))
    told = CallStarted("other", "3501", "4732100001", Origin("ami", "10.0.0.5:5038", replay_of=3, mark=mark), T0)
    found = as_of_site(told, site)
    assert found.tenant == "acme"
    assert found.origin == Origin("ami", "escritorio: 10.0.0.5:5038", mark=replace(mark, source="escritorio/pabx"))
    plain = as_of_site(replace(told, origin=replace(told.origin, mark=SourceMark(""))), site)
    assert plain.origin.mark == SourceMark("")


HOUR = 3_600_000


@pytest.mark.parametrize(
    ("ahead_ms", "received", "occurred", "expected"),
    [
        (0, T0, None, (T0, None)),
        (1_500, T0, T0, (T0, T0)),  # as far apart as a request takes: the same clock
        (HOUR, T0 + HOUR, None, (T0, None)),
        (HOUR, T0 + HOUR, T0 + HOUR - 500, (T0, T0 - 500)),  # the exchange's clock is as wrong as the site's
        (HOUR, T0 + HOUR, T0 - 500, (T0, T0 - 500)),  # the exchange's is right
        (-HOUR, T0 - HOUR, T0 - HOUR, (T0, T0)),
        (HOUR, T0 + 3 * HOUR, None, (NOW, None)),  # the site's clock was set meanwhile: never after now
    ],
)
def test_moments_of_a_clock_that_differs_become_ours(
    ahead_ms: int, received: int, occurred: int | None, expected: tuple[int, int | None]
) -> None:
    message = CallEnded("acme", "3501", "4732100001", HERE, received, occurred_at=occurred, started_at=occurred)
    found = in_our_time(message, ahead_ms, NOW)
    assert isinstance(found, CallEnded)
    assert (found.received_at, found.occurred_at, found.started_at) == (*expected, expected[1])


def test_agents_states_have_a_clock_too() -> None:
    message = AgentStateChanged("acme", "3501", "ana", AgentState.LOGIN, HERE, T0 + HOUR, T0 + HOUR)
    found = in_our_time(message, HOUR, NOW)
    assert (found.received_at, found.occurred_at) == (T0, T0)


def test_events_of_a_company_that_the_configuration_lacks_stay_at_the_site(store: Store, site: OnsiteSite) -> None:
    arrivals, sent = arrivals_of(store), numbered(ring("4732100001"))
    with pytest.raises(UnknownTenant):
        arrivals.take(replace(site, tenant="fechada"), SPOOL, sent, 0)
    taken = arrivals.take(site, SPOOL, sent, 0)
    assert (taken.turn, taken.refused, logged(store)) == (1, [], [("acme", "4732100001")])
