"""Free fields of a call: the later word counts, and there is room for so many."""

import json

import pytest

from gateway.domain.calls.free_fields import LONGEST_NAME, MOST_BYTES, MOST_FIELDS, added, read_fields


def known(**fields: str) -> str:
    return json.dumps(fields)


def test_nothing_told_is_no_fields() -> None:
    assert added(None, {}) == (None, False)
    assert added("", {" ": "x"}) == (None, False)
    assert (read_fields(None), read_fields(""), read_fields('{"a":"1"}')) == ({}, {}, {"a": "1"})


def test_the_later_word_counts_and_the_earlier_ones_stay() -> None:
    assert added(known(a="1", b="2"), {"b": "3", "ç": "ã"}) == ('{"a":"1","b":"3","ç":"ã"}', False)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        (" cpf ", "cpf"),
        ("n" * LONGEST_NAME, "n" * 40),
        ("n" * LONGEST_NAME + "m", "n" * 40),
        ("n" * (LONGEST_NAME - 1) + " m", "n" * 39),
    ],
)
def test_names_are_trimmed_and_cut(name: str, kept: str) -> None:
    assert added(None, {name: "1"}) == (json.dumps({kept: "1"}, separators=(",", ":")), False)


def test_there_is_room_for_twenty_fields() -> None:
    assert (MOST_FIELDS, MOST_BYTES) == (20, 4096)
    many = {f"f{number}": "" for number in range(22)}
    fields, cut = added(None, many)
    assert (list(read_fields(fields)), cut) == (list(many)[:20], True)
    twenty, cut = added(None, dict(list(many.items())[:20]))
    assert (len(read_fields(twenty)), cut) == (20, False)
    changed, cut = added(twenty, {"f19": "new"})
    assert (read_fields(changed)["f19"], cut) == ("new", False)


@pytest.mark.parametrize(("length", "cut"), [(4094, False), (4095, False), (4096, True), (5000, True)])
def test_there_is_room_for_four_kilobytes_of_names_and_texts(length: int, cut: bool) -> None:
    fields, said = added(None, {"n": "x" * length})
    assert (fields is None, said) == (cut, cut)


def test_room_is_counted_in_bytes_and_what_is_replaced_takes_none() -> None:
    full = known(a="x" * 2001, b="é" * 1000)
    assert added(full, {"c": "x" * 93})[1]
    assert not added(full, {"c": "x" * 92})[1]
    assert not added(full, {"a": "y" * 2094})[1]
    assert added(full, {"a": "y" * 2095})[1]


def test_what_finds_no_room_is_left_out_and_the_rest_is_kept() -> None:
    fields, cut = added(known(a="1"), {"long": "x" * 5000, "b": "2"})
    assert (read_fields(fields), cut) == ({"a": "1", "b": "2"}, True)
    fields, cut = added(known(a="1"), {"b": "2", "long": "x" * 5000})
    assert (read_fields(fields), cut) == ({"a": "1", "b": "2"}, True)


def test_half_a_character_counts_as_one() -> None:
    assert added(None, {"n": "\ud800" * 4095})[1] is False
