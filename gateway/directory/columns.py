"""Which column of a table means what: as the mapping says, else as the names of the columns suggest."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.directory.phone_columns import area_columns, is_area, is_phone
from gateway.domain.account_fields import MOST_ACCOUNT_BYTES
from gateway.domain.identifiers import GUESSED, LONGEST_KIND, is_guessed, plain
from gateway.domain.numbering import spreadsheet
from gateway.source import Entry, Reason, Refused
from gateway.store.fitting import fit
from gateway.texts.text import Text

FIELDS = ("code", "name", "contact", "phone", "area", "surname", "owner", *GUESSED, "ignore")
LONGEST_CODE = 64
LONGEST_CELL = 2000
"""Characters of a cell that are looked at for telephones."""
ALIASES: Mapping[str, tuple[str, ...]] = {
    "code": (
        *("code", "codigo", "cod", "id", "conta_id", "contaid", "account_id", "cliente_id", "codigo_conta"),
        *("codigo_cliente", "cod_cliente", "cod_conta", "id_conta", "id_cliente", "a1_cod"),
    ),
    "name": (
        *("name", "nome", "conta", "account", "razao_social", "fantasia", "nome_fantasia", "cliente", "empresa"),
        *("nome_completo", "full_name", "display_name", "first_name", "given_name", "primeiro_nome", "company"),
        *("company_name", "account_name", "a1_nome", "a1_nreduz"),
    ),
    "surname": ("sobrenome", "surname", "last_name", "family_name", "ultimo_nome"),
    "owner": ("owner", "vendedor", "consultor", "atendente", "ramal_responsavel"),
    "contact": ("contact", "contato", "nome_contato", "responsavel", "nome_do_contato"),
}
FIRST_NAMES = ("name", "nome", "first_name", "given_name", "primeiro_nome")
"""Columns that a surname belongs to."""
PERSON = re.compile(r"(?:cpf|cnpj|cpf_cnpj|cnpj_cpf|documento|rg|nascimento|data_(?:de_)?nascimento|birthday)")
EMAIL = re.compile(r"e_?mail(?:_?1)?(?:_address|_value)?")
OF_CONTACT = re.compile(r"(?:nome_)?(?:contato|contact)_?([1-9])|.+_(?:contato|contact)_?([1-9])")
"""``contato_2``, ``telefone_contato_2``: a person and a telephone of that person."""
IDENTIFIER = "identifier:"
"""Before the name of a column, in the field of one that holds identifiers."""
TARGET = re.compile(r"(contact|phone|area)([1-9])")


class UnknownColumns(ValueError):
    """The columns do not say what they are; the message names what is missing and what there is."""


@dataclass(frozen=True, slots=True)
class PhoneColumn:
    """Where telephones are, who answers them, and their area codes (None: nobody is named; in the number itself)."""

    at: int
    contact: int | None = None
    area: int | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Where things are in a row. ``persons`` tell people of one name apart, ``identifiers`` are columns with the name
    of what they hold (CPF, the number of a contract), ``fields`` those that are kept to be shown, each with its name;
    ``unused`` are names of other columns.
    """

    code: int | None
    name: int | None
    phones: tuple[PhoneColumn, ...]
    owner: int | None = None
    surname: int | None = None
    persons: tuple[int, ...] = ()
    identifiers: tuple[tuple[int, str], ...] = ()
    unused: tuple[str, ...] = ()
    fields: tuple[tuple[int, str], ...] = ()

    def entry(self, row: Sequence[str], place: str) -> Entry | Refused | None:
        """Return what a row says; None for an empty one."""
        code, name = _cell(row, self.code), self._name(row)
        if not any(cell.strip() for cell in row):
            return None
        if not code and not name:
            return Refused(place, Reason.NO_NAME)
        if len(code) > LONGEST_CODE:
            return Refused(place, Reason.LONG_CODE, code)
        owner = _written_out(_cell(row, self.owner))
        person = "" if code else "|".join(_cell(row, index).casefold() for index in self.persons).strip("|")
        named = tuple((kind, cell) for at, kind in self.identifiers if (cell := _cell(row, at)[: LONGEST_CELL + 1]))
        kept = tuple((field, cell) for at, field in self.fields if (cell := _cell(row, at)[: MOST_ACCOUNT_BYTES + 1]))
        return Entry(code or name[:LONGEST_CODE], name, tuple(self._phones(row)), place, owner, person, named, kept)

    def _name(self, row: Sequence[str]) -> str:
        """Return the name, with the surname where that has a column and is not part of the name already."""
        name, surname = _cell(row, self.name), _cell(row, self.surname)
        return name if surname.casefold() in name.casefold() else f"{name} {surname}".strip()

    def _phones(self, row: Sequence[str]) -> Iterator[tuple[str, ...]]:
        for column in self.phones:
            if text := _cell(row, column.at)[: LONGEST_CELL + 1]:
                contact, area = _cell(row, column.contact), _cell(row, column.area)[:32]
                yield (text, contact, area) if area else (text, contact)


