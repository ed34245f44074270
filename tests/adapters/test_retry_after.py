"""What a peer says of later is told to whoever sent, with the time that it asks for."""

from datetime import UTC, datetime

import pytest

from adapters.http.client import HttpAnswer, Peer
from adapters.http.retry_after import retry_after_s
from adapters.http.settings import HttpConfig

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [
        (503, "120", 120),
        (429, " 5 ", 5),
        (503, "Thu, 05 Mar 2026 12:02:00 GMT", 120),
        (503, "Thu, 05 Mar 2026 11:00:00 GMT", 0),
        (503, "", 0),
        (502, "soon", 0),
        (503, "-5", 0),
        (503, "\N{ARABIC-INDIC DIGIT FIVE}", 0),
        (408, "", 0),
        (425, "", 0),
        (404, "120", None),
        (500, "120", None),
        (200, "120", None),
    ],
)
def test_retry_after_in_seconds_and_as_a_date(status: int, said: str, seconds: float | None) -> None:
    assert retry_after_s(status, {"Retry-After": said} if said else {}, NOW) == seconds


@pytest.mark.parametrize(("status", "seconds"), [(503, 30), (500, None)])
def test_an_answer_that_is_judged_by_its_status_says_later(status: int, seconds: float | None) -> None:
    delivery = Peer(HttpConfig(), name="crm").by_status(HttpAnswer(status, {"Retry-After": "30"}, b""))
    assert delivery.retry_after_s == seconds
