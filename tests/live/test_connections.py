"""Connections as this machine's kernel shows them."""

import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from gateway.server import socket_tables
from gateway.server.socket_tables import Seen
from gateway.server.sockets import OwnConnections

MUCH = 8_000_000


def read(port: int) -> Iterable[Seen]:
    return socket_tables.connections_of([Path(name).read_text() for name in socket_tables.TABLES], port)


@pytest.fixture(params=["127.0.0.1", "::1"])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family) as found:
        found.bind((request.param, 0))
        found.listen()
        yield found


@pytest.mark.parametrize("ways", [socket_tables.asked, read], ids=["netlink", "proc"])
def test_connections_are_found_with_what_their_clients_have_not_taken(
    listener: socket.socket, ways: Callable[[int], Iterable[Seen]]
) -> None:
    name = listener.getsockname()
    with socket.create_connection(name[:2]) as taking, socket.create_connection(name[:2]) as deaf:
        ours = [listener.accept()[0] for _ in (taking, deaf)]
        waiting = socket.create_connection(name[:2])  # is not accepted
        stuck = next(each for each in ours if each.getpeername() == deaf.getsockname())
        stuck.setblocking(False)
        stuck.send(bytes(MUCH))
        found = {(each.address, each.port): each.unsent > 0 for each in OwnConnections(ways)(name[1])}
        for each in (*ours, waiting):
            each.close()
        assert found == {taking.getsockname()[:2]: False, deaf.getsockname()[:2]: True}
