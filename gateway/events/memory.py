"""What a source keeps for its next attempt, never ahead of the events that it told before."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Memory = Mapping[str, Any]


class Later(NamedTuple):
    """A memory that counts when so many events are durable."""

    settled: int
    memory: Memory


class SourceMemory:
    """The memory that may be written down, and those that wait for events. Not safe for several threads."""

    def __init__(self, memory: Memory) -> None:
        self._safe, self.newest = memory, memory
        self._later: list[Later] = []

    def remember(self, memory: Memory, told: int) -> None:
        """Keep ``memory``, before which ``told`` events were told: the first one that waits stays, or none would ever
        count while events come without a pause.
        """
        self.newest = memory
        self._later[1:] = [Later(told, memory)]

    def safe(self, settled: Callable[[], int]) -> Memory:
        """Return the newest memory whose events are all durable."""
        if self._later:
            count = settled()
            while self._later and self._later[0].settled <= count:
                self._safe = self._later.pop(0).memory
        return self._safe
