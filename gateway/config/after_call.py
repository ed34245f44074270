"""Tables of what agents do when a call is over: outcomes to choose from, the list of missed calls."""

from typing import Annotated

from pydantic import Field

from gateway.config.values import Interval, Table, seconds_of
from gateway.texts.languages import Language

OutcomeCode = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
OutcomeLabel = Annotated[str, Field(min_length=1, max_length=60)]


class OutcomeSettings(Table):
    """One outcome that an agent may choose in a call's note."""

    code: OutcomeCode = Field(description="what CRMs and scripts are told: small letters, digits, '-' and '_'")
    label: OutcomeLabel = Field(description="name shown to people")
    labels: dict[Language, OutcomeLabel] = Field(default_factory=dict, description="the same in other languages")
    follow_up: bool = Field(False, description="asks for the date of a follow-up")

    def label_in(self, language: Language) -> str:
        """Return its name for readers of ``language``."""
        return self.labels.get(language, self.label)


class MissedSettings(Table):
    """The list of missed calls."""

    goal: Interval = Field("15m", description="a customer who waits longer to be called back is marked as late")
    days: int = Field(7, ge=1, le=365, description="missed calls that are older leave the list by themselves")
    claim: Interval = Field("10m", description="for how long nobody else calls back whom an agent calls back")

    @property
    def goal_ms(self) -> int:
        """After how long a customer waits too long, in milliseconds."""
        return seconds_of(self.goal) * 1000

    @property
    def claim_ms(self) -> int:
        """How long a claim holds, in milliseconds."""
        return seconds_of(self.claim) * 1000

    @property
    def days_ms(self) -> int:
        """How long a missed call stands in the list, in milliseconds."""
        return self.days * 86_400_000
