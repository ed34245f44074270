"""Nothing keeps the event loop from its clients: no slow disk, no appliance that never answers, no browser."""

import asyncio
import base64
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.clock import milliseconds
from gateway.config import loader as config_file
from gateway.domain.patterns import TIME_S
from gateway.domain.roles import Role
from gateway.logins.passwords import hash_password
from gateway.server import bootstrap, loop_watch
from gateway.server.admission import Admission
from gateway.server.application import Application
from gateway.server.gateway import Gateway
from gateway.server.loop_watch import LoopWatch
from gateway.server.rsgi import Face
from gateway.server.worker import client_of, limits_of
from gateway.store.directory import Agent
from gateway.store.writing.transactions import LocalTransactions
from tests.server.fakes import Protocol, Scope
from tests.server.standstill import Watch, watched
from tests.server.test_rsgi import ask, face_of, hears_everything
from tests.wire.envelopes import CONTENT_TYPES, SOAP_11, envelope

pytestmark = pytest.mark.skipif(not Path("/proc/self/syscall").exists(), reason="asks Linux where a thread stands")

MOST_S = 0.01
TRIES = 12
"""A thread that holds a lock for a moment may lose its processor in that moment: on a busy machine in every third try,
not in all. What blocks does so each time: for 30 ms (the disk), 300 (the lock) or 500 (the appliance).
"""
CONNECTIONS, EACH = 16, 8
NUMBERS = itertools.count()
PASSWORD = "senha boa 1"
LISTENER = "/wconnect/WConnect_WSDL_ConsultaRamal.php"


class HangingBrowser(Protocol):
    """A screen that takes nothing of what it is sent."""

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Any:
        super().response_stream(status, headers)

        class Hanging:
            async def send_bytes(self, data: bytes) -> None:
                await asyncio.sleep(3600)

        return Hanging()


@pytest.fixture
def black_hole() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener


def built(folder: Path, tenant: dict[str, Any]) -> Gateway:
    raw = {"server": {"call_threads": 8}, "tenants": {"acme": tenant}}
    return bootstrap.build(config_file.parse(raw, source="gateway.toml"), folder)


@pytest.fixture
def application(tmp_path: Path, black_hole: socket.socket) -> Iterator[Application]:
    """A gateway with an agent, and an appliance that takes connections and never answers."""
    url = f"http://127.0.0.1:{black_hole.getsockname()[1]}/?n={{{{ number }}}}"
    hole = {"adapter": "url", "url": url, "success": "OK", "timeout_s": 0.5, "breaker_failures": 100}
    tenant = {"area_code": "47", "extensions": ["3500-3599"], "appliances": {"hole": hole}}
    tenant["events"] = {"token": "segredo"}
    gateway = built(tmp_path, tenant)
    agent = Agent(0, "acme", "ana", "Ana Martins", "3501", role=Role.AGENT)
    gateway.directory.save_agent(agent, hash_password(PASSWORD), milliseconds())
    application = Application(gateway)
    application.start()
    yield application
    application.close()


def slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each transaction take as long as on a disk that is used up."""
    commit = LocalTransactions.run

    def slowly(self: LocalTransactions, work: Callable[..., Any]) -> Any:
        time.sleep(0.03)
        return commit(self, work)

    monkeypatch.setattr(LocalTransactions, "run", slowly)


@contextmanager
def longest_callback() -> Iterator[list[float]]:
    """Note how much processor time (seconds) each callback of the loop takes that has taken more than all before."""
    longest = [0.0]
    run = asyncio.Handle._run

    def measured(self: asyncio.Handle) -> None:
        began = time.thread_time()
        run(self)
        longest.append(max(longest[-1], time.thread_time() - began))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.Handle, "_run", measured)
        yield longest


async def lock_held(application: Application) -> None:
    """Have another process write for a third of a second, as an import may."""
    lock = application._gateway.database.writer_lock(0)
    await asyncio.to_thread(lock.take, wait=True)
    await asyncio.sleep(0.3)
    lock.give_back()


def event(number: int, connection: int) -> Scope:
    """A call that rings; every fourth one with a wrong token, and from an address of its own."""
    token = "&token=errado" if number % 4 == 0 else ""
    query = f"ramal=3501&telefone=4799{connection:03}{number:04}{token}"
    address = "8.8.8.8" if token else "127.0.0.1"
    return Scope(path=LISTENER, query_string=query, client=f"{address}:{4000 + connection}")


async def exchange(face: Face, connection: int) -> list[int]:
    """Tell of calls one after the other; the statuses of the answers."""
    statuses = []
    for number in range(EACH):
        protocol = Protocol()
        await face.__rsgi__(event(number, connection), protocol)
        statuses.append(protocol.status)
    return statuses


async def order(face: Face) -> int:
    """Have a number called that was not called before: a repeat would only be given the first one's answer."""
    body = envelope("ClickToCall", {"ramal": "3501", "telefone": f"479999988{next(NUMBERS):02}"})
    pairs = [("host", "127.0.0.1"), ("content-type", CONTENT_TYPES[SOAP_11]), ("content-length", str(len(body)))]
    protocol = Protocol([body])
    await face.__rsgi__(Scope("/soap", "POST", client="127.0.0.1:3999", pairs=pairs), protocol)
    return protocol.status


