"""What the load generator reports is read right."""

import pytest

from bench.load import Outcome, read_outcome

PRINTED = "Running 5s test\n  2 threads\nRESULT 1010 1005 5 2.5 1500 20000\nEXAMPLE 503 ERRO 900: cheio\n"


def test_only_good_answers_count_as_acknowledged():
    outcome = read_outcome(PRINTED)
    assert outcome == Outcome(1010, 1005, 5, 2.5, 1.5, 20.0, "503 ERRO 900: cheio")
    assert (outcome.acknowledged, outcome.errors, outcome.per_second) == (1000, 10, 400.0)


def test_a_generator_that_failed_is_not_taken_for_zero_events():
    with pytest.raises(ValueError, match="unable to connect"):
        read_outcome("unable to connect to 127.0.0.1:1 Connection refused\n")
