"""What a failing check says in the log, and how often."""

from structlog.testing import capture_logs

from gateway.server.checks import Checks


def fail() -> None:
    raise OSError("gone")


def fail_otherwise() -> None:
    raise ValueError("odd")


def test_a_failure_is_said_once_until_it_changes_or_a_minute_is_over() -> None:
    now = [0.0]
    checks = Checks(clock=lambda: now[0])
    with capture_logs() as logs:
        assert not any(checks.passes("database_not_readable", fail) for _ in range(3))
        assert [entry["error"] for entry in logs] == ["OSError"]
        now[0] = 59.0
        checks.passes("database_not_readable", fail)
        assert len(logs) == 1
        now[0] = 60.0
        checks.passes("database_not_readable", fail)
        checks.passes("database_not_readable", fail_otherwise)
        checks.passes("database_file_lost", fail_otherwise)
    assert [(entry["event"], entry["error"]) for entry in logs[1:]] == [
        ("database_not_readable", "OSError"),
        ("database_not_readable", "ValueError"),
        ("database_file_lost", "ValueError"),
    ]


def test_a_failure_that_was_over_is_said_again_at_once() -> None:
    checks = Checks(clock=lambda: 7.0)
    with capture_logs() as logs:
        checks.passes("database_not_readable", fail)
        assert checks.passes("database_not_readable", list)
        checks.passes("database_not_readable", fail)
    assert len(logs) == 2
