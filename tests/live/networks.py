"""Networks of a test's own: namespaces of the kernel, joined by a router that forwards nothing by itself."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers import absent, need

CLONE_NEWNET = 0x40000000
OFFICE, ROUTER_INSIDE = "198.18.77.2", "198.18.77.1"
CLOUD, ROUTER_OUTSIDE = "198.18.78.2", "198.18.78.1"


class Networks:
    """An office and a cloud. From each only the router is reached: neither has a route to the other."""

    def __init__(self, name: str) -> None:
        self.office, self.router, self.cloud = (f"{name}-{each}" for each in ("office", "router", "cloud"))

    @property
    def names(self) -> tuple[str, str, str]:
        return self.office, self.router, self.cloud

    def join(self) -> None:
        """Make them and their links. Raises ``CalledProcessError``."""
        for name in self.names:
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        for name, inside, outside in ((self.office, OFFICE, ROUTER_INSIDE), (self.cloud, CLOUD, ROUTER_OUTSIDE)):
            link = f"v{name[-6:]}"
            _ip("link", "add", "up0", "netns", name, "type", "veth", "peer", "name", link, "netns", self.router)
            _ip("-n", name, "addr", "add", f"{inside}/24", "dev", "up0")
            _ip("-n", self.router, "addr", "add", f"{outside}/24", "dev", link)
            _ip("-n", name, "link", "set", "up0", "up")
            _ip("-n", self.router, "link", "set", link, "up")

    def part(self) -> None:
        """Remove them."""
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=30, check=False)


@contextmanager
def networks() -> Iterator[Networks]:
    """Yield an office and a cloud of their own; skip where nobody may make any."""
    need("ip", package="iproute2")
    made = Networks(f"cti{os.getpid()}")
    try:
        made.join()
    except subprocess.CalledProcessError as error:
        made.part()
        absent(f"networks cannot be made here (root only): {error.stderr.decode(errors='replace').strip()}")
    try:
        yield made
    finally:
        made.part()


@contextmanager
def in_network(name: str) -> Iterator[None]:
    """Have sockets of this thread, and of threads that it starts in the block, made in the network ``name``."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as here, Path(f"/run/netns/{name}").open() as there:
        assert libc.setns(there.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        try:
            yield
        finally:
            assert libc.setns(here.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], capture_output=True, timeout=30, check=True)
