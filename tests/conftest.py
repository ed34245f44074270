"""What holds for all tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from argon2 import PasswordHasher
from hypothesis import settings

from gateway.logins import passwords

# Commands speak the language of their terminal, here of whoever runs the tests.
os.environ["LC_ALL"] = "C.UTF-8"
os.environ.pop("CTI_LANGUAGE", None)

# The same examples in each run: a test fails because of a change. ``--hypothesis-profile=explore`` draws new ones.
settings.register_profile("explore", print_blob=True)
settings.register_profile("same", derandomize=True)
settings.load_profile("same")

BY_FOLDER = {
    "live": "live",
    "bench": "bench",
    "fuzz": "fuzz",
    "configurations": "slow",
    "simulation": "slow",
    "simulators": "slow",
}
"""The marker of all tests in a folder."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by the folder that they lie in, so that ``-m 'not live'`` leaves out all of tests/live.

    What is marked as SQLite's own (``sqlite``, with the reason) is not tried on PostgreSQL; tests of other rooms that
    use a store are, with ``--database postgresql``, which leaves out SQLite.
    """
    left_out = [item for item in items if _is_left_out(item, config.getoption("--database"))]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    here = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(here).parts[0] if item.path.is_relative_to(here) else ""
        if folder in BY_FOLDER:
            item.add_marker(BY_FOLDER[folder])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), help="what tests with a store run on")
    wanted = "whose PostgreSQL tests start: this machine's, or that of the small Debian sid (.ci/sid)"
    parser.addoption("--postgresql-from", choices=("here", "sid"), help=wanted)


def pytest_configure(config: pytest.Config) -> None:
    if wanted := config.getoption("--database"):
        os.environ["CTI_TESTS_ON"] = wanted
    if wanted := config.getoption("--postgresql-from"):
        os.environ["CTI_TESTS_POSTGRESQL"] = wanted


def _is_left_out(item: pytest.Item, wanted: str | None) -> bool:
    """Whether a test that is there for each kind of database is not to run with the one that it is for."""
    if wanted == "postgresql" and item.get_closest_marker("sqlite"):
        return True
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    kind = parameters.get("open_store")
    if kind is None:
        return False
    if kind == "postgresql" and item.get_closest_marker("sqlite"):
        return True
    if wanted is not None:
        return bool(kind != wanted)
    return kind == "postgresql" and item.path.parent.name != "store"


@pytest.fixture(scope="session", autouse=True)
def loggers_stay_open() -> Iterator[None]:
    """A command run in a test sets logs up for good; a logger kept from then on would be deaf to ``capture_logs``."""
    configure = structlog.configure

    def without_keeping(**settings: object) -> None:
        configure(**settings | {"cache_logger_on_first_use": False})  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", without_keeping)
        yield


@pytest.fixture(scope="session", autouse=True)
def product_hasher() -> Iterator[PasswordHasher]:
    """What hashes passwords when it is no test: that takes 64 MB and some 50 ms, which hundreds of logins need not."""
    found = passwords._hasher
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield found


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Each test begins with logs that nobody has set up, but for their tracebacks: rich, where a tool has brought it
    along, takes seconds to draw one, and a thread that tells of an error in a test holds its lock meanwhile.
    """
    *others, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*others, plain])
    yield
    structlog.reset_defaults()
