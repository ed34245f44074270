"""What the handlers need to know of a company: how it reads and dials numbers, and who is to be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.domain.calls.scope import Team
from gateway.domain.dialplan.plan import DialPlan
from gateway.domain.numbering.numbers import Extensions, NumberKind, NumberPlan, read
from gateway.domain.telling import NO_RULES, TellingRules


@dataclass(frozen=True, slots=True)
class Appliance:
    """An appliance as the handlers see it: its name, its dial plan, and the extensions that dial by it.

    ``fallback`` is the appliance that dials when this one was surely not reached.
    """

    name: str
    title: str
    dial_plan: DialPlan
    extensions: Extensions | None = None
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """Some of a company's extensions that sit elsewhere: ``numbers`` has the area code there."""

    name: str
    extensions: Extensions
    numbers: NumberPlan


@dataclass(frozen=True, slots=True)
class Tenant:
    """One company's rules. ``forwards`` maps an event kind to the names of those who are told of it, ``lines`` the
    numbers that are called to their names; ``telling_rules`` say what of it each forward wants.

    ``plans_with_front`` are the dial plans that put something in front of numbers, each once.
    ``teams`` say who may see whose calls. Within ``repeat_within_ms`` the same order again is taken for a double click;
    0 dials every time.
    """

    name: str
    numbers: NumberPlan
    appliances: tuple[Appliance, ...] = ()
    default_appliance: str | None = None
    forwards: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    repeat_within_ms: int = 0
    branches: tuple[Branch, ...] = ()
    lines: Mapping[str, str] = field(default_factory=dict)
    teams: tuple[Team, ...] = ()
    telling_rules: TellingRules = NO_RULES
    plans_with_front: tuple[DialPlan, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        plans = dict.fromkeys(appliance.dial_plan for appliance in self.appliances if appliance.dial_plan.fronts)
        object.__setattr__(self, "plans_with_front", tuple(plans))

    def line_name(self, line: str) -> str | None:
        """Return the name of a called line, in whatever form the exchange writes its number; None where it has none."""
        return self.lines.get(line) or self.lines.get(read(line, self.numbers).national)

    def numbers_for(self, *texts: str) -> NumberPlan:
        """Return the plan by which numbers are read that come with ``texts``: that of the branch whose extension is one
        of them, else the tenant's.
        """
        if not self.branches:
            return self.numbers
        for reading in (read(text, self.numbers) for text in texts):
            for branch in self.branches:
                if reading.kind is NumberKind.EXTENSION and branch.extensions.matches(reading.national):
                    return branch.numbers
        return self.numbers

    def plans_for(self, extension: str) -> tuple[DialPlan, ...]:
        """Return the dial plans that put something in front of numbers: that by which ``extension`` dials first."""
        if len(self.plans_with_front) <= 1:
            return self.plans_with_front
        own = self.appliance_for(extension)
        return tuple(sorted(self.plans_with_front, key=lambda plan: own is None or plan != own.dial_plan))

    def appliance_for(self, extension: str) -> Appliance | None:
        """Return the appliance that dials for ``extension``: the one that lists it, else the default,
        else the first.
        """
        for appliance in self.appliances:
            if appliance.extensions is not None and appliance.extensions.matches(extension):
                return appliance
        return self.appliance(self.default_appliance) or (self.appliances[0] if self.appliances else None)

    def appliance(self, name: str | None) -> Appliance | None:
        """Return the appliance called ``name``, if there is one."""
        return next((appliance for appliance in self.appliances if appliance.name == name), None)
