"""A CRM that is down for three days, then slow, then refuses every tenth event: by a simulated clock, over a real
outbox, with two gateway processes on it.
"""

import random
from collections import defaultdict
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from gateway.adapter import Adapter, Delivery, Outcome, Outgoing
from gateway.relay.dispatcher import Dispatcher, LetterAttempt
from gateway.relay.forward_rules import ForwardRules
from gateway.store import tables
from gateway.store.letters.outbox import Outbox
from gateway.store.letters.stored import Letter
from tests.fakes import FakeAdapter
from tests.store.conftest import T0, OpenStore, Store, end_draft, open_store, start_draft

__all__ = ["open_store"]

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
DOWN_UNTIL = T0 + 3 * DAY
SLOW_UNTIL = DOWN_UNTIL + 2 * HOUR
PARALLEL = 4
SLOW_MS = 40 * SECOND


@dataclass
class Crm:
    """The CRM: what it took, when, and what it refused."""

    taken: list[tuple[int, str, str]] = field(default_factory=list)
    refused: set[tuple[str, str]] = field(default_factory=set)
    asked: int = 0

    def answer(self, message: Outgoing, now: int) -> tuple[int, Delivery]:
        """Return how long the answer takes, and the answer."""
        if now < DOWN_UNTIL:
            return 50, Delivery(Outcome.UNREACHABLE, "fora")
        call = message.fields["telefone"]
        self.asked += 1
        if now >= SLOW_UNTIL and self.asked % 10 == 0:
            self.refused.add((message.kind, call))
            return 50, Delivery(Outcome.REFUSED, "não")
        self.taken.append((now, message.kind, call))
        return SLOW_MS if now < SLOW_UNTIL else 50, Delivery(Outcome.ACCEPTED, "ok")


class Good:
    """A CRM that always works, to see that nobody waits for the other."""

    def __init__(self) -> None:
        self.delays: list[int] = []

    def answer(self, message: Outgoing, now: int) -> tuple[int, Delivery]:
        self.delays.append(now - int(message.fields["nome"] or now))
        return 50, Delivery(Outcome.ACCEPTED, "ok")


class Process:
    """One gateway process: a dispatcher whose letters come back after the time that the CRM takes."""

    def __init__(self, office: "Office", store: Store) -> None:
        self._office = office
        self.pending: list[tuple[int, LetterAttempt]] = []
        forwards: dict[tuple[str, str], Adapter] = {("acme", name): FakeAdapter() for name in office.peers}
        rules = dict.fromkeys(forwards, ForwardRules(parallel=PARALLEL, expires_ms={"call_started": 20_000, **LONG}))
        outbox = Outbox(store.engine, store.journal)
        self.dispatcher = Dispatcher(outbox, forwards, rules, self._send, clock=office, chance=random.Random(7).random)
        self.dispatcher.begin()

    def _send(self, _adapter: Adapter, letter: Letter, message: Outgoing) -> None:
        call = (letter.target, message.fields["call_id"])
        assert call not in self._office.under_way, "events of one call go one after the other"
        self._office.under_way.add(call)
        took, delivery = self._office.peers[letter.target].answer(message, self._office.now)
        self.pending.append((self._office.now + took, LetterAttempt(letter, delivery)))

    def step(self) -> None:
        """Hand in what has come back, and let the dispatcher do all that is due."""
        back = [attempt for at, attempt in self.pending if at <= self._office.now]
        self.pending = [(at, attempt) for at, attempt in self.pending if at > self._office.now]
        for attempt in back:
            self._office.under_way.remove((attempt.letter.target, attempt.letter.fields["call_id"]))
            self.dispatcher.finished(attempt)
        while self.dispatcher.look() == 0:
            pass


LONG: dict[str, int | None] = {"call_ended": 4 * DAY}


class Office:
    """The clock, the CRMs and the processes."""

    def __init__(self, open_store: OpenStore) -> None:
        self.now = T0
        self.crm, self.good = Crm(), Good()
        self.peers: dict[str, Crm | Good] = {"crm": self.crm, "good": self.good}
        self.under_way: set[tuple[str, str]] = set()
        stores = [open_store(), open_store()]
        self.store = stores[0]
        self.processes = [Process(self, store) for store in stores]

    def __call__(self) -> int:
        return self.now

    def ago(self, ms: int) -> int:
        return self.now - ms

    def call(self, number: str) -> None:
        both = ("crm", "good")
        start = start_draft("3501", number, self.now, forwards=both, caller_name=str(self.now))
        self.store.journal.write(start)
        self.pass_by(0)
        self.pass_by(2 * SECOND)
        draft = end_draft("3501", number, self.now, caller_name=str(self.now))
        self.store.journal.write(type(draft)(draft.message, draft.event, both))
        self.pass_by(0)

    def pass_by(self, ms: int, step_ms: int = SECOND) -> None:
        """Let time pass, the processes working at each step; with 0 they are only told of what was written."""
        until = self.now + ms
        while True:
            self.now = min(self.now + (step_ms if ms else 0), until)
            for process in self.processes:
                process.step()
            if self.now >= until:
                break


@pytest.fixture
def office(open_store: OpenStore) -> Office:
    return Office(open_store)


def test_a_crm_that_is_down_slow_and_choosy_ends_with_everything_told_or_explained(office: Office) -> None:
    numbers = [f"47321{n:05}" for n in range(32)]
    for number in numbers[:12]:
        office.call(number)
        office.pass_by(5 * HOUR, step_ms=HOUR)
    office.pass_by(DOWN_UNTIL - office.now, step_ms=HOUR)
    office.pass_by(6 * MINUTE, step_ms=20 * SECOND)
    for number in numbers[12:18]:
        office.call(number)
        office.pass_by(2 * MINUTE, step_ms=20 * SECOND)
    office.pass_by(SLOW_UNTIL - office.now, step_ms=10 * MINUTE)
    for number in numbers[18:]:
        office.call(number)
        office.pass_by(10 * SECOND, step_ms=5 * SECOND)
    office.pass_by(HOUR, step_ms=10 * MINUTE)
    check(office, numbers)


def check(office: Office, numbers: list[str]) -> None:
    told: dict[str, list[str]] = defaultdict(list)
    for _at, kind, number in office.crm.taken:
        told[number].append(kind)
    refused = {number for kind, number in office.crm.refused if kind == "call_ended"}
    for number in numbers:
        ends = told[number].count("call_ended")
        assert ends == (0 if number in refused else 1), f"{number}: every end once"
        assert told[number] == sorted(told[number], reverse=True), f"{number}: the start goes before the end"
    started = {number: at for at, kind, number in office.crm.taken if kind == "call_started"}
    with office.store.engine.connect() as connection:
        letters = connection.execute(select(tables.outbox).where(tables.outbox.c.target == "crm")).all()
    written = {row.id: row for row in letters}
    assert len(written) == 2 * len(numbers)
    for row in letters:
        number = next(number for number in numbers if number in row.body)
        if (row.kind, number) in office.crm.refused:
            assert (row.state, row.reason) == ("dead", "refused")
        elif row.state == "expired":
            assert (row.kind, row.reason) == ("call_started", "expired")
        else:
            assert row.state == "delivered", (row.kind, row.state)
            if row.kind == "call_started":
                assert started[number] - row.created_at <= 21 * SECOND, "no start is delivered late as fresh"
    assert office.crm.refused, "the CRM refused some"
    assert max(office.good.delays) <= 2 * SECOND, "nobody waits for another CRM"
    assert len(office.good.delays) == 2 * len(numbers)
