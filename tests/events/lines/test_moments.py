"""Dates and times as exchanges print them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.events.lines.moments import DateOrder, read_moment

SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOW = ms("2026-03-05T13:10:00")


@pytest.mark.parametrize(
    ("text", "order", "told"),
    [
        ("05/03/26 10:03", "dmy", "2026-03-05T10:03:00"),
        ("05/03/26 10:03AM", "dmy", "2026-03-05T10:03:00"),
        ("03/05/2026 12:03AM", "mdy", "2026-03-05T00:03:00"),
        ("03/05/26 12:03PM", "mdy", "2026-03-05T12:03:00"),
        ("05.03.26 10:03:02", "dmy", "2026-03-05T10:03:02"),
        ("2026/03/05 10:03:22", "dmy", "2026-03-05T10:03:22"),
        ("26-03-05 10:03:22", "ymd", "2026-03-05T10:03:22"),
        ("030526 100322", "mdy", "2026-03-05T10:03:22"),
        ("050326 1003", "dmy", "2026-03-05T10:03:00"),
        ("260305 1003", "ymd", "2026-03-05T10:03:00"),
        ("20260305 100322", "ymd", "2026-03-05T10:03:22"),
        ("03 05 1003", "mdy", "2026-03-05T10:03:00"),
        ("03/05 10:03P", "mdy", "2026-03-05T22:03:00"),
        ("05/03 10:03:22", "dmy", "2026-03-05T10:03:22"),
        ("10:03:22", "dmy", "2026-03-05T10:03:22"),
        ("10:03:22.500 UTC Thu Mar 05 2026", "dmy", "2026-03-05T10:03:22.500"),
        (".10:03:22.500 BRT Thu Mar 5 2026", "dmy", "2026-03-05T10:03:22.500"),
        ("2026-03-05T10:03:22Z", "dmy", "2026-03-05T10:03:22"),
        ("2026-03-05 10:03:22", "dmy", "2026-03-05T10:03:22"),
        ("1772705002", "dmy", "2026-03-05T10:03:22"),
        ("1772705002500", "dmy", "2026-03-05T10:03:22.500"),
    ],
)
def test_each_way_to_write_it(text: str, order: DateOrder, told: str) -> None:
    found = read_moment(text, UTC, order, NOW)
    assert found is not None
    assert found.at == ms(told)


@pytest.mark.parametrize("text", ["**/**/** **:****", "", "0", "00:00:00", "-"])
def test_what_the_exchange_does_not_know_is_nothing(text: str) -> None:
    assert read_moment(text, UTC, "dmy", NOW) is None


@pytest.mark.parametrize("text", ["yesterday", "31/02/26 10:00", "05/13/26 10:00", "25:00", "05/03/26", "99/99 10:00"])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        read_moment(text, UTC, "dmy", NOW)


@pytest.mark.parametrize(
    ("text", "now", "told"),
    [
        ("31/12 23:59", "2027-01-01T00:00:30", "2026-12-31T23:59:00"),
        ("01/01 00:01", "2026-12-31T23:59:50", "2027-01-01T00:01:00"),
        ("29/02 10:00", "2027-03-01T10:00:00", None),
        ("23:59:59", "2026-03-05T00:00:02", "2026-03-04T23:59:59"),
        ("00:00:01", "2026-03-04T23:59:58", "2026-03-05T00:00:01"),
    ],
)
def test_without_a_year_or_a_date_it_is_the_nearest(text: str, now: str, told: str | None) -> None:
    if told is None:
        assert read_moment(text, UTC, "dmy", ms("2028-03-01T10:00:00")) is not None
        with pytest.raises(ValueError, match="is no time"):
            read_moment(text, UTC, "dmy", ms("2026-03-01T10:00:00"))
        return
    found = read_moment(text, UTC, "dmy", ms(now))
    assert found is not None
    assert found.at == ms(told)


def test_it_is_local_time_of_the_source_unless_it_names_a_zone() -> None:
    local = read_moment("05/03/26 10:03", SAO_PAULO, "dmy", NOW)
    zoned = read_moment("10:03:22.000 UTC Thu Mar 05 2026", SAO_PAULO, "dmy", NOW)
    assert local is not None
    assert local.at == ms("2026-03-05T13:03:00")
    assert not local.to_the_second
    assert zoned is not None
    assert zoned.at == ms("2026-03-05T10:03:22")
    assert zoned.to_the_second
