"""That what looks after calls is joined: filling, ghosts and dial plans that fail, as ``serve`` has them."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.config.tables import Config
from gateway.domain.messages import CallEnded, CallStarted, Origin
from gateway.server.application import Application
from gateway.server.bootstrap import build
from gateway.server.gateway import Gateway
from gateway.server.serve import Options, _prepare_data
from tests.desk.test_dial_plan import PLAN, WRONG
from tests.store.test_filling import end, old_folder, results
from tests.waiting import until

HERE = Origin("get", "127.0.0.1")
CONFIG = Config.model_validate({"tenants": {"acme": {"area_code": "47", "dial_plan": PLAN}}})
MINUTE = 60_000


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    old_folder(tmp_path, [end("NOANSWER")]).close()
    with build(CONFIG, tmp_path) as built:
        yield built


def test_what_an_older_version_dropped_is_filled_in_after_the_start(gateway: Gateway) -> None:
    gateway.start()
    until(lambda: results(gateway.engine) == [("missed", "NOANSWER")])


def test_a_gateway_that_never_started_is_closed_as_well(gateway: Gateway) -> None:
    gateway.filler.stop()
    gateway.filler.stop()
    assert results(gateway.engine) == [(None, None)]


def test_the_sweep_finds_calls_that_went_on_elsewhere(gateway: Gateway) -> None:
    began = time.time_ns() // 1_000_000 - 60 * MINUTE
    first = gateway.core.handle(CallStarted("acme", "3501", "4733334444", HERE, began))
    gateway.core.handle(CallStarted("acme", "3502", "4733334444", HERE, began + MINUTE))
    gateway.core.handle(CallEnded("acme", "3502", "4733334444", HERE, began + 30 * MINUTE))
    gateway.maintenance.sweep()
    found = gateway.calls.get("acme", first.call_id)
    assert found is not None
    assert found.status == "lost"


def test_the_start_warns_of_dial_plans_and_the_desk_knows_them(gateway: Gateway, tmp_path: Path) -> None:
    with capture_logs() as logs:
        _prepare_data(Options(CONFIG, tmp_path, "127.0.0.1", 0))
    assert [line["event"] for line in logs].count("dial_plan_test_failed") == 2
    application = Application(gateway)
    desk = application.wsgi._desk
    assert desk._services.dial_plan_failures == {"acme": WRONG}  # type: ignore[attr-defined]
