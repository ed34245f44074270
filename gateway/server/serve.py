"""The gateway as a server: one application on Granian, one process for each worker.

The main process opens the sockets, watches over its workers and writes the search index. A worker ends its screens'
streams first when it is told to stop, because Granian waits for open streams for ever; and it dies with its parent, so
that a killed gateway leaves nothing behind that still holds the port. How requests are served is told in
``gateway/server``.
"""

import http.client
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import structlog

from gateway.config.tables import Config
from gateway.errors import ConfigError
from gateway.logins.passwords import shared_key
from gateway.server import handover, notices, open_files
from gateway.server.background import writing_search_index
from gateway.server.companies import tenants
from gateway.server.databases import database_of
from gateway.server.handover import Offer, Sockets, Taken
from gateway.server.listening import LENIENT_BACKLOG, is_same, open_sockets, split_address, url_of
from gateway.server.node_spool import bring_up_to_date
from gateway.server.node_watch import warn_of_losses
from gateway.server.processes import Workers, listening_backlog
from gateway.server.runs import GatewayRun, clear
from gateway.server.trials import failed_trials
from gateway.server.worker import WorkerOptions, load
from gateway.store import revisions
from gateway.texts.text import Text

__all__ = ["Options", "serve", "split_address", "url_of"]

log = structlog.get_logger()

START_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Options:
    """How to serve."""

    config: Config
    data: Path
    address: str
    port: int


def serve(options: Options, *, on_ready: Callable[[str], None] = lambda _url: None) -> None:
    """Serve until SIGTERM or SIGINT. Raises ``ConfigError`` when the address cannot be had."""
    multiprocessing.set_start_method("spawn", force=True)
    taken = _take_over(options)
    sockets = taken.sockets if taken else _open(options)
    run = None
    try:
        run = _prepare_data(options)
        with writing_search_index(options.config, options.data):
            _serve(options, sockets, taken, on_ready)
    finally:
        if run:
            run.end()
        sockets.close()
    log.info("stopped")


def _serve(options: Options, sockets: Sockets, taken: Taken | None, on_ready: Callable[[str], None]) -> None:
    wanted = options.config.server
    connections = open_files.allow(wanted.max_connections + wanted.max_screens)
    workers = Workers(
        sockets.main,
        workers=wanted.workers,
        connections=connections,
        head_timeout_s=wanted.head_timeout_s,
        drain_s=wanted.drain_s,
    )
    ready, tell = multiprocessing.Pipe(duplex=False)
    begin = partial(_while_open, _announce, options, sockets, taken, workers, ready, on_ready)
    workers.on_startup(threading.Thread(target=begin, name="announcer", daemon=True).start)
    workers.serve_with(
        partial(load, WorkerOptions(options.config, options.data, options.port, connections, sockets.lenient, tell))
    )


def _open(options: Options) -> Sockets:
    """Open sockets of our own. Raises ``ConfigError``."""
    wanted = options.config.server
    main = open_sockets(
        options.address,
        options.port,
        count=wanted.workers,
        backlog=listening_backlog(),
        hint=Text(
            "Choose another with --listen ADDRESS:PORT. If it is the gateway's own, stop that first, or set "
            "server.take_over = true in both."
        ),
    )
    if wanted.lenient_listen is None:
        return Sockets(main, None)
    address, port = split_address(wanted.lenient_listen)
    if port == options.port:
        text = Text("server.lenient_listen: port {port} is the main port.", port=port)
        raise ConfigError(text, hint=Text("Give it a port of its own."))
    hint = Text("Choose another for server.lenient_listen.")
    return Sockets(main, *open_sockets(address, port, count=1, backlog=LENIENT_BACKLOG, hint=hint))


def _take_over(options: Options) -> Taken | None:
    """Return the sockets of the gateway that runs on the same data, where that is wanted and possible.

    Raises ``ConfigError`` when it listens elsewhere, or its schema is not ours.
    """
    if not options.config.server.take_over or not options.data.is_dir():
        return None
    taken = handover.ask(options.data)
    if taken is None:
        return None
    try:
        _check_taken(options, taken.sockets)
    except ConfigError:
        taken.give_up()
        raise
    return taken


