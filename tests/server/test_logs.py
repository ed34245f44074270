"""Logs are for people or machines, and keep secrets."""

import json
from contextlib import suppress

import pytest
import structlog

from gateway.config.tables import Log
from gateway.server import logs


@pytest.fixture(autouse=True)
def _as_before():
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_shows_no_local_variables(capsys: pytest.CaptureFixture[str], form: str) -> None:
    logs.set_up(Log(format=form))

    def defect(password: str) -> None:
        raise RuntimeError("broken")

    secret = "-".join(["s3cret", "value"])
    try:
        defect(secret)
    except RuntimeError:
        structlog.get_logger().exception("failed")
    written = capsys.readouterr().err
    assert "broken" in written
    assert secret not in written


def test_json_logs_are_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(Log(format="json", level="info"))
    structlog.get_logger().debug("quiet")
    structlog.get_logger().info("ligação", extension="3501")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line) | {"event": "ligação", "extension": "3501", "level": "info"} == json.loads(line)


def test_a_log_that_cannot_be_written_fails_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr("sys.stderr", full)
        logs.set_up(Log())
        written = [structlog.get_logger().error("disk_full", text="x" * 1000) for _ in range(100)]
        assert len(written) == 100, "whoever writes a line goes on"
        monkeypatch.undo()
        with suppress(OSError):
            full.close()


def test_a_line_that_cannot_be_written_costs_only_itself() -> None:
    class Full:
        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    stream = logs._NeverFails(Full())  # type: ignore[arg-type]
    assert stream.write("a line") == 6
    stream.flush()
