"""The sockets that a gateway listens on: opened by the main process, used by its workers, handed to a successor."""

import os
import socket

from gateway.errors import ConfigError
from gateway.texts.text import Text

LENIENT_BACKLOG = 128


def split_address(listen: str) -> tuple[str, int]:
    """Split ``127.0.0.1:8080`` or ``[::1]:8080`` into host and port."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def url_of(address: str, port: int) -> str:
    """Return the address as people type it."""
    shown = "127.0.0.1" if address in ("0.0.0.0", "::") else address  # noqa: S104
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def open_sockets(address: str, port: int, *, count: int, backlog: int, hint: Text) -> list[socket.socket]:
    """Open one listening socket for each worker, so that the kernel spreads connections among them.

    Raises ``ConfigError`` when the address cannot be had, also when somebody else shares his port (SO_REUSEPORT):
    two gateways on one port would each get some of the events.
    """
    try:
        if count == 1:
            return [_open(address, port, backlog, shared=False)]
        _open(address, port, backlog, shared=False).close()
        return [_open(address, port, backlog, shared=True) for _ in range(count)]
    except OSError as error:
        facts = {"address": f"{address}:{port}", "reason": _reason(error)}
        raise ConfigError(Text("cannot listen on {address} ({reason}).", **facts), hint=hint) from None


def _open(address: str, port: int, backlog: int, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    both = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
    return socket.create_server((address, port), family=family, backlog=backlog, reuse_port=shared, dualstack_ipv6=both)


def is_same(listening: socket.socket, address: str, port: int) -> bool:
    """Return whether ``listening`` is bound to ``address`` and ``port``."""
    found = socket.getaddrinfo(address, port, listening.family, socket.SOCK_STREAM)
    return listening.getsockname()[:2] in [entry[4][:2] for entry in found]


def _reason(error: OSError) -> str:
    """Return the system's own words: Python adds the address, which stands in the sentence already."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
