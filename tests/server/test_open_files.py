"""The limit of open files is raised for connections, or what lacks is said."""

import resource

import pytest
from structlog.testing import capture_logs

from gateway.server import open_files
from gateway.server.open_files import OTHERS, allow

Limits = dict[str, tuple[int, int]]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    found: Limits = {"now": (1024, 4096)}

    def setrlimit(_kind: int, wanted: tuple[int, int]) -> None:
        found["now"] = wanted

    monkeypatch.setattr(resource, "getrlimit", lambda _kind: found["now"])
    monkeypatch.setattr(resource, "setrlimit", setrlimit)
    return found


def test_the_soft_limit_is_raised_as_far_as_is_needed(limits: Limits) -> None:
    with capture_logs() as logs:
        assert allow(2000) == 2000
    assert limits["now"] == (2000 + OTHERS, 4096)
    assert not logs


def test_where_the_hard_limit_is_too_low_fewer_connections_are_taken_and_that_is_said(limits: Limits) -> None:
    with capture_logs() as logs:
        assert allow(5096) == 4096 - OTHERS
    assert limits["now"] == (4096, 4096)
    (told,) = logs
    assert (told["event"], told["limit"], told["wanted"]) == ("too_few_open_files", 4096, 5096 + OTHERS)
    assert "LimitNOFILE" in told["hint"]


def test_a_limit_that_is_enough_is_left_alone(limits: Limits) -> None:
    limits["now"] = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    assert open_files.allow(100_000) == 100_000
    assert limits["now"] == (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
