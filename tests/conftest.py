"""What holds for all tests."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(scope="session", autouse=True)
def loggers_stay_open() -> Iterator[None]:
    """A command run in a test sets logs up for good; a logger kept from then on would be deaf to ``capture_logs``."""
    configure = structlog.configure

    def without_keeping(**settings: object) -> None:
        configure(**settings | {"cache_logger_on_first_use": False})  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", without_keeping)
        yield


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Each test begins with logs that nobody has set up."""
    yield
    structlog.reset_defaults()
