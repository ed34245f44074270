"""JSON as the simulated services read and write it."""

import json
from typing import Any

from gateway.simulators.exchange import Request, SimulatedReply


def asked(request: Request) -> dict[str, Any]:
    """Return the object in a body; empty when there is none."""
    try:
        given = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}


def declared(request: Request) -> bool:
    """Return whether the body is said to be JSON."""
    return request.header("Content-Type").partition(";")[0].strip().lower() == "application/json"


def reply(status: int, said: Any) -> SimulatedReply:
    """Reply with ``said`` as JSON; None is no body at all."""
    body = b"" if said is None else json.dumps(said, ensure_ascii=False).encode()
    return SimulatedReply(status, "application/json", body)
