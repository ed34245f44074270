"""Whose a number is, for senders that ask it of their source while a phone rings."""

from collections.abc import Callable, Mapping

from gateway.domain.numbering.numbers import read
from gateway.domain.tenant import Tenant
from gateway.store.directory import Directory
from gateway.wire.webhooks.endpoint import FindOwner


def owner_finder(directory: Directory, tenant_of: Callable[[str], Tenant]) -> FindOwner:
    """Return what finds the best account of a company that has a number, in any form of it."""

    def find(tenant: str, number: str) -> Mapping[str, str] | None:
        forms = read(number, tenant_of(tenant).numbers).candidates if number else ()
        found = directory.matches(tenant, forms) if forms else ()
        if not found:
            return None
        match = found[0].match
        return {
            "@account.id": str(match.account_id),
            "@account.code": match.code or "",
            "@account.name": match.name,
            "@account.contact": match.contact or "",
        }

    return find
