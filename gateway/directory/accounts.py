"""From what a source said of one account to the account as it is kept: telephones read, nothing lost of its words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b

from gateway import __version__
from gateway.directory.columns import LONGEST_CELL
from gateway.domain.account_fields import packed_fields
from gateway.domain.identifiers import Identifier, identifiers_in
from gateway.domain.numbering.numbers import AREA_CODES, NumberKind, NumberPlan, read
from gateway.domain.numbering.several import numbers_in
from gateway.source import Entry, Reason, Refused
from gateway.store.imports.loading import LoadedAccount, Phone, as_stored

UNUSABLE = (NumberKind.WITHHELD, NumberKind.UNKNOWN, NumberKind.EXTENSION)
NO_AREA = ("area-code", "no-area-code")
OLD_MOBILE = "ninth-digit"
SHORTENED = "shortened"
MOST_IDENTIFIERS = 100
LONGEST_SHOWN = 80
READING = 2
"""How telephones are taken from what a source says; another number has all of them read anew at the next import."""
# 300 and 400 begin numbers without DDD, and 55 may be a DDD or Brazil's own code.
ORDINARY = re.compile(r"\(?((?!55)[1-9][1-9])\)? ?(9[0-9]{4}|(?![34]00)[2-5][0-9]{3})[- ]?([0-9]{4})")
"""How most telephones stand in directories: area code and number, whole; read so, they cost a tenth of the time."""


def name_of(entries: Sequence[Entry]) -> str:
    """Return the first name that any of them has, or nothing."""
    return next((entry.name for entry in entries if entry.name), "")


def owner_of(entries: Sequence[Entry]) -> str | None:
    """Return who looks after the account, by the first entry that says so."""
    return next((entry.owner for entry in entries if entry.owner), None)


def fields_of(entries: Sequence[Entry]) -> Sequence[tuple[str, str]]:
    """Return the fields that the entries have, those that are empty left out."""
    return [(name, text) for entry in entries for name, text in entry.fields if text]


def of_one_person(entries: Sequence[Entry]) -> tuple[Sequence[Entry], Sequence[Refused]]:
    """Return the entries of one person, and the others as refused, where only the name makes them one account."""
    first = next((entry.person for entry in entries if entry.person), "")
    others = [entry for entry in entries if entry.person not in ("", first)]
    if not others:
        return entries, ()
    mine = [entry for entry in entries if entry.person in ("", first)]
    return mine, [Refused(entry.place, Reason.SAME_NAME, entry.name) for entry in others]


def salt_of(plan: NumberPlan) -> bytes:
    """Return what a digest depends on besides the source's words: how numbers are read, which settings and versions
    change.
    """
    return blake2b(f"{__version__}|{READING}|{plan!r}".encode(), digest_size=16).digest()


def digest_of(name: str, entries: Sequence[Entry], salt: bytes) -> int:
    """Return a number that changes when the source says anything else of the account."""
    phones = [phone for entry in entries for phone in entry.phones]
    said: tuple[object, ...] = (name, phones, owner_of(entries))
    if identifiers := [each for entry in entries for each in entry.identifiers]:
        said = (*said, identifiers)
    if fields := fields_of(entries):
        said = (*said, {"fields": fields})
    told = blake2b(repr(said).encode(), digest_size=8, salt=salt)
    return int.from_bytes(told.digest(), signed=True)


def account_of(
    name: str, entries: Sequence[Entry], digest: int, plan: NumberPlan
) -> tuple[LoadedAccount, Sequence[Refused]]:
    """Return the account that ``entries`` make, and which of its telephones and identifiers do not read.

    A number that is said twice belongs to the first contact. What does not read is kept as it was written, so that it
    can be put right at the desk.
    """
    phones: dict[str, Phone] = {}
    refused = []
    for entry in entries:
        for phone, reason in _phones_of(entry, plan):
            phones.setdefault(phone.number or f"?{phone.as_written}", phone)
            if reason:
                refused.append(Refused(entry.place, reason, phone.as_written or ""))
    account = LoadedAccount(entries[0].code, name, tuple(phones.values()), digest, len(refused), owner_of(entries))
    # Counted above are telephones only: an account with one that does not read is read anew at each import.
    named = _identifiers_of(entries, refused)
    fields, cut = packed_fields(fields_of(entries))
    refused += [Refused(entries[0].place, Reason.CUT_FIELD, name) for name in cut]
    return replace(account, identifiers=named, fields=fields), refused


def _identifiers_of(entries: Sequence[Entry], refused: list[Refused]) -> tuple[Identifier, ...]:
    """Return what names an account, each once; what does not read, and what is too many, comes to ``refused``."""
    found: dict[tuple[str, str], Identifier] = {}
    for entry in entries:
        for name, cell in entry.identifiers:
            for text, named in identifiers_in(name, cell):
                if named is None:
                    refused.append(Refused(entry.place, Reason.BAD_IDENTIFIER, text[:LONGEST_SHOWN]))
                elif len(found) < MOST_IDENTIFIERS or named.key in found:
                    found.setdefault(named.key, named)
                else:
                    refused.append(Refused(entry.place, Reason.MANY_IDENTIFIERS, text[:LONGEST_SHOWN]))
    return tuple(found.values())


def _phones_of(entry: Entry, plan: NumberPlan) -> Iterator[tuple[Phone, Reason | None]]:
    """Yield the telephones that a source gives, or why one is refused."""
    for text, contact, *area in entry.phones:
        if not area and (number := _ordinary(text, plan)):
            yield Phone(number, contact, text), None
        elif len(text) > LONGEST_CELL:
            yield Phone(None, contact, as_stored(text)), Reason.UNREADABLE
        else:
            yield from _in_cell(text, contact, area[0] if area else "", plan)


def _in_cell(text: str, contact: str, area: str, plan: NumberPlan) -> Iterator[tuple[Phone, Reason | None]]:
    code = area_code(area)
    there = replace(plan, area_code=code) if code else plan
    for each in numbers_in(text, there):
        phone, rules = _read(as_stored(each), contact, there)
        if area and "area-code" in rules:
            written = as_stored(f"({code or area}) {each}")
            phone = replace(phone, number=phone.number if code else None, as_written=written, no_area=False)
        reason = Reason.SHORTENED if SHORTENED in rules else Reason.UNREADABLE
        yield phone, (None if phone.number else reason)


def area_code(text: str) -> str | None:
    """Return the area code that a cell of its own says (``11``, ``011``, ``(11)``, ``0xx11``, ``11.0``), or None.

    >>> area_code("(011)"), area_code("20")
    ('11', None)
    """
    digits = "".join(filter(str.isdigit, re.sub(r"[.,]0+$", "", text.strip())))
    digits = digits.lstrip("0").removeprefix("55" if len(digits.lstrip("0")) > len("55") else "")
    return digits if digits in AREA_CODES else None


def phone_of(text: str, contact: str, plan: NumberPlan) -> Phone:
    """Return one telephone, read by ``plan``."""
    if number := _ordinary(text, plan):
        return Phone(number, contact, text)
    return _read(text, contact, plan)[0]


def _read(text: str, contact: str, plan: NumberPlan) -> tuple[Phone, Sequence[str]]:
    """Return a telephone and the rules by which it was read."""
    reading = read(text, plan)
    number = None if reading.kind in UNUSABLE or len(reading.national) > 32 else reading.national
    rules = [step.rule for step in reading.steps]
    return Phone(number, contact, text, any(rule in rules for rule in NO_AREA), OLD_MOBILE in rules), rules


def _ordinary(text: str, plan: NumberPlan) -> str | None:
    """Return the digits of a whole number in a usual spelling, or None for every text that needs the full reading."""
    found = ORDINARY.fullmatch(text)
    if found is None or found[1] not in AREA_CODES:
        return None
    digits = "".join(found.groups())
    # Extensions may be as long as numbers when a company lists them; guessed ones are short.
    return digits if plan.extensions.guessed or not plan.extensions.matches(digits) else None
