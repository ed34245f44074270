"""All sources of events of the configuration: this process runs those of which it has the lease."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from gateway.errors import GatewayError, SourceSuperseded
from gateway.event_source import EventSource, SourcePlace
from gateway.events.runner import SourceRunner, SourceTools
from gateway.store.event_sources import SourceKey, SourceStanding, SourceStandings
from gateway.store.shared.contract import Lease

log = structlog.get_logger()

LOOK_S = 1.0
"""How often a process looks whether a source is free, and whether one of its own has something to be done."""
WRITE_EVERY = 5
"""How a source is doing is written after so many looks, or when it changed: after a crash that much is unknown."""
STOP_WITHIN_S = 12.0


@dataclass(frozen=True, slots=True)
class ConfiguredSource:
    """A source of the configuration; ``secrets`` are masked wherever they stand."""

    source: EventSource
    place: SourcePlace
    secrets: tuple[str, ...] = ()
    silent_after_s: int | None = None


class EventSources:
    """One thread that watches over the sources, and one for each that this process runs."""

    def __init__(
        self,
        configured: Mapping[SourceKey, ConfiguredSource],
        lease: Callable[[str], Lease | None],
        book: SourceStandings,
        tools: SourceTools,
    ) -> None:
        self.configured = configured
        self.book = book
        self._lease, self._tools = lease, tools
        self._running: dict[SourceKey, SourceRunner] = {}
        self._stopping = threading.Event()
        self._looks = 0
        self._thread = threading.Thread(target=self._run, name="sources", daemon=True)

    def start(self) -> None:
        """Begin to run those of which no other process has the lease."""
        if self.configured:
            self._thread.start()

    def stop(self) -> None:
        """End all within seconds, what they told written down. Safe to call again."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_WITHIN_S)

    def running(self) -> int:
        """Return how many sources this process runs."""
        return len(self._running)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._look()
            except Exception as error:  # no source must stay alone for a defect in another one's care
                log.error("sources_not_watched", exc_info=error)
            self._stopping.wait(LOOK_S)
        self._end()

    def _look(self) -> None:
        for key, configured in self.configured.items():
            if key not in self._running:
                self._take(key, configured)
        for runner in self._running.values():
            runner.tick()
        self._looks += 1
        self._write(every=self._looks % WRITE_EVERY == 0)
        self._let_go()

    def _take(self, key: SourceKey, configured: ConfiguredSource) -> None:
        lease = self._lease("/".join(("source", *key)))
        if lease is None:
            return
        try:
            before = self.book.take(*key, lease.token)
        except SourceSuperseded:
            log.error("source_token_outdated", tenant=key[0], source=key[1], token=lease.token)
            lease.release()
            return
        except Exception:
            lease.release()
            raise
        log.info("source_taken", tenant=key[0], source=key[1])
        runner = SourceRunner(
            configured.source,
            configured.place,
            self._tools,
            lease,
            before,
            secrets=configured.secrets,
            silent_after_s=configured.silent_after_s,
        )
        self._running[key] = runner
        runner.start()

    def _write(self, *, every: bool) -> None:
        """Write how the sources are doing that changed, or ``every`` one. What cannot be written is, the next time."""
        due = {
            key: runner for key, runner in self._running.items() if (every or runner.has_changed) and runner.is_holder()
        }
        standings: dict[SourceKey, SourceStanding] = {}
        for key, runner in due.items():
            runner.has_changed = False
            standings[key] = runner.standing()
        try:
            self.book.write(standings)
        except GatewayError as error:
            log.warning("source_state_not_written", code=error.code)
            for runner in due.values():
                runner.has_changed = True

    def _let_go(self) -> None:
        """Forget those that ended, so that this process or another one begins anew."""
        for key, runner in list(self._running.items()):
            if not runner.is_running():
                runner.release()
                del self._running[key]

    def _end(self) -> None:
        for runner in self._running.values():
            runner.stop.set()
        for runner in self._running.values():
            runner.join(STOP_WITHIN_S)
        self._write(every=True)
        for runner in self._running.values():
            runner.release()
        self._running.clear()
