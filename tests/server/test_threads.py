"""No thread of the gateway is gone for good because there was no file left to open for a while."""

import errno
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from gateway import maintenance as maintenance
from gateway.config.tables import Config
from gateway.desk.hub import Hub
from gateway.directory.schedule import Schedule
from gateway.errors import StoreUnavailable
from gateway.maintenance import Maintenance
from gateway.relay.outbox_worker import OutboxWorker
from gateway.store import write_behind as sidelog
from gateway.store.delivery_receipts import DeliveryReceipt, DeliveryReceiptLog, ReceiptKind
from gateway.store.diagnostic_log import DiagnosticLog
from gateway.store.imports.runs import Imports
from gateway.store.letters.outbox import Outbox
from gateway.store.reading.following import SqliteFollower
from gateway.wire.lenient.port import LenientPort, PortLimits
from tests.directory.test_schedule import HEADER, configured
from tests.fakes import FakeAdapter
from tests.store.conftest import T0, Store, open_store, start_draft, store
from tests.waiting import until

__all__ = ["open_store", "store"]

NO_FILE = OSError(errno.EMFILE, "Too many open files")
NO_DATABASE = OperationalError("SELECT 1", None, sqlite3.OperationalError("unable to open database file"))


class Failing:
    """Raises ``error`` at every call of what it stands before, until ``over`` is set."""

    def __init__(self, work: Callable[..., Any], error: Exception) -> None:
        self._work, self._error = work, error
        self.failed = threading.Event()
        self.over = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.over:
            return self._work(*args, **kwargs)
        self.failed.set()
        raise self._error


@pytest.fixture(params=[NO_FILE, NO_DATABASE], ids=["EMFILE", "sqlite"])
def failing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Failing]:
    def put_before(place: Any, name: str) -> Failing:
        made = Failing(getattr(place, name), request.param)
        monkeypatch.setattr(place, name, made)
        return made

    return put_before


def pass_by(fault: Failing) -> None:
    """Wait until the fault was met, then let it be over."""
    assert fault.failed.wait(10)
    time.sleep(0.1)
    fault.over = True


def test_the_writer(store: Store, failing: Callable[..., Failing]) -> None:
    fault = failing(store.engine, "connect")
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            store.start("3501", "4732100123")
    pass_by(fault)
    assert store.start("3501", "4732100123").call_id
    assert store.journal.alive()
    assert store.journal.run(lambda _: 7) == 7, "the thread of its own works, too"


def test_the_writer_s_lock(store: Store, failing: Callable[..., Failing]) -> None:
    fault = failing(store.journal._locks[0], "take")
    with pytest.raises(StoreUnavailable):
        store.start("3501", "4732100123")
    pass_by(fault)
    assert store.start("3501", "4732100123").call_id
    assert store.journal.alive()


def test_the_outbox_worker(store: Store, failing: Callable[..., Failing]) -> None:
    outbox = Outbox(store.engine, store.journal)
    fault = failing(outbox, "news")
    crm = FakeAdapter()
    outbox_worker = OutboxWorker(outbox, {("acme", "crm"): crm}, look_every_s=0.05)
    outbox_worker.start()
    store.journal.write(start_draft("3501", "4732100123", time.time_ns() // 1_000_000, forwards=("crm",)))
    pass_by(fault)
    assert crm.arrived.wait(10)
    outbox_worker.stop()


def test_the_sweeper(store: Store, failing: Callable[..., Failing], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "SWEEP_EVERY_S", 0.05)
    outbox = Outbox(store.engine, store.journal)
    fault = failing(outbox, "abandoned_orders")
    store.order("3501", "4732100123", T0)
    running = Maintenance(store.journal, outbox, {})
    running.start()
    pass_by(fault)
    until(lambda: [call.status for call in store.calls.recent("acme")] == ["unknown"])
    running.stop()


def test_the_hub(store: Store, failing: Callable[..., Failing]) -> None:
    follower = SqliteFollower(store.events, look_every_s=0.05)
    hub = Hub(store.events, follower, max_screens=5)
    hub.start()
    screen = hub.subscribe("acme", "3501")
    found = iter(screen)
    next(found)
    fault = failing(follower, "version")
    pass_by(fault)
    store.start("3501", "4732100123")
    assert b"4732100123" in next(found)
    hub.stop()


def test_the_traffic_log(tmp_path: Path, failing: Callable[..., Failing], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sidelog, "WRITE_EVERY_S", 0.05)
    side = DiagnosticLog(tmp_path, keep_days=1, keep_mb=10)
    fault = failing(side, "_write")
    log = DeliveryReceiptLog(side)
    side.start()
    at = time.time_ns() // 1_000_000
    log.add(DeliveryReceipt(at, "acme", "3501", "ana", "s", ReceiptKind.SHOWN.value, 1))
    pass_by(fault)
    log.add(DeliveryReceipt(at, "acme", "3501", "ana", "s", ReceiptKind.SHOWN.value, 2))
    until(lambda: log.of_call("acme", 2))
    side.stop()


@pytest.fixture
def port() -> Iterator[LenientPort]:
    def application(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    opened = LenientPort(application, "127.0.0.1", 0, PortLimits(max_body_bytes=1000))
    yield opened
    opened.close()


def test_the_lenient_port(port: LenientPort, failing: Callable[..., Failing]) -> None:
    fault = failing(port, "_accept_one")
    port.start()
    pass_by(fault)
    with socket.create_connection(("127.0.0.1", port.port), timeout=10) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert client.makefile("rb").read().endswith(b"ok")


def test_an_import_that_cannot_begin_is_over_at_once(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "contas.csv").write_text(HEADER + "1;A;4732100123\n")
    imports = Imports(store.engine, store.journal)
    schedule = Schedule(configured(tmp_path / "contas.csv", store.database), store.data, imports)

    def no_process(*_: object, **__: object) -> None:
        raise NO_FILE

    monkeypatch.setattr("gateway.directory.schedule.subprocess.Popen", no_process)
    schedule.look()
    (run,) = imports.last("acme", "erp")
    assert (run.state, run.message) == ("failed", "A importação não pôde começar (Too many open files).")
    schedule.stop()


def test_the_schedule(store: Store, failing: Callable[..., Failing], tmp_path: Path) -> None:
    config: Config = configured(tmp_path / "contas.csv", store.database)
    schedule = Schedule(config, store.data, Imports(store.engine, store.journal), look_every_s=0.05)
    looked = threading.Event()
    schedule._look = looked.set  # type: ignore[method-assign]
    fault = failing(schedule, "look")
    schedule.start()
    pass_by(fault)
    assert looked.wait(10)
    schedule.stop()
