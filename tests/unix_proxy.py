"""A proxy in front of PostgreSQL's Unix socket that counts round trips; in the same process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

SOCKET = ".s.PGSQL.5432"


class RoundTrips:
    """Counts for what a client waits: Query and Sync, the messages behind which the server tells that it is ready.

    Everything else in a pipeline goes out without waiting (PostgreSQL's manual, "Message Flow").
    """

    def __init__(self) -> None:
        self.count = 0

    def read(self, client: socket.socket, server: socket.socket) -> None:
        """Pass on what ``client`` sends until it ends, and count."""
        has_begun = False
        with suppress(OSError), client.makefile("rb") as sent:
            while kind := sent.read(1) if has_begun else b" ":
                length = sent.read(4)
                if len(length) < 4:
                    return
                # The first message has no kind.
                server.sendall((kind if has_begun else b"") + length + sent.read(int.from_bytes(length) - 4))
                self.count += kind in (b"Q", b"S")
                has_begun = True


@contextmanager
def counting_proxy(folder: Path) -> Iterator[tuple[Path, RoundTrips]]:
    """A folder to connect to in place of ``folder``, and what counts, for the length of the block."""
    trips = RoundTrips()
    with TemporaryDirectory(prefix="cti-proxy-") as place, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(Path(place) / SOCKET))
        listener.listen()
        threading.Thread(target=_accept, args=(listener, folder, trips), daemon=True).start()
        yield Path(place), trips


def _accept(listener: socket.socket, folder: Path, trips: RoundTrips) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(folder / SOCKET))
            threading.Thread(target=_pass_on, args=(server, client), daemon=True).start()
            threading.Thread(target=_read, args=(trips, client, server), daemon=True).start()


def _read(trips: RoundTrips, client: socket.socket, server: socket.socket) -> None:
    trips.read(client, server)
    server.close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(1 << 20):
            target.sendall(piece)
