"""Which further tokens of a search are worth reading of the search index: most of them leave out no call.

A call that has the rarest parts of a word mostly has its other parts, too. To read their sets, segment after segment,
costs more than to look at the few calls that they would leave out.
"""

from collections import Counter

ENOUGH = 40
"""From so many calls on it is known whether a token leaves out any."""
LITTLE = 0.02
"""A token that leaves out at most this share of the calls is not worth reading."""
AGAIN = 8
"""Such a token is read all the same of one in so many segments: older calls may lack it."""


class Telling:
    """What one search has seen of each further token that it read: of how many calls, and how many lacked it."""

    def __init__(self) -> None:
        self._before: Counter[int] = Counter()
        self._without: Counter[int] = Counter()
        self._left_out: Counter[int] = Counter()

    def is_worth(self, token: int) -> bool:
        """Return whether ``token`` is to be read of the next segment; ask once for each."""
        if not self._is_little(token):
            return True
        self._left_out[token] += 1
        return self._left_out[token] % AGAIN == 0

    def note(self, token: int, before: int, after: int) -> None:
        """Note that of ``before`` calls of a segment ``after`` have ``token``."""
        self._before[token] += before
        self._without[token] += before - after

    def _is_little(self, token: int) -> bool:
        return self._before[token] >= ENOUGH and self._without[token] <= LITTLE * self._before[token]
