"""Connections are counted as the kernel shows them; before they are used up, those that nobody needs are ended."""

import os
import socket
from collections.abc import Collection, Iterator

import pytest
from structlog.testing import capture_logs

from gateway.server import sockets
from gateway.server.connections import Connections, far_end
from gateway.server.socket_tables import Seen, connections_of, packed
from gateway.server.sockets import Connection, OwnConnections, address_of
from gateway.server.surplus import STALLED_S, Stalled, without_use

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
LINE = (
    "   0: {local} {remote} {state} 0000012C:00000000 00:00000000 00000000     0        0 {inode} 1 0 20 4 30 10 -1\n"
)


def line(local: str, remote: str, *, state: str = "01", inode: str = "7") -> str:
    return LINE.format(local=local, remote=remote, state=state, inode=inode)


def some(address: str, count: int, *, first: int = 1, unsent: int = 0) -> list[Connection]:
    return [Connection(address, port, hash((address, port)), port, unsent) for port in range(first, first + count)]


def test_only_established_connections_to_the_port_count() -> None:
    table = HEAD + "".join(
        [
            line("0100007F:1F90", "0200007F:C001"),
            line("0100007F:1F90", "00000000:0000", state="0A"),
            line("0100007F:1F91", "0200007F:C002"),
            line("0100007F:1F90", "0300007F:C003", inode="0"),
        ]
    )
    assert list(connections_of([table], 0x1F90)) == [(7, 300, bytes([127, 0, 0, 2]), b"\xc0\x01")]


def test_who_has_said_its_last_word_still_has_its_connection() -> None:
    table = (
        HEAD + line("0100007F:1F90", "0200007F:C001", state="08") + line("0100007F:1F90", "0200007F:C002", state="06")
    )
    assert [port for _, _, _, port in connections_of([table], 0x1F90)] == [b"\xc0\x01"]


def test_addresses_are_read_as_the_kernel_writes_them() -> None:
    assert address_of(packed("0100007F")) == "127.0.0.1"
    assert address_of(packed("00000000000000000000000001000000")) == "::1"
    assert address_of(packed("0000000000000000FFFF00000200007F")) == "127.0.0.2"


def test_a_far_end_is_written_as_granian_writes_a_client() -> None:
    assert [far_end(some(address, 1)[0]) for address in ("127.0.0.2", "::1")] == ["127.0.0.2:1", "[::1]:1"]


def test_the_log_warns_before_connections_are_used_up_but_not_each_second() -> None:
    found = some("192.0.2.7", 79)
    connections = Connections(8080, 100, find=lambda _port: found, end=lambda _one: True)
    with capture_logs() as logs:
        connections.look(now=0)
        found += some("192.0.2.8", 1)
        for second in range(9):
            connections.look(now=second)
        connections.look(now=12)
    assert [entry["event"] for entry in logs] == ["connections_nearly_used_up"] * 2
    assert (logs[0]["open"], logs[0]["limit"], logs[0]["most"]["192.0.2.7"]) == (80, 100, 79)
    assert connections.open == 80
    assert connections.is_crowded()


def test_where_connections_run_out_those_without_use_of_who_has_most_are_ended() -> None:
    ended: list[Connection] = []
    exchange, attacker = some("192.0.2.8", 5), some("192.0.2.7", 60)
    busy, screens = some("192.0.2.7", 10, first=100), some("192.0.2.9", 10)
    known = {far_end(each) for each in (*busy, *screens)}
    connections = Connections(
        8080,
        100,
        is_busy=known.__contains__,
        find=lambda _port: [*exchange, *attacker, *busy, *screens],
        end=lambda one: not ended.append(one),
    )
    connections.look(now=0)
    assert not ended, "the first look cannot know whether a request is about to come"
    connections.look(now=1)
    assert len(ended) == 35
    assert set(ended) <= set(attacker)


def test_who_was_without_use_the_last_time_they_ran_out_may_be_in_use_by_now() -> None:
    ended: list[Connection] = []
    crowd = some("192.0.2.7", 90)
    found = [crowd, crowd[:1], crowd, crowd]
    connections = Connections(8080, 100, find=lambda _port: found.pop(0), end=lambda one: not ended.append(one))
    for now in range(3):
        connections.look(now=now)
    assert not ended
    connections.look(now=3)
    assert len(ended) == 40


def test_a_trusted_proxy_keeps_its_connections() -> None:
    ended: list[Connection] = []
    connections = Connections(
        8080,
        100,
        is_exempt=lambda address: address == "192.0.2.7",
        find=lambda _port: some("192.0.2.7", 90),
        end=lambda one: not ended.append(one),
    )
    for second in range(3):
        connections.look(now=second)
    assert not ended


def test_many_addresses_with_few_connections_each_lose_them_too() -> None:
    many = [one for number in range(100) for one in some(f"192.0.2.{number}", 2)]
    ended = without_use(many, 100, is_in_use=lambda _one: False)
    assert len(ended) == 100
    assert len({each.address for each in ended}) == 100


