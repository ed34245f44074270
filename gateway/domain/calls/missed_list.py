"""The list of missed calls: one entry for a customer, however often they rang.

A customer is an account; of a number that is no account's, the number; a caller who withholds the number is one each
time, for nobody can tell whether it is the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from gateway.domain.calls.ghosts import is_of_nobody
from gateway.domain.masking import hidden_in, masked


class MissedCall(NamedTuple):
    """A missed call that nobody has dealt with yet. Times are milliseconds since 1970 UTC.

    ``missed_at`` is when it was missed, ``owner`` the extension or login of who looks after the account; ``admitted``
    is whether the reader may see it.
    """

    id: int
    number: str
    extension: str
    missed_at: int
    account_id: int | None = None
    account: str | None = None
    account_code: str | None = None
    contact: str | None = None
    owner: str | None = None
    queue: str | None = None
    line: str | None = None
    line_name: str | None = None
    caller_name: str | None = None
    admitted: bool = True


class Claim(NamedTuple):
    """Somebody at ``extension`` calls the customer back whose last missed call was ``call_id``, until ``until``."""

    call_id: int
    login: str
    name: str
    extension: str
    claimed_at: int
    until: int


@dataclass(frozen=True, slots=True)
class MissedEntry:
    """A customer's missed calls, the newest first, and who calls back just now."""

    calls: tuple[MissedCall, ...]
    claim: Claim | None = None

    @property
    def newest(self) -> MissedCall:
        """The last call, by which the entry is known."""
        return self.calls[0]

    @property
    def id(self) -> int:
        """The id of the last call."""
        return self.calls[0].id

    @property
    def since(self) -> int:
        """Since when the customer waits to be called back."""
        return self.calls[-1].missed_at

    @property
    def call_ids(self) -> tuple[int, ...]:
        """The ids of all its calls, the newest first."""
        return tuple(call.id for call in self.calls)

    @property
    def extensions(self) -> tuple[str, ...]:
        """The extensions at which it rang, the last one first."""
        return tuple(dict.fromkeys(call.extension for call in self.calls if call.extension))

    def is_looked_after_by(self, login: str, extension: str) -> bool:
        """Return whether the agent looks after the customer's account; of a customer without one who looks after it,
        whether it was the agent's extension that rang last.
        """
        owners = {call.owner for call in self.calls if call.owner}
        return bool(owners & {login, extension}) if owners else extension in self.extensions[:1]


def by_customer(calls: Iterable[MissedCall], claims: Iterable[Claim] = ()) -> list[MissedEntry]:
    """Return one entry for each customer, who waits longest first, with the claim that is on any of its calls."""
    newest_first = sorted(calls, key=lambda call: -call.id)
    accounts = _accounts_of_numbers(newest_first)
    found: dict[tuple[str, object], list[MissedCall]] = {}
    for call in newest_first:
        found.setdefault(_customer_of(call, accounts), []).append(call)
    claimed = {claim.call_id: claim for claim in claims}
    return sorted((_entry(each, claimed) for each in found.values()), key=lambda entry: entry.since)


def entry_with(call_id: int, entries: Iterable[MissedEntry]) -> MissedEntry | None:
    """Return the entry that the call is in."""
    return next((entry for entry in entries if call_id in entry.call_ids), None)


def admitted(entries: Iterable[MissedEntry]) -> list[MissedEntry]:
    """Return the entries with those of their calls alone that the reader may see. Who calls back is everybody's matter:
    no two do, whichever of the calls they have seen.
    """
    narrowed = map(_narrowed, entries)
    return sorted((entry for entry in narrowed if entry.calls), key=lambda entry: entry.since)


def _narrowed(entry: MissedEntry) -> MissedEntry:
    calls = tuple(call for call in entry.calls if call.admitted)
    return entry if len(calls) == len(entry.calls) else replace(entry, calls=calls)


def masked_entry(entry: MissedEntry) -> MissedEntry:
    """Return ``entry`` with the telephones of its calls masked, also in what else was told of them."""
    return replace(entry, calls=tuple(map(_masked, entry.calls)))


def _masked(call: MissedCall) -> MissedCall:
    def hidden(text: str | None) -> str | None:
        return text and hidden_in(text, call.number)

    return call._replace(
        number=masked(call.number),
        account=hidden(call.account),
        contact=hidden(call.contact),
        caller_name=hidden(call.caller_name),
    )


def _entry(calls: Sequence[MissedCall], claimed: dict[int, Claim]) -> MissedEntry:
    claim = next((claimed[call.id] for call in calls if call.id in claimed), None) if claimed else None
    return MissedEntry(tuple(calls), claim)


def _accounts_of_numbers(newest_first: Iterable[MissedCall]) -> dict[str, int]:
    """Return which account each number has by the newest of its calls that has one: it may have got it meanwhile."""
    accounts: dict[str, int] = {}
    for call in newest_first:
        if call.account_id and not is_of_nobody(call.number):
            accounts.setdefault(call.number, call.account_id)
    return accounts


def _customer_of(call: MissedCall, accounts: dict[str, int]) -> tuple[str, object]:
    """Return what is the same in all calls of one customer."""
    if account_id := call.account_id or accounts.get(call.number):
        return "account", account_id
    return ("call", call.id) if is_of_nobody(call.number) else ("number", call.number)
