"""Records that nobody changes, for what every event is made of.

``@record(frozen=True)`` is a dataclass with slots. That nobody changes it is seen to by mypy alone: a dataclass that
guards itself sets each of its fields by a call, so that making one costs three times as much, and an event makes a
dozen of them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

__all__ = ["record"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:

    def record(*, frozen: bool, slots: bool, kw_only: bool = False) -> Any:
        """Return what makes a class a record: compared and hashed by its fields, like a frozen dataclass."""
        return dataclass(slots=slots, kw_only=kw_only, unsafe_hash=frozen)