def _check_taken(options: Options, sockets: Sockets) -> None:
    wanted = options.config.server
    hint = Text("Stop the gateway that runs, then start this one.")
    found, ours = _revision_found(options), revisions.of_this_version()
    if found != ours:
        raise ConfigError(
            Text(
                "server.take_over: the gateway that runs has schema {found}, this version needs {ours}.",
                found=found,
                ours=ours,
            ),
            hint=hint,
        )
    if not is_same(sockets.main[0], options.address, options.port):
        raise ConfigError(Text("server.take_over: the gateway that runs listens on another address."), hint=hint)
    lenient = split_address(wanted.lenient_listen) if wanted.lenient_listen else None
    if (sockets.lenient is None) != (lenient is None) or (
        sockets.lenient and lenient and not is_same(sockets.lenient, *lenient)
    ):
        text = Text("server.take_over: the gateway that runs has another server.lenient_listen.")
        raise ConfigError(text, hint=hint)
    if wanted.workers < len(sockets.main):
        raise ConfigError(
            Text(
                "server.take_over: the gateway that runs has {theirs} workers, this one only {ours}.",
                theirs=len(sockets.main),
                ours=wanted.workers,
            ),
            hint=hint,
        )


def _revision_found(options: Options) -> str | None:
    with closing(database_of(options.config, options.data)) as database:
        return database.revision()


def _prepare_data(options: Options) -> GatewayRun:
    """Bring the schema up to date once, before the workers start; show early what cannot work."""
    database = database_of(options.config, options.data)
    if bring_up_to_date(database, may_wait=options.config.server.spool):
        warn_of_losses(database, options.config)
    database.close()
    tenants(options.config)
    warn_of_dial_plans(options.config)
    shared_key()  # made here, so that its workers have the same
    run = GatewayRun(options.data)
    if run.is_alone:
        clear(options.data)
    if options.config.server.workers > 1:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(run.metrics_folder())
    return run


def warn_of_dial_plans(config: Config) -> None:
    """Log each test of a dial plan that does not hold: calls come in all the same, so the gateway starts."""
    for failed in failed_trials(config):
        hint = "Calls go out by this plan all the same: correct the plan or its test; 'cti-gateway check' runs them."
        log.warning("dial_plan_test_failed", place=failed.place, failure=str(failed.failure), hint=hint)


def _announce(
    options: Options,
    sockets: Sockets,
    taken: Taken | None,
    workers: Workers,
    ready: Connection,
    on_ready: Callable[[str], None],
) -> None:
    """Say that the gateway listens once all its workers really serve; a gateway that ran before ends then."""
    deadline = time.monotonic() + START_WITHIN_S
    if not _all_serve(ready, workers, options.config.server.workers, deadline):
        log.error("not_ready", after_s=START_WITHIN_S)
        return
    # Before the other gateway ends, or systemd would take its end for ours.
    notices.notify_serving()
    if taken:
        taken.serving()
        log.info("taken_over", data=str(options.data))
    if options.config.server.take_over:
        _offer(options.data, sockets, workers)
    if not _wait_for_answer(options, deadline):
        log.error("not_ready", after_s=START_WITHIN_S)
        return
    url = url_of(options.address, options.port)
    if options.config.server.lenient_listen:
        log.info("listening_leniently", url=url_of(*split_address(options.config.server.lenient_listen)))
    log.info("listening", url=url, data=str(options.data), workers=options.config.server.workers)
    on_ready(url)
    while True:  # workers that replace others say so, too
        workers.serving.add(ready.recv())


def _while_open(work: Callable[..., None], *arguments: object) -> None:
    """Do ``work``, which the end of the gateway ends: its pipe from the workers is closed then."""
    with suppress(EOFError, OSError):
        work(*arguments)


def _all_serve(ready: Connection, workers: Workers, count: int, deadline: float) -> bool:
    """Return whether every worker has said that it serves before ``deadline``."""
    while len(workers.serving) < count and ready.poll(max(0.0, deadline - time.monotonic())):
        workers.serving.add(ready.recv())
    return len(workers.serving) >= count


def _offer(data: Path, sockets: Sockets, workers: Workers) -> None:
    def end() -> None:
        workers.is_ready_while_draining = True
        log.info("taken_over_by_successor")
        os.kill(os.getpid(), signal.SIGTERM)

    try:
        Offer(data, sockets, end).start()
    except OSError as error:
        log.error("take_over_not_offered", error=str(error))


def _wait_for_answer(options: Options, deadline: float) -> bool:
    while not _answers(options.address, options.port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


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
