"""The WSGI environ (PEP 3333) of a request that Granian's RSGI face hands over."""

import sys
from functools import lru_cache
from io import BytesIO
from typing import Any, Protocol

from gateway.wire.header_names import header_environ

UNREADABLE = "?"
"""Stands for a header's value that is not ASCII, which Granian does not hand over: it came, so it is not missing."""


SAME: dict[str, Any] = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}
"""What every request's environ says."""


class Headers(Protocol):
    """Header names in small letters, in the order of arrival; ``keys`` names each once."""

    def items(self) -> list[tuple[str, str]]: ...

    def keys(self) -> list[str]: ...

    def get(self, key: str, default: Any = None) -> Any: ...

    def __contains__(self, key: str) -> bool: ...


class Scope(Protocol):
    """What Granian tells of a request; ``server`` and ``client`` are address:port, ``path`` is decoded."""

    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    authority: str | None

    @property
    def headers(self) -> Headers: ...


def environ_of(scope: Scope) -> dict[str, Any]:
    """Return the environ of ``scope`` without its body."""
    name, port = split_address(scope.server)
    path = scope.path
    environ = {
        **SAME,
        "REQUEST_METHOD": scope.method,
        # WSGI writes a path's bytes as Latin-1 (PEP 3333).
        "PATH_INFO": path if path.isascii() else path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": name,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": split_address(scope.client)[0],
        "wsgi.url_scheme": scope.scheme,
    }
    environ |= header_environ(all_headers(scope.headers))
    if scope.authority and "HTTP_HOST" not in environ:
        environ["HTTP_HOST"] = scope.authority
    return environ


def all_headers(headers: Headers) -> list[tuple[str, str]]:
    """Return names and values, ``UNREADABLE`` for a value that Granian left out."""
    items, keys = headers.items(), headers.keys()
    if len(keys) == len(items):
        return items
    readable = {name for name, _ in items}
    return [*items, *((name, UNREADABLE) for name in keys if name not in readable)]


def with_body(environ: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Return ``environ`` with ``body`` to be read."""
    environ["wsgi.input"] = BytesIO(body)
    return environ


@lru_cache(maxsize=4096)
def split_address(text: str) -> tuple[str, str]:
    """Return address and port of ``127.0.0.1:8080`` or ``[::1]:8080``, the address without brackets."""
    address, _, port = text.rpartition(":")
    return address.strip("[]"), port
