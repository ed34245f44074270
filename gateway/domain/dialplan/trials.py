"""Test cases of a dial plan, written in the configuration beside it."""

from dataclasses import dataclass

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
        came = self._dialled(plan, tenant)
        expected = self.dials or "blocked"
        if came == expected or (self.dials is None and came.startswith("blocked")):
            return None
        return Failure(self.number, self.extension, came, expected)

    def _dialled(self, plan: DialPlan, tenant: Tenant) -> str:
        try:
            return dial(self.number, plan, tenant.numbers_for(self.extension)).digits
        except BlockedNumber as error:
            return f"blocked by {error.by}"
        except NothingToDial:
            return "nothing to dial"


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that does not hold: ``came`` are the digits, or why there are none; ``expected`` may be ``blocked``."""

    number: str
    extension: str
    came: str
    expected: str

    def __str__(self) -> str:
        caller = f" from extension {self.extension}" if self.extension else ""
        return f"{self.number!r}{caller} gave {self.came}, expected {self.expected}"
