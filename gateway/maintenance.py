"""What nobody asks for and yet must be done now and then: orders that a dead gateway left, calls without an end, what
is kept for a time only.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from gateway.clock import Clock
from gateway.domain.calls.windows import LONGEST_CALL_MS
from gateway.errors import GatewayError
from gateway.relay.outbox_worker import ABANDONED_AFTER_MS, sweep_abandoned
from gateway.store import agent_states, audit, captures, source_marks
from gateway.store.calls import next_logged
from gateway.store.ghosts import Ghosts
from gateway.store.letters.outbox import Outbox
from gateway.store.letters.retention import LetterRetention
from gateway.store.shared.contract import Lease
from gateway.store.untold_notes import LEFT_ALONE_MS, UntoldNotes
from gateway.store.writing.drafts import GiveUp, InVain
from gateway.store.writing.journal import Journal

log = structlog.get_logger()

SWEEP_EVERY_S = 30.0
HOUR_MS = 3600 * 1000
DAY_MS = 24 * 3600 * 1000
LOOK_BACK_MS = 7 * LONGEST_CALL_MS
"""At the start, calls older than this are left as they are: a gateway that was off so long has other worries."""

SLICE_MS = 3600 * 1000
"""How much of the log is looked through in one transaction."""


@dataclass(frozen=True, slots=True)
class Chore:
    """One thing to be done now and then. ``work`` takes the time, in milliseconds since 1970 UTC, and may raise: it is
    done again at the next sweep then, and the other chores are done all the same.
    """

    name: str
    work: Callable[[int], None]
    every_ms: int = 0
    """0: at each sweep."""


class Maintenance:
    """One thread. ``give_up_ms`` says for each tenant how long the end of a call is waited for, ``agent_states_ms`` how
    long is kept what exchanges tell of its agents; ``chores`` are done besides.

    Of several processes, the one that gets ``lease`` does all of it, until it ends.
    """

    def __init__(
        self,
        journal: Journal,
        outbox: Outbox,
        give_up_ms: Mapping[str, int],
        *,
        clock: Clock | None = None,
        ghosts: Ghosts | None = None,
        untold: UntoldNotes | None = None,
        audit_days: float | None = None,
        letters: LetterRetention | None = None,
        agent_states_ms: Mapping[str, int] | None = None,
        chores: Sequence[Chore] = (),
        lease: Callable[[], Lease | None] | None = None,
    ) -> None:
        self._journal = journal
        self._outbox = outbox
        self._ghosts = ghosts
        self._clock = clock or Clock()
        self._seen: dict[str, int] = {}
        self.chores = [*self._usual(give_up_ms, untold), *self._hourly(audit_days, agent_states_ms or {}, letters)]
        self.chores += chores
        self._done_at: dict[str, int] = {}
        self._take_lease = lease
        self._lease: Lease | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)

    def _usual(self, give_up_ms: Mapping[str, int], untold: UntoldNotes | None) -> Iterator[Chore]:
        """Yield what is done at each sweep."""
        yield Chore("abandoned_orders", self._settle_abandoned)
        if untold:
            yield Chore("untold_notes", partial(self._tell_of_notes, untold))
        for tenant, wait_ms in give_up_ms.items():
            yield Chore(f"calls_without_end/{tenant}", partial(self._give_up_calls, tenant, wait_ms))

    def _hourly(
        self, audit_days: float | None, agent_states_ms: Mapping[str, int], letters: LetterRetention | None
    ) -> Iterator[Chore]:
        """Yield what lets go of what is kept for a time only."""
        yield Chore("source_marks", self._forget_marks, HOUR_MS)
        yield Chore("captures", self._forget_captures, HOUR_MS)
        if audit_days is not None:
            yield Chore("audit", partial(self._forget_audit, round(audit_days * DAY_MS)), HOUR_MS)
        for tenant, kept_ms in agent_states_ms.items():
            yield Chore(f"agent_states/{tenant}", partial(self._forget_agent_states, tenant, kept_ms), HOUR_MS)
        if letters:
            yield Chore("letters", partial(self._look_after_letters, letters), HOUR_MS)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End within moments. Safe to call again."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10)
        if self._lease is not None:
            self._lease.release()

    def sweep(self) -> None:
        """Do once all that is due. Raises what the first chore raised that failed, when the others are done; it is done
        again at the next sweep.
        """
        failed: Exception | None = None
        for chore in self.chores:
            if self._stopping.is_set() or not self._is_due(chore):
                continue
            try:
                chore.work(now := self._clock())
                self._done_at[chore.name] = now
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def _is_due(self, chore: Chore) -> bool:
        done_at = self._done_at.get(chore.name)
        return done_at is None or not 0 <= self._clock() - done_at < chore.every_ms

    def _settle_abandoned(self, now: int) -> None:
        sweep_abandoned(self._journal, self._outbox, now, before=self._clock.ago(ABANDONED_AFTER_MS))

    def _tell_of_notes(self, untold: UntoldNotes, now: int) -> None:
        untold.tell(at=now, before=self._clock.ago(LEFT_ALONE_MS))

    def _give_up_calls(self, tenant: str, wait_ms: int, now: int) -> None:
        before = self._clock.ago(wait_ms)
        self._give_up(tenant, now, before)
        self._give_up_in_vain(tenant, now, before)

    def _forget_marks(self, now: int) -> None:
        forgotten = self._journal.run(partial(source_marks.forget, now=now), lock="source_marks")
        if forgotten:
            log.info("source_marks_forgotten", marks=forgotten)

    def _forget_captures(self, now: int) -> None:
        forgotten = self._journal.run(partial(captures.forget, now=now), lock="captures")
        if forgotten:
            log.info("forward_captures_forgotten", values=forgotten)

    def _forget_audit(self, kept_ms: int, _now: int) -> None:
        """Remove entries of the audit log that are older than its operator keeps them."""
        before = self._clock.ago(kept_ms)
        while not self._stopping.is_set():
            removed = self._journal.run(partial(audit.remove_older, before=before), lock="audit")
            if not removed:
                return
            log.info("audit_entries_removed", entries=removed)

    def _look_after_letters(self, letters: LetterRetention, now: int) -> None:
        """Let go of old letters, and warn of those that will be given up if nobody sees to their targets."""
        if forgotten := letters.forget(now):
            log.info("letters_forgotten", letters=forgotten)
        for alarm in letters.alarms(now):
            facts = {"tenant": alarm.tenant, "target": alarm.target, "letters": alarm.waiting}
            log.warning("forward_letters_expire_soon", **facts, first_in_s=alarm.left_ms // 1000)

    def _forget_agent_states(self, tenant: str, kept_ms: int, _now: int) -> None:
        """Let go of a tenant's states of agents that are older; events get their turn after each slice."""
        before = self._clock.ago(kept_ms)
        forgotten = agent_states.SLICE
        while forgotten == agent_states.SLICE and not self._stopping.is_set():
            forgotten = self._journal.run(partial(agent_states.forget, tenant=tenant, before=before), tenant=tenant)
            if forgotten:
                log.info("agent_states_forgotten", tenant=tenant, states=forgotten)

    def _give_up(self, tenant: str, now: int, before: int) -> None:
        """Give up the calls whose end is no longer waited for. Each call is looked at once, when its time is over;
        events get their turn after each slice.
        """
        since = self._seen.get(tenant, before - LOOK_BACK_MS)
        if since > before:  # the clock was set back: calls come again with times that were looked at
            since = self._seen[tenant] = before
        while since < before and not self._stopping.is_set():
            if before - since > SLICE_MS:  # the clock was set forward, perhaps by years, or nobody called for long
                since = self._journal.run(
                    partial(next_logged, tenant=tenant, since=since, before=before), tenant=tenant
                )
            until = min(since + SLICE_MS, before)
            closed = self._journal.give_up(GiveUp(tenant, since, until, now))
            since = self._seen[tenant] = until
            if closed:
                log.info("calls_without_end", tenant=tenant, calls=closed)

    def _give_up_in_vain(self, tenant: str, now: int, since: int) -> None:
        """Do not wait as long for the ends of calls whose caller has since spoken with another extension."""
        found = self._ghosts.find(tenant, since, self._clock.ago) if self._ghosts else ()
        if found:
            closed = self._journal.give_up(InVain(tenant, tuple(found), now))
            log.info("calls_gone_on_elsewhere", tenant=tenant, calls=closed)

    def _is_ours(self) -> bool:
        """Return whether this process is the one that maintains, which it becomes if none does."""
        if self._take_lease is None:
            return True
        if self._lease is None or not self._lease.held():
            self._lease = self._take_lease()
        return self._lease is not None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._is_ours():
                    self.sweep()
            except GatewayError as error:
                log.warning("sweep_put_off", code=error.code)
            except Exception as error:  # such as no file left to open: that passes, and this thread must outlive it
                log.error("sweep_failed", error=type(error).__name__, exc_info=error)
            self._stopping.wait(SWEEP_EVERY_S)
