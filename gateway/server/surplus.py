"""Which connections are let go of: those whose client takes nothing, and, where they run out, those without use.

Granian limits neither: a client that never reads its answers would keep its connection for ever, and one address could
take all connections there are without sending a request.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from gateway.server import pauses
from gateway.server.sockets import Connection

STALLED_S = 30.0
"""A client that takes no byte of an answer for so long; as of a stream."""


class Stalled:
    """Finds connections whose unsent bytes have not become fewer for ``STALLED_S``: more of them only say that the
    client asks for more, without taking what it has asked for.
    """

    def __init__(self) -> None:
        self._since: dict[int, tuple[int, float]] = {}

    def among(self, connections: Sequence[Connection], now: float) -> list[Connection]:
        """Return those of ``connections`` that are stalled at ``now`` (seconds of a steady clock)."""
        before, self._since = self._since, {}
        for each in pauses.in_pieces(connections):
            if each.unsent:
                known = before.get(each.inode)
                since = known[1] if known and known[0] <= each.unsent else now
                self._since[each.inode] = (each.unsent, since)
        stalled = {inode for inode, (_, since) in self._since.items() if now - since >= STALLED_S}
        return [each for each in connections if each.inode in stalled] if stalled else []


def without_use(
    connections: Sequence[Connection], enough: int, *, is_in_use: Callable[[Connection], bool]
) -> list[Connection]:
    """Return the connections to end so that ``enough`` are left: of the addresses that have most, none
    that is in use.
    """
    counts = Counter(each.address for each in connections)
    idle: dict[str, list[Connection]] = {}
    for each in connections:
        if not is_in_use(each):
            idle.setdefault(each.address, []).append(each)
    level = _level(counts, idle, len(connections) - enough)
    return [each for address, theirs in idle.items() for each in theirs[: max(0, counts[address] - level)]]


def _level(counts: Counter[str], idle: Collection[str], surplus: int) -> int:
    """Return how many connections each address with idle ones may keep, so that at least ``surplus`` are ended."""
    low, high = 0, max(counts.values(), default=0)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(max(0, counts[address] - middle) for address in idle) >= surplus:
            low = middle
        else:
            high = middle - 1
    return low
