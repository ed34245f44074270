"""How long calls and their traffic are kept is the company's to say; by default it is for good."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.clock import milliseconds
from gateway.config import loader as config_file
from gateway.domain.messages import CallStarted, Origin
from gateway.errors import ConfigError
from gateway.server import bootstrap
from gateway.server.gateway import Gateway
from gateway.store import tables
from gateway.store.traffic import IN, TrafficEntry

DAY_MS = 86_400_000
HERE = Origin("get", "127.0.0.1")


def built(folder: Path, **retention: float) -> Gateway:
    wanted = {"tenants": {"acme": {"retention": retention}}}
    return bootstrap.build(config_file.parse(wanted, source="gateway.toml", base=folder), folder)


def left(gateway: Gateway) -> dict[str, int]:
    found: dict[str, int] = {}
    with gateway.engine.connect() as connection:
        for table in (tables.calls, tables.events, tables.attempts):
            found[table.name] = len(connection.execute(select(table)).all())
    return found


@pytest.mark.parametrize(
    ("retention", "kept"),
    [
        ({}, {"calls": 1, "events": 1, "attempts": 1}),
        ({"calls_days": 31}, {"calls": 1, "events": 1, "attempts": 1}),
        ({"calls_days": 29}, {"calls": 0, "events": 0, "attempts": 1}),
        ({"events_days": 29}, {"calls": 1, "events": 0, "attempts": 1}),
        ({"attempts_days": 29}, {"calls": 1, "events": 1, "attempts": 0}),
    ],
)
def test_each_is_kept_as_long_as_the_company_says(
    tmp_path: Path, retention: dict[str, float], kept: dict[str, int]
) -> None:
    gateway = built(tmp_path, **retention)
    at = milliseconds() - 30 * DAY_MS
    attempt: dict[str, Any] = {"order_id": 900, "kind": "dial", "appliance": "pbx", "outcome": "accepted", "detail": ""}
    attempt |= {"tenant": "acme", "began_at": at, "ended_at": at}
    try:
        gateway.core.handle(CallStarted("acme", "3501", "4732100123", HERE, at))
        gateway.journal.run(lambda connection: connection.execute(tables.attempts.insert(), attempt) and None)
        gateway.maintenance.sweep()
        assert left(gateway) == kept
    finally:
        gateway.close()


def test_traffic_is_kept_as_long_as_the_company_says(tmp_path: Path) -> None:
    gateway = built(tmp_path, traffic_days=2)
    try:
        for tenant in ("acme", "rival"):
            at = milliseconds() - 3 * DAY_MS
            entry = TrafficEntry(at, 1, IN, tenant, "peer", "get", "Teste", None, "200 OK", "", b"", b"")
            assert gateway.traffic
            gateway.traffic.add(lambda entry=entry: entry, 100)  # type: ignore[misc]
        assert gateway.diagnostic_log
        gateway.diagnostic_log.flush()
        gateway.diagnostic_log.tidy()
        assert [found.tenant for found in gateway.traffic.search(None)] == ["rival"]
    finally:
        gateway.close()


@pytest.mark.parametrize("days", [0, 6.9, -1, 40_000])
def test_calls_that_may_still_go_on_cannot_be_removed(tmp_path: Path, days: float) -> None:
    with pytest.raises(ConfigError, match="calls_days"):
        built(tmp_path, calls_days=days)
