"""What Granian's worker processes are started with."""

import importlib.util
import socket

import pytest
from granian.constants import Loops

from gateway.server import processes
from gateway.server.processes import Workers


@pytest.fixture
def a_socket() -> socket.socket:
    return socket.socket()


def loop_of(listening: socket.socket) -> Loops:
    with listening:
        listening.bind(("127.0.0.1", 0))
        return Workers([listening], workers=1, connections=100, head_timeout_s=10, drain_s=0).loop


def test_workers_run_on_uvloop(a_socket: socket.socket) -> None:
    """It is a dependency, so it is there, unless a platform has none of it."""
    assert importlib.util.find_spec("uvloop")
    assert loop_of(a_socket) is Loops.uvloop


def test_workers_run_on_the_loop_of_python_where_uvloop_is_missing(
    a_socket: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "find_spec", lambda _name: None)
    assert loop_of(a_socket) is Loops.asyncio
