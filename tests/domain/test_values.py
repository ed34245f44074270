"""The values of the domain: made once, never changed, and without room for attributes that nobody declared."""

from dataclasses import is_dataclass, replace
from enum import Enum
from functools import cached_property
from importlib import import_module
from pkgutil import walk_packages

import pytest

import gateway.domain
from gateway.domain.calls.call import Call
from gateway.domain.messages import AttachedData, Direction
from gateway.domain.records import record


def own(name: str) -> list[type]:
    """The data classes of the module ``name`` itself."""
    things = [thing for thing in vars(import_module(name)).values() if isinstance(thing, type)]
    return [thing for thing in things if is_dataclass(thing) and thing.__module__ == name]


NAMES = [found.name for found in walk_packages(gateway.domain.__path__, "gateway.domain.")]
VALUES = [value for name in NAMES for value in own(name)]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_never_changed(value: type) -> None:
    """Of a record mypy alone sees to it: ``frozen=True`` gives it the hash that it has here."""
    params = value.__dataclass_params__  # type: ignore[attr-defined]
    assert params.frozen or params.unsafe_hash


def test_a_record_is_what_a_frozen_dataclass_is_but_for_its_guard() -> None:
    @record(frozen=True, slots=True)
    class Pair:
        first: int
        second: int = 2

    assert (Pair(1), hash(Pair(1)), repr(Pair(1))[-23:]) == (Pair(1, 2), hash((1, 2)), "Pair(first=1, second=2)")
    assert Pair(1) != Pair(2)
    assert replace(Pair(1), second=3) == Pair(1, 3)
    assert not hasattr(Pair(1), "__dict__")


@pytest.mark.parametrize("value", VALUES)
def test_a_value_has_no_room_for_more_unless_it_keeps_what_it_has_worked_out(value: type) -> None:
    keeps = any(isinstance(thing, cached_property) for thing in vars(value).values())
    assert ("__slots__" in vars(value)) is not keeps


def test_a_call_of_an_extension_with_another_is_internal() -> None:
    call = Call(1, "internal", "3501", "3502", "3502", 1, "ringing")
    assert [call._replace(direction=f"{each}").internal for each in Direction] == [False, False, True]


def test_what_was_told_beside_a_call_is_named() -> None:
    told = AttachedData(queue="vendas", hung_up_by="")
    assert told.attached == {"queue": "vendas", "hung_up_by": ""}
    assert [(str(name), text) for name, text in told.labelled] == [("Queue or group", "vendas"), ("Hung up by", "")]


def test_classes_that_only_have_fields_are_values() -> None:
    plain = [
        thing
        for name in NAMES
        for thing in vars(import_module(name)).values()
        if isinstance(thing, type) and thing.__module__ == name and not issubclass(thing, Exception | Enum | tuple)
    ]
    assert [thing for thing in plain if not is_dataclass(thing) and not getattr(thing, "_is_protocol", False)] == []


def test_values_are_found() -> None:
    assert len(VALUES) > 30
