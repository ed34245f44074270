"""Losses and latencies of screens are worked out right."""

import pytest

from bench.screen_client import Screen, Sent, call_id_of
from bench.screens import judge


def test_each_screen_of_the_extension_must_hear_each_call_once():
    screens = [Screen("3500", {1: [10.5], 2: [20.25]}), Screen("3500", {1: [10.75, 11.0]}), Screen("3501", {})]
    first, counted = [Sent(1, "3500", 10.0, 10.25)], [Sent(2, "3500", 20.0, 20.5)]
    result = judge(screens, first, counted)
    assert (result.expected, result.lost, result.repeated) == (4, 1, 1)
    assert (result.shown_ms, result.answered_ms) == ([250.0], [500.0])


def test_a_listener_answer_names_the_call():
    assert call_id_of(b"OK 17\n") == 17
    with pytest.raises(ConnectionError, match="ERRO 900"):
        call_id_of(b"ERRO 900: cheio\n")
