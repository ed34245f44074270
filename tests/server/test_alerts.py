"""The alert rules ask for metrics that there are, and say what is wrong when it is."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY
from sqlalchemy import create_engine
from werkzeug.test import Client

from gateway.config import loader as config_file
from gateway.errors import StoreUnavailable
from gateway.server import bootstrap
from gateway.server.application import Application
from gateway.server.metrics import metrics_application
from gateway.store.delivery_receipts import DeliveryReceipt, DeliveryReceiptLog
from gateway.store.diagnostic_log import DiagnosticLog
from gateway.store.writing.writer import GroupCommit
from gateway.wire.http import LISTENERS
from tests.configurations import every_table

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "cti-gateway.rules.yml"
NOT_OURS = {"up"}


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A gateway with every table, to be asked for /metrics."""
    folder = tmp_path_factory.mktemp("metrics")
    config = config_file.load(every_table.write(folder))
    application = Application(bootstrap.build(config, folder / "files"))
    yield Client(application.wsgi)
    application.close()


def metrics(client: Client) -> dict[str, float]:
    text = client.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).text
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def test_every_alert_asks_for_metrics_that_are_exposed(exposed: Client) -> None:
    known = {name.partition("{")[0] for name in metrics(exposed)} | NOT_OURS
    for alert in alerts():
        asked = set(re.findall(r"\b(cti_\w+|up)\b", alert["expr"]))
        assert asked, alert["alert"]
        assert asked <= known, alert["alert"]


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    names = [alert["alert"] for alert in alerts()]
    assert len(names) == len(set(names))
    documented = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    for alert in alerts():
        assert set(alert["annotations"]) == {"summary", "description"}
        assert alert["labels"]["severity"] in ("warning", "critical")
        assert f"`{alert['alert']}`" in documented


@pytest.fixture
def promtool(tmp_path: Path) -> str:
    found = shutil.which("promtool")
    if not found:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    shutil.copy(RULES, tmp_path)
    shutil.copy(Path(__file__).with_name("alerts.yml"), tmp_path)
    return found


@pytest.mark.parametrize("arguments", [("check", "rules", RULES.name), ("test", "rules", "alerts.yml")])
def test_prometheus_agrees(promtool: str, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = subprocess.run([promtool, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_an_exchange_sends_and_what_waits_shows(exposed: Client) -> None:
    before = metrics(exposed)
    assert before['cti_last_event_timestamp_seconds{tenant="acme"}'] == 0
    assert before['cti_forwards_waiting{target="crm",tenant="acme"}'] == 0
    assert before['cti_forwards_oldest_seconds{target="crm",tenant="acme"}'] == 0
    assert before['cti_forward_breaker{target="crm",tenant="acme"}'] == 0
    assert before['cti_ready{check="write"}'] == 1
    event = f"/t/acme{LISTENERS}ConsultaRamal.php?dst=3501&src=4732100123&token={every_table.EVENTS_TOKEN}"
    assert exposed.get(event, environ_base={"REMOTE_ADDR": "127.0.0.1"}).status_code == 200
    after = metrics(exposed)
    assert after['cti_last_event_timestamp_seconds{tenant="acme"}'] > 1_700_000_000
    assert after['cti_forwards_waiting{target="crm",tenant="acme"}'] == 1
    assert 0 < after['cti_forwards_oldest_seconds{target="crm",tenant="acme"}'] < 60


def test_a_metric_that_cannot_be_read_is_left_out_and_the_others_are_there() -> None:
    def gone() -> float:
        raise OSError("no database")

    client = Client(metrics_application({"cti_gone": ("x", gone), "cti_here": ("y", lambda: 3)}))
    found = metrics(client)
    assert found["cti_here"] == 3
    assert "cti_gone" not in found


@pytest.mark.parametrize("fails", [True, False])
def test_rows_that_the_traffic_log_loses_are_counted(tmp_path: Path, fails: bool) -> None:
    side = DiagnosticLog(tmp_path, keep_days=1, keep_mb=1)
    before = REGISTRY.get_sample_value("cti_traffic_rows_lost_total") or 0
    if fails:
        side.engine = create_engine("sqlite:////no/such/folder/traffic.db")
    for _ in range(3):
        DeliveryReceiptLog(side).add(DeliveryReceipt(1, "acme", "3501", "ana", "s", "shown", 1))
    side.flush()
    assert (REGISTRY.get_sample_value("cti_traffic_rows_lost_total") or 0) - before == (3 if fails else 0)


def test_a_write_that_fails_is_counted(exposed: Client, tmp_path: Path) -> None:
    before = metrics(exposed)["cti_writes_failed_total"]
    writer: GroupCommit[int, int] = GroupCommit(create_engine("sqlite:////no/such/folder/x.db"), lambda _, jobs: jobs)
    with pytest.raises(StoreUnavailable):
        writer.write(1)
    assert metrics(exposed)["cti_writes_failed_total"] == before + 1
