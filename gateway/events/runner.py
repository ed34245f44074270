"""One source that this process runs: attempt after attempt on a thread of its own, until it is stopped."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog
from prometheus_client import Counter

from gateway.adapter import defect_of
from gateway.clock import milliseconds
from gateway.errors import EventSourceError, GatewayError, SourceSuperseded
from gateway.event_source import EventSource, Heard, SourcePlace, SourceStopped
from gateway.events.clock import SourceClock
from gateway.events.in_order import Draft, HandIn, InOrderWriter, Outcome
from gateway.events.memory import SourceMemory
from gateway.events.pauses import pause_after
from gateway.events.recording import OLD_MS, SourceTraffic
from gateway.handlers import Core
from gateway.mapping.events import iso
from gateway.store.event_sources import MOST_GAPS, Gap, SourceStanding, SourceState
from gateway.store.shared.contract import Lease
from gateway.store.writing.drafts import SourceFence
from gateway.texts.text import Text

log = structlog.get_logger()

EVENTS = Counter("cti_source_events_total", "What sources of events told, by result", ["tenant", "source", "result"])
STEADY_S = 10.0
"""An attempt that was connected for so long is followed by a short pause again."""
NOT_HEARD = {SourceState.CONNECTING, SourceState.WAITING}
LEAST_GAP_MS = 1_000
FINISH_WITHIN_S = 5.0
WORKED_S = 0.005
"""Of the processor, after which a source that is told much rests for ``REST_S``, so that others have their turn."""
REST_S = 0.001
ENDED = Text("The connection ended.")


@dataclass(frozen=True, slots=True)
class SourceTools:
    """What the sources of a process work with. ``add`` has an entry of the traffic log written, where there is one."""

    core: Core
    hand_in: HandIn
    add: Callable[[Any, int], None] | None = None
    most_bytes: int = 65536
    holder: str = ""
    clock: Callable[[], int] = milliseconds


class SourceRunner:
    """Runs ``source`` while it has the ``lease``; ``before`` is how the source was doing when somebody last ran it."""

    def __init__(
        self,
        source: EventSource,
        place: SourcePlace,
        tools: SourceTools,
        lease: Lease,
        before: SourceStanding,
        *,
        secrets: tuple[str, ...] = (),
        silent_after_s: int | None = None,
    ) -> None:
        self.place = place
        self._source, self._tools, self._lease = source, tools, lease
        self._silent_after_s = silent_after_s
        self._lock = threading.Lock()
        self._missing_from = before.complete_until
        now = tools.clock()
        self._standing = replace(
            before, state=SourceState.CONNECTING, since=now, holder=tools.holder, token=lease.token
        )
        self._told_before = before.told
        self._is_silent = False
        self.stop = threading.Event()
        self.has_changed = True
        """Whether people see something else than was last written."""
        self.traffic = SourceTraffic(tools.add, place, source.peer, secrets, tools.most_bytes)
        self._clock = SourceClock(
            place.clock_ahead_ms,
            before.clock_corrected_ms,
            tells_at_once=getattr(source, "tells_at_once", True),
            changed=self._clock_differs,
        )
        self._fence = SourceFence(place.name, lease.token)
        self._not_written = 0
        self._writer = InOrderWriter(self._hand_in, self.stop, tools.clock, refused=self._refused)
        self._core = replace(tools.core, journal=self._writer)
        self._memory = SourceMemory(before.memory)
        self._rested_at = 0.0
        self._thread = threading.Thread(target=self._run, name=f"source-{place.tenant}-{place.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def is_running(self) -> bool:
        return self._thread.is_alive()

    def join(self, within_s: float) -> None:
        self._thread.join(within_s)

    def tick(self) -> None:
        """Do what is due, a few times in a second at most; end where another process has the source now."""
        self._writer.try_again()
        self.traffic.flush(before=self._tools.clock() - OLD_MS)
        self._watch_silence()
        if not self._lease.held():
            self._lost()

    def standing(self) -> SourceStanding:
        """Return how the source is doing now."""
        # The writer's lock is never taken within ours: it calls us with its own taken.
        durable_until, settled = self._writer.complete_until(), self._writer.settled()
        with self._lock:
            is_connected = self._standing.state is SourceState.CONNECTED
            if not is_connected:
                durable_until = min(durable_until, self._missing_from or 0)
            return replace(
                self._standing,
                seen_at=self._tools.clock(),
                complete_until=durable_until or None,
                told=self._told_before + self._writer.written,
                memory=self._memory.safe(lambda: settled),
                clock_ahead_ms=self._clock_ahead(),
                clock_corrected_ms=self._clock.corrected,
            )

    def _clock_ahead(self) -> int | None:
        """Return what was measured last, by whoever ran the source."""
        ahead = self._clock.ahead
        return self._standing.clock_ahead_ms if ahead is None else ahead

    def _clock_differs(self, ahead_ms: int) -> None:
        log.warning("source_clock_differs", ahead_s=round(ahead_ms / 1000), **self._about)
        self.has_changed = True

    def is_holder(self) -> bool:
        """Return whether no other process can have the source."""
        return self._lease.held()

    def release(self) -> None:
        """Let another process have the source, when how it is doing was written."""
        self._lease.release()

    # What the source tells, on its thread.

    @property
    def memory(self) -> Mapping[str, Any]:
        with self._lock:
            return self._memory.newest

    def connected(self, *, nothing_missed: bool = False) -> None:
        now = self._tools.clock()
        self._set(SourceState.CONNECTED)
        log.info("source_connected", peer=self._source.peer, **self._about)
        began, self._missing_from = self._missing_from, None
        if began is not None and not nothing_missed and now - began > LEAST_GAP_MS:
            self._gap(Gap(began, now))

    def message(self, message: Heard) -> None:
        self._writer.then = self.traffic.event()
        try:
            self._core.handle(self._clock.put_right(message))
        except SourceStopped:
            raise
        except GatewayError as error:
            self._refuse(type(message).__name__, error)
            return
        except Exception as error:
            log.error("source_event_failed", exc_info=error, event_kind=type(message).__name__, **self._about)
            self._count_refused()
            return
        with self._lock:
            self._standing = replace(self._standing, told_at=self._tools.clock())
        EVENTS.labels(self.place.tenant, self.place.name, "ok").inc()

    def heard(self, data: bytes) -> None:
        self.traffic.heard(data)
        if time.thread_time() - self._rested_at > WORKED_S:
            time.sleep(REST_S)
            self._rested_at = time.thread_time()

    def said(self, data: bytes, secrets: tuple[str, ...] = ()) -> None:
        self.traffic.said(data, secrets)

    def problem(self, problem: Text, data: bytes = b"") -> None:
        self.traffic.problem(str(problem), data)
        EVENTS.labels(self.place.tenant, self.place.name, "not_understood").inc()
        with self._lock:
            self._standing = replace(self._standing, not_understood=self._standing.not_understood + 1)

    def remember(self, memory: Mapping[str, Any]) -> None:
        with self._lock:
            self._memory.remember(dict(memory), self._writer.told)

    # Attempts.

    @property
    def _about(self) -> dict[str, str]:
        return {"tenant": self.place.tenant, "source": self.place.name}

    def _run(self) -> None:
        failures = 0
        while not self.stop.is_set():
            self._rested_at = time.thread_time()
            self._set(SourceState.CONNECTING)
            error = self._attempt()
            lasted_s = self._end_of_attempt(error)
            if self.stop.is_set():
                break
            failures = 0 if lasted_s > STEADY_S else failures + 1
            self.stop.wait(max(pause_after(failures), error.pause_s))
        self._finish()

    def _attempt(self) -> EventSourceError:
        """Make one attempt; return why it ended."""
        try:
            self._source.run(self, self.stop)
        except EventSourceError as error:
            return error
        except SourceStopped:
            return EventSourceError(ENDED)
        except Exception as error:
            log.error("source_failed", exc_info=error, **self._about)
            return EventSourceError(Text("The source has a defect ({defect}).", defect=defect_of(error)))
        return EventSourceError(ENDED)

    def _end_of_attempt(self, error: EventSourceError) -> float:
        """Note that nothing is heard any more; return for how many seconds it was."""
        self.traffic.flush()
        now, standing = self._tools.clock(), self._standing
        was_connected = standing.state is SourceState.CONNECTED
        if was_connected:
            self._missing_from = now
        if not self.stop.is_set():
            log.warning("source_not_heard", problem=str(error), **self._about)
            self._set(SourceState.WAITING, error.whole)
        return (now - standing.since) / 1000 if was_connected else 0.0

    def _finish(self) -> None:
        left = self._writer.finish(FINISH_WITHIN_S) + self._not_written
        if left:
            log.error("source_events_not_written", count=left, **self._about)
        self._set(SourceState.STOPPED)

    def _set(self, state: SourceState, problem: Text | None = None) -> None:
        with self._lock:
            # What went wrong is shown until it goes well.
            problem = problem or (self._standing.problem if state is SourceState.CONNECTING else None)
            is_same = {state, self._standing.state} <= NOT_HEARD
            since = self._standing.since if is_same else self._tools.clock()
            self._standing = replace(self._standing, state=state, since=since, problem=problem)
            self._is_silent = False
            self.has_changed = True

    def _gap(self, gap: Gap) -> None:
        facts = {"began": iso(gap.began_at), "ended": iso(gap.ended_at)}
        log.warning("source_gap", seconds=round((gap.ended_at - gap.began_at) / 1000), **facts, **self._about)
        with self._lock:
            self._standing = replace(self._standing, gaps=(*self._standing.gaps, gap)[-MOST_GAPS:])

    def _watch_silence(self) -> None:
        with self._lock:
            standing = self._standing
            quiet_ms = self._tools.clock() - max(standing.told_at or 0, standing.since)
            after_ms = (self._silent_after_s or 0) * 1000
            is_silent = bool(after_ms) and standing.state is SourceState.CONNECTED and quiet_ms > after_ms
            was_silent, self._is_silent = self._is_silent, is_silent
        if is_silent and not was_silent:
            log.warning("source_silent", seconds=round(quiet_ms / 1000), **self._about)

    def _hand_in(self, draft: Draft, then: Callable[[Outcome], None]) -> None:
        """Hand in ``draft`` to be written as long as no other process has taken the source."""
        self._tools.hand_in(replace(draft, fence=self._fence), then)

    def _lost(self) -> None:
        """End, for another process has the source now: it tells people what may be missing."""
        if not self.stop.is_set():
            log.warning("source_lost_to_another", **self._about)
            self.stop.set()

    def _refused(self, draft: Draft, error: GatewayError) -> None:
        if isinstance(error, SourceSuperseded):
            self._not_written += 1
            self._lost()
            return
        self._refuse(type(draft.message).__name__, error)

    def _refuse(self, kind: str, error: GatewayError) -> None:
        log.warning("source_event_refused", event_kind=kind, code=error.code, problem=str(error), **self._about)
        self._count_refused()

    def _count_refused(self) -> None:
        EVENTS.labels(self.place.tenant, self.place.name, "refused").inc()
        with self._lock:
            self._standing = replace(self._standing, refused=self._standing.refused + 1)
