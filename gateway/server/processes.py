"""Granian's main process on sockets of ours, which it keeps open as long as it lives.

So a worker that ends, or is replaced, resets no connection that waits to be accepted, and a successor can be given the
sockets. Before workers are told to stop they are told to drain.
"""

import os
import signal
import socket
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

STOP_WITHIN_S = 30
"""Backstop: a worker that has not ended by then is killed; what it acknowledged is on disk."""


def spawn_worker(worker_id: int, process_name: str, loader: Any, sockets: Any, *others: Any) -> None:
    """Serve, in a new process, on the listening socket that came with the arguments."""
    _, listening = sockets
    # Rust closes what it is given; the Python object keeps a descriptor of its own.
    holder = SocketHolder(os.dup(listening.fileno()), False, listening_backlog())  # type: ignore[call-arg]
    MPServer._spawn_rsgi_worker(worker_id, process_name, loader, ((None, holder), listening), *others)


def event_loop() -> Loops:
    """Return uvloop, which takes a tenth of an event's processor time less, and asyncio's own where it is missing."""
    return Loops.uvloop if find_spec("uvloop") else Loops.asyncio


def listening_backlog() -> int:
    """Return how many connections may wait to be accepted; the kernel has a limit of its own (``somaxconn``)."""
    return 4096


class Workers(MPServer):
    """Worker processes, each on its socket of ``sockets``.

    ``serving`` are the process ids of those that said that they serve: only they know the signals to drain.
    ``is_ready_while_draining`` is set where a successor serves already: health checks may reach either of the two.
    """

    def __init__(
        self,
        sockets: list[socket.socket],
        *,
        workers: int,
        connections: int,
        head_timeout_s: float,
        drain_s: float,
    ) -> None:
        address, port = sockets[0].getsockname()[:2]
        super().__init__(
            "cti-gateway",
            address=address,
            port=port,
            interface=Interfaces.RSGI,
            loop=event_loop(),
            # By "auto" a connection that sends nothing is kept for ever: no version, no time limit.
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=round(head_timeout_s * 1000)),
            workers=workers,
            backpressure=connections,
            backlog=listening_backlog(),
            websockets=False,
            respawn_failed_workers=True,
            workers_kill_timeout=STOP_WITHIN_S,
            log_enabled=False,
        )
        self._sockets = sockets
        self._drain_s = drain_s
        self.is_ready_while_draining = False
        self.serving: set[int] = set()

    def serve_with(self, loader: Any) -> None:
        """Serve what ``loader`` makes in each worker, until a signal."""
        self.serve(spawn_worker, target_loader=loader, wrap_loader=False)

    def _init_shared_socket(self) -> None:
        self._ssp = self._shd = None
        self._sso = self._sockets[0]

    def _drop_shared_socket(self) -> None:
        """Do nothing: whoever opened the sockets closes them."""

    def _spawn_worker(self, idx: int, *others: Any, **named: Any) -> Any:
        self._sso = self._sockets[idx % len(self._sockets)]
        return super()._spawn_worker(idx, *others, **named)

    def _stop_workers(self) -> None:
        self._drain()
        super()._stop_workers()  # type: ignore[no-untyped-call]

    def _drain(self) -> None:
        """Let clients and load balancers notice, while everything is still served; another signal ends the wait."""
        if not self._drain_s:
            return
        how = signal.SIGUSR2 if self.is_ready_while_draining else signal.SIGUSR1
        for process in {worker.inner.pid for worker in self.wrks} & self.serving:
            with suppress(OSError):
                os.kill(process, how)
        self.main_loop_interrupt.clear()
        self.main_loop_interrupt.wait(self._drain_s)
