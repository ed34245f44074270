"""Answers are held against rows."""

import pytest

from bench.intake import compare
from bench.load import Outcome


def outcome(sent: int, answered: int, failed: int) -> Outcome:
    return Outcome(sent, answered, failed, 1.0, 1.0, 1.0, "")


@pytest.mark.parametrize(("rows", "agrees"), [(19, False), (20, True), (21, False)])
def test_each_acknowledged_event_is_one_row(rows: int, agrees: bool):
    assert compare("x", [outcome(10, 10, 0), outcome(10, 10, 0)], rows) is agrees


@pytest.mark.parametrize(("rows", "agrees"), [(6, False), (7, True), (10, True), (11, False)])
def test_requests_without_a_good_answer_may_or_may_not_be_rows(rows: int, agrees: bool):
    assert compare("x", [outcome(10, 9, 2)], rows) is agrees
