"""What nobody asks for and yet must be done now and then: orders that a dead gateway left, calls without an end, what
is kept for a time only.
"""

import threading
from collections.abc import Mapping
from functools import partial

import structlog

from gateway.clock import Clock
from gateway.domain.calls.windows import LONGEST_CALL_MS
from gateway.errors import GatewayError
from gateway.relay.outbox_worker import ABANDONED_AFTER_MS, sweep_abandoned
from gateway.store import agent_states, audit, captures, source_marks
from gateway.store.calls import next_logged
from gateway.store.drafts import GiveUp, InVain
from gateway.store.ghosts import Ghosts
from gateway.store.journal import Journal
from gateway.store.letter_retention import LetterRetention
from gateway.store.outbox import Outbox
from gateway.store.untold_notes import LEFT_ALONE_MS, UntoldNotes

log = structlog.get_logger()

SWEEP_EVERY_S = 30.0
FORGET_EVERY_MS = 3600 * 1000
DAY_MS = 24 * 3600 * 1000
LOOK_BACK_MS = 7 * LONGEST_CALL_MS
"""At the start, calls older than this are left as they are: a gateway that was off so long has other worries."""

SLICE_MS = 3600 * 1000
"""How much of the log is looked through in one transaction."""


class Maintenance:
    """One thread. ``give_up_ms`` says for each tenant how long the end of a call is waited for, ``agent_states_ms`` how
    long is kept what exchanges tell of its agents.
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
    ) -> None:
        self._audit_days = audit_days
        self._letters = letters
        self._agent_states_ms = agent_states_ms or {}
        self._ghosts = ghosts
        self._untold = untold
        self._journal = journal
        self._outbox = outbox
        self._give_up_ms = give_up_ms
        self._clock = clock or Clock()
        self._seen: dict[str, int] = {}
        self._forgot_at = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End within moments. Safe to call again."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def sweep(self) -> None:
        """Do all of it once. Raises ``BusyError``; what was not done is done the next time."""
        now = self._clock()
        sweep_abandoned(self._journal, self._outbox, now, before=self._clock.ago(ABANDONED_AFTER_MS))
        self._forget(now)
        if self._untold:
            self._untold.tell(at=now, before=self._clock.ago(LEFT_ALONE_MS))
        for tenant, wait_ms in self._give_up_ms.items():
            before = self._clock.ago(wait_ms)
            self._give_up(tenant, now, before)
            self._give_up_in_vain(tenant, now, before)

    def _forget(self, now: int) -> None:
        """Let go of what is kept for a time only, once an hour. Raises ``BusyError``, and is done again soon then."""
        if 0 <= now - self._forgot_at < FORGET_EVERY_MS:
            return
        forgotten = self._journal.run(partial(source_marks.forget, now=now))
        if forgotten:
            log.info("source_marks_forgotten", marks=forgotten)
        forgotten = self._journal.run(partial(captures.forget, now=now))
        if forgotten:
            log.info("forward_captures_forgotten", values=forgotten)
        if self._audit_days is not None:
            self._forget_audit(self._clock.ago(round(self._audit_days * DAY_MS)))
        for tenant, kept_ms in self._agent_states_ms.items():
            self._forget_agent_states(tenant, self._clock.ago(kept_ms))
        if self._letters:
            self._look_after_letters(self._letters, now)
        self._forgot_at = now  # only now: what a busy database did not let go of is let go of at the next sweep

    def _forget_audit(self, before: int) -> None:
        """Remove entries of the audit log that are older than its operator keeps them."""
        while not self._stopping.is_set():
            removed = self._journal.run(partial(audit.remove_older, before=before))
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

    def _forget_agent_states(self, tenant: str, before: int) -> None:
        """Let go of a tenant's states of agents heard ``before``; events get their turn after each slice."""
        forgotten = agent_states.SLICE
        while forgotten == agent_states.SLICE and not self._stopping.is_set():
            forgotten = self._journal.run(partial(agent_states.forget, tenant=tenant, before=before))
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
                since = self._journal.run(partial(next_logged, tenant=tenant, since=since, before=before))
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

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.sweep()
            except GatewayError as error:
                log.warning("sweep_put_off", code=error.code)
            except Exception as error:  # such as no file left to open: that passes, and this thread must outlive it
                log.error("sweep_failed", error=type(error).__name__, exc_info=error)
            self._stopping.wait(SWEEP_EVERY_S)
