"""How one forward is treated: what is worth delivering when, how much at once, what may come twice."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from gateway.domain.event_fields import EVENT_KINDS
from gateway.store.letters.lifetimes import DAY_MS, Lifetimes

START_EXPIRES_MS = 20_000
EXPIRES_MS = 3 * DAY_MS
NEWS_MS = 3_600_000
"""What is worth delivering for less than that is only news: nobody wants it later."""


@dataclass(frozen=True, slots=True)
class ForwardRules:
    """The rules of one forward. ``expires_ms`` says of each kind how long it is worth delivering, None: always; of
    kinds that are not in it ``EXPIRES_MS``. Kinds in ``late`` are delivered all the same, marked so.
    """

    parallel: int = 16
    idempotent: bool = False
    expires_ms: Mapping[str, int | None] = field(default_factory=lambda: {"call_started": START_EXPIRES_MS})
    late: Set[str] = frozenset()
    keep_ms: int = 30 * DAY_MS

    def lifetimes(self) -> Lifetimes:
        """Return how long this forward's letters are worth something, for whoever looks after them."""
        known = {kind: self.lifetime_ms(kind) for kind in EVENT_KINDS}
        news = {kind: lifetime for kind, lifetime in known.items() if lifetime is not None and lifetime < NEWS_MS}
        long = [lifetime for lifetime in known.values() if lifetime is not None and lifetime >= NEWS_MS]
        return Lifetimes(news, min(long, default=None), self.keep_ms)

    def lifetime_ms(self, kind: str) -> int | None:
        """Return after how long an event of ``kind`` is not delivered any more, as it is or as a late one."""
        usual = self.expires_ms.get(kind, EXPIRES_MS)
        return max(usual, EXPIRES_MS) if usual is not None and kind in self.late else usual

    def late_after_ms(self, kind: str) -> int | None:
        """Return after how long an event of ``kind`` is delivered as a late one; None: it never is."""
        return self.expires_ms.get(kind, EXPIRES_MS) if kind in self.late else None
