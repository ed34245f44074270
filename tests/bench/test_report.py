"""What a benchmark prints is worked out right."""

from bench.report import percentile, ratio, table


def test_a_percentile_is_one_of_the_values():
    values = list(range(100, 0, -1))
    assert [percentile(values, percent) for percent in (0, 50, 95, 99, 100)] == [1, 50, 95, 99, 100]


def test_percentiles_of_nothing_are_nothing():
    assert percentile([], 99) == 0


def test_a_ratio_says_whether_its_goal_is_reached():
    assert ratio(10, 2, 5) == "5.00 x (goal 5 x: reached)"
    assert ratio(9, 2, 5) == "4.50 x (goal 5 x: MISSED)"
    assert ratio(9, 2) == "4.50 x"
    assert ratio(9, 0, 5) == "no figure to compare with"


def test_a_table_has_straight_columns():
    shown = table(["what", "n"], [["a", "1,000"], ["bcdef", "2"]])
    assert shown.splitlines() == ["what       n", "-----  -----", "a      1,000", "bcdef      2"]
