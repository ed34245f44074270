"""Which events a forward wants: its condition, and examples that ``check`` holds it against."""

from collections.abc import Mapping
from json import dumps
from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from gateway.config.values import Table
from gateway.domain.conditions import NAMES, condition
from gateway.texts.text import Text


def _condition(value: str) -> str:
    condition(value)
    return value


ConditionText = Annotated[str, AfterValidator(_condition)]
"""A condition as ``domain/conditions.py`` reads it."""


class ForwardExample(Table):
    """An event, and whether the forward is to be told of it."""

    event: dict[str, Any] = Field(
        description="fields of the event, such as direction = 'incoming'; 'event' is its kind, 'kind' the number's"
    )
    sent: bool = Field(description="whether the forward is told of it")

    @field_validator("event")
    @classmethod
    def _has_known_fields(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if name not in NAMES:
                condition(name)  # says which name is the nearest
        return value

    def holds_for(self, only: str) -> bool:
        """Return whether the condition ``only`` says of the event what this example says."""
        fields = {"number_kind" if name == "kind" else name: _as_text(value) for name, value in self.event.items()}
        return condition(only).holds(fields) is self.sent

    def problem(self, only: str) -> Text:
        """Say what is wrong where the example does not hold."""
        shown = ", ".join(f"{name} = {dumps(value, ensure_ascii=False)}" for name, value in self.event.items())
        if self.sent:
            return Text(
                "{only} does not send an event with {event}, and the example wants it sent", only=only, event=shown
            )
        return Text("{only} sends an event with {event}, and the example wants it left out", only=only, event=shown)


def _as_text(value: Any) -> str:
    """Return a value of TOML as letters have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else str(value)
