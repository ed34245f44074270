"""Which letters go out next: one look at the outbox after the other, without threads and without waiting.

What an attempt came to is handed in by ``finished`` from any thread; ``look`` settles it, judges what has expired and
claims what is due, all in one transaction, and hands the letters to ``send``. Adapters only speak their protocol.
"""

import queue
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog
from prometheus_client import Counter, Histogram

from gateway.adapter import Adapter, Delivery, Outgoing, unwanted
from gateway.clock import Clock
from gateway.domain.event_fields import EVENT_KINDS
from gateway.relay.forward_rules import ForwardRules
from gateway.relay.health_book import HealthBook
from gateway.relay.schedule import wait_ms
from gateway.relay.verdicts import verdict_on
from gateway.store.calls import iso
from gateway.store.letters.outbox import Outbox
from gateway.store.letters.stored import ClaimRequest, Letter, LetterReason, LetterResult, LetterState
from gateway.store.shared.contract import Shared
from gateway.texts.text import Text

log = structlog.get_logger()

Key = tuple[str, str]
"""Tenant and target."""

IDLE_MS = 5_000
"""After so long a target is looked at without a reason."""
SWEEP_MS = 1_000
"""How often it is looked for letters that have expired, or whose sender died."""
SWEEP_ALL_MS = 60_000
"""How often for those that are worth delivering for long."""
MOST_RESULTS = 500
"""Of expired letters so many are settled in one transaction."""
FULL_MS = 250
"""After so long a target is looked at again whose places other processes hold."""

_LABELS = ["tenant", "target"]
GIVEN_UP = Counter("cti_forwards_given_up_total", "Events that a forward did not take, given up", _LABELS)
ATTEMPTS = Counter("cti_forwards_total", "Attempts to tell a forward of an event", [*_LABELS, "outcome"])
SECONDS = Histogram("cti_forward_seconds", "Duration of one attempt to tell a forward of an event", _LABELS)
DELAY = Histogram("cti_forward_delay_seconds", "From an event to its first attempt at a forward", _LABELS)

EXPIRED = Text("It was not delivered within its time and is no news any more.")
AGAIN = Text("The gateway stopped while this was under way; it is sent again.")
NOT_SENT = Text("Nothing was sent; it is tried again.")
FROM_THE_FUTURE = Text("The clock was set back; it is tried again.")


@dataclass(frozen=True, slots=True)
class LetterAttempt:
    """What came of sending a letter; ``request`` and ``answer`` are the last ones, masked, where it failed."""

    letter: Letter
    delivery: Delivery
    took_s: float = 0.0
    request: str | None = None
    answer: str | None = None


@dataclass
class _Target:
    """One forward, as this process treats it just now."""

    adapter: Adapter
    rules: ForwardRules
    under_way: int = 0
    look_at: int = 0
    waits: bool = True
    newest: bool = True


