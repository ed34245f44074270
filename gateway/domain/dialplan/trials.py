"""Test cases of a dial plan, written in the configuration beside it."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.dialplan.plan import BlockedNumber, DialPlan, NothingToDial, dial
from gateway.domain.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Trial:
    """``number``, called by ``extension`` if that is given, shall be dialled as ``dials``, or refused if None."""

    number: str
    dials: str | None
    extension: str = ""

    def failure(self, plan: DialPlan, tenant: Tenant) -> "Failure | None":
        """None when it holds, else what came out and what was expected."""
        result, came = self._dialled(plan, tenant)
        if (result is TrialResult.BLOCKED and self.dials is None) or (came and came == self.dials):
            return None
        return Failure(self.number, self.extension, self.dials, result, came)

    def _dialled(self, plan: DialPlan, tenant: Tenant) -> "tuple[TrialResult, str]":
        try:
            return TrialResult.DIALLED, dial(self.number, plan, tenant.numbers_for(self.extension)).digits
        except BlockedNumber as error:
            return TrialResult.BLOCKED, error.by
        except NothingToDial:
            return TrialResult.NOTHING, ""


class TrialResult(StrEnum):
    """What a plan makes of a number."""

    DIALLED = "dialled"
    BLOCKED = "blocked"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that does not hold. ``came`` are the digits, or what blocks; ``expected`` None: that it is blocked."""

    number: str
    extension: str
    expected: str | None
    result: TrialResult
    came: str = ""

    def __str__(self) -> str:
        caller = f" from extension {self.extension}" if self.extension else ""
        return f"{self.number!r}{caller} gave {self._gave()}, expected {self.expected or 'blocked'}"

    def _gave(self) -> str:
        names = {TrialResult.BLOCKED: f"blocked by {self.came}", TrialResult.NOTHING: "nothing to dial"}
        return names.get(self.result, self.came)
