"""Wrong passwords counted, and good ones remembered, once for all processes of a gateway; by hashes only."""

import hashlib
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from gateway.store.shared.contract import SharedCounts
from gateway.store.shared.file_counts import FileCounts

SITE_BITS = 64
"""What one customer of a provider has of IPv6: all of its addresses count as one."""


@dataclass(frozen=True, slots=True)
class Limit:
    """``most`` wrong passwords in the ``window_s`` seconds that begin with the first of them."""

    name: str
    most: int
    window_s: float


class Attempts:
    """Counts and remembers, for any thread. Without ``counts``: for this process only."""

    def __init__(self, counts: SharedCounts | None = None) -> None:
        self._counts = counts or FileCounts(None)

    def wait_s(self, limit: Limit, *who: str) -> float:
        """Return the seconds until ``who`` may try again by ``limit``; 0 when it may now."""
        count, left_s = self._counts.counted(digest(limit.name, *who))
        return max(0.0, left_s) if count >= limit.most else 0.0

    def count(self, limit: Limit, *who: str) -> None:
        """Count one wrong password of ``who``."""
        self._counts.count(digest(limit.name, *who), limit.window_s)

    def remember(self, mark: bytes, seconds: float) -> None:
        """Know ``mark`` for so long."""
        self._counts.remember(mark, seconds)

    def knows(self, mark: bytes) -> bool:
        """Return whether ``mark`` is remembered."""
        return self._counts.knows(mark)

    def tidy(self) -> None:
        """Drop what is over, and the oldest of what is too much."""
        self._counts.tidy()

    def close(self) -> None:
        self._counts.close()


def digest(*parts: str) -> bytes:
    """Return a key of fixed length for ``parts``, which a stranger may make as long as requests may be."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def place_of(address: str) -> str:
    """Return the address as it is counted: IPv4 as it is, IPv6 by its network."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped or ip_network((found, SITE_BITS), strict=False))
    return str(found)
