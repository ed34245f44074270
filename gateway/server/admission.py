"""Which requests may be under way: a share for each client address, so that none can take everything.

A request is under way from its head until its answer. Streams of screens are not counted: only who is logged in has
one, and the hub limits them. Behind a trusted proxy the address is the one that the proxy names.
"""

import time
from collections.abc import Callable
from typing import Any

import structlog
from prometheus_client import Counter

from gateway.errors import TooManyRequests

log = structlog.get_logger()

REFUSALS = Counter("cti_requests_over_share_total", "Requests refused because their address had too many under way")
EXEMPT = ""
"""Stands for the address of requests that no share applies to."""
NOTICE_EVERY_S = 1.0
MOST_NOTICED = 1024

Client = Callable[[dict[str, Any]], str]
"""The address that a request (its environ) counts for."""


class Admission:
    """Counts requests under way; all of it happens on the event loop's thread."""

    def __init__(self, client: Client, *, per_address: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._per_address = per_address
        self._clock = clock
        self._counts: dict[str, int] = {}
        self._noticed: dict[str, float] = {}
        self.under_way = 0

    def enter(self, environ: dict[str, Any]) -> str:
        """Let a request in; the address it counts for, to be given to ``leave``. Raises ``TooManyRequests``."""
        client = self._client(environ)
        count = self._counts.get(client, 0)
        if client != EXEMPT and count >= self._per_address:
            self._notice(client)
            raise TooManyRequests(self._per_address)
        self._counts[client] = count + 1
        self.under_way += 1
        return client

    def leave(self, client: str) -> None:
        """Count a request of ``client`` as answered, or as a stream from now on."""
        self.under_way -= 1
        left = self._counts[client] - 1
        if left:
            self._counts[client] = left
        else:
            del self._counts[client]

    def _notice(self, client: str) -> None:
        """Count a refusal, and log it unless the same address was logged a moment ago."""
        REFUSALS.inc()
        now = self._clock()
        if now - self._noticed.get(client, -NOTICE_EVERY_S) < NOTICE_EVERY_S:
            return
        if len(self._noticed) >= MOST_NOTICED:
            self._noticed.clear()
        self._noticed[client] = now
        log.warning("requests_over_share", client=client, under_way=self._per_address)
