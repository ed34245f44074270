"""One worker process: builds the application, joins it with the face, and ends in good order."""

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from gateway.config.tables import Config
from gateway.server import bootstrap, logs, pauses
from gateway.server.admission import EXEMPT, Admission
from gateway.server.bodies import BodyLimits
from gateway.server.connections import Connections
from gateway.server.log_lines import LineWriter
from gateway.server.processes import STOP_WITHIN_S
from gateway.server.rsgi import Face, RequestLimits
from gateway.server.signals import watch
from gateway.server.untaken import Untaken
from gateway.texts.catalogues import read_all
from gateway.wire.clients import UNKNOWN, Proxies, membership

if TYPE_CHECKING:
    from gateway.server.application import Application

log = structlog.get_logger()

STOP_GRACE_S = 5
LAST_CHANCE_S = STOP_WITHIN_S - 5
LAST_LINES_S = 1.0
LONGEST_PAUSE_S = 10.0
"""Within a body; as on the lenient port."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What a worker is to serve; picklable, because each is a fresh interpreter."""

    config: Config
    data: Path
    port: int
    connections: int
    lenient: socket.socket | None
    ready: Connection


def load(work: WorkerOptions) -> Face:
    """Build one worker's application; runs in the worker's main thread before Granian serves."""
    lines = logs.set_up(work.config.log)
    from gateway.server.application import Application

    application = Application(bootstrap.build(work.config, work.data, may_wait=work.config.server.spool))
    read_all()
    lines.start()
    face = _face(work, application, lines)
    application.start()
    if work.lenient:
        application.serve_leniently(work.lenient)
    Finalize(application, application.close, exitpriority=10)
    Finalize(lines, _write_last, (lines,), exitpriority=5)
    threading.Thread(target=_die_with_parent, args=(lines,), name="parent-watch", daemon=True).start()
    pauses.shorten(application.open_screens)
    return face


def _face(work: WorkerOptions, application: "Application", lines: LineWriter) -> Face:
    server, untaken = work.config.server, Untaken()
    connections = Connections(
        work.port,
        work.connections,
        is_busy=lambda client: client in face.busy,
        is_exempt=membership(server.trusted_proxies),
        screens=application.open_screens,
        on_look=untaken.note,
    )
    untaken.hurry = connections.hurry
    admission = Admission(client_of(server.trusted_proxies), per_address=server.requests_per_address)
    application.watch_load(
        connections=lambda: connections.open, limit=work.connections, under_way=lambda: admission.under_way
    )
    face = Face(
        application.wsgi,
        admission,
        limits_of(work.config),
        only_hears=application.wsgi.only_hears,
        is_crowded=lambda: application.is_draining or connections.is_crowded(),
        on_loop=lambda: _begin(work, application, face, lines),
        together=application.screen_openings,
        untaken=untaken,
    )
    connections.start()
    return face


def limits_of(config: Config) -> RequestLimits:
    """Return the limits on what one request and one address may cost."""
    server = config.server
    body = BodyLimits(server.max_body_bytes, server.body_timeout_s, min(LONGEST_PAUSE_S, server.body_timeout_s))
    return RequestLimits(server.call_threads, max(1, server.call_threads // 2), body, server.language)


def client_of(trusted: tuple[str, ...]) -> Callable[[dict[str, Any]], str]:
    """Return the address that a request counts for: its peer's, or the one that a trusted proxy names.

    ``EXEMPT`` where the proxy names none: it would lock itself out for all its clients.
    """
    if not trusted:
        return lambda environ: str(environ["REMOTE_ADDR"])
    proxies = Proxies(trusted)

    def named(environ: dict[str, Any]) -> str:
        seen = dict(environ)
        proxies.identify(seen)
        client = str(seen["cti.client"])
        return EXEMPT if seen.get("cti.proxied") and client in (environ["REMOTE_ADDR"], UNKNOWN) else client

    return named


def _begin(work: WorkerOptions, application: "Application", face: Face, lines: LineWriter) -> None:
    """Hear signals and say that we serve; called on the main thread when Granian's signal handlers are set."""
    stop = _stopper(application, face, lines)
    watch(
        {
            signal.SIGUSR1: application.drain,
            signal.SIGUSR2: lambda: application.drain(is_ready=True),
            signal.SIGTERM: stop,
            signal.SIGINT: stop,
        }
    )
    work.ready.send(os.getpid())


def _stopper(application: "Application", face: Face, lines: LineWriter) -> Callable[[], None]:
    """Return a function that ends streams, which Granian would wait for; and the process, should Granian not end."""

    def stop() -> None:
        application.end_streams()
        threading.Thread(target=_end, args=(application, face, lines), name="end", daemon=True).start()

    return stop


def _end(application: "Application", face: Face, lines: LineWriter) -> None:
    """Close and exit when all that came whole is answered: connections without a whole request are not waited for."""
    began = time.monotonic()
    while (passed := time.monotonic() - began) < STOP_GRACE_S or (face.answering and passed < LAST_CHANCE_S):
        time.sleep(0.05)
    application.close()
    _write_last(lines)
    os._exit(0)


def _write_last(lines: LineWriter) -> None:
    """Let what was logged be written, unless nobody takes it."""
    lines.stop(timeout_s=LAST_LINES_S)


def _die_with_parent(lines: LineWriter) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        time.sleep(0.2)  # a parent that ends in good order has already told us to stop
        if threading.main_thread().is_alive():
            _write_last(lines)
            os._exit(1)
