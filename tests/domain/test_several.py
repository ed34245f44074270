"""Several numbers in one text: the table beside this file."""

import time

import pytest

from gateway.domain.numbering.numbers import Extensions, NumberKind, NumberPlan, read
from gateway.domain.numbering.several import numbers_in
from tests.domain.cases import table

PLAN = NumberPlan("47", Extensions.parse(["3500-3599"]))
ROWS = list(table("several.tsv", columns=3))
NO_NUMBER = (NumberKind.UNKNOWN, NumberKind.EXTENSION, NumberKind.WITHHELD)


def number_of(text: str) -> str:
    reading = read(text, PLAN)
    return "-" if reading.kind in NO_NUMBER else reading.national


@pytest.mark.parametrize(("text", "numbers", "written"), ROWS, ids=[row[0] for row in ROWS])
def test_every_number_of_a_text_is_found(text: str, numbers: str, written: str) -> None:
    found = numbers_in(text, PLAN)

    assert [number_of(each) for each in found] == numbers.split()
    assert found == tuple(written.split("|") if written else [text])


@pytest.mark.parametrize("text", [row[0] for row in ROWS if "/11/" not in row[0]])
def test_the_first_is_what_the_number_engine_makes_of_the_whole_text(text: str) -> None:
    whole = number_of(text)

    assert number_of(numbers_in(text, PLAN)[0]) == whole or whole == "-" or len(whole) == 8


@pytest.mark.parametrize("text", ["4732100123 / " * 150, "1 2 3 " * 330, "(" * 2000, "9" * 2000, "1x" * 1000])
def test_a_cell_of_the_longest_size_takes_no_time(text: str) -> None:
    begin = time.process_time()
    numbers_in(text, PLAN)

    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sem telefone / 3210-0123", ["sem telefone / 3210-0123"]),
        ("sem telefone / 47 3210-0123", ["47 3210-0123", "sem telefone"]),
        ("47 3210-0123 1234567", ["47 3210-0123", "1234567"]),
        ("47 3210-0123 123456", ["47 3210-0123", "123456"]),
        ("47 3210-0123 12345 47 99999-8888", ["47 3210-0123", "47 99999-8888"]),
        ("1132100123; 32100124", ["1132100123", "(11) 32100124"]),
        ("1 2 3 4 5 6 7 8 9", ["1 2 3 4 5 6 7 8 9"]),
        ("47 3 2 1 0 0 1 23; 11 32100124", ["47 3 2 1 0 0 1 23", "11 32100124"]),
        ("47 3 2 1 0 0 1 2 3; 11 32100124", ["47 3 2 1 0 0 1", "11 32100124"]),
        ("10101, 10101", ["10101, 10101"]),
        ("00000, 11111", ["00000, 11111"]),
        ("47 9999-8888 / 8; 11 32100124", ["47 9999-8888", "8", "11 32100124"]),
        ("47 3210-0123; 0124", ["47 3210-0123", "0124"]),
        ("47 3210-0123 0124", ["47 3210-0123 0124"]),
        ("12 47 32100123; 11 32100124", ["47 32100123", "11 32100124"]),
        ("(47) 3210-0123/222", ["(47) 3210-0123", "(47) 3210-0222"]),
        ("(47) 3210-0123/223", ["(47) 3210-0123", "223"]),
        ("(47) 3210-0123/9", ["(47) 3210-0123", "(47) 3210-0129"]),
        ("(47) 3210 e 0123, 47 99999-8888", ["(47) 3210 e 0123, 47 99999-8888"]),
    ],
)
def test_what_stands_beside_a_number_is_one_only_where_it_may_be(text: str, found: list[str]) -> None:
    assert list(numbers_in(text, PLAN)) == found


def test_a_text_may_hold_hundreds_of_numbers() -> None:
    numbers = [f"47321{number:05}" for number in range(300)]
    assert numbers_in(";".join(numbers), PLAN) == tuple(numbers)
