"""A connection to the manager interface after its login: reading always, asking now and then."""

import socket
from collections.abc import Iterable
from contextlib import suppress
from time import monotonic

from adapters.ami.session import MAX_SENT_LINE, written
from adapters.ami.snapshot import SnapshotAnswers
from adapters.ami.source_settings import AmiSourceConfig
from adapters.http.outcomes import reason_of
from gateway.errors import EventSourceError
from gateway.event_source import Heard, Report, SourcePlace, Stop
from gateway.events.ami.interpreter import HANDLERS, AmiInterpreter
from gateway.events.ami.older import TRANSLATIONS
from gateway.events.ami.stream import AmiBlock, AmiStream
from gateway.texts.text import Text

CHUNK = 65_536
LOOK_S = 0.5
"""How often it is looked whether the source is to stop."""
ANSWER_WITHIN_S = 10.0
BOOT_WAIT_S = 2.0
"""For FullyBooted, which only a user with read=system is told of, before what goes on is asked for without it."""
SNAPSHOT_WITHIN_S = 20.0
SNAPSHOT_EVERY_S = 600.0
"""How often what goes on is asked for again where calls have been silent for hours."""
WANTED = sorted({*HANDLERS, *TRANSLATIONS, "FullyBooted", "Shutdown"})

CLOSED = Text("the exchange closed the connection")
SHUT_DOWN = Text("the exchange was shut down")
MUTE = Text("the exchange did not answer a Ping within {seconds} s")
NO_SNAPSHOT = Text(
    "the exchange does not say which calls go on ({words}); the user of manager.conf needs write=reporting (or system)"
)
LATE_SNAPSHOT = Text("the exchange did not say within {seconds} s which calls go on")


class AmiConversation:
    """For one thread. ``interpreter`` outlives it; ``rest`` is what was read of ``sock`` already."""

    def __init__(
        self,
        sock: socket.socket,
        rest: bytes,
        config: AmiSourceConfig,
        place: SourcePlace,
        interpreter: AmiInterpreter,
        report: Report,
    ) -> None:
        self._sock, self._rest = sock, rest
        self._config, self._place = config, place
        self._interpreter, self._report = interpreter, report
        self._stream = AmiStream()
        self._heard_at = monotonic()
        self._pinged_at: float | None = None
        self._snapshot_at: float | None = monotonic() + BOOT_WAIT_S
        self._asked: SnapshotAnswers | None = None
        self._snapshots = 0
        self._why_closed = CLOSED

    def run(self, stop: Stop) -> None:
        """Tell what happens until ``stop``. Raises ``EventSourceError`` when the connection ends, and
        ``SourceStopped``.
        """
        try:
            self._ask_for_less()
            self._take(self._rest)
            while not stop.is_set():
                self._read()
                self._do_what_is_due()
            self._log_off()
        except ConnectionError as error:
            raise EventSourceError(self._why_closed) from error
        except OSError as error:
            limits = {"connect_s": self._config.connect_timeout_s, "total_s": self._config.timeout_s}
            raise EventSourceError(reason_of(error, **limits)) from error

    def _read(self) -> None:
        """Wait a moment for more, and take it. Raises ``EventSourceError`` at the end."""
        self._sock.settimeout(self._wait_s())
        try:
            data = self._sock.recv(CHUNK)
        except TimeoutError:
            return
        if not data:
            raise EventSourceError(self._why_closed)
        self._heard_at, self._pinged_at = monotonic(), None
        self._take(data)

    def _wait_s(self) -> float:
        tick = self._interpreter.next_tick()
        left_s = LOOK_S if tick is None else (tick - self._place.clock()) / 1000
        return min(LOOK_S, max(left_s, 0.001))

    def _take(self, data: bytes) -> None:
        if data:
            self._report.heard(data)
        for block in self._stream.feed(data):
            self._block(block)

    def _block(self, block: AmiBlock) -> None:
        if self._asked is not None and self._asked.is_mine(block):
            if self._asked.is_complete():
                self._take_up(self._asked)
        elif block.event == "FullyBooted":
            self._ask_what_goes_on()
        else:
            if block.event == "Shutdown":
                self._why_closed = SHUT_DOWN
            self._tell(self._interpreter.feed(block, self._place.clock()))

    def _tell(self, messages: Iterable[Heard]) -> None:
        for message in messages:
            self._report.message(message)

    def _do_what_is_due(self) -> None:
        at = self._place.clock()
        tick = self._interpreter.next_tick()
        if tick is not None and tick <= at:
            self._tell(self._interpreter.tick(at))
        self._watch_snapshot(at)
        self._watch_silence()
        if self._interpreter.memory_changed:
            self._report.remember(self._interpreter.memory())

    def _watch_silence(self) -> None:
        """Ping an exchange that says nothing. Raises ``EventSourceError`` where that is not answered either."""
        now = monotonic()
        if self._pinged_at is not None and now - self._pinged_at > ANSWER_WITHIN_S:
            raise EventSourceError(Text(MUTE.id, seconds=round(ANSWER_WITHIN_S)))
        if self._pinged_at is None and now - self._heard_at > self._config.ping_every_s:
            self._send(written(("Action", "Ping")))
            self._pinged_at = now

    def _watch_snapshot(self, at: int) -> None:
        now = monotonic()
        if self._asked is not None:
            if now > (self._snapshot_at or now):
                self._asked, self._snapshot_at = None, None
                self._report.problem(Text(LATE_SNAPSHOT.id, seconds=round(SNAPSHOT_WITHIN_S)))
        elif self._snapshot_at is not None:
            if now > self._snapshot_at:
                self._ask_what_goes_on()
        elif self._interpreter.wants_resync(at):
            self._snapshot_at = now + SNAPSHOT_EVERY_S if self._snapshots > 1 else now

    def _ask_what_goes_on(self) -> None:
        self._snapshots += 1
        self._asked = SnapshotAnswers(self._snapshots, self._place.clock())
        self._snapshot_at = monotonic() + SNAPSHOT_WITHIN_S
        for action in self._asked.actions():
            self._send(action)

    def _take_up(self, answers: SnapshotAnswers) -> None:
        self._asked, self._snapshot_at = None, None
        if answers.refusal:
            self._report.problem(Text(NO_SNAPSHOT.id, words=answers.refusal))
            return
        messages = self._interpreter.resync(answers.snapshot(), self._place.clock(), self._report.memory)
        self._tell(messages)

    def _ask_for_less(self) -> None:
        """Have the exchange leave out what means nothing to us; it says no to most users, and then sends all."""
        if not self._config.filter_events:
            return
        wanted = f"Event: ({'|'.join(WANTED)})"
        if len(wanted) < MAX_SENT_LINE:
            self._send(written(("Action", "Filter"), ("Operation", "Add"), ("Filter", wanted)))

    def _log_off(self) -> None:
        with suppress(OSError):
            self._send(written(("Action", "Logoff")))

    def _send(self, action: bytes) -> None:
        self._sock.settimeout(ANSWER_WITHIN_S)
        self._sock.sendall(action)
        self._report.said(action)