async def screen(face: Face) -> None:
    login = base64.b64encode(f"ana:{PASSWORD}".encode()).decode()
    pairs = [("host", "127.0.0.1"), ("authorization", f"Basic {login}")]
    await face.__rsgi__(Scope("/events", client="127.0.0.1:3998", pairs=pairs), HangingBrowser())


def storm(application: Application, config: Any) -> tuple[list[int], list[int], Watch]:
    """Have exchanges, orders, a screen and a process with the lock at once; statuses, and where the loop stood."""

    async def run() -> tuple[list[int], list[int], Watch]:
        admission = Admission(client_of(()), per_address=512)
        face = Face(application.wsgi, admission, limits_of(config), only_hears=application.wsgi.only_hears)
        face.__rsgi_init__(asyncio.get_running_loop())
        with watched(threading.get_native_id()) as watch:
            browser = asyncio.create_task(screen(face))
            orders = [asyncio.create_task(order(face)) for _ in range(3)]
            holding = asyncio.create_task(lock_held(application))
            told = await asyncio.gather(*[exchange(face, connection) for connection in range(CONNECTIONS)])
            ordered = await asyncio.gather(*orders)
            await holding
        browser.cancel()
        return [status for statuses in told for status in statuses], ordered, watch

    return asyncio.run(run())


def test_no_slow_peer_keeps_the_loop(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_disk(monkeypatch)
    seen: list[tuple[float, str, float]] = []
    for _ in range(TRIES):
        with longest_callback() as longest:
            statuses, ordered, watch = storm(application, application._gateway.config)
        assert statuses.count(200) == CONNECTIONS * EACH * 3 // 4
        assert {status for status in statuses if status != 200} <= {403, 429}
        assert ordered == [200] * 3  # SOAP tells in its answer that nobody answered
        seen.append((watch.longest_s, watch.stood_in, longest[-1]))
        if watch.longest_s < MOST_S and longest[-1] < MOST_S:
            break
    stood_s, stood_in, worked_s = seen[-1]
    assert stood_s < MOST_S, stood_in
    assert worked_s < MOST_S, seen


def test_a_pattern_that_takes_long_is_matched_off_the_loop(tmp_path: Path) -> None:
    """Each number of 32 digits costs such an extension a quarter of a second of a processor."""
    application = Application(
        built(tmp_path, {"area_code": "47", "extensions": ["3500-3599", "/([0-9]|[0-9][0-9])+[a-z]/"]})
    )
    application.start()

    async def run() -> tuple[int, float]:
        face = face_of(application.wsgi, only_hears=application.wsgi.only_hears)
        query = f"ramal=3501&telefone={'4' * 32}"
        with longest_callback() as longest:
            protocol = await ask(face, Scope(path=LISTENER, query_string=query, client="127.0.0.1:4000"))
        return protocol.status, longest[-1]

    try:
        status, worked_s = asyncio.run(run())
    finally:
        application.close()
    assert status == 200
    assert worked_s < TIME_S / 2


def test_a_handler_that_sleeps_is_found_and_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.server.loop_runs.LONG_S", 0.05)

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        time.sleep(0.1)
        start_response("200 OK", [])
        return [b""]

    async def run() -> Watch:
        with watched(threading.get_native_id()) as watch:
            await ask(face_of(application, only_hears=hears_everything))
        return watch

    with capture_logs() as logs:
        watch = asyncio.run(run())
    assert watch.longest_s > 3 * MOST_S
    assert [(entry["event"], entry["client"]) for entry in logs] == [("loop_blocked", "192.0.2.7")]
    assert logs[0]["ms"] >= 100


def test_who_holds_the_interpreter_is_not_taken_for_a_handler_that_waits() -> None:
    enough = threading.Event()

    def spin() -> None:
        while not enough.is_set():
            pass

    async def run() -> Watch:
        others = [threading.Thread(target=spin, daemon=True) for _ in range(3)]
        for other in others:
            other.start()
        with watched(threading.get_native_id()) as watch:
            for _ in range(20):
                await asyncio.sleep(0.002)
        enough.set()
        for other in others:
            other.join()
        return watch

    watch = asyncio.run(run())
    assert watch.looks
    assert watch.longest_s < MOST_S, watch.stood_in


def test_a_loop_that_is_kept_again_and_again_is_logged_now_and_then() -> None:
    now = [0.0]
    watch = LoopWatch(clock=lambda: now[0])
    with capture_logs() as logs:
        for at in (0.0, 1.0, 2.0, loop_watch.SAY_EVERY_S + 1):
            now[0] = at
            watch.kept(0.25, "192.0.2.7")
    assert [(entry["ms"], entry["others_unsaid"]) for entry in logs] == [(250, 0), (250, 2)]
