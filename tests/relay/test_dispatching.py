"""Which letters go out when: by a clock that the test moves, over a real outbox, without threads."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from gateway.adapter import Adapter, Delivery, Outcome, Outgoing
from gateway.errors import StoreUnavailable
from gateway.relay.dispatcher import Dispatcher, LetterAttempt
from gateway.relay.forward_rules import ForwardRules
from gateway.store import tables
from gateway.store.letters.outbox import Outbox
from gateway.store.letters.stored import Letter
from gateway.texts.text import Text, verbatim
from tests.fakes import FakeAdapter
from tests.store.conftest import (
    T0,
    OpenStore,
    Store,
    deaths_are_seen_at_once,
    end_draft,
    open_store,
    start_draft,
    store,
)

__all__ = ["deaths_are_seen_at_once", "open_store", "store"]

OK = Delivery(Outcome.ACCEPTED, "ok")
NO = Delivery(Outcome.REFUSED, "não")
DOWN = Delivery(Outcome.UNREACHABLE, "fora")
UNCLEAR = Delivery(Outcome.UNKNOWN, "?")
BUSY = Delivery(Outcome.REFUSED, "503", retry_after_s=0)
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@dataclass
class World:
    """An outbox with its dispatcher, and a clock. What is sent is answered at once, or held back."""

    store: Store
    rules: ForwardRules = field(default_factory=ForwardRules)
    answer: Callable[[Outgoing], Delivery] = lambda _: OK
    now: int = T0
    held: bool = False
    sent: list[Outgoing] = field(default_factory=list)
    under_way: list[Letter] = field(default_factory=list)
    adapter: Callable[[], Adapter] = FakeAdapter

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.store.engine, self.store.journal)
        forwards, rules = {("acme", "crm"): self.adapter()}, {("acme", "crm"): self.rules}
        self.dispatcher = Dispatcher(self.outbox, forwards, rules, self._send, clock=self, chance=lambda: 0.5)
        self.dispatcher.begin()

    def __call__(self) -> int:
        return self.now

    def ago(self, ms: int) -> int:
        return self.now - ms

    def _send(self, _adapter: Adapter, letter: Letter, message: Outgoing) -> None:
        self.sent.append(message)
        if self.held:
            self.under_way.append(letter)
        else:
            self.dispatcher.finished(LetterAttempt(letter, self.answer(message)))

    def look(self) -> float:
        """Let the dispatcher do all that is due; the seconds until it wants to look again."""
        while (wait_s := self.dispatcher.look()) == 0:
            pass
        return wait_s

    def run(self, until: int, step_ms: int = 1) -> None:
        """Let time pass up to ``until``, looking whenever the dispatcher wants to, at most each ``step_ms``."""
        while (wait_s := self.look()) * 1000 + self.now < until:
            self.now += max(round(wait_s * 1000), step_ms)
        self.now = until
        self.look()

    def finish(self, delivery: Delivery = OK) -> None:
        letters, self.under_way = self.under_way, []
        for letter in letters:
            self.dispatcher.finished(LetterAttempt(letter, delivery, request="GET /x", answer="HTTP/1.1 200"))
        self.look()

    def start(self, number: str, target: str = "crm", ramal: str = "3501") -> None:
        self.store.journal.write(start_draft(ramal, number, self.now, forwards=(target,)))

    def end(self, number: str, target: str = "crm", ramal: str = "3501") -> None:
        draft = end_draft(ramal, number, self.now)
        self.store.journal.write(type(draft)(draft.message, draft.event, (target,)))

    def told(self) -> list[tuple[str, str]]:
        return [(message.kind.removeprefix("call_"), message.fields["telefone"][-1]) for message in self.sent]

    def states(self) -> list[tuple[str | None, str | None]]:
        with self.store.engine.connect() as connection:
            rows = connection.execute(select(tables.outbox).order_by(tables.outbox.c.id)).all()
        return [(row.state, row.reason) for row in rows]


ONE, TWO, THREE = "4732100001", "4732100002", "4732100003"


def test_events_of_one_call_go_one_after_the_other_and_calls_do_not_wait_for_each_other(store: Store) -> None:
    world = World(store, held=True)
    world.start(ONE)
    world.end(ONE)
    world.start(TWO)
    world.look()
    assert world.told() == [("started", "1"), ("started", "2")]
    world.finish()
    assert world.told()[2:] == [("ended", "1")]


def test_an_end_follows_its_start_even_where_that_is_tried_again(store: Store) -> None:
    world = World(store, answer=lambda message: DOWN if message.kind == "call_started" else OK)
    world.start(ONE)
    world.end(ONE)
    world.run(T0 + 4_000)
    assert world.told() == [("started", "1")]
    world.answer = lambda _: OK
    world.run(T0 + 6_000)
    assert world.told() == [("started", "1"), ("started", "1"), ("ended", "1")]


def test_no_more_than_so_many_are_under_way(store: Store) -> None:
    world = World(store, ForwardRules(parallel=2), held=True)
    for number in (ONE, TWO, THREE):
        world.start(number)
    world.look()
    assert len(world.sent) == 2
    world.finish()
    assert len(world.sent) == 3


def test_a_letter_is_never_sent_by_two_processes(open_store: OpenStore) -> None:
    first, second = World(open_store(), held=True), World(open_store(), held=True)
    first.start(ONE)
    first.look()
    second.now += HOUR
    second.look()
    assert (len(first.sent), len(second.sent)) == (1, 0)


def test_two_processes_keep_to_one_limit_and_to_the_order_of_a_call(open_store: OpenStore) -> None:
    rules = ForwardRules(parallel=2)
    first, second = World(open_store(), rules, held=True), World(open_store(), rules, held=True)
    first.start(ONE)
    first.look()
    first.end(ONE)
    for number in (TWO, THREE):
        first.start(number)
    second.look()
    assert second.told() == [("started", "2")]


def test_a_start_that_comes_late_is_skipped_with_its_reason_and_its_end_delivered(store: Store) -> None:
    world = World(store, answer=lambda _: DOWN)
    world.start(ONE)
    world.end(ONE)
    world.run(T0 + 19_000)
    assert world.states() == [(None, "unreachable"), (None, None)]
    world.run(T0 + 22_000)
    assert world.states()[0] == ("expired", "expired"), "judged when it is due, not at the next attempt"
    world.answer = lambda _: OK
    sent = len(world.sent)
    world.run(T0 + 5 * MINUTE)
    assert world.told()[sent:] == [("ended", "1")]


def test_a_letter_that_was_written_long_ago_is_not_tried_as_fresh(store: Store) -> None:
    world = World(store)
    world.start(ONE)
    world.now += 2 * HOUR
    world.look()
    assert (world.sent, world.states()) == ([], [("expired", "expired")])


def test_an_end_is_given_three_days(store: Store) -> None:
    world = World(store, answer=lambda _: DOWN)
    world.end(ONE)
    world.run(T0 + 3 * DAY - HOUR, 10 * MINUTE)
    assert world.states() == [(None, "unreachable")]
    world.run(T0 + 3 * DAY + 2 * MINUTE, MINUTE)
    assert world.states() == [("expired", "expired")]


def test_a_target_that_wants_late_events_is_told_that_they_are(store: Store) -> None:
    world = World(store, ForwardRules(late=frozenset({"call_started"})), answer=lambda _: DOWN)
    world.start(ONE)
    world.run(T0 + MINUTE)
    world.answer = lambda _: OK
    world.run(T0 + 5 * MINUTE)
    assert [message.fields["late"] for message in (world.sent[0], world.sent[-1])] == ["false", "true"]
    assert world.sent[-1].fields["occurred_at"] == world.sent[0].fields["occurred_at"] != ""
    assert world.states() == [("delivered", None)]


def test_letters_of_before_are_carried_over_in_the_order_of_their_call(store: Store) -> None:
    world = World(store, held=True)
    for number in (ONE, TWO):
        world.start(number)
        world.end(number)
    before = update(tables.outbox).values(order_key=None, waits_since=None, created_at=T0 - HOUR, due_at=T0 - HOUR)
    store.journal.run(lambda connection: connection.execute(before) and None)
    world = World(store, held=True)
    world.look()
    assert world.told() == [("started", "1"), ("started", "2")]
    world.finish()
    assert world.told()[2:] == [("ended", "1"), ("ended", "2")]


@pytest.mark.usefixtures("deaths_are_seen_at_once")
@pytest.mark.parametrize("idempotent", [True, False])
def test_what_was_under_way_when_the_gateway_died_is_sent_again(open_store: OpenStore, idempotent: bool) -> None:
    """Better twice than lost; the log says which may have come twice."""
    rules = ForwardRules(idempotent=idempotent)
    dead, alive = World(open_store(), rules, held=True), World(open_store(), rules)
    dead.end(ONE)
    dead.look()
    dead.store.die()
    with capture_logs() as logged:
        alive.run(T0 + 2_000)
    assert alive.told() == [("ended", "1")]
    assert alive.states() == [("delivered", None)]
    assert [line["event"] for line in logged if "twice" in line["event"]] == (
        [] if idempotent else ["event_may_come_twice"]
    )


def test_what_a_transaction_claimed_that_was_thought_to_have_failed_is_sent(store: Store) -> None:
    world = World(store)
    world.end(ONE)
    with store.engine.begin() as connection:
        connection.execute(update(tables.outbox).values(claimed_by=world.outbox.holder(), due_at=T0 + DAY))
    world.run(T0 + 2_000)
    assert world.states() == [("delivered", None)]


def test_a_refusal_is_a_dead_letter_at_once_with_what_was_sent_and_answered(store: Store) -> None:
    world = World(store, held=True)
    world.end(ONE)
    world.look()
    world.finish(NO)
    with store.engine.connect() as connection:
        row = connection.execute(select(tables.outbox)).one()
    assert (row.state, row.reason, row.outcome, row.detail) == ("dead", "refused", "refused", "não")
    assert (row.request, row.answer, row.attempts, row.claimed_by) == ("GET /x", "HTTP/1.1 200", 1, None)


def test_a_refused_start_does_not_hold_its_end_back(store: Store) -> None:
    world = World(store, answer=lambda message: NO if message.kind == "call_started" else OK)
    world.start(ONE)
    world.end(ONE)
    world.look()
    assert world.states() == [("dead", "refused"), ("delivered", None)]


@pytest.mark.parametrize("idempotent", [True, False])
def test_what_ended_unclear_is_sent_again_only_where_that_does_no_harm(store: Store, idempotent: bool) -> None:
    world = World(store, ForwardRules(idempotent=idempotent), answer=lambda _: UNCLEAR)
    world.end(ONE)
    world.run(T0 + 3_000)
    world.answer = lambda _: OK
    world.run(T0 + MINUTE)
    assert len(world.sent) == (2 if idempotent else 1)
    assert world.states() == [("delivered", None) if idempotent else ("dead", "unknown")]


def test_a_crm_that_restarts_loses_nothing(store: Store) -> None:
    world = World(store, answer=lambda _: BUSY)
    for number in (ONE, TWO, THREE):
        world.end(number)
    world.run(T0 + 10 * MINUTE)
    assert {state for state, _ in world.states()} == {None}
    world.answer = lambda _: OK
    world.run(T0 + 12 * MINUTE)
    assert world.states() == [("delivered", None)] * 3


def test_the_time_that_a_peer_asks_for_is_kept(store: Store) -> None:
    world = World(store, answer=lambda _: Delivery(Outcome.REFUSED, "503", retry_after_s=120))
    world.end(ONE)
    world.run(T0 + 119_000)
    assert len(world.sent) == 1
    world.run(T0 + 3 * MINUTE)
    assert len(world.sent) == 2


def test_a_target_that_is_down_is_tried_now_and_then_and_no_letter_of_its_for_itself(store: Store) -> None:
    world = World(store, answer=lambda _: DOWN)
    for n in range(40):
        world.end(f"47321001{n:02}")
    world.run(T0 + 10 * MINUTE)
    assert 55 <= len(world.sent) <= 120, "at least every ten seconds, and not forty letters each time"
    world.answer = lambda _: OK
    world.run(T0 + 12 * MINUTE)
    assert {state for state, _ in world.states()} == {"delivered"}, "all that waited is due when the target is back"


def test_the_newest_go_beside_the_oldest_while_much_waits(store: Store) -> None:
    world = World(store, ForwardRules(parallel=2), held=True)
    for n in range(40):
        world.end(f"47321001{n:02}")
    world.now += HOUR
    world.look()
    world.start("4732100299")
    for _ in range(3):
        world.finish()
    assert ("started", "9") in world.told()


def test_what_the_target_does_not_want_is_skipped_with_its_reason(store: Store) -> None:
    class Choosy(FakeAdapter):
        def unwanted(self, message: Outgoing) -> Text | None:
            return verbatim("interna") if message.fields["telefone"] == ONE else None

    world = World(store, adapter=Choosy)
    for number in (ONE, TWO):
        world.start(number)
    world.look()
    assert world.states() == [("skipped", "filtered"), ("delivered", None)]


def test_what_came_of_a_letter_is_kept_while_the_database_is_busy(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(store, held=True)
    world.end(ONE)
    world.look()
    with monkeypatch.context() as patch:
        patch.setattr(world.outbox, "turn", busy)
        with pytest.raises(StoreUnavailable):
            world.finish()
    world.run(T0 + 5_000)
    assert (world.states(), len(world.sent)) == ([("delivered", None)], 1)


def busy(*_: object) -> None:
    raise StoreUnavailable
