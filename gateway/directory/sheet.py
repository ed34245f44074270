"""CSV files as people have them: Excel's ``;`` or commas or tabs, UTF-8 or Windows-1252, read a line at a time."""

import codecs
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from pydantic import ConfigDict

from gateway.adapter import Probe
from gateway.directory.columns import Columns, UnknownColumns, check_mapping, find_columns, present
from gateway.directory.rows import Rows, Trouble
from gateway.errors import SourceError
from gateway.source import Entry, KeptFields, Reason, Refused, setting
from gateway.texts.text import Text, problem_of

MOST_ABOVE_HEADER = 20
PIECE = 1024 * 1024
EXPECTED = Text("Expected names such as codigo, nome, contato, telefone, celular, or a mapping (columns, --map).")


@dataclass(frozen=True, kw_only=True)
class SheetConfig:
    """Settings of the source ``csv``."""

    __pydantic_config__ = ConfigDict(extra="forbid", frozen=True)

    path: Path = field(metadata={"help": "The file, relative to the configuration."})
    columns: Mapping[str, str] = setting(
        {}, "What a column is: code, name, contact, phone, area (DDD), contact1, owner, cpf, cnpj, contrato, ignore ..."
    )
    identifiers: Sequence[str] | None = setting(
        None, "The columns that name accounts; by default those called cpf, cnpj, contrato and the like."
    )
    fields: KeptFields = field(
        default_factory=dict,
        metadata={"help": "Columns to keep and show of each account: a list, or a table with labels."},
    )
    encoding: str = setting("", "The file's charset; empty: UTF-8, or Windows-1252 if it is not UTF-8.")
    delimiter: str = setting("", "What separates columns; empty: what the first line has most of.")

    def __post_init__(self) -> None:
        check_mapping(self.columns)
        if self.encoding:
            try:
                codecs.lookup(self.encoding)
            except LookupError:
                raise ValueError(Text("there is no encoding {name!r}", name=self.encoding)) from None
        if len(self.delimiter) > 1:
            raise ValueError(Text("delimiter must be one character"))


class SheetSource:
    """The source ``csv``: one file with a header line. Columns may come in any order and any number."""

    Config: ClassVar[type[Any]] = SheetConfig
    incremental = False

    def __init__(self, config: SheetConfig, *, name: str, among: bool = False) -> None:
        """Read the file of ``config``; one ``among`` several need not have all the columns that are to be kept."""
        self._config = config
        self._name = name
        self._among = among
        self.fields: Sequence[str] = ()
        self._file: BinaryIO | None = None
        self._size = 0
        self._unused: Sequence[str] = ()

    def probe(self) -> Probe:
        try:
            with self._lines() as lines:
                self._columns(lines)
        except SourceError as error:
            return Probe(False, error.whole)
        return Probe(True, Text("{path}: the header was understood.", path=str(self._config.path)))

    def entries(self, since: int | None) -> Iterator[Entry | Refused]:
        with self._lines() as lines:
            columns = self._columns(lines)
            self._unused, self.fields = columns.unused, [field for _, field in columns.fields]
            for row in lines.rows:
                if isinstance(row, Trouble):
                    yield Refused(self._place(row.line), row.reason, row.text)
                elif (said := columns.entry(row, self._place(lines.number))) is not None:
                    yield said

    @property
    def unused_columns(self) -> Sequence[tuple[str, str]]:
        """Columns that were not understood, once the header was read."""
        return [(self._config.path.name, column) for column in self._unused]

    def share(self) -> float | None:
        if self._file is None or self._file.closed or not self._size:
            return None
        return min(1.0, self._file.tell() / self._size)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _place(self, line: int) -> str:
        return f"{self._config.path.name}:{line}"

    def _lines(self) -> "SheetLines":
        path = self._config.path
        try:
            self._size = path.stat().st_size
            encoding = self._config.encoding or guessed_encoding(path)
            self._file = path.open("rb")
        except OSError as error:
            text = Text("the file {path} cannot be read ({reason}).", path=str(path), reason=error.strerror)
            raise SourceError(text) from None
        return SheetLines(self._file, encoding, self._config.delimiter)

    def _columns(self, lines: "SheetLines") -> Columns:
        """Return the columns by the first row that is a header; empty lines or a title may stand above it. Raises
        ``SourceError``.
        """
        config, path = self._config, self._config.path
        problem = Text("the file {path} is empty.", path=str(path))
        is_empty = True
        for row in islice(lines.rows, MOST_ABOVE_HEADER):
            if isinstance(row, Trouble):
                text = Text("{path}: the header cannot be read (line {line}).", path=str(path), line=row.line)
                raise SourceError(text, hint=EXPECTED)
            cells = sum(1 for cell in row if cell.strip())
            if not cells:
                continue
            try:
                kept = present(row, config.fields) if self._among else config.fields
                columns = find_columns(row, config.columns, config.identifiers, kept)
            except UnknownColumns as error:
                if is_empty:
                    problem = Text("{path}: {problem}", path=str(path), problem=problem_of(error))
                is_empty = False
                if cells > 1:
                    break
            else:
                lines.width = len(row)
                return columns
        raise SourceError(problem, hint=EXPECTED) from None


class Sheets:
    """Several files as one source: accounts in one, their contacts in another. One of them must have each of
    ``fields``, the columns that are to be kept.
    """

    Config: ClassVar[type[Any]] = SheetConfig
    incremental = False

    def __init__(self, sheets: list[SheetSource], fields: Iterable[str] = ()) -> None:
        self._sheets = sheets
        self._fields = fields
        self._finished = 0

    def probe(self) -> Probe:
        probes = [sheet.probe() for sheet in self._sheets]
        return next((probe for probe in probes if not probe.ok), probes[0])

    def entries(self, since: int | None) -> Iterator[Entry | Refused]:
        for sheet in self._sheets:
            yield from sheet.entries(since)
            self._finished += 1
        found = {name for sheet in self._sheets for name in sheet.fields}
        for name in self._fields:
            if name not in found:
                yield Refused("", Reason.NO_FIELD, name)

    @property
    def unused_columns(self) -> Sequence[tuple[str, str]]:
        return [each for sheet in self._sheets for each in sheet.unused_columns]

    def share(self) -> float | None:
        current = self._sheets[self._finished].share() if self._finished < len(self._sheets) else None
        return (self._finished + (current or 0.0)) / len(self._sheets)

    def close(self) -> None:
        for sheet in self._sheets:
            sheet.close()


class SheetLines:
    """An open file as rows; ``number`` is the line at which the last row ended."""

    def __init__(self, file: BinaryIO, encoding: str, delimiter: str) -> None:
        self._texts = TextIOWrapper(file, encoding, errors="replace", newline="")
        self._reader = Rows(self._texts, delimiter)
        self.rows: Iterator[list[str] | Trouble] = iter(self._reader)

    @property
    def number(self) -> int:
        return self._reader.number

    @property
    def width(self) -> int:
        return self._reader.width

    @width.setter
    def width(self, columns: int) -> None:
        self._reader.width = columns

    def __enter__(self) -> "SheetLines":
        return self

    def __exit__(self, *_: object) -> None:
        self._texts.close()


def guessed_encoding(path: Path) -> str:
    """Return UTF-8 if all of the file is, UTF-16 if it says so, else what Excel in Brazil writes; the file is read in
    pieces.
    """
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
