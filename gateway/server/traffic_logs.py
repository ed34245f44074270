"""The logs of what machines say to each other: this node's, and where there may be several nodes, that of all."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gateway.config.tables import Config
from gateway.server.retention import traffic_ms
from gateway.store.database import Database
from gateway.store.delivery_receipts import DeliveryReceiptLog
from gateway.store.diagnostic_log import DiagnosticLog
from gateway.store.shared.exchange_index import ExchangeIndex
from gateway.store.shared.log import SharedLog
from gateway.store.traffic import TrafficLog


@dataclass(frozen=True, slots=True)
class TrafficLogs:
    """Where exchanges are written and where they are read; all None where the configuration records none."""

    diagnostic_log: DiagnosticLog | None
    shared_log: SharedLog | None
    traffic: TrafficLog | None
    receipts: DeliveryReceiptLog | None


def traffic_logs(config: Config, database: Database, data: Path) -> TrafficLogs:
    """Return the logs that the configuration wants; none is started yet."""
    diagnostic_log, shared_log = _diagnostic_log(config, data), _shared_log(config, database)
    node, node_url = config.server.node_name(), config.server.node_url
    exchange_index = ExchangeIndex(shared_log, node, node_url) if shared_log else None
    traffic = TrafficLog(diagnostic_log, exchange_index) if diagnostic_log else None
    receipts = DeliveryReceiptLog(shared_log or diagnostic_log) if diagnostic_log else None
    return TrafficLogs(diagnostic_log, shared_log, traffic, receipts)


def _diagnostic_log(config: Config, data: Path) -> DiagnosticLog | None:
    wanted = config.traffic
    made = partial(DiagnosticLog, data, keep_days=wanted.keep_days, keep_mb=wanted.keep_mb)
    return made(keep_ms_of=traffic_ms(config)) if wanted.record else None


def _shared_log(config: Config, database: Database) -> SharedLog | None:
    """Return the log of all nodes, where there may be several."""
    is_wanted = config.traffic.record and database.kind == "postgresql"
    made = partial(SharedLog, database.engine, keep_days=config.traffic.keep_days)
    return made(keep_ms_of=traffic_ms(config)) if is_wanted else None
