"""The tables of settings that say how numbers are dialled."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gateway.config.values import AreaCode, NumberKind, OneOrMore, Prefix, Table
from gateway.domain.dialplan import forms as dial_forms
from gateway.domain.dialplan import plan as dialplan
from gateway.domain.dialplan import rules as dial_rules
from gateway.domain.dialplan.trials import Trial
from gateway.texts.text import Text


class DialRule(Table):
    """The numbers that a rule of the dial plan is for, and how they are dialled. What is left out: any."""

    kind: OneOrMore[NumberKind] = Field((), description="what the number is: one or several kinds")
    area: OneOrMore[Literal["own", "other"] | AreaCode] = Field(
        (), description="its area code: 'own' (the company's or branch's), 'other', or DDDs such as ['11', '12']"
    )
    match: OneOrMore[str] = Field((), description="patterns on DDD + number: '4733*', '11xxxxxxxx', '+1*', '/regex/'")
    dial: str | None = Field(None, description="{national}, {local} or {international}, with what goes before it")
    block: bool = Field(False, description="true instead of dial: such numbers are refused")
    note: str = Field("", max_length=100, description="shown where the rule is explained")

    @model_validator(mode="after")
    def _can_work(self) -> "DialRule":
        self.rule()
        return self

    def rule(self) -> dial_rules.DialPlanRule:
        """Return the rule as the domain has it. Raises ``ValueError`` for one that could never work."""
        return dial_rules.DialPlanRule.make(
            dial=self.dial, block=self.block, kinds=self.kind, areas=self.area, match=self.match, note=self.note
        )


class DialTest(Table):
    """A test case of the dial plan, which 'check' runs."""

    number: str = Field(description="as the CRM or a person may write it")
    dials: Annotated[str, Field(pattern=r"^\+?[0-9*#]+$")] | None = Field(None, description="the digits expected")
    blocked: bool = Field(False, description="true instead of dials: it is to be refused")
    extension: str = Field("", description="who calls, where a branch has an area code of its own")

    @model_validator(mode="after")
    def _expects_one_thing(self) -> "DialTest":
        if self.blocked == (self.dials is not None):
            raise ValueError(Text('a test needs either dials = "..." or blocked = true'))
        return self


class DialPlanSettings(Table):
    """How numbers are dialled."""

    prefix: Prefix = Field(
        "", description="put before all numbers except internal extensions and public services, never twice"
    )
    blocked: OneOrMore[str] = Field((), description="patterns of numbers that are never dialled, such as '0900*'")
    rules: tuple[DialRule, ...] = Field(
        (), strict=False, description="looked through in order; the first that is for a number replaces the prefix"
    )
    tests: tuple[DialTest, ...] = Field((), strict=False, description="cases that 'check' proves")

    @model_validator(mode="after")
    def _fits_together(self) -> "DialPlanSettings":
        self.plan()
        return self

    def plan(self, *, blocked: tuple[str, ...] = ()) -> dialplan.DialPlan:
        """Return the plan as the domain has it, with further ``blocked`` patterns. Raises ``ValueError``."""
        never = dial_forms.patterns((*blocked, *self.blocked))
        return dialplan.DialPlan(self.prefix, tuple(rule.rule() for rule in self.rules), never)

    def trials(self) -> tuple[Trial, ...]:
        """Return the test cases as the domain has them."""
        return tuple(Trial(case.number, case.dials, case.extension) for case in self.tests)
