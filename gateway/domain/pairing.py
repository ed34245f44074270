"""Which start an end belongs to, when the exchange gives no call id.

An end belongs to the newest open call of the same tenant, extension and number that began within the last day; an older
open call has lost its end. The two sides of an internal call are one pair, whichever of them is named first.
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from gateway.domain.messages import Direction
from gateway.domain.sides import Sides

LONGEST_CALL_MS = 24 * 3600 * 1000
LONGEST_RING_MS = 120 * 1000
"""After this long an order no longer claims a call that starts: somebody dialled the same number by hand."""


class OpenCall(Protocol):
    """What pairing looks at."""

    @property
    def logged_at(self) -> int: ...
    @property
    def ordered(self) -> bool: ...


Call = TypeVar("Call", bound=OpenCall)


def pair_key(tenant: str, sides: Sides) -> str:
    """Equal for the start and the end of one call."""
    ends = [sides.extension, sides.other.national or sides.other.input]
    if sides.direction is Direction.INTERNAL:
        ends.sort()
    return "\x1f".join([tenant, *ends])


def call_of_end(open_calls: Iterable[Call], at: int) -> Call | None:
    """The open call that an end received at ``at`` closes."""
    return _newest(call for call in open_calls if at - call.logged_at <= LONGEST_CALL_MS)


def order_of_start(open_calls: Iterable[Call], at: int) -> Call | None:
    """The click-to-call order whose call a start received at ``at`` reports, if any."""
    return _newest(call for call in open_calls if call.ordered and at - call.logged_at <= LONGEST_RING_MS)


def _newest(calls: Iterable[Call]) -> Call | None:
    return max(calls, key=lambda call: call.logged_at, default=None)
