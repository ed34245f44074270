"""What a site answers to an order: read as it was written, whoever wrote it."""

import json
from typing import Any

import pytest

from gateway.adapter import Delivery, Outcome
from gateway.store.onsite.answers import answer_of, delivery_of
from gateway.texts.text import Text


@pytest.mark.parametrize("outcome", list(Outcome))
def test_an_answer_is_read_as_it_was_written(outcome: Outcome) -> None:
    told = Delivery(outcome, Text("The appliance {name!r} did not answer.", name="pabx"), "1796.7", 2.5)
    read = delivery_of(json.loads(json.dumps(answer_of(told))))
    assert (read.outcome, str(read.text), read.peer_ref, read.retry_after_s) == (
        outcome,
        "The appliance 'pabx' did not answer.",
        "1796.7",
        2.5,
    )


@pytest.mark.parametrize("answer", ["{}", '{"outcome": "ringing", "detail": 3, "sentence": [], "peer_ref": 7}'])
def test_what_says_nothing_known_is_unknown(answer: str) -> None:
    read = delivery_of(json.loads(answer))
    assert (read.outcome, str(read.text), read.peer_ref) == (Outcome.UNKNOWN, "unknown", None)


@pytest.mark.parametrize("pause", ["NaN", "Infinity", "-Infinity", '"soon"', "null"])
def test_a_pause_that_is_no_number_is_none(pause: str) -> None:
    answer: dict[str, Any] = json.loads(f'{{"outcome": "refused", "retry_after_s": {pause}}}')
    assert delivery_of(answer).retry_after_s is None
