"""Ports for servers that live long, or come back on the same port after they were killed."""

import os
import random
import socket

FIRST, LAST = 20_000, 31_900
"""Below the ports that the system gives to outgoing connections (``ip_local_port_range`` begins at 32768)."""
SHARES = 4
"""Test processes that run side by side (``pytest -n``) choose among other ports: one's may be free while it is down."""
_given: set[int] = set()


def fixed_port() -> int:
    """Return a port of 127.0.0.1 that nobody has, that no outgoing connection is given, and that this process has not
    returned before.
    """
    chosen, ports = random.SystemRandom(), ports_of(os.environ.get("PYTEST_XDIST_WORKER", "gw0"))
    for _ in range(1000):
        port = chosen.choice(ports)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise AssertionError(f"no free port from {FIRST} to {LAST}")


def ports_of(worker: str) -> range:
    """Return the ports among which the test process with this name (``gw0`` and so on) chooses."""
    return range(FIRST + int(worker.removeprefix("gw")) % SHARES, LAST + 1, SHARES)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
