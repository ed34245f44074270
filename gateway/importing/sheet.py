"""CSV files as people have them: Excel's ``;`` or commas or tabs, UTF-8 or Windows-1252, read a line at a time."""

import codecs
import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from pydantic import ConfigDict

from gateway.adapter import Probe
from gateway.errors import SourceError
from gateway.importing.columns import Columns, UnknownColumns, check_mapping, find_columns
from gateway.source import Entry, Reason, Refused, setting

DELIMITERS = ";\t,"
LONGEST_LINE = 1024 * 1024
PIECE = 1024 * 1024
EXPECTED = "Esperados nomes como codigo, nome, contato, telefone, celular, ou um mapeamento (columns, --map)."


@dataclass(frozen=True, kw_only=True)
class SheetConfig:
    """Settings of the source ``csv``."""

    __pydantic_config__ = ConfigDict(extra="forbid", frozen=True)

    path: Path = field(metadata={"help": "The file, relative to the configuration."})
    columns: Mapping[str, str] = setting(
        {}, "What a column is: code, name, contact, phone, contact1, owner, ignore ..."
    )
    encoding: str = setting("", "The file's charset; empty: UTF-8, or Windows-1252 if it is not UTF-8.")
    delimiter: str = setting("", "What separates columns; empty: what the first line has most of.")

    def __post_init__(self) -> None:
        check_mapping(self.columns)
        if self.encoding:
            try:
                codecs.lookup(self.encoding)
            except LookupError:
                raise ValueError(f"there is no encoding {self.encoding!r}") from None
        if len(self.delimiter) > 1:
            raise ValueError("delimiter must be one character")


class SheetSource:
    """The source ``csv``: one file with a header line. Columns may come in any order and any number."""

    Config: ClassVar[type[Any]] = SheetConfig
    incremental = False

    def __init__(self, config: SheetConfig, *, name: str) -> None:
        self._config = config
        self._name = name
        self._file: BinaryIO | None = None
        self._size = 0

    def probe(self) -> Probe:
        try:
            with self._lines() as lines:
                self._columns(lines)
        except SourceError as error:
            return Probe(False, str(error))
        return Probe(True, f"{self._config.path}: o cabeçalho foi entendido.")

    def entries(self, since: int | None) -> Iterator[Entry | Refused]:
        with self._lines() as lines:
            columns = self._columns(lines)
            while True:
                try:
                    row = next(lines.rows)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield Refused(self._place(lines.number), Reason.BAD_LINE, str(error))
                    continue
                if (said := columns.entry(row, self._place(lines.number))) is not None:
                    yield said

    def share(self) -> float | None:
        if self._file is None or self._file.closed or not self._size:
            return None
        return min(1.0, self._file.tell() / self._size)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _place(self, line: int) -> str:
        return f"{self._config.path.name}:{line}"

    def _lines(self) -> "Lines":
        path = self._config.path
        try:
            self._size = path.stat().st_size
            encoding = self._config.encoding or guessed_encoding(path)
            self._file = path.open("rb")
        except OSError as error:
            raise SourceError(f"o arquivo {path} não pode ser lido ({error.strerror}).") from None
        return Lines(self._file, encoding, self._config.delimiter)

    def _columns(self, lines: "Lines") -> Columns:
        header = next(lines.rows, [])
        if not any(header):
            raise SourceError(f"o arquivo {self._config.path} está vazio.", hint=EXPECTED)
        try:
            return find_columns(header, self._config.columns)
        except UnknownColumns as error:
            raise SourceError(f"{self._config.path}: {error}", hint=EXPECTED) from None


class Sheets:
    """Several files as one source: accounts in one, their contacts in another."""

    Config: ClassVar[type[Any]] = SheetConfig
    incremental = False

    def __init__(self, sheets: list[SheetSource]) -> None:
        self._sheets = sheets
        self._finished = 0

    def probe(self) -> Probe:
        probes = [sheet.probe() for sheet in self._sheets]
        return next((probe for probe in probes if not probe.ok), probes[0])

    def entries(self, since: int | None) -> Iterator[Entry | Refused]:
        for sheet in self._sheets:
            yield from sheet.entries(since)
            self._finished += 1

    def share(self) -> float | None:
        current = self._sheets[self._finished].share() if self._finished < len(self._sheets) else None
        return (self._finished + (current or 0.0)) / len(self._sheets)

    def close(self) -> None:
        for sheet in self._sheets:
            sheet.close()


class Lines:
    """An open file as rows; ``number`` is the line at which the last row ended."""

    def __init__(self, file: BinaryIO, encoding: str, delimiter: str) -> None:
        self._texts = TextIOWrapper(file, encoding, errors="replace", newline="")
        first = self._texts.readline(LONGEST_LINE)
        separator = delimiter or max(DELIMITERS, key=first.count)
        self._reader = csv.reader(chain([first], self._texts), delimiter=separator)
        self.rows: Iterator[list[str]] = iter(self._reader)

    @property
    def number(self) -> int:
        return self._reader.line_num

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        self._texts.close()


def guessed_encoding(path: Path) -> str:
    """UTF-8 if all of it is, UTF-16 if it says so, else what Excel in Brazil writes. In pieces."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while piece := file.read(PIECE):
                if file.tell() == len(piece) and piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                    return "utf-16"
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"
