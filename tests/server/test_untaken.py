"""Who takes what a stream is sent, and who does not, as looks at the connections show it."""

import socket
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from gateway.server.connections import Connections
from gateway.server.sockets import Connection, own_sockets
from gateway.server.untaken import CUT, HARDLY_ANY, MOST, MUCH, Handed, Untaken, taken_from

CLIENT = "192.0.2.7:4711"


class Kernel:
    """The connection of one client: ``unsent`` bytes wait for it, ``taken`` were taken."""

    def __init__(self) -> None:
        self.unsent = self.taken = self.asked = self.hurried = 0
        self.ended: list[Connection] = []
        self.untaken = Untaken(self._ask, lambda one: not self.ended.append(one))
        self.untaken.hurry = self._hurry
        self.handed = Handed(self.untaken, CLIENT)

    def look(self, *, unsent: int, taken: int = 0) -> None:
        self.taken += taken
        others = [Connection("192.0.2.8", port, 9, 9, 99_999) for port in range(3)]
        self.untaken.note([*others, Connection("192.0.2.7", 4711, 5, 7, unsent)])

    def _ask(self, _connection: Connection) -> int:
        self.asked += 1
        return self.taken

    def _hurry(self) -> None:
        self.hurried += 1


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def test_a_stream_that_is_sent_little_is_never_asked_about(kernel: Kernel) -> None:
    for _ in range(100):
        kernel.handed.add(MUCH)
        kernel.look(unsent=0)
    assert not kernel.handed.is_too_much()
    assert (kernel.asked, kernel.hurried) == (0, 0)


def test_who_reads_nothing_is_found_out_at_the_second_look_after_much_was_sent(kernel: Kernel) -> None:
    kernel.handed.add(MUCH + 1)
    assert kernel.hurried == 1
    kernel.look(unsent=MUCH)
    kernel.handed.add(MOST)
    assert not kernel.handed.is_too_much(), "it may all have been taken since the look"
    assert kernel.hurried == 2
    kernel.look(unsent=50_000, taken=100)
    assert kernel.handed.is_too_much()
    assert kernel.asked == 2
    kernel.look(unsent=0, taken=MUCH + MOST)
    kernel.handed.add(1)
    assert not kernel.handed.is_too_much(), "what was too much was taken"


def test_who_reads_nothing_is_cut(kernel: Kernel) -> None:
    kernel.handed.add(MUCH + 1)
    kernel.look(unsent=MUCH)
    kernel.handed.add(MOST)
    kernel.look(unsent=50_000, taken=100)
    assert kernel.handed.is_too_much()
    before = CUT._value.get()
    with capture_logs() as logs:
        kernel.handed.cut()
    assert [each.port for each in kernel.ended] == [4711]
    assert (logs[0]["event"], logs[0]["client"], logs[0]["bytes"]) == ("stream_cut", CLIENT, MUCH + 1 + MOST - 100)
    assert CUT._value.get() - before == 1


def test_who_takes_what_comes_may_be_sent_any_amount_though_some_is_always_under_way(kernel: Kernel) -> None:
    for _ in range(50):
        kernel.handed.add(MOST // 2)
        kernel.look(unsent=20 * HARDLY_ANY, taken=MOST // 2)
        assert not kernel.handed.is_too_much()


def test_what_was_taken_at_last_counts_no_more(kernel: Kernel) -> None:
    kernel.handed.add(MUCH + 1)
    kernel.look(unsent=MUCH)
    kernel.handed.add(MOST - MUCH - 10)
    kernel.look(unsent=MUCH)
    kernel.handed.add(1)
    kernel.look(unsent=0)
    kernel.handed.add(MOST)
    kernel.look(unsent=MUCH)
    assert not kernel.handed.is_too_much()


def test_a_stream_that_is_over_is_asked_about_no_more(kernel: Kernel) -> None:
    kernel.handed.add(MUCH + 1)
    kernel.look(unsent=MUCH)
    kernel.handed.close()
    kernel.look(unsent=MUCH)
    assert kernel.asked == 1


def test_a_client_of_which_the_kernel_does_not_tell_is_left_alone() -> None:
    untaken = Untaken(lambda _connection: None)
    handed = Handed(untaken, CLIENT)
    for _ in range(5):
        handed.add(MOST)
        untaken.note([Connection("192.0.2.7", 4711, 5, 7, 99_999)])
        assert not handed.is_too_much()


def test_each_look_at_the_connections_is_told_of() -> None:
    looks: list[int] = []
    found = [Connection("192.0.2.7", 4711, 5, 7)]
    connections = Connections(8080, 10, find=lambda _port: found, on_look=lambda seen: looks.append(len(seen)))
    connections.look(0)
    connections.look(1)
    assert looks == [1, 1]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as far:
        ours, _ = listening.accept()
        with ours:
            yield ours, far


def test_the_kernel_tells_how_many_bytes_were_taken_of_a_connection_that_is_still_the_same(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, far = pair
    inode = next(inode for inode, number in own_sockets().items() if number == ours.fileno())
    connection = Connection("127.0.0.1", 1, inode, ours.fileno())
    before = taken_from(connection)
    ours.sendall(b"x" * 1000)
    assert far.recv(1000, socket.MSG_WAITALL) == b"x" * 1000
    assert before is not None
    assert taken_from(connection) == before + 1000
    assert taken_from(Connection("", 1, 1, ours.fileno())) is None
    assert taken_from(Connection("", 1, inode, 999_999)) is None
    ours.sendall(b"y")
    assert far.recv(1) == b"y"