def test_a_client_that_takes_nothing_for_thirty_seconds_is_stalled_and_a_slow_one_is_not() -> None:
    stalled = Stalled()
    stuck, slow, idle = some("a", 1, unsent=9)[0], some("b", 1, unsent=9)[0], some("c", 1)[0]
    assert not stalled.among([stuck, slow, idle], 0)
    slower = some("b", 1, unsent=8)[0]
    assert not stalled.among([stuck, slower, idle], STALLED_S - 1)
    assert stalled.among([stuck, slower, idle], STALLED_S) == [stuck]


def test_who_asks_for_more_and_takes_nothing_is_stalled() -> None:
    stalled = Stalled()
    for second in range(int(STALLED_S)):
        assert not stalled.among(some("a", 1, unsent=1000 + second), second)
    assert len(stalled.among(some("a", 1, unsent=2000), STALLED_S)) == 1
    assert not stalled.among(some("a", 1, unsent=1999), STALLED_S + 1)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_an_ended_connection_is_closed_for_both_and_a_descriptor_used_anew_is_left_alone(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    inode = next(inode for inode, number in sockets.own_sockets().items() if number == ours.fileno())
    assert not sockets.end(Connection("", 0, 1, ours.fileno()))
    assert not sockets.end(Connection("", 0, inode, 999_999))
    theirs.send(b"a")
    assert ours.recv(1) == b"a"
    assert sockets.end(Connection("", 0, inode, ours.fileno()))
    assert theirs.recv(1) == ours.recv(1) == b""


class Shown:
    """What the kernel shows, which is changed meanwhile."""

    def __init__(self, *pairs: tuple[socket.socket, int]) -> None:
        self.unsent = {os.fstat(each.fileno()).st_ino: unsent for each, unsent in pairs}

    def __call__(self, _port: int) -> list[Seen]:
        return [(inode, unsent, bytes([192, 0, 2, 7]), b"\xc0\x01") for inode, unsent in self.unsent.items()]


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many open files were kept from each look through them."""
    made: list[int] = []
    look = sockets.own_sockets

    def counted(*, besides: Collection[int] = ()) -> dict[int, int]:
        made.append(len(besides))
        return look(besides=besides)

    monkeypatch.setattr(sockets, "own_sockets", counted)
    return made


def test_files_are_looked_through_for_new_connections_only(
    pair: tuple[socket.socket, socket.socket], looks: list[int]
) -> None:
    ours, theirs = pair
    shown = Shown((ours, 0))
    find = OwnConnections(shown)
    first = find(8080)
    inode = os.fstat(ours.fileno()).st_ino
    assert first == [Connection("192.0.2.7", 0xC001, inode, ours.fileno())]
    shown.unsent[inode] = 300
    assert [each.unsent for each in find(8080)] == [300]
    assert looks == [0]
    shown.unsent[os.fstat(theirs.fileno()).st_ino] = 0
    assert [each.descriptor for each in find(8080)] == [ours.fileno(), theirs.fileno()]
    assert looks == [0, 1]


def test_a_connection_that_is_gone_is_not_found_any_more(pair: tuple[socket.socket, socket.socket]) -> None:
    shown = Shown((pair[0], 0), (pair[1], 0))
    find = OwnConnections(shown)
    assert len(find(8080)) == 2
    shown.unsent.popitem()
    assert [each.descriptor for each in find(8080)] == [pair[0].fileno()]


def test_another_process_has_what_is_not_among_our_files_at_two_looks(
    pair: tuple[socket.socket, socket.socket], looks: list[int]
) -> None:
    shown = Shown((pair[0], 0))
    shown.unsent[1] = 0
    find = OwnConnections(shown)
    assert [len(find(8080)) for _ in range(5)] == [1] * 5
    assert looks == [0, 1]


def test_a_connection_that_is_being_accepted_is_found_at_the_next_look(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = OwnConnections(Shown((pair[0], 0)))
    with monkeypatch.context() as patched:
        patched.setattr(sockets, "own_sockets", lambda **_: {})
        assert find(8080) == []
    assert len(find(8080)) == 1


def test_open_screens_have_a_limit_of_their_own_and_leave_the_rest_to_others() -> None:
    """Else the connections of exchanges would be closed behind each answer while many screens are open."""
    found = some("192.0.2.7", 90)
    screens = [0]
    connections = Connections(8080, 100, screens=lambda: screens[0], find=lambda _port: found, end=lambda _one: True)
    connections.look(0)
    assert (connections.is_crowded(), connections.is_nearly_full()) == (True, True)
    screens[0] = 85
    assert (connections.is_crowded(), connections.is_nearly_full()) == (False, False)
    found += some("192.0.2.8", 8)
    connections.look(1)
    assert (connections.is_crowded(), connections.is_nearly_full()) == (True, True)
