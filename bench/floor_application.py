"""The least that Granian can serve: one answer, whatever is asked (``bench.floor``)."""

from typing import Any

HEADERS = [("content-type", "text/plain")]


async def application(_scope: Any, protocol: Any) -> None:
    """Answer as the GET listener does."""
    protocol.response_bytes(200, HEADERS, b"OK 1\n")
