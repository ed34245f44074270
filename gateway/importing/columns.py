"""Which column of a table means what: as the mapping says, else as the names of the columns suggest."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.source import Entry, Reason, Refused

FIELDS = ("code", "name", "contact", "phone", "owner", "ignore")
LONGEST_CODE = 64
ALIASES: Mapping[str, tuple[str, ...]] = {
    "code": (
        *("code", "codigo", "cod", "id", "conta_id", "contaid", "account_id", "cliente_id", "codigo_conta"),
        *("codigo_cliente", "cod_cliente", "cod_conta", "id_conta", "id_cliente"),
    ),
    "name": ("name", "nome", "conta", "account", "razao_social", "fantasia", "nome_fantasia", "cliente", "empresa"),
    "owner": ("owner", "vendedor", "consultor", "atendente", "ramal_responsavel"),
    "contact": ("contact", "contato", "nome_contato", "responsavel", "nome_do_contato"),
}
PHONE = re.compile(r"(telefone|fone|phone|celular|cel|mobile|numero|number|fax|tel|whatsapp)s?_?\d*(_.*)?")
OF_CONTACT = re.compile(r"(?:nome_)?(?:contato|contact)_?([1-9])|.+_(?:contato|contact)_?([1-9])")
"""``contato_2``, ``telefone_contato_2``: a person and a telephone of that person."""
TARGET = re.compile(r"(contact|phone)([1-9])")
SEVERAL = re.compile(r"\s*[/;|]\s*|\n")


class UnknownColumns(ValueError):
    """The columns do not say what they are; the message names what is missing and what there is."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where things are in a row. ``phones`` are pairs: a column of telephones, and the column of who answers there."""

    code: int | None
    name: int | None
    phones: tuple[tuple[int, int | None], ...]
    owner: int | None = None

    def entry(self, row: Sequence[str], place: str) -> Entry | Refused | None:
        """What a row says; None for an empty one."""
        code, name = _cell(row, self.code), _cell(row, self.name)[:255]
        if not any(cell.strip() for cell in row):
            return None
        if not code and not name:
            return Refused(place, Reason.NO_NAME)
        if len(code) > LONGEST_CODE:
            return Refused(place, Reason.LONG_CODE, code)
        owner = _cell(row, self.owner)[:64] if self.owner is not None else ""
        return Entry(code or name[:LONGEST_CODE], name, tuple(self._phones(row)), place, owner)

    def _phones(self, row: Sequence[str]) -> Iterator[tuple[str, str]]:
        for column, contact in self.phones:
            for text in filter(None, SEVERAL.split(_cell(row, column))):
                yield text[:255], _cell(row, contact)[:255]


def find_columns(header: Sequence[str], mapping: Mapping[str, str]) -> Columns:
    """Tell the columns by ``mapping`` (column to field), the others by their names, whatever case, accents and spaces.

    Fields: ``code``, ``name``, ``contact``, ``phone``, ``owner``, ``ignore``; ``contact1`` … ``contact9`` and
    ``phone1`` … belong together, a plain ``phone`` belongs to the plain ``contact``. Raises ``UnknownColumns``.
    """
    names = [plain(name) for name in header]
    fields = _mapped(header, names, mapping)
    for field, aliases in ALIASES.items():
        if field not in fields.values():
            _guess(fields, names, field, aliases)
    for index, name in enumerate(names):
        if index not in fields and (found := _guessed_phone(name)):
            fields[index] = found
    return _columns(fields, header)


def check_mapping(mapping: Mapping[str, str]) -> None:
    """Raises ``ValueError`` for a field that there is not."""
    for column, field in mapping.items():
        if field not in FIELDS and not TARGET.fullmatch(field):
            known = ", ".join((*FIELDS, "contact1 … contact9", "phone1 … phone9"))
            raise ValueError(f"the column {column!r} is mapped to {field!r}; known: {known}")


def plain(name: str) -> str:
    """``Código da Conta`` as ``codigo_da_conta``."""
    letters = unicodedata.normalize("NFKD", name.strip().lower())
    return re.sub(r"[^a-z0-9]+", "_", "".join(c for c in letters if not unicodedata.combining(c))).strip("_")


def _mapped(header: Sequence[str], names: Sequence[str], mapping: Mapping[str, str]) -> dict[int, str]:
    fields = {}
    for column, field in mapping.items():
        if plain(column) not in names:
            raise UnknownColumns(f"não há a coluna {column!r}; há: {_listed(header)}.")
        fields[names.index(plain(column))] = field
    return fields


def _guess(fields: dict[int, str], names: Sequence[str], field: str, aliases: Iterable[str]) -> None:
    """The first alias that a free column has."""
    for alias in aliases:
        free = [index for index, name in enumerate(names) if name == alias and index not in fields]
        if free:
            fields[free[0]] = field
            return


def _guessed_phone(name: str) -> str:
    of_contact = OF_CONTACT.fullmatch(name)
    number = (of_contact[1] or of_contact[2]) if of_contact else ""
    if PHONE.fullmatch(name):
        return f"phone{number}"
    return f"contact{number}" if of_contact and of_contact[1] else ""


def _columns(fields: Mapping[int, str], header: Sequence[str]) -> Columns:
    where = {field: index for index, field in sorted(fields.items(), reverse=True)}
    phones = tuple(
        (index, where.get(field.replace("phone", "contact")))
        for index, field in sorted(fields.items())
        if field.startswith("phone")
    )
    code, name = where.get("code"), where.get("name")
    if not phones or (code is None and name is None):
        missing = "o telefone" if not phones else "a conta"
        raise UnknownColumns(f"não há coluna para {missing}; há: {_listed(header)}.")
    return Columns(code, name, phones, where.get("owner"))


def _listed(header: Sequence[str]) -> str:
    return ", ".join(header) or "nenhuma"


def _cell(row: Sequence[str], index: int | None) -> str:
    return row[index].strip() if index is not None and index < len(row) else ""
