"""What is a change of behaviour, and what of a module it touches."""

import pytest

from tests.mutation.source import change, changed_functions, meaning, scope, statement_lines

MODULE = """
from dataclasses import dataclass

LIMIT = 3


@dataclass(frozen=True)
class Ring:
    seconds: int | None = 0

    def is_long(self) -> bool:
        if (
            self.seconds is not None
            and self.seconds > LIMIT
        ):
            return True
        return any(second > 5 for second in [self.seconds])
"""


def with_change(before: str, after: str) -> str:
    assert MODULE.count(before) == 1
    return MODULE.replace(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("int | None = 0", "int & None = 0"),
        ("-> bool", "-> int"),
        ("def is_long(self)", "def is_long(self: int | str)"),
        ("def is_long(self)", "def is_long(self, /)"),
        ("self.seconds is not None", "(self.seconds is not None)"),
    ],
)
def test_types_and_brackets_mean_nothing(before: str, after: str) -> None:
    assert meaning(with_change(before, after)) == meaning(MODULE)


@pytest.mark.parametrize(
    ("before", "after"),
    [("LIMIT = 3", "LIMIT = 4"), ("None = 0", "None = 1"), ("frozen=True", "frozen=False"), ("> LIMIT", ">= LIMIT")],
)
def test_values_and_operators_do(before: str, after: str) -> None:
    assert meaning(with_change(before, after)) != meaning(MODULE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"""Two."""', '"""Three."""'),
        ("Way = int | str", "Way = int & str"),
        ("Way: TypeAlias = int", "Way: TypeAlias = str"),
        ("def ring(at, *, sure=1): 1", "def ring(at, /, sure=1): 1"),
    ],
)
def test_docstrings_and_names_of_types_mean_nothing(before: str, after: str) -> None:
    assert meaning(before) == meaning(after)


def test_a_default_is_a_value() -> None:
    assert meaning("def ring(at, *, sure=1): 1") != meaning("def ring(at, *, sure=2): 1")


def test_a_member_of_an_enumeration_is_equal_to_itself_alone() -> None:
    assert meaning("state is State.ENDED") == meaning("state == State.ENDED")
    assert meaning("ended = any(state is State.ENDED)") == meaning("ended = any(state == State.ENDED)")
    assert meaning("state is not State.ENDED") == meaning("state != State.ENDED") != meaning("state == State.ENDED")
    assert meaning("state is state.ended") != meaning("state == state.ended")


def test_flags_are_no_type() -> None:
    assert meaning("FLAGS = A | B") != meaning("FLAGS = A & B")


def test_a_change_has_its_lines_without_their_indentation() -> None:
    changed = change(MODULE, with_change("            and self.seconds > LIMIT", "            or self.seconds > LIMIT"))
    assert (list(changed.lines), changed.before, changed.after) == (
        [14],
        "and self.seconds > LIMIT",
        "or self.seconds > LIMIT",
    )


def test_a_line_that_is_gone_has_nothing_after_it() -> None:
    changed = change(MODULE, with_change("\n\n@dataclass(frozen=True)\n", ""))
    assert (list(changed.lines), changed.before, changed.after) == ([7], "@dataclass(frozen=True)", "")


@pytest.mark.parametrize(
    ("line", "name"), [(4, ""), (7, "Ring"), (9, "Ring"), (11, "Ring.is_long"), (17, "Ring.is_long")]
)
def test_a_line_is_of_the_innermost_function_or_class(line: int, name: str) -> None:
    assert scope(MODULE, line) == name


@pytest.mark.parametrize(("line", "lines"), [(4, [4]), (14, [12, 13, 14, 15]), (16, [16]), (17, [17])])
def test_a_line_is_of_a_statement_without_those_inside(line: int, lines: list[int]) -> None:
    assert list(statement_lines(MODULE)[line]) == lines


def compared(before: str, after: str) -> list[str] | None:
    code = [compile(text, "ring.py", "exec") for text in (MODULE, with_change(before, after))]
    changed = changed_functions(*code)
    return None if changed is None else [name for name, _ in changed]


@pytest.mark.parametrize(
    ("before", "after"), [("> LIMIT", "< LIMIT"), ("second > 5", "second > 6"), ("and self", "or self")]
)
def test_a_change_in_a_function_is_of_that_function(before: str, after: str) -> None:
    assert compared(before, after) == ["Ring.is_long"]


@pytest.mark.parametrize(
    ("before", "after"), [("LIMIT = 3", "LIMIT = 4"), ("None = 0", "None = 1"), ("(frozen=True)", "")]
)
def test_any_other_change_is_of_the_module(before: str, after: str) -> None:
    assert compared(before, after) is None
