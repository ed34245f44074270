"""Opening a TCP connection within a time limit that covers the name's look-up and all of its addresses."""

import socket
from collections.abc import Iterable
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any

from adapters.http.reach import allowed


def open_socket(
    host: str, port: int, *, timeout_s: float, options: Iterable[Any] = (), public_only: bool = False
) -> socket.socket:
    """Open a connected socket. Raises ``socket.gaierror``, ``TimeoutError``, with ``public_only`` ``PrivateAddress``,
    and other ``OSError``.

    Each address gets its share of the time that is left, so a dead IPv6 address does not use up IPv4's.
    """
    ends = monotonic() + timeout_s
    addresses = _resolved(host, port, timeout_s)
    if public_only:
        addresses = allowed(host, addresses)
    error: OSError = OSError(f"{host!r} has no address")
    for place, address in enumerate(addresses):
        share_s = (ends - monotonic()) / (len(addresses) - place)
        if share_s <= 0:
            raise TimeoutError("no address accepted in time")
        try:
            return _connected(address, share_s, options)
        except OSError as failed:
            error = failed
    raise error


def _resolved(host: str, port: int, timeout_s: float) -> list[Any]:
    """Return the answers of getaddrinfo, which by itself blocks for half a minute when the name server is dead."""
    answers: SimpleQueue[Any] = SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    Thread(target=look_up, name=f"resolve-{host}", daemon=True).start()
    try:
        found = answers.get(timeout=timeout_s)
    except Empty:
        raise TimeoutError("the name server did not answer in time") from None
    if isinstance(found, UnicodeError):
        raise socket.gaierror(socket.EAI_NONAME, str(found)) from found
    if isinstance(found, OSError):
        raise found
    return list(found)


def _connected(address: Any, timeout_s: float, options: Iterable[Any]) -> socket.socket:
    family, kind, protocol, _, where = address
    sock = socket.socket(family, kind, protocol)
    try:
        for option in options:
            sock.setsockopt(*option)
        sock.settimeout(timeout_s)
        sock.connect(where)
    except BaseException:
        sock.close()
        raise
    return sock