def find_columns(
    header: Sequence[str],
    mapping: Mapping[str, str],
    identifiers: Sequence[str] | None = None,
    kept: Iterable[str] = (),
) -> Columns:
    """Tell the columns by ``mapping`` (column to field), the others by their names, whatever case, accents and spaces.

    Fields: ``code``, ``name``, ``surname``, ``contact``, ``phone``, ``area`` (DDD), ``owner``, ``cpf``, ``cnpj``,
    ``contrato``, ``ignore``. ``identifiers`` are the columns that name accounts; None: those whose names say so.
    ``contact1``, ``phone1`` and ``area1`` (to 9) belong together, a plain ``phone`` to the plain ``contact``.
    ``kept`` are the columns that are kept to be shown, whatever else they are.

    Raises ``UnknownColumns`` when there is no column for the account, or none for telephones and none of identifiers
    was asked for.
    """
    names = [plain(name) for name in header]
    fields = _mapped(header, names, mapping)
    fields |= _identifiers(header, names, fields, identifiers)
    for field, aliases in ALIASES.items():
        if field not in fields.values():
            _guess(fields, names, field, aliases)
    _guess_phones(fields, names)
    asked = identifiers or any(field in GUESSED for field in mapping.values())
    if not _phones_in(fields) and not asked:
        raise UnknownColumns(_lacking("telephone", header))
    return _columns(fields, names, header, {_place(header, names, column): column for column in kept})


def present(header: Sequence[str], columns: Iterable[str]) -> list[str]:
    """Return those of ``columns`` that the header has."""
    names = {plain(name) for name in header}
    return [column for column in columns if plain(column) in names]


def check_mapping(mapping: Mapping[str, str]) -> None:
    """Refuse a mapping of a field that does not exist. Raises ``ValueError``."""
    for column, field in mapping.items():
        if field not in FIELDS and not TARGET.fullmatch(field):
            known = ", ".join((*FIELDS, "contact1 … contact9", "phone1 … phone9", "area1 … area9"))
            text = Text(
                "the column {column!r} is mapped to {field!r}; known: {known}", column=column, field=field, known=known
            )
            raise ValueError(text)


def _mapped(header: Sequence[str], names: Sequence[str], mapping: Mapping[str, str]) -> dict[int, str]:
    return {_place(header, names, column): field for column, field in mapping.items()}


def _place(header: Sequence[str], names: Sequence[str], column: str) -> int:
    """Return where ``column`` is. Raises ``UnknownColumns`` when there is none of that name."""
    if plain(column) not in names:
        text = Text("there is no column {column!r}; there are: {known}.", column=column, known=_listed(header))
        raise UnknownColumns(text)
    return names.index(plain(column))


def _identifiers(
    header: Sequence[str], names: Sequence[str], fields: Mapping[int, str], told: Sequence[str] | None
) -> dict[int, str]:
    """Return the columns of identifiers that no mapping names, those that were ``told`` or whose names say so."""
    if told is None:
        found = [index for index, name in enumerate(names) if is_guessed(name)]
    else:
        found = [_place(header, names, column) for column in told]
    return {index: f"{IDENTIFIER}{names[index][:LONGEST_KIND]}" for index in found if index not in fields}


def _guess(fields: dict[int, str], names: Sequence[str], field: str, aliases: Iterable[str]) -> None:
    """Assign ``field`` to the first free column that one of ``aliases`` names."""
    for alias in aliases:
        free = [index for index, name in enumerate(names) if name == alias and index not in fields]
        if free:
            fields[free[0]] = field
            return


