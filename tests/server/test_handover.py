"""Sockets go from a running gateway to its successor, and stay where they are if that one fails."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.server import handover
from gateway.server.handover import NAME, Offer, Sockets, ask
from gateway.server.runs import GatewayRun


@pytest.fixture
def listening() -> Iterator[Sockets]:
    sockets = Sockets(
        [socket.create_server(("127.0.0.1", 0)) for _ in range(2)], socket.create_server(("127.0.0.1", 0))
    )
    yield sockets
    sockets.close()


def ports(sockets: Sockets) -> list[int]:
    return [each.getsockname()[1] for each in sockets.all]


def test_where_no_gateway_runs_there_is_nothing_to_take_over(tmp_path: Path) -> None:
    assert ask(tmp_path) is None
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / NAME))
    assert ask(tmp_path) is None


def test_a_successor_that_fails_leaves_all_to_the_running_gateway_and_the_next_one_gets_it(
    tmp_path: Path, listening: Sockets
) -> None:
    deep = tmp_path / ("x" * 100)  # longer than a Unix socket's address may be
    deep.mkdir()
    gone = threading.Event()
    Offer(deep, listening, gone.set).start()
    assert (deep / NAME).stat().st_mode & 0o777 == 0o600
    first = ask(deep)
    assert first
    assert ports(first.sockets) == ports(listening)
    first.give_up()
    second = ask(deep)
    assert second
    assert not gone.is_set()
    second.serving()
    assert gone.wait(5)
    # The same socket, not another one on the same port: what waits in its queue is there.
    with socket.create_connection(("127.0.0.1", ports(listening)[0])), second.sockets.main[0].accept()[0]:
        pass
    second.sockets.close()


def test_a_gateway_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "ANSWER_WITHIN_S", 0.2)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / NAME))
        mute.listen()
        with pytest.raises(ConfigError, match=r"did not hand its ports over \(timed out\)"):
            ask(tmp_path)


def test_whoever_asks_too_late_is_told_that_another_one_took_the_ports(tmp_path: Path) -> None:
    """The running gateway ends as soon as the first one serves, and with it the connection of the second."""
    with socket.socket(socket.AF_UNIX) as running:
        running.bind(str(tmp_path / NAME))
        running.listen()
        end = threading.Thread(target=lambda: running.accept()[0].close())
        end.start()
        with pytest.raises(ConfigError, match="another gateway has just taken over"):
            ask(tmp_path)
        end.join()


def test_a_gateway_knows_whether_another_one_runs_on_its_data(tmp_path: Path) -> None:
    first = GatewayRun(tmp_path)
    second = GatewayRun(tmp_path)
    assert (first.is_alone, second.is_alone) == (True, False)
    metrics = second.metrics_folder()
    second.end()
    assert not metrics.exists()
    first.end()
    third = GatewayRun(tmp_path)
    assert third.is_alone
    third.end()
