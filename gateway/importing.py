"""Accounts from a CSV file as people have them: Excel's ``;`` or commas, UTF-8 or Windows-1252, headers in two
languages.

One line is one account with any number of phone columns; lines with the same code are one account. Lines that cannot be
used are reported with their number and the reason, never dropped silently.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.domain.numbers import Kind, NumberPlan, read
from gateway.errors import ConfigError
from gateway.store.directory import Account

HEADERS: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "codigo", "cod", "id", "conta_id", "contaid", "account_id", "cliente_id"),
    "name": (
        "name",
        "nome",
        "conta",
        "account",
        "razao_social",
        "fantasia",
        "nome_fantasia",
        "cliente",
        "empresa",
    ),
    "contact": ("contact", "contato", "nome_contato", "responsavel"),
}
PHONE = re.compile(r"(telefone|fone|phone|celular|cel|mobile|numero|number|fax|tel|whatsapp)s?_?\d*(_.*)?")
SEVERAL = re.compile(r"\s*[/;|]\s*|\n")


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that was not used (wholly, or one of its phones), and why."""

    line: int
    reason: str


@dataclass(slots=True)
class Sheet:
    """What a file holds: accounts ready to load, and what was refused."""

    accounts: list[Account] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Columns:
    """Where things are in a line."""

    code: int | None
    name: int
    contact: int | None
    phones: tuple[int, ...]


def read_sheet(path: Path, plan: NumberPlan) -> Sheet:
    """Read ``path``; numbers are brought into canonical form with ``plan``.

    Raises ``ConfigError`` when the file cannot be read or has no columns for name and phone.
    """
    rows = _rows(path)
    header = next(rows, None)
    if header is None:
        raise ConfigError(f"{path}: the file is empty.", hint="Expected a header line such as codigo;nome;telefone.")
    columns = find_columns(header, path)
    sheet = Sheet()
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for number, row in enumerate(rows, start=2):
        _take(row, number, columns, plan, found, sheet.refused)
    sheet.accounts = [Account(code, name, tuple(phones.items())) for code, (name, phones) in found.items()]
    return sheet


def find_columns(header: Sequence[str], path: Path) -> Columns:
    """Tell the columns by their names, whatever their case, accents and spaces."""
    names = [_plain(name) for name in header]
    where = {
        field: next((names.index(alias) for alias in aliases if alias in names), None)
        for field, aliases in HEADERS.items()
    }
    phones = tuple(i for i, name in enumerate(names) if PHONE.fullmatch(name) and i not in where.values())
    if where["name"] is None or not phones:
        missing = "name" if where["name"] is None else "phone"
        raise ConfigError(
            f"{path}: no column for the {missing}; columns found: {', '.join(header)}.",
            hint="Expected names such as codigo, nome, contato, telefone, celular (or code, name, contact, phone).",
        )
    return Columns(where["code"], where["name"], where["contact"], phones)


def _take(
    row: Sequence[str],
    line: int,
    columns: Columns,
    plan: NumberPlan,
    found: dict[str, tuple[str, dict[str, str]]],
    refused: list[Refused],
) -> None:
    name = _cell(row, columns.name)
    if not any(cell.strip() for cell in row):
        return
    if not name:
        refused.append(Refused(line, "the name is empty"))
        return
    code = _cell(row, columns.code)[:64] or name[:64]
    _, phones = found.setdefault(code, (name[:255], {}))
    contact = _cell(row, columns.contact)[:255]
    for text in _phone_texts(row, columns):
        reading = read(text, plan)
        if reading.kind in (Kind.WITHHELD, Kind.UNKNOWN, Kind.EXTENSION):
            refused.append(Refused(line, f"{text!r} does not read as a telephone number"))
        else:
            phones.setdefault(reading.national, contact)


def _phone_texts(row: Sequence[str], columns: Columns) -> Iterator[str]:
    for index in columns.phones:
        yield from filter(None, SEVERAL.split(_cell(row, index)))


def _cell(row: Sequence[str], index: int | None) -> str:
    return row[index].strip() if index is not None and index < len(row) else ""


def _rows(path: Path) -> Iterator[list[str]]:
    text = _text(path)
    first = text.partition("\n")[0]
    delimiter = max(";\t,", key=first.count)
    return iter(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))


def _text(path: Path) -> str:
    """UTF-8 if it is, else what Excel in Brazil writes."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.strip().lower())
    return re.sub(r"[^a-z0-9]+", "_", "".join(c for c in letters if not unicodedata.combining(c))).strip("_")


def chunks(accounts: Sequence[Account], size: int = 500) -> Iterable[Sequence[Account]]:
    """``accounts`` in pieces small enough not to keep events waiting for the write lock."""
    return (accounts[start : start + size] for start in range(0, len(accounts), size))
