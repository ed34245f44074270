"""How one forward is treated: what is worth delivering when, how much at once, what may come twice."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

DAY_MS = 86_400_000
START_EXPIRES_MS = 20_000
EXPIRES_MS = 3 * DAY_MS


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

    def lifetime_ms(self, kind: str) -> int | None:
        """Return after how long an event of ``kind`` is not delivered any more, as it is or as a late one."""
        usual = self.expires_ms.get(kind, EXPIRES_MS)
        return max(usual, EXPIRES_MS) if usual is not None and kind in self.late else usual

    def late_after_ms(self, kind: str) -> int | None:
        """Return after how long an event of ``kind`` is delivered as a late one; None: it never is."""
        return self.expires_ms.get(kind, EXPIRES_MS) if kind in self.late else None
