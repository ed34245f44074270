"""A dial plan whose own tests do not hold: said at the start and on the desk, and no reason not to start."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from gateway.config.tables import Config
from gateway.desk.context import Visit
from gateway.desk.pages import Desk
from gateway.domain.dialplan.trials import Failure, TrialResult
from gateway.server.serve import warn_of_dial_plans
from gateway.server.trials import failed_trials
from tests.desk.conftest import Browser
from tests.desk.test_pages import words

PLAN = {
    "prefix": "0",
    "tests": [
        {"number": "4732100123", "dials": "04732100123"},
        {"number": "4732100123", "dials": "4732100123"},
        {"number": "190", "blocked": True},
    ],
}
WRONG = [
    Failure("4732100123", "", "4732100123", TrialResult.DIALLED, "04732100123"),
    Failure("190", "", None, TrialResult.DIALLED, "190"),
]


@pytest.fixture
def config() -> Config:
    return Config.model_validate({"tenants": {"acme": {"area_code": "47", "dial_plan": PLAN}, "beta": {}}})


def test_only_what_does_not_hold_is_found(config: Config) -> None:
    assert [(each.tenant, each.failure) for each in failed_trials(config)] == [("acme", each) for each in WRONG]


def test_the_start_warns_of_each(config: Config) -> None:
    with capture_logs() as logs:
        warn_of_dial_plans(config)
    assert [(line["log_level"], line["event"], line["place"]) for line in logs] == [
        ("warning", "dial_plan_test_failed", "acme dial_plan")
    ] * 2
    assert "gave 04732100123, expected 4732100123" in logs[0]["failure"]


@pytest.mark.parametrize("path", ["/centrais", "/numero"])
def test_the_desk_says_so_in_red_to_the_company_alone(
    desk: Desk, ana: Browser, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(Visit, "centrals", ())
    assert "O plano de discagem não passa" not in ana.get(path).text
    desk._services = replace(desk._services, dial_plan_failures={"rival": WRONG})
    assert "O plano de discagem não passa" not in ana.get(path).text
    desk._services = replace(desk._services, dial_plan_failures={"acme": WRONG})
    text = ana.get(path).text
    assert 'class="problem" role="alert"' in text
    assert "4732100123: seria discado 04732100123; o teste espera 4732100123" in words(text)
    assert "190: seria discado 190; o teste espera que seja recusado" in words(text)
