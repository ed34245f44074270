"""Understands an exchange by the events of its manager interface, and tells what happens to its calls."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.events.ami import dialling, masquerades, queues, recordings, talking, transfers
from gateway.events.ami.channels import Channels
from gateway.events.ami.heard import HeardBlock
from gateway.events.ami.life import CallLife
from gateway.events.ami.older import modern
from gateway.events.ami.resync import Snapshot, remembered, take_up
from gateway.events.ami.settings import InterpreterSettings
from gateway.events.ami.stream import AmiBlock
from gateway.events.ami.telling import Told

SWEEP_MS = 60_000

Handler = Callable[[HeardBlock], None]
HANDLERS: Mapping[str, Handler] = {
    **dialling.HANDLERS,
    **talking.HANDLERS,
    **transfers.HANDLERS,
    **masquerades.HANDLERS,
    **queues.HANDLERS,
    **recordings.HANDLERS,
}
"""What each event means, by its name; all others mean nothing."""


class AmiInterpreter:
    """One exchange. Give it every block as it comes, and let ``tick`` run when ``next_tick`` says.

    It does no I/O and looks at no clock: ``at`` is when something was heard, in milliseconds since 1970 UTC. What an
    exchange may send never makes it fail. It outlives connections: ``resync`` puts right what was missed.
    """

    def __init__(self, settings: InterpreterSettings) -> None:
        self._settings = settings
        self._life = CallLife(settings)
        self._channels = Channels(self._life)
        self._ahead_ms = 0
        self._swept_at = 0

    def feed(self, block: AmiBlock, at: int) -> list[Told]:
        """Return what ``block`` tells; answers and unknown events tell nothing."""
        for event in modern(block):
            handler = HANDLERS.get(event.event)
            if handler is not None:
                self._handle(handler, event, at)
        return self._life.tell.take()

    def _handle(self, handler: Handler, block: AmiBlock, at: int) -> None:
        self._life.tell.at = at
        self._swept_at = self._swept_at or at
        self._life.tell_due(at)
        handler(HeardBlock(self._life, self._channels, block, self._moment(block, at), at))

    def _moment(self, block: AmiBlock, at: int) -> int:
        """Return when an event was: as the exchange says, or as it would say."""
        try:
            moment = round(float(block.get("Timestamp")) * 1000)
        except (ValueError, OverflowError):
            return at + self._ahead_ms
        self._ahead_ms = moment - at
        return moment

    def tick(self, at: int) -> list[Told]:
        """Return what is due at ``at``."""
        self._life.tell.at = at
        self._life.tell_due(at)
        if at - self._swept_at >= SWEEP_MS:
            self._swept_at = at
            self._sweep(at)
        return self._life.tell.take()

    def _sweep(self, at: int) -> None:
        """Give up calls of which nothing was heard for a day: the exchange could not be asked for them."""
        for call in list(self._life.board.open_calls()):
            if at - call.heard_at >= self._settings.longest_call_ms:
                self._life.finish(call, at + self._ahead_ms, lost=True)

    def next_tick(self) -> int | None:
        """Return when ``tick`` is wanted at the latest, in milliseconds; None: not before something comes."""
        due = self._life.next_due()
        return self._swept_at + SWEEP_MS if due is None and self._life.board.channels else due

    def wants_resync(self, at: int) -> bool:
        """Return whether a call was silent for so long that the exchange should be asked whether it still is."""
        return any(at - call.heard_at >= self._settings.idle_ms for call in self._life.board.open_calls())

    def resync(self, snapshot: Snapshot, at: int, memory: Mapping[str, Any] | None = None) -> list[Told]:
        """Return what ``snapshot``, the exchange's answer to what is going on, tells that was not known.

        Calls that are not in it are over (*ended while disconnected*), those of ``memory`` as well, which another
        process remembered. Events may be fed while the snapshot comes: what is younger than it stays.
        """
        self._life.tell.at = at
        self._swept_at = self._swept_at or at
        take_up(self._life, self._channels, snapshot, at + self._ahead_ms, memory or {})
        self._life.memory_changed = True
        return self._life.tell.take()

    def memory(self) -> dict[str, Any]:
        """Return what another process has to know to go on: the calls that others have been told of, as JSON."""
        self._life.memory_changed = False
        return remembered(self._life)

    @property
    def memory_changed(self) -> bool:
        """Whether ``memory`` has something new since it was asked last."""
        return self._life.memory_changed

    @property
    def open_calls(self) -> int:
        """How many calls go on, as far as is known."""
        return sum(1 for _ in self._life.board.open_calls())

    @property
    def forgotten(self) -> int:
        """How many channels were forgotten because there were too many: their ends were never heard."""
        return self._channels.forgotten
