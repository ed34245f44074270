"""Times as senders write them. The right values are those of `date -u -d`."""

from zoneinfo import ZoneInfo

import pytest

from gateway.mapping.events import iso
from gateway.mapping.moments import read_moment, read_seconds

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
AT = "2026-03-05T13:03:22Z"


@pytest.mark.parametrize(
    ("text", "unit", "form", "wanted"),
    [
        ("2026-03-05T13:03:22Z", "", "", AT),
        ("2026-03-05T13:03:22.500Z", "", "", "2026-03-05T13:03:22.500Z"),
        ("2026-03-05T10:03:22-03:00", "", "", AT),
        ("2026-03-05T10:03:22.269-0300", "", "", "2026-03-05T13:03:22.269Z"),
        ("2026-03-05 13:03:22 UTC", "", "", AT),
        ("2026-03-05 10:03:22", "", "", AT),
        ("05/03/2026 10:03:22", "", "", AT),
        ("20260305100322", "", "", AT),
        ("Thu, 05 Mar 2026 13:03:22 +0000", "", "", AT),
        ("1772715802", "", "", AT),
        ("1772715802.0", "", "", AT),
        ("1772715802000", "", "", AT),
        ("1772715802000000", "", "", AT),
        ("1772715802000000000", "ns", "", AT),
        ("63939935002", "gregorian", "", AT),
        ("10h03 05.03.26", "", "%Hh%M %d.%m.%y", "2026-03-05T13:03:00Z"),
    ],
)
def test_a_time_is_read(text, unit, form, wanted):
    assert iso(read_moment(text, SAO_PAULO, unit=unit, form=form)) == wanted


@pytest.mark.parametrize("text", ["", "soon", "17", "-1772715802", "9" * 25, "2026-02-30T10:00:00", "1e400", "0"])
def test_what_is_no_time_is_told(text):
    with pytest.raises(ValueError, match="is no time"):
        read_moment(text, SAO_PAULO)


@pytest.mark.parametrize(
    ("text", "unit", "seconds"),
    [("75", "", 75), ("75.9", "", 75), ("00:01:15", "", 75), ("1:15", "", 75), ("75000", "ms", 75), ("2", "min", 120)],
)
def test_a_length_of_time_is_read(text, unit, seconds):
    assert read_seconds(text, unit=unit) == seconds


@pytest.mark.parametrize("text", ["", "-5", "long", "9" * 15])
def test_what_is_no_length_of_time_is_told(text):
    with pytest.raises(ValueError, match="is no length of time"):
        read_seconds(text)