class Dispatcher:
    """Decides what is sent. ``look`` is called by one thread, ``finished`` by any."""

    def __init__(
        self,
        outbox: Outbox,
        forwards: Mapping[Key, Adapter],
        rules: Mapping[Key, ForwardRules],
        send: Callable[[Adapter, Letter, Outgoing], None],
        *,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
        shared: Shared | None = None,
    ) -> None:
        self._outbox = outbox
        self._clock = clock or Clock()
        self._chance = chance
        self._send = send
        self.health = HealthBook(forwards, shared, self._clock, chance=chance)
        self._targets = {key: _Target(adapter, rules.get(key, ForwardRules())) for key, adapter in forwards.items()}
        for key in forwards:
            for metric in (GIVEN_UP, SECONDS, DELAY):
                metric.labels(*key)
        self._finished: queue.SimpleQueue[LetterAttempt] = queue.SimpleQueue()
        self._results: list[LetterResult] = []
        self._recovered: list[Key] = []
        self._newest = 0
        self._swept_at = self._swept_all_at = 0
        self._held: set[int] = set()

    def begin(self) -> None:
        """Give what waits from before its place. Raises ``BusyError``."""
        self._newest = self._outbox.newest()
        while self._outbox.carry_over(self._clock()):
            pass

    def finished(self, attempt: LetterAttempt) -> None:
        """Hand in what came of a letter that ``send`` was given."""
        self._finished.put(attempt)

    def look(self) -> float:
        """Do all that is due; return the seconds until there is something to look at again. Raises ``BusyError``;
        nothing is lost then, and the next look goes on.
        """
        now = self._clock()
        self._take_finished(now)
        if len(self._results) < MOST_RESULTS and not 0 <= now - self._swept_at < SWEEP_MS:
            self._swept_at = now
            self._sweep(now)
        self._hear_news(now)
        wanted = [request for key, target in self._targets.items() if (request := self._wanted(key, target, now))]
        if self._results or wanted:
            self._take_turn(wanted, now)
        next_at = min((target.look_at for target in self._targets.values()), default=now + IDLE_MS)
        return 0 if self._results else max(0, min(next_at, self._swept_at + SWEEP_MS) - now) / 1000

    def settle(self) -> None:
        """Write down what came of the letters that were sent; claim none. Raises ``BusyError``."""
        now = self._clock()
        self._take_finished(now)
        if self._results:
            self._take_turn((), now)

    # what came of letters

    def _take_finished(self, now: int) -> None:
        while not self._finished.empty():
            attempt = self._finished.get()
            target = self._targets[attempt.letter.key]
            target.under_way -= 1
            target.look_at = now
            self._results.append(self._judged(attempt, target, now))

    def _judged(self, attempt: LetterAttempt, target: _Target, now: int) -> LetterResult:
        letter, delivery = attempt.letter, attempt.delivery
        verdict = verdict_on(delivery, idempotent=target.rules.idempotent)
        if self.health.note(letter.key, answers=verdict.answers, retry_after_s=delivery.retry_after_s):
            self._recovered.append(letter.key)
        result = LetterResult(
            letter, now, delivery.text, verdict.state, verdict.reason, delivery.outcome, attempted=True
        )
        if verdict.state is None:
            result = replace(result, due_at=self._next_attempt(attempt, now))
        if verdict.state is not LetterState.DELIVERED:
            result = replace(result, request=attempt.request, answer=attempt.answer)
        _count(attempt, result)
        return result

    def _next_attempt(self, attempt: LetterAttempt, now: int) -> int:
        """Return when a letter is tried again: by the schedule, but with the next trial of a target that is left alone,
        so that there always is one to try.
        """
        retry_at = self.health.own_retry_at(attempt.letter.key)
        if retry_at is not None:
            return retry_at
        return now + wait_ms(attempt.letter.attempts + 1, self._chance, attempt.delivery.retry_after_s or 0)

    # what is looked for now and then

    def _sweep(self, now: int) -> None:
        """Judge letters that have expired, and those whose sender died; raises what the database does."""
        is_all = not 0 <= now - self._swept_all_at < SWEEP_ALL_MS
        self._swept_all_at = now if is_all else self._swept_all_at
        for letter in self._outbox.abandoned(now):
            if letter.key in self._targets:
                self._results.append(self._after_a_death(letter, now))
        for letter in self._outbox.claimed():
            if letter.id not in self._held:  # claimed by a transaction that was thought to have failed
                self._results.append(LetterResult(letter, now, NOT_SENT, due_at=now))
        for key, target in self._targets.items():
            if target.waits:
                self._results += self._expired(key, target.rules, now, is_all=is_all)
                self._results += [
                    LetterResult(letter, now, FROM_THE_FUTURE, due_at=now)
                    for letter in self._outbox.from_the_future(*key, now)
                ]

    def _after_a_death(self, letter: Letter, now: int) -> LetterResult:
        """Return that a letter is sent again: better twice than lost. Where that does harm, the log says so."""
        if not self._targets[letter.key].rules.idempotent:
            log.warning("event_may_come_twice", tenant=letter.tenant, target=letter.target, letter=letter.id)
        return LetterResult(letter, now, AGAIN, due_at=now)

    def _expired(self, key: Key, rules: ForwardRules, now: int, *, is_all: bool) -> Sequence[LetterResult]:
        """Return results for the letters whose time is over; the next look goes on where there are more."""
        found: list[LetterResult] = []
        for kind in EVENT_KINDS:
            lifetime = rules.lifetime_ms(kind)
            if lifetime is not None and (is_all or lifetime < 10 * SWEEP_ALL_MS):
                old = self._outbox.older_than(*key, kind, self._clock.ago(lifetime), MOST_RESULTS)
                found += [_expired_result(letter, now) for letter in old]
        if len(found) >= MOST_RESULTS:
            self._swept_at = self._swept_all_at = 0
        return found

    def _hear_news(self, now: int) -> None:
        """Look at those targets for whom letters were written, by whichever process."""
        self._newest, whose = self._outbox.news(self._newest)
        for key in whose:
            if target := self._targets.get(key):
                target.look_at, target.waits = now, True

    # what is sent

    def _wanted(self, key: Key, target: _Target, now: int) -> ClaimRequest | None:
        """Return what is wanted of a target now, if anything is due; else note when to look at it again."""
        if target.look_at > now + IDLE_MS:  # the clock was set back
            target.look_at = now
        if target.look_at > now:
            return None
        free = target.rules.parallel - target.under_way
        most = self.health.slots(key, free)
        if not most:
            retry_at = self.health.own_retry_at(key)
            target.look_at = now + IDLE_MS if retry_at is None else max(retry_at, now + FULL_MS)
            return None
        due_at = self._outbox.next_due(*key)
        target.waits = due_at is not None
        if due_at is None or due_at > now:
            target.look_at = min(due_at or now + IDLE_MS, now + IDLE_MS)
            return None
        target.newest = not target.newest
        return ClaimRequest(*key, target.rules.parallel, most, newest=target.newest)

    def _take_turn(self, wanted: Sequence[ClaimRequest], now: int) -> None:
        letters = self._outbox.turn(self._results, wanted, now, self._recovered)
        for result in self._results:
            self._targets[result.letter.key].look_at = now  # what was behind it may be due, or it itself
        self._held -= {result.letter.id for result in self._results}
        self._held |= {letter.id for letter in letters}
        self._results, self._recovered = [], []
        claimed = {letter.key for letter in letters}
        for request in wanted:
            if (request.tenant, request.target) not in claimed:
                self._targets[request.tenant, request.target].look_at = now + FULL_MS
        for letter in letters:
            self._send_or_settle(letter, self._targets[letter.key], now)

    def _send_or_settle(self, letter: Letter, target: _Target, now: int) -> None:
        rules = target.rules
        lifetime = rules.lifetime_ms(letter.kind)
        if lifetime is not None and letter.waits_since < self._clock.ago(lifetime):
            self._results.append(_expired_result(letter, now))
            return
        message = self._message(letter, rules)
        if why := unwanted(target.adapter, message):
            self._results.append(LetterResult(letter, now, why, LetterState.SKIPPED, LetterReason.FILTERED))
            return
        if not self.health.admit(letter.key):  # another process noticed meanwhile that it is down, or tries a letter
            retry_at = self.health.own_retry_at(letter.key)
            self._results.append(LetterResult(letter, now, NOT_SENT, due_at=now if retry_at is None else retry_at))
            return
        if not letter.attempts:
            DELAY.labels(*letter.key).observe(max(0, now - letter.created_at) / 1000)
        target.under_way += 1
        self._send(target.adapter, letter, message)

    def _message(self, letter: Letter, rules: ForwardRules) -> Outgoing:
        late_after = rules.late_after_ms(letter.kind)
        late = late_after is not None and letter.created_at < self._clock.ago(late_after)
        occurred_at = letter.fields.get("occurred_at") or iso(letter.created_at) or ""
        told = {"late": "true" if late else "false", "occurred_at": occurred_at}
        return Outgoing(letter.kind, str(letter.id), {**letter.fields, **told})


def _expired_result(letter: Letter, now: int) -> LetterResult:
    log.info("event_expired", tenant=letter.tenant, target=letter.target, letter=letter.id, kind=letter.kind)
    return LetterResult(letter, now, EXPIRED, LetterState.EXPIRED, LetterReason.EXPIRED)


def _count(attempt: LetterAttempt, result: LetterResult) -> None:
    key, outcome = attempt.letter.key, attempt.delivery.outcome.value
    ATTEMPTS.labels(*key, outcome).inc()
    SECONDS.labels(*key).observe(attempt.took_s)
    given_up = result.state is LetterState.DEAD
    if given_up:
        GIVEN_UP.labels(*key).inc()
    level = log.debug if result.state is LetterState.DELIVERED else log.warning
    level("event_forwarded", target=key[1], letter=attempt.letter.id, outcome=outcome, given_up=given_up)
