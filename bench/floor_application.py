"""The least that Granian can serve: one answer to whatever is asked, body and all (``bench.floor``)."""

from typing import Any

HEADERS = [("content-type", "text/plain")]


async def application(scope: Any, protocol: Any) -> None:
    """Answer as the GET listener does, when the body is there."""
    if scope.method == "POST":
        await protocol()
    protocol.response_bytes(200, HEADERS, b"OK 1\n")
