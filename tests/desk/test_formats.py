"""Numbers, times and links as people see them."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from gateway.desk import formats
from gateway.domain.links import safe_link

SAO_PAULO = ZoneInfo("America/Sao_Paulo")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("47999998888", "(47) 99999-8888"),
        ("4732100123", "(47) 3210-0123"),
        ("08001234567", "0800 123 4567"),
        ("0800123456", "0800 123 456"),
        ("40041234", "4004 1234"),
        ("3501", "3501"),
        ("190", "190"),
        ("+14155550123", "+14155550123"),
        ("00000000000", "00000000000"),
        ("anonymous", "anonymous"),
        ("", ""),
    ],
)
def test_numbers_are_written_as_people_write_them(number: str, shown: str) -> None:
    assert formats.number_text(number) == shown


@pytest.mark.parametrize(
    ("number", "diallable"),
    [
        ("47999998888", True),
        ("3501", True),
        ("+1 415", True),
        ("anonymous", False),
        ("", False),
        ("0000", False),
    ],
)
def test_only_what_can_be_called_back_offers_a_call(number: str, diallable: bool) -> None:
    assert formats.is_diallable(number) is diallable


@pytest.mark.parametrize(("seconds", "shown"), [(None, ""), (0, "0:00"), (75, "1:15"), (3723, "1:02:03"), (-5, "0:00")])
def test_durations_are_minutes_and_seconds(seconds: int | None, shown: str) -> None:
    assert formats.duration_text(seconds) == shown


def test_times_are_those_of_the_company() -> None:
    at = 1772731231123
    assert formats.date_text(at, SAO_PAULO) == "05/03/2026"
    assert formats.time_text(at, SAO_PAULO) == "14:20"
    assert formats.time_text(at, ZoneInfo("America/Manaus")) == "13:20"


def test_a_day_begins_at_midnight_of_the_company_even_when_the_clocks_change() -> None:
    start = formats.day_start(date(2018, 11, 4), SAO_PAULO)
    end = formats.day_start(date(2018, 11, 4), SAO_PAULO, after=1)
    assert end - start == 23 * 3600 * 1000


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://pbx/gravacoes/1.wav", True),
        ("https://pbx/1.mp3?x=1", True),
        ("javascript:alert(1)", False),
        ("JavaScript:alert(1)", False),
        ("data:text/html,<script>", False),
        ("//pbx/1.wav", False),
        ("/var/spool/1.wav", False),
        ("http://", False),
        ("http://[::1", False),
        ("", False),
        (None, False),
    ],
)
def test_only_links_to_web_addresses_are_shown(url: str | None, shown: bool) -> None:
    assert (safe_link(url) == url and url is not None) is shown
