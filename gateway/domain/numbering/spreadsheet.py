"""What spreadsheets, JSON and databases make of a telephone number that they took for a number or a date.

``47999998888.0`` and ``4,7999998888E+10`` are whole numbers; ``4,79999E+10`` has lost its last digits for good; a date
never was a telephone.
"""

import re
from dataclasses import dataclass

_NOISE = r"[\s'\"=]*"
# Four zeros behind few digits are rather the end of a telephone written with a dot: 3210.0000.
_DECIMAL = re.compile(
    rf"{_NOISE}(?P<whole>[+-]?(?:[0-9]+|[0-9]{{1,3}}(?:\.[0-9]{{3}})+(?=,)|[0-9]{{1,3}}(?:,[0-9]{{3}})+(?=\.)))"
    rf"[.,](?P<zeros>0+){_NOISE}"
)
_EXPONENT = re.compile(
    rf"{_NOISE}(?P<sign>[+-]?)(?P<whole>[0-9]+)(?:[.,](?P<part>[0-9]*))?[eE]\+?(?P<by>[0-9]{{1,3}}){_NOISE}"
)
# Thousands in groups, as spreadsheets set to English write whole numbers: 47,999,998,888.
_GROUPED = re.compile(rf"{_NOISE}(?P<whole>[0-9]{{1,3}}(?:,[0-9]{{3}}){{2,}}){_NOISE}")
_ENDS_A_DECIMAL = ("0", "'", '"')
_GROUP_OF_ZEROS = 4
_COMPLETE = 8

_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12][0-9]|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:19|20)[0-9]{2}"
_TIME = r"[0-2]?[0-9]:[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?"
_DATE = re.compile(
    rf"(?:{_YEAR}([-/.]){_MONTH}\1{_DAY}|{_DAY}([-/.]){_MONTH}\2{_YEAR}|{_MONTH}([-/.]){_DAY}\3{_YEAR})"
    rf"(?:[T ]+{_TIME})?(?:Z| ?[+-][0-9]{{2}}:?[0-9]{{2}})?|{_TIME}"
)


@dataclass(frozen=True, slots=True)
class Cell:
    """What a text is to a spreadsheet: ``digits`` written out (None when they cannot be known), and the step's rule."""

    digits: str | None
    rule: str


def cell(text: str) -> Cell | None:
    """Return ``text`` as a number or date that a program formatted; None when it is written otherwise.

    >>> cell("4799998888.0"), cell("12E5")
    (Cell(digits='4799998888', rule='decimal'), Cell(digits=None, rule='shortened'))
    """
    # Most texts are neither, and looking for a sign costs less than the expressions.
    if text[-1:] in _ENDS_A_DECIMAL and (found := _DECIMAL.fullmatch(text)):
        return _decimal(found)
    if ("E" in text or "e" in text) and (found := _EXPONENT.fullmatch(text)):
        return _exponent(found)
    if "," in text and (found := _GROUPED.fullmatch(text)):
        return Cell(found["whole"].replace(",", ""), "noise")
    return Cell(None, "date") if _DATE.fullmatch(text) else None


def _decimal(found: re.Match[str]) -> Cell | None:
    whole = re.sub(r"[.,]", "", found["whole"])
    if len(found["zeros"]) == _GROUP_OF_ZEROS and len(whole) < _COMPLETE:
        return None
    return Cell(whole, "decimal")


def _exponent(found: re.Match[str]) -> Cell:
    """Read a number with an exponent. All digits must stand there: zeros that would have to be filled up are digits
    that were rounded away.
    """
    part, by = found["part"] or "", int(found["by"])
    if by > len(part) or part[by:].strip("0"):
        return Cell(None, "shortened")
    return Cell(found["sign"] + found["whole"] + part[:by], "exponent")
