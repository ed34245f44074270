"""What the simulators' tests share: a running simulator, and a client that shows every byte of an answer."""

import re
import socket
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from gateway.simulators import Behaviour

RECORDED = Path(__file__).with_name("recorded")


@contextmanager
def running(cls, *, events=None, **behaviour):
    """A simulator with this behaviour, listening on a free port."""
    appliance = cls(behaviour=Behaviour(**behaviour), **(events or {})).start()
    try:
        yield appliance
    finally:
        appliance.stop()


def told(appliance):
    """The orders that were taken, as (extension, number)."""
    return [(one.extension, one.number) for one in appliance.received]


def steps(appliance):
    return [one.step for one in appliance.seen]


def cases(name):
    """The lines of a recorded table as lists of cells; ``\\r`` and ``\\n`` stand for themselves in it."""
    lines = (RECORDED / name).read_text(encoding="utf-8").splitlines()
    rows = [re.split(r"\t+", line) for line in lines if line and not line.startswith("#")]
    return [[cell.replace("\\r", "\r").replace("\\n", "\n") for cell in row] for row in rows]


def wire(appliance, request: str, *, timeout_s: float = 5.0) -> tuple[str, str]:
    """Head and body of the answer to ``request`` (its head's lines; a body behind an empty line), sent as it stands."""
    head, _, body = request.partition("\n\n")
    where = urlsplit(appliance.address)
    with socket.create_connection((where.hostname, where.port), timeout=timeout_s) as connection:
        connection.sendall((head.replace("\n", "\r\n") + "\r\n\r\n" + body).encode())
        return answer(connection.makefile("rb"))


def answer(stream) -> tuple[str, str]:
    """One answer read from an open connection: to its Content-Length, or until the peer closes."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        assert line, f"closed behind {head!r}"
        head += line
    size = re.search(rb"(?i)\ncontent-length: (\d+)", head)
    body = stream.read(int(size[1])) if size else stream.read()
    return head.decode("latin-1").replace("\r\n", "\n").rstrip("\n"), body.decode()


def masked(head: str) -> str:
    """A head without what differs from time to time."""
    for pattern, put in (
        (r"(?m)^(Date: ).*$", r"\1…"),
        (r'(mansession_id=")[0-9a-f]{8}"', r'\1…"'),
        (r'((?:nonce|opaque)=")[0-9a-f]{8}"', r'\1…"'),
        (r"(127\.0\.0\.1:)\d+", r"\1…"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "…"),
    ):
        head = re.sub(pattern, put, head)
    return head
