"""Bytes become lines, however they come."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.events.lines.description import Framing
from gateway.events.lines.framing import LineCutter, decoded


def lines(data: bytes, framing: Framing | None = None, step: int = 1) -> list[str]:
    cutter = LineCutter(framing or Framing())
    pieces = [data[place : place + step] for place in range(0, len(data), step)]
    return [line.text for piece in pieces for line in cutter.feed(piece)]


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r", b"\n\r", b"\r\n\x00\x00\x00", b"\x0c"])
@pytest.mark.parametrize("step", [1, 3, 1000])
def test_whatever_ends_a_line(end: bytes, step: int) -> None:
    data = b"one 201" + end + b"two 202" + end + b"three" + end
    assert lines(data, step=step) == ["one 201", "two 202", "three"]


def test_blank_lines_bells_and_nuls_are_left_out() -> None:
    assert lines(b"\r\n\r\n\x00\x00a\x00b\x07c\r\n   \r\n") == ["abc"]


def test_a_line_without_its_end_waits_and_is_flushed() -> None:
    cutter = LineCutter(Framing())
    assert list(cutter.feed(b"half of a")) == []
    assert cutter.holds
    assert [line.text for line in cutter.feed(b" line\r\nnext")] == ["half of a line"]
    assert [line.text for line in cutter.flush()] == ["next"]
    assert not cutter.holds


def test_offsets_are_where_lines_begin() -> None:
    cutter = LineCutter(Framing(), offset=100)
    found = [line for piece in (b"ab\r\ncd", b"\r\n\r\nef\r\n") for line in cutter.feed(piece)]
    assert [(line.text, line.offset, line.after) for line in found] == [
        ("ab", 100, 103),
        ("cd", 104, 107),
        ("ef", 110, 113),
    ]


def test_an_endless_line_is_cut_and_holds_no_memory() -> None:
    cutter = LineCutter(Framing(longest=100))
    tracemalloc.start()
    found = [line for _ in range(200) for line in cutter.feed(b"x" * 10_000)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [(len(line.text), line.cut) for line in found] == [(100, True)]
    assert [line.text for line in cutter.feed(b"rest\r\nnext\r\n")] == ["next"]
    assert peak < 1_000_000


def test_lines_of_a_fixed_length_need_no_end() -> None:
    assert lines(b"aaaabbbbcc", Framing(length=4)) == ["aaaa", "bbbb"]


def test_parity_bits_are_taken_off() -> None:
    assert lines(bytes(byte | 0x80 for byte in b"201\r\n"), Framing(seven_bits=True)) == ["201"]


def test_the_first_character_set_that_fits_counts() -> None:
    assert decoded("JOÃO".encode(), ("utf-8", "latin-1")) == "JOÃO"
    assert decoded("JOÃO".encode("latin-1"), ("utf-8", "latin-1")) == "JOÃO"
    assert decoded(b"\xc7", ("cp437",)) == "╟"
    assert decoded(b"\xff", ("utf-8",)) == "\ufffd"


@given(st.binary(max_size=300), st.integers(1, 50))
def test_pieces_make_no_difference(data: bytes, step: int) -> None:
    assert lines(data, step=step) == lines(data, step=1000)
