"""From what a source said of one account to the account as it is kept: telephones read, nothing lost of its words."""

import re
from collections.abc import Sequence
from hashlib import blake2b

from gateway import __version__
from gateway.domain.numbers import AREA_CODES, Kind, NumberPlan, read
from gateway.source import Entry, Reason, Refused
from gateway.store.loading import LoadedAccount, Phone

UNUSABLE = (Kind.WITHHELD, Kind.UNKNOWN, Kind.EXTENSION)
NO_AREA = ("area-code", "no-area-code")
OLD_MOBILE = "ninth-digit"
# 300 and 400 begin numbers without DDD, and 55 may be a DDD or Brazil's own code.
ORDINARY = re.compile(r"\(?((?!55)[1-9][1-9])\)? ?(9[0-9]{4}|(?![34]00)[2-5][0-9]{3})[- ]?([0-9]{4})")
"""How most telephones stand in registers: area code and number, whole; read so, they cost a tenth of the time."""


def name_of(entries: Sequence[Entry]) -> str:
    """The first name that any of them has, or nothing."""
    return next((entry.name for entry in entries if entry.name), "")


def owner_of(entries: Sequence[Entry]) -> str | None:
    """Who looks after the account, as the first of them has it that says so."""
    return next((entry.owner for entry in entries if entry.owner), None)


def salt_of(plan: NumberPlan) -> bytes:
    """What digests hang on besides the source's words: how numbers are read, which settings and versions change."""
    return blake2b(f"{__version__}|{plan!r}".encode(), digest_size=16).digest()


def digest_of(name: str, entries: Sequence[Entry], salt: bytes) -> int:
    """A number that changes when the source says anything else of the account."""
    phones = [phone for entry in entries for phone in entry.phones]
    told = blake2b(repr((name, phones, owner_of(entries))).encode(), digest_size=8, salt=salt)
    return int.from_bytes(told.digest(), signed=True)


def account_of(
    name: str, entries: Sequence[Entry], digest: int, plan: NumberPlan
) -> tuple[LoadedAccount, Sequence[Refused]]:
    """The account that ``entries`` make, and which of its telephones do not read.

    A number that is said twice belongs to the first contact. What does not read is kept as it was written, so that it
    can be put right at the desk.
    """
    phones: dict[str, Phone] = {}
    refused = []
    for entry in entries:
        for text, contact in entry.phones:
            phone = phone_of(text, contact, plan)
            phones.setdefault(phone.number or f"?{text}", phone)
            if phone.number is None:
                refused.append(Refused(entry.place, Reason.UNREADABLE, text))
    account = LoadedAccount(entries[0].code, name, tuple(phones.values()), digest, len(refused), owner_of(entries))
    return account, refused


def phone_of(text: str, contact: str, plan: NumberPlan) -> Phone:
    """One telephone, read by ``plan``."""
    if number := _ordinary(text, plan):
        return Phone(number, contact, text)
    reading = read(text, plan)
    number = None if reading.kind in UNUSABLE or len(reading.national) > 32 else reading.national
    rules = [step.rule for step in reading.steps]
    return Phone(number, contact, text, any(rule in rules for rule in NO_AREA), OLD_MOBILE in rules)


def _ordinary(text: str, plan: NumberPlan) -> str | None:
    """The digits of a whole number in a usual spelling, or None for all that needs to be thought about."""
    found = ORDINARY.fullmatch(text)
    if found is None or found[1] not in AREA_CODES:
        return None
    digits = "".join(found.groups())
    # Extensions may be as long as numbers when a company lists them; guessed ones are short.
    return digits if plan.extensions.guessed or not plan.extensions.matches(digits) else None
