"""The line or number in the name of a channel."""

import pytest

from gateway.domain.numbering.channels import line_of


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("3501", None),
        ("Nothing/3501", None),
        ("SIP/3501-0000002a", "3501"),
        ("SIP/3501", "3501"),
        ("SIP/200.1.2.3-0000002a", ""),
        ("IAX2/3501-5412", "3501"),
        ("IAX2/200.1.2.3-5412", ""),
        ("DAHDI/3501-1", "3501"),
        ("DAHDI/35012-1", "35012"),
        ("DAHDI/123-1", ""),
        ("DAHDI/12-1", ""),
        ("DAHDI/12", "12"),
        ("DAHDI/i1/12-1a", "12"),
        ("DAHDI/i1/12", "12"),
        ("DAHDI/i1/47999998888-1a", "47999998888"),
        ("Khomp/B0C1-0.0", ""),
        ("DAHDI/pseudo-1", ""),
    ],
)
def test_a_channel_has_a_line_where_its_name_has_one(name: str, line: str | None) -> None:
    assert line_of(name) == line
