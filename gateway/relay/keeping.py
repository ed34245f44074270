"""Forwards that keep what a target said of a call, such as its id there, for the call's later events."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import structlog

from gateway.adapter import Adapter, Delivery, Outcome, Outgoing, Probe, WireRequest, unwanted
from gateway.clock import milliseconds
from gateway.errors import GatewayError
from gateway.store.captures import CallCaptures
from gateway.texts.text import Text

log = structlog.get_logger()

PAUSES_S = (0.1, 0.5, 1.0, 2.0, 4.0)
"""How long is waited before each further trial to keep what a target said."""
NOT_READ = Text("what is kept of the call could not be read, and nothing was sent")
UNKNOWN_CALL: Mapping[str, str] = {}


class KeepingAdapter:
    """``adapter`` told with each event what is kept of the call; what it captures is kept before the event is settled.

    So an event whose gateway dies meanwhile is not told without what it already brought about. Whatever else the
    adapter declares holds of this one, too.
    """

    Config: ClassVar[type[Any]] = object

    def __init__(
        self,
        adapter: Adapter,
        tenant: str,
        target: str,
        captures: CallCaptures,
        *,
        clock: Callable[[], int] = milliseconds,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self.adapter = adapter
        self._key = tenant, target
        self._captures = captures
        self._clock = clock
        self._pause = pause

    def __getattr__(self, name: str) -> Any:
        return getattr(self.adapter, name)

    def probe(self) -> Probe:
        return self.adapter.probe()

    def preview(self, message: Outgoing) -> Sequence[WireRequest]:
        return self.adapter.preview(message)

    def unwanted(self, message: Outgoing) -> Text | None:
        """Return why nothing is sent of an event, None where something is."""
        knowing = self._knowing(message)
        return unwanted(self.adapter, knowing) if knowing else None

    def deliver(self, message: Outgoing) -> Delivery:
        """Make one attempt; none where what is kept of the call cannot be read: the target would be told wrongly."""
        knowing = self._knowing(message)
        if knowing is None:
            return Delivery(Outcome.UNREACHABLE, NOT_READ)
        delivery = self.adapter.deliver(knowing)
        call_id = _call_of(message)
        if delivery.kept and call_id:
            self._keep(call_id, delivery.kept)
        return delivery

    def _keep(self, call_id: int, values: Mapping[str, str]) -> None:
        """Keep ``values`` of a call, again and again while the database is busy. What came of the attempt is true all
        the same, so it is not lost over them.
        """
        for pause_s in PAUSES_S:
            if self._kept(call_id, values):
                return
            self._pause(pause_s)
        if not self._kept(call_id, values):
            log.error("captures_lost", target=self._key[1], call=call_id)

    def _kept(self, call_id: int, values: Mapping[str, str]) -> bool:
        """Return whether ``values`` could be kept."""
        try:
            self._captures.keep(*self._key, call_id, values, self._clock())
        except GatewayError as error:
            log.warning("captures_not_kept", target=self._key[1], call=call_id, code=error.code)
            return False
        return True

    def close(self) -> None:
        self.adapter.close()

    def _knowing(self, message: Outgoing) -> Outgoing | None:
        """Return the message with what is kept of its call; None where that cannot be read just now."""
        call_id = _call_of(message)
        try:
            known = self._captures.of(*self._key, call_id) if call_id else UNKNOWN_CALL
        except Exception as error:  # whatever a database raises
            log.warning("captures_not_read", target=self._key[1], error=type(error).__name__)
            return None
        return replace(message, fields={**known, **message.fields}) if known else message


def _call_of(message: Outgoing) -> int:
    """Return the number of the call that an event is about; 0 where it is about none."""
    call_id = message.fields.get("call_id", "")
    return int(call_id) if call_id.isdigit() else 0
