"""Which side of a call is ours, by what the two texts are and what the exchange says."""

import pytest

from gateway.domain.calls.direction import tell_sides
from gateway.domain.messages import Direction
from gateway.domain.numbering.numbers import Extensions, NumberPlan

PLAN = NumberPlan("47", Extensions.parse(["3500-3599"]))
INCOMING, OUTGOING, INTERNAL = Direction.INCOMING, Direction.OUTGOING, Direction.INTERNAL


@pytest.mark.parametrize("said", [None, *Direction])
@pytest.mark.parametrize(
    ("ramal", "telefone", "extension", "other", "direction"),
    [
        ("4732100123", "3501", "3501", "4732100123", OUTGOING),
        ("3501", "3502", "3501", "3502", INTERNAL),
        ("3501", "35-02", "3501", "3502", INTERNAL),
    ],
)
def test_where_extensions_tell_the_sides_nobody_is_asked(
    ramal: str, telefone: str, extension: str, other: str, direction: Direction, said: Direction | None
) -> None:
    sides = tell_sides(ramal, telefone, PLAN, said)
    assert (sides.extension, sides.other.national, sides.direction) == (extension, other, direction)


@pytest.mark.parametrize(
    ("said", "direction"), [(None, INCOMING), (INCOMING, INCOMING), (OUTGOING, OUTGOING), (INTERNAL, INCOMING)]
)
@pytest.mark.parametrize(
    ("ramal", "extension"),
    [("3501", "3501"), ("sip:3501@pbx", "3501"), ("4732100999", "4732100999"), ("recepcao", "recepcao"), ("", "")],
)
def test_where_the_caller_is_outside_the_exchange_says_the_direction(
    ramal: str, extension: str, said: Direction | None, direction: Direction
) -> None:
    sides = tell_sides(ramal, "(47) 3210-0123", PLAN, said)
    assert (sides.extension, sides.other.national, sides.direction) == (extension, "4732100123", direction)
