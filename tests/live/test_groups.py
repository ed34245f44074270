"""Nothing of a killed server is left: its sockets are given back before a test goes on."""

import socket
import subprocess
import sys

import pytest

from tests.live.groups import kill_group, members

SERVER = r"""
import os, socket, time
listener = socket.create_server(("127.0.0.1", 0))
for _ in range(40):
    if not os.fork():
        ballast = bytearray(4_000_000)
        os.write(1, b"%d\n" % listener.getsockname()[1])
        time.sleep(60)
"""
"""The parent ends and leaves forty children that share its port."""


@pytest.mark.parametrize("turn", range(3))
def test_the_port_of_a_killed_group_is_free_although_its_leader_was_gone_before(turn: int) -> None:
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert server.stdout
    ports = {server.stdout.readline() for _ in range(40)}
    server.wait(10)
    assert len(members(server.pid)) == 40
    kill_group(server)
    assert members(server.pid) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(ports.pop())), timeout=5)
    server.stdout.close()


def test_a_group_that_has_ended_is_killed_without_an_error() -> None:
    server = subprocess.Popen([sys.executable, "-c", "pass"], start_new_session=True)
    server.wait(10)
    kill_group(server)
    assert members(server.pid) == []
