"""What all processes of a gateway share beside the database's rows: how appliances are doing, limits, and who does
what only one may do.

On SQLite these are files under kernel locks (``files.py``), on PostgreSQL rows that nobody waits for
(``postgresql.py``). Nothing of it is needed for good. Where it cannot be used, each process goes on with values
of its own, and says so once.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")
Told = TypeVar("Told")
GiveBack = Callable[[], None]
"""Gives a place back; called once."""


def called(kind: type) -> str:
    """Return what a kind of shared value is called in the log and on disk: its class variable ``CALLED``, else its
    class's name.
    """
    return str(getattr(kind, "CALLED", kind.__name__))


class SharedRecord(Protocol[T]):
    """One small value, a frozen dataclass of which every field has a default; ``CALLED`` may name its kind."""

    def change(self, work: Callable[[T], tuple[T, Told]]) -> Told:
        """Put ``work(value)``'s first result in the value's place; its second is what the caller gets.

        ``work`` may be called more than once: it works something out and does nothing.
        """
        ...

    def read(self) -> T:
        """Return the value now."""
        ...

    def close(self) -> None: ...


class SharedSlots(Protocol):
    """A number of places among all processes; those of a process that dies are free within 5 seconds."""

    def take(self, timeout_s: float) -> GiveBack | None:
        """Take a place of this process within ``timeout_s``, and one among all now; how to give it back, or None."""
        ...


class SharedCounts(Protocol):
    """What is counted, and what is remembered, for a time; by keys of 16 bytes that tell nothing of whose they are."""

    def counted(self, who: bytes) -> tuple[int, float]:
        """Return how often ``who`` was counted in the window that is under way, and the seconds until that is over."""
        ...

    def count(self, who: bytes, window_s: float) -> None:
        """Count ``who`` once more, in a window that begins with the first time."""
        ...

    def remember(self, mark: bytes, seconds: float) -> None:
        """Know ``mark`` for so long."""
        ...

    def knows(self, mark: bytes) -> bool:
        """Return whether ``mark`` is remembered."""
        ...

    def tidy(self) -> None:
        """Drop what is over, and the oldest of what is too much."""
        ...

    def close(self) -> None: ...


class Lease(Protocol):
    """The right to do what one process at a time may do, held until it is given back or its process dies."""

    @property
    def token(self) -> int:
        """Number of this holding: greater than that of every holder before, so that what an earlier one still writes
        can be told and refused (fencing).
        """
        ...

    def held(self) -> bool:
        """Return whether it is still ours: ask before each step, and end when it is not. Cheap, never raises."""
        ...

    def release(self) -> None:
        """Give it back. Safe to call again."""
        ...


class Shared(Protocol):
    """All that is shared, for any thread. Close it last."""

    def now(self) -> float:
        """Return seconds since 1970 by the clock that all processes go by."""
        ...

    def record(self, kind: type[T], tenant: str, name: str) -> SharedRecord[T]:
        """Return the value of ``kind`` that concerns an appliance, or a forward; each kind has its own."""
        ...

    def slots(self, tenant: str, name: str, count: int) -> SharedSlots:
        """Return the ``count`` places of an appliance."""
        ...

    def counts(self) -> SharedCounts:
        """Return the counts, of wrong passwords for one; close them."""
        ...

    def lease(self, name: str) -> Lease | None:
        """Take the lease ``name`` (such as ``source/TENANT/NAME``) if nobody has it; None when another has it, or when
        that cannot be told. One process cannot take it twice either.
        """
        ...

    def close(self) -> None:
        """Give back all that this process holds. Safe to call again."""
        ...
