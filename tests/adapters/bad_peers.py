"""Live peers on loopback that misbehave in every way that appliances do, and one that behaves."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread, local

LOGIN_PAGE = b"<html><head><title>Login</title></head><body><form><input name=user></form></body></html>"


def whole_http(data: bytes) -> int:
    """How many bytes of ``data`` its first whole HTTP request has; 0 when none is whole yet."""
    head, found, body = data.partition(b"\r\n\r\n")
    lines = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    size = int(lines[0].partition(b":")[2]) if lines else 0
    return len(head) + 4 + size if found and len(body) >= size else 0


def silent(_: "Peer", __: socket.socket) -> bool:
    return True


class Peer:
    """Accepts connections and lets ``behave(peer, connection)`` answer each whole request.

    ``requests`` holds every request as its raw bytes, ``asked`` is the one that is being answered. ``behave`` returns
    whether the connection stays open, and so does ``greet``, which comes before any request. ``whole`` tells how long
    the first request in some bytes is (0: not whole yet).
    """

    def __init__(
        self,
        behave: Callable[["Peer", socket.socket], bool],
        wrap: Callable[[socket.socket], socket.socket] = lambda raw: raw,
        *,
        whole: Callable[[bytes], int] = whole_http,
        greet: Callable[["Peer", socket.socket], bool] = silent,
    ) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.stopped = Event()
        self._behave = behave
        self._wrap = wrap
        self._whole = whole
        self._greet = greet
        self._lock = Lock()
        self._now = local()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def asked(self) -> bytes:
        return self._now.request

    def close(self) -> None:
        self.stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in list(self._threads):
            thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while not self.stopped.is_set():
                connection, _ = self._listener.accept()
                self.connections += 1
                thread = Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), self._wrap(connection) as connection:
            connection.settimeout(0.05)
            if not self._greet(self, connection):
                return
            while request := self._request(connection):
                with self._lock:
                    self.requests.append(request)
                self._now.request = request
                if not self._behave(self, connection):
                    return

    def _request(self, connection: socket.socket) -> bytes:
        data = b""
        while not self.stopped.is_set() and not self._whole(data):
            with suppress(TimeoutError):
                chunk = connection.recv(65536)
                if not chunk:
                    return b""
                data += chunk
        size = self._whole(data)
        assert size in (0, len(data)), "a request was sent before the answer to the one before it"
        return data[:size]


@contextmanager
def serving(
    behave: Callable[[Peer, socket.socket], bool],
    wrap: Callable[[socket.socket], socket.socket] = lambda raw: raw,
    *,
    whole: Callable[[bytes], int] = whole_http,
    greet: Callable[[Peer, socket.socket], bool] = silent,
) -> Iterator[Peer]:
    peer = Peer(behave, wrap, whole=whole, greet=greet)
    try:
        yield peer
    finally:
        peer.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def answer(
    status: str, body: bytes = b"", content_type: str = "text/html", *more: str
) -> Callable[[Peer, socket.socket], bool]:
    """A whole HTTP answer on a connection that stays open."""
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *more)
    data = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    def behave(_: Peer, connection: socket.socket) -> bool:
        connection.sendall(data)
        return True

    return behave


def hang(peer: Peer, _: socket.socket) -> bool:
    peer.stopped.wait(30)
    return False


def reset(_: Peer, connection: socket.socket) -> bool:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def hang_up(_: Peer, __: socket.socket) -> bool:
    return False


def half(_: Peer, connection: socket.socket) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nOK")
    return False


def drip_body(peer: Peer, connection: socket.socket) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not peer.stopped.wait(0.05):
        connection.sendall(b"O")
    return False


def drip_head(peer: Peer, connection: socket.socket) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not peer.stopped.wait(0.05):
        connection.sendall(b"X")
    return False


def endless_body(peer: Peer, connection: socket.socket) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not peer.stopped.is_set():
        connection.sendall(b"OK " * 20000)
    return False


def endless_head(peer: Peer, connection: socket.socket) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not peer.stopped.is_set():
        connection.sendall(b"X-A: " + b"a" * 60000 + b"\r\n")
    return False


def garbage(_: Peer, connection: socket.socket) -> bool:
    connection.sendall(b"220 pabx ESMTP ready\r\n\r\n")
    return False


REDIRECT = answer("302 Found", b"", "text/html", "Location: http://u:s3nha@127.0.0.1:1/login?token=s3nha")

BAD = {
    "hangs": (hang, "unknown"),
    "resets": (reset, "unknown"),
    "hangs up": (hang_up, "unknown"),
    "401": (answer("401 Unauthorized", LOGIN_PAGE), "refused"),
    "403": (answer("403 Forbidden", LOGIN_PAGE), "refused"),
    "404": (answer("404 Not Found", LOGIN_PAGE), "refused"),
    "503": (answer("503 Service Unavailable", LOGIN_PAGE), "refused"),
    "500 with a page": (answer("500 Internal Server Error", LOGIN_PAGE), "unknown"),
    "502 and empty": (answer("502 Bad Gateway"), "unknown"),
    "200 with a login page": (answer("200 OK", LOGIN_PAGE), "unknown"),
    "200 and empty": (answer("200 OK"), "unknown"),
    "204": (answer("204 No Content"), "unknown"),
    "redirects": (REDIRECT, "unknown"),
    "half an answer": (half, "unknown"),
    "drips its body": (drip_body, "unknown"),
    "drips its head": (drip_head, "unknown"),
    "endless body": (endless_body, "unknown"),
    "endless head": (endless_head, "unknown"),
    "no HTTP": (garbage, "unknown"),
}
"""What a peer does, and the outcome it must come to with every adapter."""
