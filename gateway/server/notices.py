"""Tells systemd how the gateway is doing (sd_notify(3)), where it runs under it."""

import os
import socket
from contextlib import suppress


def notify_serving() -> None:
    """Say that this process serves and is the unit's main process from now on; nothing without ``NOTIFY_SOCKET``."""
    _send(f"READY=1\nMAINPID={os.getpid()}")


def _send(text: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.settimeout(1)
        # "@" stands for the zero byte of an abstract address.
        connection.sendto(text.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)
