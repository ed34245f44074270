"""A thread that makes a stream hands over no more than its client takes, whatever the client does."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
from structlog.testing import capture_logs

from gateway.server import streams
from gateway.server.backlog import (
    FIRST_ASKED,
    LONGEST_STEP_S,
    MOST,
    TAKEN_WITHIN_S,
    Backlog,
    NotTaken,
    SocketBytes,
    bytes_of,
    framing,
)
from gateway.server.calls import Answered
from gateway.server.sockets import Connection, connection_of
from gateway.server.untaken import HARDLY_ANY
from tests.server.fakes import Protocol

CLIENT = "192.0.2.7:4711"
PART = 16 * 1024
SENT = PART + framing(PART)
QUEUE = 100_000
"""What the kernel keeps of the connection."""
EARLIER = 5_000_000
"""Bytes of earlier answers on the connection."""


class Socket:
    """A connection whose kernel takes from Granian what it has room for, and its client ``rate`` bytes a second."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.now = 1000.0
        self.taken, self.queued, self.kept = EARLIER, 0, 0
        self.most = self.looks = self.asked = 0
        self.is_gone = False
        self.ended: list[Connection] = []
        self.naps: list[float] = []
        tools = {"find": self._find, "ask": self._ask, "end": lambda one: not self.ended.append(one)}
        self.backlog = Backlog(CLIENT, **tools, sleep=self._sleep, clock=lambda: self.now)  # type: ignore[arg-type]

    def send(self, parts: int, *, framed: bool = True) -> None:
        for _ in range(parts):
            self.kept += SENT if framed else PART
            self._pass_on()
            self.most = max(self.most, self.kept)
            self.backlog.add(PART)

    def _find(self, client: str) -> Connection | None:
        assert client == CLIENT
        self.looks += 1
        return Connection("192.0.2.7", 4711, 7, 5)

    def _ask(self, _connection: Connection) -> SocketBytes | None:
        self.asked += 1
        return None if self.is_gone else SocketBytes(self.taken, self.queued)

    def _sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds
        left = int(self.rate * seconds)
        while left and self.queued:
            step = min(left, self.queued)
            self.taken, self.queued, left = self.taken + step, self.queued - step, left - step
            self._pass_on()

    def _pass_on(self) -> None:
        room = min(self.kept, QUEUE - self.queued)
        self.kept, self.queued = self.kept - room, self.queued + room


@pytest.mark.parametrize("rate", [20_000, 1_000_000, 1_000_000_000])
def test_no_more_is_kept_than_there_may_be_however_slow_the_client(rate: int) -> None:
    one = Socket(rate)
    one.send(1000)
    assert one.most <= MOST + SENT
    assert one.taken + one.queued + one.kept == EARLIER + 1000 * SENT
    assert not one.ended
    assert one.looks == 1


