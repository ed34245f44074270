"""Ports for servers that live long, or come back on the same port after they were killed."""

import random
import socket

FIRST, LAST = 20_000, 31_900
"""Below the ports that the system gives to outgoing connections (``ip_local_port_range`` begins at 32768)."""
_given: set[int] = set()


def fixed_port() -> int:
    """Return a port of 127.0.0.1 that nobody has, that no outgoing connection is given, and that this process has not
    returned before.
    """
    chosen = random.SystemRandom()
    for _ in range(1000):
        port = chosen.randint(FIRST, LAST)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise AssertionError(f"no free port from {FIRST} to {LAST}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
