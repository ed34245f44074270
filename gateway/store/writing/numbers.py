"""The numbers that a transaction gives out: a company's next event, the ids of new calls and orders.

They are taken under a lock that is held to the commit, so that events have no gaps and who follows them misses none.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from gateway.store import statements
from gateway.store.bulk import Driver, Writes

NONE_AT_HAND = 0


class Numbers(Protocol):
    """One use for each transaction, like the batch that it belongs to."""

    def lock(self, drafts: Sequence[Any]) -> None:
        """Keep everybody else from deciding about the same companies or jobs, to the end of the transaction."""
        ...

    def load(self, drafts: Sequence[Any]) -> Iterator[None]:
        """Lock the same together with other loads (``lookups.load_together``), before what these ask."""
        ...

    def reserve(self, drafts: Sequence[object], new_calls: Callable[[], int]) -> None:
        """Have the numbers of ``drafts`` at hand: ``new_calls`` returns how many calls they may open besides."""
        ...

    def seq(self, tenant: str) -> int:
        """Give out the number of a tenant's next event."""
        ...

    def call_at_hand(self) -> int:
        """Return the id that ``next_call`` will give out; ``NONE_AT_HAND`` when it has to be fetched first."""
        ...

    def next_call(self) -> int:
        """Give out the id of a new call."""
        ...

    def next_order(self) -> int:
        """Give out the id of a new order."""
        ...

    def to_write(self) -> tuple[Writes, list[dict[str, Any]]]:
        """Return what writes down what was given out since this was asked last."""
        ...


class CountedNumbers:
    """Numbers of the table ``counters``, one sequence for all tenants: SQLite's lock keeps everybody else out."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._read: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def lock(self, drafts: Sequence[Any]) -> None:
        """Do nothing: nobody else writes."""

    def load(self, drafts: Sequence[Any]) -> Iterator[None]:
        """Do nothing."""
        return iter(())

    def reserve(self, drafts: Sequence[object], new_calls: Callable[[], int]) -> None:
        self._read = dict(self._driver.connection.execute(statements.COUNTERS).fetchall())
        self._last = dict(self._read)

    def seq(self, tenant: str) -> int:
        seq = self._last["event"] = self._last["event"] + 1
        return seq

    def call_at_hand(self) -> int:
        return self._last["call"] + 1

    def next_call(self) -> int:
        call_id = self._last["call"] = self._last["call"] + 1
        return call_id

    def next_order(self) -> int:
        order_id = self._last["order"] = self._last["order"] + 1
        return order_id

    def to_write(self) -> tuple[Writes, list[dict[str, Any]]]:
        moved = sorted(self._last.items() - self._read.items())
        self._read = dict(self._last)
        return statements.WRITE_COUNTERS, [{"name": name, "value": value} for name, value in moved]
