"""Each recording of a real Asterisk: what the interpreter tells of it, and the calls that people see then.

``recordings.txt`` has both for each, as the table of the recorded facts says: lines of messages, with the milliseconds
since the recording's first event, and a line beginning with ``=`` for each call of the log.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.domain.numbering.numbers import Extensions, NumberPlan
from gateway.domain.tenant import Tenant
from gateway.handlers import Core
from gateway.store.calls import CallFilter, CallLog, LoggedCall
from gateway.store.writing.journal import Journal
from tests.events.ami.playing import NAMES, logged, play, recorded, shown
from tests.migrated import migrated_database

EXPECTED = Path(__file__).with_name("recordings.txt")


def expected() -> dict[str, list[str]]:
    """The lines of each recording, by its name."""
    found: dict[str, list[str]] = {}
    for line in EXPECTED.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            found[line[3:].split(":")[0]] = lines = []
        elif line and not line.startswith("#"):
            lines.append(line)
    return found


CASES = expected()


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Core, CallLog]]:
    database = migrated_database(tmp_path_factory.mktemp("recordings"))
    journal = Journal(database)
    journal.start()
    plan = NumberPlan("47", Extensions.parse(["3500-3599", "8000"]))
    tenants = {name: Tenant(name, plan) for name in (f"t{place}" for place in range(len(NAMES)))}
    yield Core(tenants, journal, cast(Any, None)), CallLog(database.engine)
    journal.stop()
    database.close()


def test_every_recording_has_its_expectation() -> None:
    assert sorted(CASES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_what_is_told_of_a_recording(name: str) -> None:
    told = [shown(message) for message in play(recorded(name))]
    assert told == [line for line in CASES[name] if not line.startswith("=")]


@pytest.mark.parametrize("name", NAMES)
def test_the_calls_that_people_see(name: str, core: tuple[Core, CallLog]) -> None:
    """Through the handlers, the rule book and a database; a consultation is seen with the call that it was for."""
    handlers, log = core
    tenant = f"t{NAMES.index(name)}"
    for message in play(recorded(name)):
        handlers.handle(replace(message, tenant=tenant))
    known = [line for line in CASES[name] if line.startswith("=")]
    assert lines_of(log.recent(tenant, CallFilter(consultations=True))) == known
    assert lines_of(log.recent(tenant)) == [line for line in known if " consultation " not in line]


def lines_of(calls: Sequence[LoggedCall]) -> list[str]:
    return [logged(call) for call in sorted(calls, key=lambda call: call.id)]
