"""The doorbell: tells other processes of news in the event log, so that they need not wait for their next look."""

from collections.abc import Callable, Collection
from typing import Protocol

Ringing = Callable[[Collection[str]], None]
"""Is told of whose events there are; of none in particular: anybody's. Must be quick, and never raise."""


class Doorbell(Protocol):
    """Rung after a commit. What is not heard is found by looking: nothing depends on it but how soon."""

    @property
    def is_heard(self) -> bool:
        """Return whether rings of other processes are heard."""
        ...

    @property
    def look_every_s(self) -> float:
        """Return after how many seconds without a ring to look all the same."""
        ...

    def start(self) -> None:
        """Begin to listen."""
        ...

    def ring(self, tenants: Collection[str]) -> None:
        """Have all other processes told of news of ``tenants``. Never waits."""
        ...

    def on_ring(self, listener: Ringing) -> None:
        """Have ``listener`` told, on a thread of the doorbell's own, when another process rings."""
        ...

    def close(self) -> None:
        """End. Safe to call again."""
        ...


class NoDoorbell:
    """Rings nowhere: on one machine, processes see each other's commits in the database's file."""

    is_heard = False
    look_every_s = 0.1

    def start(self) -> None: ...

    def ring(self, tenants: Collection[str]) -> None: ...

    def on_ring(self, listener: Ringing) -> None: ...

    def close(self) -> None: ...
