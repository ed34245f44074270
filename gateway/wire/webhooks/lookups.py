"""Answers with what the directory knows of a number: exchanges that ask for the caller while it rings (3CX)."""

from collections.abc import Callable, Mapping

from gateway.domain.numbering.numbers import read
from gateway.domain.tenant import Tenant
from gateway.store.directory import Directory

LookUpNumber = Callable[[str, str], Mapping[str, str]]
"""``look_up(tenant, number)``: what a reply may say of the number; ``@account`` is missing where nobody has it."""


def nobody(tenant: str, number: str) -> Mapping[str, str]:
    """Know no number."""
    return {}


class NumberLookup:
    """Looks numbers up in the directories of all companies."""

    def __init__(self, tenants: Mapping[str, Tenant], directory: Directory) -> None:
        self._tenants = tenants
        self._directory = directory

    def __call__(self, tenant: str, number: str) -> Mapping[str, str]:
        """Return the best account of ``number``, in whatever form the exchange writes it."""
        reading = read(number, self._tenants[tenant].numbers)
        told = {"@number": reading.e164 or reading.national}
        owners = self._directory.owners(tenant, reading.candidates) if reading.candidates else ()
        if not owners:
            return told
        best = owners[0]
        return told | {"@account": best.name, "@account_code": best.code, "@contact": best.contact}
