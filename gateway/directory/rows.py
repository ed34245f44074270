"""The rows of a CSV text, a bounded piece of it at a time, whatever is wrong with a line of it.

A quote that is never closed would swallow all lines behind it: then its own line is no row, and the next one is read as
if nothing had been.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from gateway.source import Reason

LONGEST_LINE = 256 * 1024
LONGEST_ROW = 256 * 1024
MOST_LINES = 100
"""Lines that one row may go on for, in a text between quotes."""
HEAD = 20
"""Lines at the beginning that are looked at for what separates columns."""
DELIMITERS = ";\t,"
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_ENDS = ("\n", "\r")
SHOWN = 80


@dataclass(frozen=True, slots=True)
class Trouble:
    """A line that is no row: where it stood (counted from 1), why, and how it begins."""

    line: int
    reason: Reason
    text: str


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    too_long: bool = False


class Rows:
    """Iterates over rows, and troubles where there is no row. ``number`` is the line at which the last one ended.

    ``width``, once known, is the number of columns; without ``delimiter`` it is what a line ``sep=;`` says, or what the
    first line with any of them has most of.
    """

    def __init__(self, texts: TextIO, delimiter: str = "") -> None:
        self._texts = texts
        self._waiting: deque[_Line] = deque()
        self._read = 0
        self.number = 0
        self.width = 0
        self._delimiter = delimiter or self._guessed()

    def __iter__(self) -> Iterator[list[str] | Trouble]:
        while (line := self._next()) is not None:
            yield self._too_long(line) if line.too_long else self._row(line)

    def _guessed(self) -> str:
        head: list[_Line] = []
        while len(head) < HEAD and (line := self._next()) is not None:
            head.append(line)
        told = next((found for line in head[:1] if (found := _SEPARATOR.fullmatch(line.text))), None)
        self._waiting.extendleft(reversed(head[1:] if told else head))
        if told:
            return told[1]
        first = next((line.text for line in head if any(map(line.text.count, DELIMITERS))), "")
        return max(DELIMITERS, key=first.count)

    def _next(self) -> _Line | None:
        """Return the next line, of which no more than `LONGEST_LINE` characters are ever in memory."""
        if self._waiting:
            return self._waiting.popleft()
        text = self._texts.readline(LONGEST_LINE)
        if not text:
            return None
        self._read += 1
        too_long = len(text) >= LONGEST_LINE and not text.endswith(_ENDS)
        if too_long:
            self._skip_line()
        return _Line(self._read, text[:SHOWN] if too_long else text, too_long)

    def _skip_line(self) -> None:
        while (rest := self._texts.readline(LONGEST_LINE)) and not rest.endswith(_ENDS):
            pass

    def _too_long(self, line: _Line) -> Trouble:
        self.number = line.number
        return Trouble(line.number, Reason.LONG_LINE, line.text)

    def _row(self, line: _Line) -> list[str] | Trouble:
        self.number = line.number
        try:
            row, complete = _parsed([line.text], self._delimiter)
        except csv.Error as error:
            return Trouble(line.number, Reason.BAD_LINE, str(error))
        return row if complete else self._long_row(line)

    def _long_row(self, first: _Line) -> list[str] | Trouble:
        """Return a row that goes on over several lines, in quotes that close where they should."""
        lines = [first]
        while self._may_go_on(lines) and (line := self._next()) is not None:
            lines.append(line)
            if '"' not in line.text or line.too_long:
                continue
            if (row := _strictly([each.text for each in lines], self._delimiter)) is not None:
                self.number = line.number
                return row
        self._waiting.extendleft(reversed(lines[1:]))
        return Trouble(first.number, Reason.OPEN_QUOTE, first.text.strip()[:SHOWN])

    def _may_go_on(self, lines: list[_Line]) -> bool:
        """Return whether the row may go on: not beyond the limits, nor over a line in its middle that has all columns
        and no quote, which is a row by itself.
        """
        last = lines[-1]
        whole = self.width > 2 and last.text.count(self._delimiter) >= self.width - 1 and '"' not in last.text
        if last.too_long or (whole and len(lines) > 1):
            return False
        return len(lines) < MOST_LINES and sum(len(line.text) for line in lines) < LONGEST_ROW


def _parsed(lines: list[str], delimiter: str) -> tuple[list[str], bool]:
    """Return the row in ``lines``, and whether it ends with them. Raises ``csv.Error``."""
    asked_for_more = False

    def given() -> Iterator[str]:
        nonlocal asked_for_more
        yield from lines
        asked_for_more = True

    row = next(csv.reader(given(), delimiter=delimiter), [])
    return row, not asked_for_more


def _strictly(lines: list[str], delimiter: str) -> list[str] | None:
    """Return the cells of one row over several lines, None unless every quote stands where one may."""
    try:
        return next(csv.reader(lines, delimiter=delimiter, strict=True), None)
    except csv.Error:
        return None
