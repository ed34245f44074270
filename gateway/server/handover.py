"""Hands listening sockets from a running gateway to the one that follows it.

The sockets themselves go over (SCM_RIGHTS), never a second one on the same port: connections that wait in a socket's
queue are reset by Linux when it is closed, so of two sockets on one port (SO_REUSEPORT) the old one would lose events.
The way is a Unix socket in the data folder, which only the gateway's own user may use. The successor says when it
serves; until then, and if it dies, the running gateway goes on.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.errors import ConfigError
from gateway.texts.text import Text

log = structlog.get_logger()

NAME = "take-over.sock"
ANSWER_WITHIN_S = 10.0
START_WITHIN_S = 120.0
"""How long a successor may take from getting the sockets until it serves."""
MOST_SOCKETS = 128
SERVING = b"serving\n"


@dataclass(frozen=True, slots=True)
class Sockets:
    """What a gateway listens on: one socket for each worker, and that of the lenient port."""

    main: list[socket.socket]
    lenient: socket.socket | None

    @property
    def all(self) -> list[socket.socket]:
        return [*self.main, self.lenient] if self.lenient else list(self.main)

    def close(self) -> None:
        for each in self.all:
            each.close()


class Taken:
    """A running gateway's sockets, and the connection on which it waits to hear that they are served."""

    def __init__(self, sockets: Sockets, connection: socket.socket) -> None:
        self.sockets = sockets
        self._connection = connection

    def serving(self) -> None:
        """Tell the other gateway that it may end."""
        with self._connection, suppress(OSError):
            self._connection.sendall(SERVING)

    def give_up(self) -> None:
        """Leave everything to the other gateway."""
        self._connection.close()
        self.sockets.close()


def ask(data: Path) -> Taken | None:
    """Ask the gateway that runs on ``data`` for its sockets; None where none runs that would hand them over.

    Raises ``ConfigError`` when it does not answer as it should.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(ANSWER_WITHIN_S)
    try:
        with _short_path(data) as folder:
            connection.connect(f"{folder}/{NAME}")
    except OSError:
        connection.close()
        return None
    try:
        return Taken(_received(connection), connection)
    except (OSError, ValueError, KeyError) as error:
        connection.close()
        raise _not_handed_over(data, error) from None


def _not_handed_over(data: Path, error: Exception) -> ConfigError:
    """Return what to tell: two may ask at once, of whom one gets the ports and the other waits or is cut off."""
    if isinstance(error, ConnectionError):
        return ConfigError(
            Text("another gateway has just taken over the ports of the one that ran on {data}.", data=str(data)),
            hint=Text("Start this one again if it is still wanted: it then takes them over from that one."),
        )
    return ConfigError(
        Text(
            "the gateway that runs on {data} did not hand its ports over ({reason}).", data=str(data), reason=str(error)
        ),
        hint=Text("Stop it, then start this one, unless another one is being started just now: then wait for that."),
    )


def _received(connection: socket.socket) -> Sockets:
    """Return the sockets that came. Raises ``ConnectionResetError`` where the other end closed without any."""
    message, files, _flags, _address = socket.recv_fds(connection, 65_536, MOST_SOCKETS)
    if not message:
        raise ConnectionResetError
    sockets = [socket.socket(fileno=file) for file in files]
    has_lenient = bool(json.loads(message)["lenient"])
    if not sockets or (has_lenient and len(sockets) < 2):
        raise ValueError("no socket came")
    return Sockets(sockets[:-1], sockets[-1]) if has_lenient else Sockets(sockets, None)


class Offer:
    """Hands ``sockets`` to whoever asks, one at a time; ``on_taken`` is called when a successor serves them."""

    def __init__(self, data: Path, sockets: Sockets, on_taken: Callable[[], None]) -> None:
        self._data = data
        self._sockets = sockets
        self._on_taken = on_taken

    def start(self) -> None:
        """Begin to offer, instead of whoever did so before in the same folder. Raises ``OSError``."""
        listening = socket.socket(socket.AF_UNIX)
        with _short_path(self._data) as folder:
            temporary = f"{folder}/.{NAME}.{os.getpid()}"
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            listening.bind(temporary)
            os.chmod(temporary, 0o600)
            listening.listen(4)
            os.replace(temporary, f"{folder}/{NAME}")
        threading.Thread(target=self._serve, args=(listening,), name="take-over", daemon=True).start()

    def _serve(self, listening: socket.socket) -> None:
        with listening:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError as error:  # no file left to open: that passes, and the offer must outlive it
                    log.error("take_over_not_accepted", error=error.strerror)
                    time.sleep(1)
                    continue
                with connection:
                    if self._hand_over(connection):
                        self._on_taken()
                        return

    def _hand_over(self, connection: socket.socket) -> bool:
        """Return whether the successor took the sockets and serves."""
        files = [each.fileno() for each in self._sockets.all]
        message = json.dumps({"lenient": self._sockets.lenient is not None, "pid": os.getpid()}).encode()
        try:
            connection.settimeout(ANSWER_WITHIN_S)
            socket.send_fds(connection, [message], files)
            connection.settimeout(START_WITHIN_S)
            return connection.recv(64) == SERVING
        except OSError as error:
            log.warning("take_over_failed", error=str(error))
            return False


@contextmanager
def _short_path(folder: Path) -> Iterator[str]:
    """Yield a path of ``folder`` that fits into a Unix socket's 107 bytes, however deep it lies."""
    if not os.path.isdir("/proc/self/fd"):
        yield str(folder)
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
