"""The values of the domain: made once, never changed, and without room for attributes that nobody declared."""

from dataclasses import is_dataclass
from functools import cached_property
from importlib import import_module
from pkgutil import walk_packages

import pytest

import gateway.domain


def own(name: str) -> list[type]:
    """The data classes of the module ``name`` itself."""
    things = vars(import_module(name)).values()
    return [thing for thing in things if is_dataclass(thing) and getattr(thing, "__module__", "") == name]  # type: ignore[misc]


VALUES = [value for found in walk_packages(gateway.domain.__path__, "gateway.domain.") for value in own(found.name)]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_never_changed(value: type) -> None:
    assert value.__dataclass_params__.frozen  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_has_no_room_for_more_unless_it_keeps_what_it_has_worked_out(value: type) -> None:
    keeps = any(isinstance(thing, cached_property) for thing in vars(value).values())
    assert ("__slots__" in vars(value)) is not keeps


def test_values_are_found() -> None:
    assert len(VALUES) > 30
