"""Logs on standard error, for people or for machines; never bodies, tokens or passwords."""

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog

from gateway.config.tables import Log
from gateway.server.log_lines import LineWriter


class _NeverFails:
    """Standard error, of which a line that cannot be written is left out.

    It may be a file on the disk that is just full: a line of log must not cost the request, or the thread, it tells of.
    No ``io.TextIOBase``: that one flushes when the interpreter ends, where nothing it needs may be left (Python 3.13).
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def set_up(wanted: Log) -> LineWriter:
    """Make structlog write at ``wanted.level``; quieten libraries that would log payloads. Return what writes."""
    lines = LineWriter(_NeverFails(sys.stderr))
    stream = cast("TextIO", lines)
    level = getattr(logging, wanted.level.upper())
    render: structlog.typing.Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if wanted.format == "console":
        # The default formatter, where rich is installed, prints local variables: passwords among them.
        render = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=wanted.format == "json"),
            structlog.processors.StackInfoRenderer(),
            *([structlog.processors.format_exc_info] if wanted.format == "json" else []),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=stream, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # zeep and urllib3 log bodies and addresses with their queries at debug; alembic its every step at info.
    for name in ("zeep", "urllib3", "requests", "alembic", "spyne"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return lines
