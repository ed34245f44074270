"""One call of the WSGI application on a thread: what it answered, whole or as a stream."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple, Protocol, runtime_checkable

from gateway.desk.screens import Sink
from gateway.wire.intake import explain
from gateway.wire.transport import Headers, language_of, refuse_as_text

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@runtime_checkable
class Endless(Protocol):
    """A stream that lasts until ``end`` is called, such as a screen's; ``close`` gives its place back."""

    def __iter__(self) -> Iterator[bytes]: ...

    def end(self) -> None: ...

    def close(self) -> None: ...


@runtime_checkable
class Pushed(Endless, Protocol):
    """An endless stream that needs no thread: whoever has something for it passes it on to a sink."""

    def attach(self, sink: Sink) -> None: ...


class Answered(NamedTuple):
    """Status, headers, and the body: all its bytes, or what yields them."""

    status: int
    headers: Headers
    body: bytes | Iterable[bytes]


def call(application: Wsgi, environ: dict[str, Any]) -> Answered:
    """Return the answer of ``application``; where it fails, an incident's number and never a reason."""
    started: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, _info: Any = None) -> None:
        started.append((status, headers))

    try:
        parts = application(environ, start_response)
        if isinstance(parts, list):
            body: bytes | Iterable[bytes] = b"".join(parts)
        else:
            body = parts if _is_long(parts, started) else _joined(parts)
        status, headers = started[-1]
        return Answered(int(status[:3]), headers, body)
    except BaseException as error:
        return failure(error, environ)


def failure(error: BaseException, environ: dict[str, Any]) -> Answered:
    """Return the answer for a defect of ours, which the log describes."""
    kept = error if isinstance(error, Exception) else RuntimeError(type(error).__name__)
    known = {"cti.client": environ.get("REMOTE_ADDR", "")} | environ
    status, headers, body = refuse_as_text(explain(kept, known, "get"), language_of(known))
    return Answered(int(status[:3]), headers, body)


def _is_long(parts: Iterable[bytes], started: list[tuple[str, Headers]]) -> bool:
    """Return whether the body's length is not known, so that it is sent as it is made."""
    if isinstance(parts, Endless):
        return True
    return bool(started) and not any(name.lower() == "content-length" for name, _ in started[-1][1])


def _joined(parts: Iterable[bytes]) -> bytes:
    try:
        return b"".join(parts)
    finally:
        close(parts)


def close(parts: Any) -> None:
    """End a body, as PEP 3333 asks for."""
    with suppress(Exception):
        if hasattr(parts, "end"):
            parts.end()
        if hasattr(parts, "close"):
            parts.close()
