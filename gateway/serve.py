"""The gateway as a server: one WSGI application on Granian, one process for each worker.

Granian's main process only watches over its workers. A worker ends its screens' streams first when it is told to stop,
because Granian waits for open streams for ever; and it dies with its parent, so that a killed gateway leaves
nothing behind that still holds the port.
"""

import gc
import http.client
import multiprocessing
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

import structlog
from granian.constants import Interfaces
from granian.server import Server

from gateway import bootstrap, logs, processors
from gateway.config import Config
from gateway.errors import ConfigError
from gateway.shared import FOLDER
from gateway.store.engine import open_engine, upgrade

log = structlog.get_logger()

START_WITHIN_S = 60
STOP_GRACE_S = 5
STOP_WITHIN_S = 15
"""Backstop: a worker that has not ended by then is killed; what it acknowledged is on disk."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to serve; picklable, because each worker is a fresh interpreter."""

    config: Config
    data: Path
    address: str
    port: int


def serve(options: Options, *, on_ready: Callable[[str], None] = lambda _url: None) -> None:
    """Serve until SIGTERM or SIGINT. Raises ``ConfigError`` when the address cannot be had."""
    multiprocessing.set_start_method("spawn", force=True)
    _check_address(options.address, options.port)
    _check_lenient(options)
    _prepare_data(options)
    server = _server(options)
    announcer = threading.Thread(target=_announce, args=(options, on_ready), name="announcer", daemon=True)
    server.on_startup(announcer.start)
    server.serve(target_loader=partial(load_application, options), wrap_loader=False)
    log.info("stopped")


def split_address(listen: str) -> tuple[str, int]:
    """``127.0.0.1:8080`` or ``[::1]:8080`` as host and port."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def url_of(address: str, port: int) -> str:
    """The address as people type it."""
    shown = "127.0.0.1" if address in ("0.0.0.0", "::") else address  # noqa: S104
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def _server(options: Options) -> Any:
    wanted = options.config.server
    threads = wanted.call_threads + wanted.max_screens
    return Server(
        "cti-gateway",
        address=options.address,
        port=options.port,
        interface=Interfaces.WSGI,
        workers=wanted.workers,
        blocking_threads=threads,
        backpressure=threads,
        backlog=max(1024, threads),
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_WITHIN_S,
        log_enabled=False,
    )


def _check_address(address: str, port: int, *, hint: str = "Choose another with --listen ADDRESS:PORT.") -> None:
    """Granian shares the port silently with whoever has it (SO_REUSEPORT); two gateways on one port would
    be a riddle.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {address}:{port} ({error.strerror}).",
            hint=hint,
        ) from None


def _check_lenient(options: Options) -> None:
    wanted = options.config.server.lenient_listen
    if wanted is None:
        return
    address, port = split_address(wanted)
    if port == options.port:
        raise ConfigError(f"server.lenient_listen: port {port} is the main port.", hint="Give it a port of its own.")
    _check_address(address, port, hint="Choose another for server.lenient_listen.")


def _prepare_data(options: Options) -> None:
    """Bring the schema up to date once, before the workers start; show early what cannot work."""
    engine = open_engine(options.data)
    upgrade(engine, options.data)
    engine.dispose()
    bootstrap.tenants(options.config)
    # How appliances were doing before is no news to a gateway that was started anew, perhaps because they were mended.
    shutil.rmtree(options.data / FOLDER, ignore_errors=True)
    if options.config.server.workers > 1:
        folder = options.data / "metrics"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _announce(options: Options, on_ready: Callable[[str], None]) -> None:
    """Say that the gateway listens once it really answers."""
    deadline = time.monotonic() + START_WITHIN_S
    while not _answers(options.address, options.port):
        if time.monotonic() > deadline:
            log.error("not_ready", after_s=START_WITHIN_S)
            return
        time.sleep(0.05)
    url = url_of(options.address, options.port)
    if options.config.server.lenient_listen:
        log.info("listening_leniently", url=url_of(*split_address(options.config.server.lenient_listen)))
    log.info("listening", url=url, data=str(options.data), workers=options.config.server.workers)
    on_ready(url)


def _answers(address: str, port: int) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def load_application(options: Options) -> Any:
    """Build one worker's application; runs in the worker's main thread before Granian serves."""
    logs.set_up(options.config.log)
    if options.config.server.pin_workers and processors.can_move():
        processors.Keeper(_number_of_this_worker()).start()
    from gateway.application import Application

    application = Application(bootstrap.build(options.config, options.data))
    application.start()
    if options.config.server.lenient_listen:
        application.open_lenient_port(*split_address(options.config.server.lenient_listen))
    _on_signal(application.end_streams, application.close)
    Finalize(application, application.close, exitpriority=10)
    threading.Thread(target=_die_with_parent, name="parent-watch", daemon=True).start()
    # What was imported and built lives as long as the process: the collector need not walk it again and again.
    gc.collect()
    gc.freeze()
    return application.wsgi


def _number_of_this_worker() -> int:
    """1, 2 ... in the order in which processes were started."""
    identity: tuple[int, ...] = getattr(multiprocessing.current_process(), "_identity", ())
    return identity[0] if identity else 1


def _on_signal(stop: Callable[[], None], close: Callable[[], None]) -> None:
    """Call ``stop`` on a thread when SIGTERM or SIGINT arrives, whatever handler Granian installs for them.

    A signal that comes while Granian starts is lost to it: a worker that is still there ``STOP_GRACE_S`` later
    closes by itself.
    """
    reader, writer = socket.socketpair()
    for end in (reader, writer):
        end.setblocking(False)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def watch() -> None:
        while True:
            wait([reader])
            if set(reader.recv(64)) & {signal.SIGTERM, signal.SIGINT}:
                stop()
                time.sleep(STOP_GRACE_S)
                close()
                os._exit(0)

    thread = threading.Thread(target=watch, name="signal-watch", daemon=True)
    thread.writer = writer  # type: ignore[attr-defined]  # keeps the socket open as long as the thread
    thread.start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        time.sleep(0.2)  # a parent that ends in good order has already told us to stop
        if threading.main_thread().is_alive():
            os._exit(1)
