"""How the targets of this gateway's forwards are doing, as all its processes see it.

The rules are in ``target_health.py``. What one process learns of a target holds for all: failures are counted together,
and at the end of a pause one of them tries one letter.
"""

import random
from collections.abc import Callable, Iterable, Mapping

import structlog

from gateway.relay import target_health
from gateway.relay.target_health import TargetHealth
from gateway.store.shared.contract import Shared, SharedRecord
from gateway.store.shared.files import Record

log = structlog.get_logger()


class HealthBook:
    """Reads and notes the health of targets, each by tenant and name, for any thread.

    Without ``shared`` it is this process's own, by ``clock``, which gives milliseconds.
    """

    def __init__(
        self,
        targets: Iterable[tuple[str, str]],
        shared: Shared | None,
        clock: Callable[[], int],
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._shared = shared
        self._clock = clock
        self._chance = chance
        self._records: Mapping[tuple[str, str], SharedRecord[TargetHealth]] = {
            key: shared.record(TargetHealth, *key) if shared else Record(TargetHealth) for key in targets
        }

    def now(self) -> int:
        """Return milliseconds since 1970 by the clock that all processes go by."""
        return round(self._shared.now() * 1000) if self._shared else self._clock()

    def own_retry_at(self, key: tuple[str, str]) -> int | None:
        """Return when the pause of a target is over, by this process's own clock; None where it has none, and of a
        target that is not in the book.
        """
        record = self._records.get(key)
        health = record.read() if record else TargetHealth()
        return health.retry_at - self.now() + self._clock() if health.is_open else None

    def slots(self, key: tuple[str, str], free: int) -> int:
        """Return how many letters may be claimed for a target now, where ``free`` more could be."""
        return target_health.slots(self._records[key].read(), self.now(), free)

    def admit(self, key: tuple[str, str]) -> bool:
        """Return whether a letter may be sent now; at the end of a pause one in the whole gateway may."""
        record = self._records[key]
        return not record.read().is_open or record.change(lambda health: target_health.admit(health, self.now()))

    def note(self, key: tuple[str, str], *, answers: bool, retry_after_s: float | None) -> bool:
        """Have all processes know what came of a letter; return whether the target had failed and answers again."""
        record = self._records[key]
        if answers and not record.read().failures:  # most often there is nothing to change
            return False
        rolled = self._chance()

        def work(before: TargetHealth) -> tuple[TargetHealth, tuple[TargetHealth, TargetHealth]]:
            after = target_health.record(
                before, answers=answers, now=self.now(), random=lambda: rolled, retry_after_s=retry_after_s
            )
            return after, (before, after)

        before, after = record.change(work)
        if after.is_open != before.is_open:
            said = "forward_left_alone" if after.is_open else "forward_answers_again"
            log.warning(said, tenant=key[0], target=key[1], failures=before.failures + 1)
        return answers and before.failures > 0

    def standing(self) -> Mapping[tuple[str, str], TargetHealth]:
        """Return the health of all targets."""
        return {key: record.read() for key, record in self._records.items()}

    def close(self) -> None:
        """Let go of what is shared. Safe to call again."""
        for record in self._records.values():
            record.close()
