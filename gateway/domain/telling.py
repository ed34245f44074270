"""What a company's forwards are told of: which events each wants, and what only the configuration knows of a call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.domain.conditions import EventCondition
from gateway.domain.numbering.numbers import NumberPlan, read


def no_link(_fields: Mapping[str, str]) -> str:
    """Return the address of the account's page in the CRM of a company that has set none."""
    return ""


@dataclass(frozen=True, slots=True)
class TellingRules:
    """The rules of one company: its ``zone``, how its ``numbers`` are read, and by a forward's name what it wants.

    A forward without a condition is told of every event. ``link`` makes the address of an account's page in the CRM of
    an event's fields.
    """

    zone: str = ""
    numbers: NumberPlan = field(default_factory=NumberPlan)
    only: Mapping[str, EventCondition] = field(default_factory=dict)
    link: Callable[[Mapping[str, str]], str] = no_link

    def wants(self, forward: str, kind: str, fields: Mapping[str, str]) -> bool:
        """Return whether ``forward`` is to be told of an event of ``kind`` with these ``fields``."""
        condition = self.only.get(forward)
        return condition is None or condition.holds({**fields, "event": kind})

    def of_account(self, fields: Mapping[str, str]) -> dict[str, str]:
        """Return the fields that lead to the account of an event's ``fields``."""
        return {"account_link": self.link(fields) if fields["account_id"] else ""}

    def of_number(self, number: str) -> dict[str, str]:
        """Return the fields that say what the canonical ``number`` is."""
        reading = read(number, self.numbers)
        return {"number_kind": reading.kind.value, "number_e164": reading.e164 or ""}


NO_RULES = TellingRules()
