"""One forward whose kinds of events have addresses, or other settings, of their own: an adapter made of several."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from gateway.adapter import (
    Adapter,
    Delivery,
    Outcome,
    Outgoing,
    Probe,
    WireRequest,
    carries_time,
    is_idempotent,
    longest_of,
)
from gateway.adapter import unwanted as why_unwanted
from gateway.errors import AdapterError
from gateway.texts.text import Text

NOT_TOLD = Text("the forward is not told of this kind of event")


@dataclass(frozen=True)
class AdapterByKind:
    """Hands each event to the adapter of its kind: ``late`` ones where it has expired, else ``own``, else ``usual``."""

    usual: Adapter | None
    own: Mapping[str, Adapter]
    late: Mapping[str, Adapter]

    Config: ClassVar[type[Any]] = object

    @property
    def adapters(self) -> Sequence[Adapter]:
        """All of them."""
        usual = [self.usual] if self.usual else []
        return [*usual, *self.own.values(), *self.late.values()]

    @property
    def longest_s(self) -> float | None:
        """The seconds within which the slowest of them returns; None where one promises nothing."""
        known = [longest_of(adapter) for adapter in self.adapters]
        return None if None in known else max(each or 0 for each in known)

    @property
    def idempotent(self) -> bool:
        return all(map(is_idempotent, self.adapters))

    @property
    def carries_time(self) -> bool:
        return all(map(carries_time, self.adapters))

    def probe(self) -> Probe:
        """Return the first probe that fails, else the last."""
        found = Probe(True, NOT_TOLD)
        for adapter in self.adapters:
            found = adapter.probe()
            if not found.ok:
                break
        return found

    def preview(self, message: Outgoing) -> Sequence[WireRequest]:
        """Return the requests of the event's kind. Raises ``AdapterError``, also for a kind that it is not told of."""
        found = self._of(message)
        if found is None:
            raise AdapterError(NOT_TOLD)
        return found.preview(message)

    def deliver(self, message: Outgoing) -> Delivery:
        found = self._of(message)
        return found.deliver(message) if found else Delivery(Outcome.REFUSED, NOT_TOLD)

    def unwanted(self, message: Outgoing) -> Text | None:
        found = self._of(message)
        return why_unwanted(found, message) if found else None

    def close(self) -> None:
        for adapter in self.adapters:
            adapter.close()

    def _of(self, message: Outgoing) -> Adapter | None:
        """Return the adapter for ``message``; None where a letter is of a kind that the forward is told of no more."""
        late = self.late.get(message.kind) if message.fields.get("late") == "true" else None
        return late or self.own.get(message.kind) or self.usual


def joined(usual: Any, own: Mapping[str, Any], late: Mapping[str, Any], make: Callable[[Any], Adapter]) -> Adapter:
    """Return one adapter for the settings of a forward, made by ``make``; that of ``usual`` where no kind differs."""
    if not own and not late:
        return make(usual)
    return AdapterByKind(
        make(usual) if usual is not None else None,
        {kind: make(settings) for kind, settings in own.items()},
        {kind: make(settings) for kind, settings in late.items()},
    )
