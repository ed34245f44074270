"""What a company's forwards are told of: which events each wants, and what only the configuration knows of a call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.domain.conditions import EventCondition
from gateway.domain.numbering.numbers import NumberPlan, read

_IN_LINKS: Mapping[str, str] = {
    "code": "account_code",
    "account_id": "account_id",
    "name": "account",
    "contact": "contact",
    "number": "telefone",
    "international": "number_e164",
    "caller_name": "nome",
    "direction": "direction",
    "extension": "ramal",
    "login": "agent_login",
    "call_id": "call_id",
    "tenant": "tenant",
}
"""What links may use of a call, by the fields of events."""


@dataclass(frozen=True, slots=True)
class TellingRules:
    """The rules of one company: its ``zone``, how its ``numbers`` are read, and by a forward's name what it wants.

    A forward without a condition is told of every event. ``link`` makes the address of an account in the CRM of what a
    call knows, where the company has said how.
    """

    zone: str = ""
    numbers: NumberPlan = field(default_factory=NumberPlan)
    only: Mapping[str, EventCondition] = field(default_factory=dict)
    link: Callable[[Mapping[str, str]], str | None] | None = None

    def wants(self, forward: str, kind: str, fields: Mapping[str, str]) -> bool:
        """Return whether ``forward`` is to be told of an event of ``kind`` with these ``fields``."""
        condition = self.only.get(forward)
        return condition is None or condition.holds({**fields, "event": kind})

    def link_to(self, fields: Mapping[str, str]) -> str:
        """Return the address in the CRM of the account of an event with these ``fields``; empty where there is none."""
        if self.link is None or not fields["account_id"]:
            return ""
        values = {name: fields[told] for name, told in _IN_LINKS.items()}
        return self.link(values) or ""

    def of_number(self, number: str) -> dict[str, str]:
        """Return the fields that say what the canonical ``number`` is."""
        reading = read(number, self.numbers)
        return {"number_kind": reading.kind.value, "number_e164": reading.e164 or ""}


NO_RULES = TellingRules()
