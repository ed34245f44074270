"""Which Host headers name the asker's own machine."""

import pytest

from gateway.wire.hosts import names_this_machine


@pytest.mark.parametrize("header", ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.9.9.9:80", "[::1]", "[::1]:8080"])
def test_names_that_lead_nowhere_else(header: str) -> None:
    assert names_this_machine(header)


@pytest.mark.parametrize(
    "header",
    ["", "0.0.0.0", "[::ffff:127.0.0.1]", "localhost.evil.test", "localhost:80@evil.test", "[::1]evil.test", "127.1"],
)
def test_names_that_may_lead_elsewhere_or_are_no_host(header: str) -> None:
    assert not names_this_machine(header)
