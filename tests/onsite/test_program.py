"""A gateway on site, joined: every setting reaches somebody, one process at a time, what it says of itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapter import Delivery, Outcome
from gateway.config.tables import Log
from gateway.errors import ConfigError
from gateway.onsite.program import OnsiteProgram
from gateway.onsite.settings import HERE, MainGatewaySettings, OnsiteSettings, load
from gateway.store.onsite.answers import answer_of
from tests.onsite.fake_main import FakeMain
from tests.store.conftest import T0

EVERY = Path(__file__).parent / "every_setting.toml"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[OnsiteProgram]:
    made = OnsiteProgram(load(EVERY), tmp_path / "here", Path("/etc/cti"))
    yield made
    made.stop()


def test_no_setting_is_missing_in_it() -> None:
    settings = load(EVERY)
    for table in (settings, settings.main, settings.log):
        for name, field in type(table).model_fields.items():
            assert name in table.model_fields_set, name
            assert getattr(table, name) != field.default, name
    assert {type(table) for table in (settings, settings.main, settings.log)} == {
        OnsiteSettings,
        MainGatewaySettings,
        Log,
    }


def test_every_setting_reaches_somebody(program: OnsiteProgram) -> None:
    link = program._links["events"]
    assert (link._verify, link._settings.timeout_s) == ("/etc/cti/ca.pem", 11)
    assert link._session.proxies["https"] == "http://proxy.acme.example:3128"
    room = program._spool._room
    assert (room.most_bytes, room.most_ms) == (7 * 1024 * 1024, 3 * 3_600_000)
    place = program.sources.configured[HERE, "pabx"].place
    assert (place.kind, str(place.zone), place.is_extension("3510"), place.is_extension("9999")) == (
        "ami",
        "America/Manaus",
        True,
        False,
    )
    assert program._dialler._queues["pabx"].rules.max_orders == 3
    assert load(EVERY).as_config().tenants[HERE].area_code == "92"


def test_one_process_at_a_time_has_the_folder(program: OnsiteProgram, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="runs on"):
        OnsiteProgram(load(EVERY), tmp_path / "here", tmp_path)


def test_what_came_of_an_order_meanwhile_is_brought_before_it_ends(tmp_path: Path) -> None:
    program, main = OnsiteProgram(load(EVERY), tmp_path / "here", Path("/etc/cti")), FakeMain()
    program._links["answers"] = main  # type: ignore[assignment]
    program._file.begin("a1", T0)
    program._file.answer("a1", answer_of(Delivery(Outcome.ACCEPTED, "")))
    program.stop()
    assert main.answers == {"a1": "accepted"}


def test_it_says_how_it_is_doing_without_what_a_source_remembers(program: OnsiteProgram) -> None:
    status = program.status()
    assert (status["waiting"], status["is_full"], status["appliances"]) == (0, False, {"pabx": {"hangs_up": False}})
    assert (status["sources"]["pabx"]["state"], status["sources"]["pabx"]["title"]) == ("stopped", "pabx")
    assert "memory" not in str(status)
