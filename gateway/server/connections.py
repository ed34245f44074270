"""How many connections this process has open, which Granian does not tell, and a warning before there are too many."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import structlog

log = structlog.get_logger()

ESTABLISHED = "01"
TABLES = ("/proc/self/net/tcp", "/proc/self/net/tcp6")
LOOK_EVERY_S = 1.0
WARN_EVERY_S = 10.0
CROWDED, NEARLY_FULL = 0.5, 0.8
"""Of all connections: from the first on answers end theirs, from the second on the log warns."""


def peers_of_port(tables: Iterable[str], port: int, inodes: set[str]) -> Iterator[str]:
    """The far ends (hexadecimal, as the kernel writes them) of established connections to ``port`` among ``inodes``.

    ``tables`` are the contents of ``/proc/net/tcp`` and ``tcp6``.
    """
    wanted = f":{port:04X}"
    for table in tables:
        for line in table.splitlines()[1:]:
            fields = line.split(maxsplit=10)
            if len(fields) > 9 and fields[3] == ESTABLISHED and fields[1].endswith(wanted) and fields[9] in inodes:
                yield fields[2].rpartition(":")[0]


def address_of(hexadecimal: str) -> str:
    """``127.0.0.1`` of ``0100007F``: the kernel writes each four bytes in the machine's own order."""
    data = bytes.fromhex(hexadecimal)
    words = (data[at : at + 4][::-1] for at in range(0, len(data), 4))
    found = ip_address(b"".join(words))
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def own_sockets() -> set[str]:
    """The inodes of this process's sockets."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # closed meanwhile
            target = os.readlink(f"/proc/self/fd/{name}")
            if target.startswith("socket:["):
                found.add(target[8:-1])
    return found


def far_ends(port: int) -> Counter[str]:
    """How many connections to ``port`` each address has open with this process. Raises ``OSError`` without /proc."""
    tables = [Path(name).read_text(encoding="ascii") for name in TABLES if os.path.exists(name)]
    counted = Counter(peers_of_port(tables, port, own_sockets()))
    return Counter({address_of(peer): count for peer, count in counted.items()})


class Connections:
    """Counts once a second; ``limit`` is how many this process takes before more wait outside."""

    def __init__(self, port: int, limit: int, *, count: Callable[[int], Counter[str]] = far_ends) -> None:
        self._port = port
        self._limit = limit
        self._count = count
        self._warned_at = -WARN_EVERY_S
        self.open = 0

    def start(self) -> None:
        """Count from now on, where the system shows connections."""
        if os.path.isdir("/proc/self/fd"):
            threading.Thread(target=self._run, name="connections", daemon=True).start()

    def is_crowded(self) -> bool:
        """Whether connections that are kept open for later are wanted for others."""
        return self.open > self._limit * CROWDED

    def look(self, now: float) -> None:
        """Count; warn at most every ten seconds while nearly all are used up."""
        counted = self._count(self._port)
        self.open = counted.total()
        if self.open >= self._limit * NEARLY_FULL and now - self._warned_at >= WARN_EVERY_S:
            self._warned_at = now
            most = dict(counted.most_common(3))
            log.warning("connections_nearly_used_up", open=self.open, limit=self._limit, most=most)

    def _run(self) -> None:
        while True:
            try:
                self.look(time.monotonic())
            except (OSError, ValueError) as error:
                log.debug("connections_not_counted", error=str(error))
            time.sleep(LOOK_EVERY_S)