def _guess_phones(fields: dict[int, str], names: Sequence[str]) -> None:
    """Assign the free columns of telephones, and of their area codes."""
    free = [index for index, name in enumerate(names) if name and index not in fields]
    areas = [index for index in free if is_area(names[index])]
    for index in free:
        if index not in areas and (found := _guessed_phone(names[index], names)):
            fields[index] = found
    phones = _phones_in(fields)
    used = area_columns(areas, phones, names).values()
    for index in areas:
        if index in used:
            fields[index] = "area"
        elif is_phone(names[index], names):
            # A column "DDD Telefone" with no column of telephones for it has both.
            fields[index] = "phone"


def _guessed_phone(name: str, names: Sequence[str]) -> str:
    of_contact = OF_CONTACT.fullmatch(name)
    number = (of_contact[1] or of_contact[2]) if of_contact else ""
    if is_phone(name, names):
        return f"phone{number}"
    return f"contact{number}" if of_contact and of_contact[1] else ""


def _phones_in(fields: Mapping[int, str]) -> list[int]:
    return [index for index, field in sorted(fields.items()) if field.startswith("phone")]


def _columns(
    fields: Mapping[int, str], names: Sequence[str], header: Sequence[str], kept: Mapping[int, str]
) -> Columns:
    where = {field: index for index, field in sorted(fields.items(), reverse=True)}
    phones = _phones_in(fields)
    code, name = where.get("code"), where.get("name")
    named = tuple(_named(fields))
    if code is None and name is None:
        raise UnknownColumns(_lacking("account", header))
    surname = where.get("surname")
    # A surname beside the name of a company is its contact's.
    of_person = name is not None and (names[name] in FIRST_NAMES or "surname" not in _guessed(fields, names))
    return Columns(
        code,
        name,
        tuple(_phone_columns(phones, fields, where, names)),
        where.get("owner"),
        surname if of_person else None,
        tuple(_persons(names, fields)),
        named,
        tuple(_unused(header, {*fields, *kept} - ({surname} if surname not in kept and not of_person else set()))),
        tuple(kept.items()),
    )


def _guessed(fields: Mapping[int, str], names: Sequence[str]) -> set[str]:
    """Return the fields that were assigned by a column's name."""
    return {field for index, field in fields.items() if names[index] in ALIASES.get(field, ())}


def _phone_columns(
    phones: Sequence[int], fields: Mapping[int, str], where: Mapping[str, int], names: Sequence[str]
) -> Iterator[PhoneColumn]:
    areas = area_columns([index for index, field in sorted(fields.items()) if field == "area"], phones, names)
    for index in phones:
        number = fields[index].removeprefix("phone")
        area = where.get(f"area{number}") if number else None
        yield PhoneColumn(index, where.get(f"contact{number}"), areas.get(index) if area is None else area)


def _named(fields: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    for index, field in sorted(fields.items()):
        if field in GUESSED or field.startswith(IDENTIFIER):
            yield index, field.removeprefix(IDENTIFIER)


def _persons(names: Sequence[str], fields: Mapping[int, str]) -> Iterator[int]:
    """Yield the columns by which two people of one name differ; an address for mail may be a contact's."""
    contacts = any(field.startswith("contact") for field in fields.values())
    for index, name in enumerate(names):
        used = index in fields and fields[index] not in GUESSED and not fields[index].startswith(IDENTIFIER)
        if not used and (PERSON.fullmatch(name) or (not contacts and EMAIL.fullmatch(name))):
            yield index


def _unused(header: Sequence[str], used: Collection[int | None]) -> Iterator[str]:
    for index, name in enumerate(header):
        if name.strip() and index not in used:
            yield name.strip()[:80]


def _written_out(text: str) -> str:
    """Return an extension as digits where a spreadsheet or a program made a number of it: ``3501.0`` as ``3501``."""
    found = spreadsheet.cell(text)
    return found.digits or text if found else text


def _lacking(what: str, header: Sequence[str]) -> Text:
    if what == "telephone":
        return Text("there is no column for the telephone; there are: {known}.", known=_listed(header))
    return Text("there is no column for the account; there are: {known}.", known=_listed(header))


def _listed(header: Sequence[str]) -> str | Text:
    return ", ".join(header) or Text("no column")


def _cell(row: Sequence[str], index: int | None) -> str:
    return fit(row[index].strip()) if index is not None and index < len(row) else ""
