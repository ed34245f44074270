"""Positions in a company's events, as pages and browsers hold them."""

import pytest

from gateway.store.reading.positions import Position


@pytest.mark.parametrize(
    ("text", "position"), [("0", Position(0, 0)), ("1517", Position(0, 1517)), ("3.1517", Position(3, 1517))]
)
def test_a_position_reads_as_it_is_written(text: str, position: Position) -> None:
    assert Position.read(text) == position
    assert str(position) == text


@pytest.mark.parametrize(
    "text", ["", "null", "-1", "1.", ".5", "1.2.3", "1,5", "1" * 17, "1." + "2" * 17, "\u0661", " 7"]
)
def test_what_no_gateway_has_written_is_no_position(text: str) -> None:
    assert Position.read(text) is None


def test_what_happens_in_a_later_epoch_is_later() -> None:
    assert Position(0, 900) < Position(1, 3) < Position(1, 20)
