"""Test cases of a dial plan, written in the configuration beside it."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.dialplan.plan import BlockedNumber, DialPlan, NothingToDial, dial
from gateway.domain.tenant import Tenant
from gateway.texts.text import Fact, Text


@dataclass(frozen=True, slots=True)
class Trial:
    """``number``, called by ``extension`` if that is given, shall be dialled as ``dials``, or refused if None."""

    number: str
    dials: str | None
    extension: str = ""

    def failure(self, plan: DialPlan, tenant: Tenant) -> "Failure | None":
        """Return None when the test case holds, else what came out and what was expected."""
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

    @property
    def text(self) -> Text:
        """What came out and what was expected, as a sentence."""
        expected = self.expected or Text("blocked")
        facts: dict[str, Fact] = {"number": self.number, "gave": self._gave(), "expected": expected}
        if self.extension:
            facts["extension"] = self.extension
            return Text("{number!r} from extension {extension} gave {gave}, expected {expected}", **facts)
        return Text("{number!r} gave {gave}, expected {expected}", **facts)

    def __str__(self) -> str:
        return str(self.text)

    def _gave(self) -> Fact:
        if self.result is TrialResult.BLOCKED:
            return Text("blocked by {setting}", setting=self.came)
        return Text("nothing to dial") if self.result is TrialResult.NOTHING else self.came
