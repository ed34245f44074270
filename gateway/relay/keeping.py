"""Forwards that keep what a target said of a call, such as its id there, for the call's later events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from gateway.adapter import Adapter, Delivery, Outgoing, Probe, WireRequest, unwanted
from gateway.clock import milliseconds
from gateway.store.captures import CallCaptures
from gateway.texts.text import Text

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
    ) -> None:
        self.adapter = adapter
        self._key = tenant, target
        self._captures = captures
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self.adapter, name)

    def probe(self) -> Probe:
        return self.adapter.probe()

    def preview(self, message: Outgoing) -> Sequence[WireRequest]:
        return self.adapter.preview(message)

    def unwanted(self, message: Outgoing) -> Text | None:
        """Return why nothing is sent of an event, None where something is."""
        return unwanted(self.adapter, self._knowing(message))

    def deliver(self, message: Outgoing) -> Delivery:
        """Make one attempt. Raises ``BusyError`` where what was captured could not be kept: the event comes again."""
        delivery = self.adapter.deliver(self._knowing(message))
        call_id = _call_of(message)
        if delivery.kept and call_id:
            self._captures.keep(*self._key, call_id, delivery.kept, self._clock())
        return delivery

    def close(self) -> None:
        self.adapter.close()

    def _knowing(self, message: Outgoing) -> Outgoing:
        call_id = _call_of(message)
        known = self._captures.of(*self._key, call_id) if call_id else UNKNOWN_CALL
        return replace(message, fields={**known, **message.fields}) if known else message


def _call_of(message: Outgoing) -> int:
    """Return the number of the call that an event is about; 0 where it is about none."""
    call_id = message.fields.get("call_id", "")
    return int(call_id) if call_id.isdigit() else 0