def test_a_fast_client_is_waited_for_a_millisecond_at_a_time_and_seldom_asked_about() -> None:
    one = Socket(1_000_000_000)
    one.send(1000)
    assert set(one.naps) == {0.001}
    assert one.asked <= 2 * 1000 * SENT / (MOST // 2)


def test_who_has_waited_may_hand_over_half_of_what_may_be_kept() -> None:
    one = Socket(rate=1_000_000)
    while not one.naps:
        one.send(1)
    assert one.backlog.kept <= MOST // 2


def test_one_that_the_kernel_takes_everything_for_is_never_waited_for() -> None:
    one = Socket(0)
    for _ in range(1000):
        one.taken, one.queued = one.taken + one.queued, 0
        one.send(1)
    assert not one.naps


def test_a_short_answer_is_never_asked_about() -> None:
    one = Socket(0)
    one.send(FIRST_ASKED // SENT)
    assert (one.looks, one.asked) == (0, 0)


def test_who_takes_nothing_for_half_a_minute_is_cut_and_named_in_the_log() -> None:
    one = Socket(0)
    with capture_logs() as logs, pytest.raises(NotTaken):
        one.send(1000)
    assert one.most <= MOST + SENT
    assert TAKEN_WITHIN_S <= one.now - 1000 < TAKEN_WITHIN_S + 2 * LONGEST_STEP_S
    assert [each.port for each in one.ended] == [4711]
    assert (logs[0]["event"], logs[0]["client"], logs[0]["log_level"]) == ("stream_cut", CLIENT, "warning")


def test_who_takes_a_little_now_and_then_is_waited_for() -> None:
    one = Socket(0)

    def now_and_then(seconds: float, sleep: Callable[[float], None] = one._sleep) -> None:
        one.rate = 100_000 if int(one.now) % 20 == 0 else 0
        sleep(seconds)

    one.backlog._sleep = now_and_then
    one.send(100)
    assert one.now - 1000 > 2 * TAKEN_WITHIN_S
    assert not one.ended


def test_what_is_sent_without_framing_ends_no_stream() -> None:
    one = Socket(1_000_000)
    one.backlog.kept = 10 * MOST  # as after millions of short parts, each with less around it than was counted
    one.send(1000, framed=False)
    assert not one.ended
    assert one.queued > HARDLY_ANY


def test_a_client_that_leaves_is_waited_for_no_more() -> None:
    one = Socket(0)

    def leaves(seconds: float) -> None:
        one.now += seconds
        one.is_gone = True

    one.backlog._sleep = leaves
    one.send(1000)
    assert one.now - 1000 < 1
    asked = one.asked
    one.send(1000)
    assert one.asked == asked


def test_where_the_system_shows_no_connections_nothing_is_waited_for() -> None:
    def refuse(_seconds: float) -> None:
        raise AssertionError("waited")

    backlog = Backlog(CLIENT, find=lambda _client: None, sleep=refuse)
    for _ in range(100):
        backlog.add(MOST)


def test_the_thread_of_a_stream_waits_with_what_it_makes() -> None:
    made: list[int] = []
    held, go_on = threading.Event(), threading.Event()

    def parts() -> Iterator[bytes]:
        for number in range(100):
            made.append(number)
            yield b"x" * PART

    def sleep(_seconds: float) -> None:
        held.set()
        assert go_on.wait(60)

    told = iter([SocketBytes(0, HARDLY_ANY), SocketBytes(0, HARDLY_ANY)])
    connection = Connection("192.0.2.7", 4711, 7, 5)
    backlog = Backlog(CLIENT, find=lambda _client: connection, ask=lambda _: next(told, None), sleep=sleep)

    async def run() -> int:
        protocol = Protocol()
        sending = asyncio.create_task(streams.send(Answered(200, [], parts()), protocol, backlog))
        await asyncio.to_thread(held.wait, 60)
        before = len(made)
        go_on.set()
        await asyncio.wait_for(sending, 60)
        assert protocol.stream is not None
        assert len(protocol.stream.sent) == 100
        return before

    assert asyncio.run(run()) == MOST // SENT + 1


@pytest.mark.parametrize(
    ("family", "host", "asked"),
    [
        (socket.AF_INET, "127.0.0.1", "127.0.0.1:{port}"),
        (socket.AF_INET6, "::1", "[::1]:{port}"),
        (socket.AF_INET6, "::", "127.0.0.1:{port}"),
    ],
)
def test_a_connection_is_found_by_its_client_and_its_bytes_are_told(family: int, host: str, asked: str) -> None:
    with ExitStack() as stack:
        both = {"dualstack_ipv6": True} if host == "::" else {}
        listening = stack.enter_context(socket.create_server((host, 0), family=family, **both))
        to = "127.0.0.1" if host == "::" else host
        far = stack.enter_context(socket.create_connection((to, listening.getsockname()[1])))
        ours = stack.enter_context(listening.accept()[0])
        found = connection_of(asked.format(port=far.getsockname()[1]))
        assert found is not None
        assert found.descriptor == ours.fileno()
        before = bytes_of(found)
        ours.sendall(b"x" * 1000)
        assert far.recv(1000, socket.MSG_WAITALL) == b"x" * 1000
        after = bytes_of(found)
        assert before is not None
        assert after is not None
        assert sum(after) == sum(before) + 1000
        ours.close()
        assert bytes_of(found) is None
    assert connection_of("192.0.2.7:1") is None
    assert connection_of("no address") is None


def test_what_the_client_has_not_taken_is_in_the_kernel() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as far:
        ours, _ = listening.accept()
        with ours:
            ours.setblocking(False)
            sent = 0
            with suppress(BlockingIOError):
                while True:
                    sent += ours.send(b"x" * 65_536)
            address, port = far.getsockname()
            found = connection_of(f"{address}:{port}")
            assert found is not None
            told = bytes_of(found)
            assert told is not None
            assert told.queued > 0
            assert sum(told) in (sent, sent + 1)
