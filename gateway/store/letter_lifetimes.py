"""How long letters are worth something: while they are news, until they are given up, until they are let go of."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a target's letters are worth something. ``news_ms`` has the kinds that are only news for a short time:
    they are not sent again in bulk when it is over. Letters wait for ``longest_ms`` at most.
    """

    news_ms: Mapping[str, int] = field(default_factory=dict)
    longest_ms: int | None = 3 * 86_400_000
    keep_ms: int = 30 * 86_400_000
