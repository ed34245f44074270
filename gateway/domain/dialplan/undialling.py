"""What an exchange says that it dialled, without what a dial plan had put in front of it.

An order to 4732100123 that a plan with ``prefix = "9"`` dials as 94732100123 is reported so:
it is one call all the same.
"""

from dataclasses import replace

from gateway.domain.calls.direction import Sides, tell_sides
from gateway.domain.dialplan.plan import DialPlan, dials_of, without_front, written_of
from gateway.domain.messages import Direction
from gateway.domain.numbering.number_text import typed
from gateway.domain.numbering.numbers import NumberPlan
from gateway.domain.numbering.reading import NumberKind, Reading
from gateway.domain.sentences import step
from gateway.domain.tenant import Tenant

_NUMBERS = (NumberKind.FIXED, NumberKind.MOBILE, NumberKind.SPECIAL, NumberKind.FOREIGN)


def sides_of(ramal: str, telefone: str, tenant: Tenant, said: Direction | None = None) -> Sides:
    """Return the sides of a call as an exchange tells of it, its number as the tenant's dial plans would have dialled
    it.

    A complete number is what it is, unless an order says otherwise: with prefix 9, 94932100123 is a mobile in Pará or
    the dialled form of 4932100123.
    """
    numbers = tenant.numbers_for(ramal, telefone)
    sides = tell_sides(ramal, telefone, numbers, said)
    plans = tenant.plans_for(sides.extension)
    if not plans:
        return sides
    surely = _may_be_dialled(sides)
    if not surely and not _may_be_another(sides.other):
        return sides
    found = next(filter(None, (undialled(sides.other, plan, numbers) for plan in plans)), None)
    if found is None:
        return sides
    return replace(sides, other=found) if surely else replace(sides, perhaps=found)


def _may_be_dialled(sides: Sides) -> bool:
    """Complete numbers stay what they are; a local form may be a plan's only in a call that was made."""
    other = sides.other
    if other.national == other.input and other.kind is not NumberKind.UNKNOWN:
        return False
    if other.kind is NumberKind.UNKNOWN or other.input[:1] in ("*", "#"):
        return any(sign.isdigit() for sign in other.national)
    local = other.kind in (NumberKind.FIXED, NumberKind.MOBILE) and any(
        done.rule == "area-code" for done in other.steps
    )
    return local and sides.direction is Direction.OUTGOING


def _may_be_another(other: Reading) -> bool:
    """Return whether a number that is complete may be the dialled form of another one; a 0 in front was
    read already.
    """
    return other.kind in _NUMBERS and other.input[:1] != "0"


def undialled(reading: Reading, plan: DialPlan, numbers: NumberPlan) -> Reading | None:
    """Return the number behind what ``plan`` puts in front, if ``plan`` would dial it exactly so; else None."""
    written = written_of(typed(reading.input))
    for front, rest, behind in without_front(written, plan, numbers):
        if front.before and behind.kind in _NUMBERS and dials_of(rest, behind, plan, numbers) == written:
            steps = (step("dial-there", front.before), *behind.steps)
            return replace(behind, input=reading.input, steps=steps)
    return None
