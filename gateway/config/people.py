"""Tables of a company's people: its teams, and who sees telephones in full."""

from typing import Literal

from pydantic import Field, field_validator

from gateway.config.values import Table
from gateway.domain.numbering.extensions import Extensions
from gateway.texts.text import Text

MaskedRole = Literal["agent", "supervisor", "auditor", "program"]
"""An administrator sees telephones in the configuration's tests, the traffic log and the directory anyway."""


class TeamSettings(Table):
    """Some of the company's people, by extensions or logins, with the queues that they answer."""

    title: str = Field("", description="name shown to people")
    extensions: tuple[str, ...] = Field(
        (), strict=False, description="extensions of its people: '3500-3519', '35xx', '201'; no regular expressions"
    )
    agents: tuple[str, ...] = Field((), strict=False, description="logins of its people, besides")
    queues: tuple[str, ...] = Field((), strict=False, description="queues whose calls are the team's, as exchanges say")
    supervisors: tuple[str, ...] = Field((), strict=False, description="logins of supervisors who see its calls")

    @field_validator("extensions")
    @classmethod
    def _extensions_are_spans(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        if texts and (parsed := Extensions.parse(texts)).patterns:
            pattern = parsed.patterns[0].text
            raise ValueError(Text("a team's extensions are digits, ranges, or end in x; not {text!r}", text=pattern))
        return texts


class AuditSettings(Table):
    """The audit log: who listened, exported, corrected and changed what."""

    keep_days: float | None = Field(
        None, gt=0, le=36_500, strict=False, description="older entries are removed; all are kept when absent"
    )


class PrivacySettings(Table):
    """What is kept from some roles."""

    mask_numbers_for: tuple[MaskedRole, ...] = Field(
        (), strict=False, description="roles that see only the last four digits of telephones; they dial all the same"
    )
