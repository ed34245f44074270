"""What every event source does, whatever it listens to: each source's tests inherit this suite."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from typing import ClassVar

from pydantic import SecretStr

from gateway.domain.messages import AgentStateChanged
from gateway.errors import EventSourceError, GatewayError
from gateway.event_source import CONFIG, EventSource, SourceStopped, load, secrets_in
from tests.events.reports import TENANT, CollectedReport, attempt, until

SECRET = "segredo-da-central"
Talk = Callable[[socket.socket], None]


@contextmanager
def exchange(talk: Talk) -> Iterator[int]:
    """Yield the port of an exchange that talks to each who connects, on a thread of its own, until all is over."""
    over: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    over.append(connection)
                    threading.Thread(target=lambda made=connection: _talk(talk, made), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            for connection in over:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()


def _talk(talk: Talk, connection: socket.socket) -> None:
    with suppress(OSError):
        talk(connection)


def silent(connection: socket.socket) -> None:
    """Take everything and say nothing."""
    while connection.recv(65536):
        pass


def babbling(connection: socket.socket) -> None:
    """Say what nobody can understand, then close."""
    connection.sendall(b"\x00\xff\xfe:::\r\n\r\n" * 500 + b"x" * 200_000)
    connection.shutdown(socket.SHUT_WR)
    silent(connection)


class EventSourceCompliance:
    """For sources that connect to an exchange by TCP.

    A subclass says ``kind``, how a source of it is made for a port of this machine (with ``SECRET`` where it takes a
    secret), and ``talk``: what an exchange says from its accepting the connection until at least one event was told;
    it then goes on reading.
    """

    kind: ClassVar[str]
    takes_secret: ClassVar[bool] = True

    def source(self, port: int) -> EventSource:
        raise NotImplementedError

    def talk(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def test_it_is_found_by_its_kind(self) -> None:
        assert isinstance(self.source(1), load(self.kind))

    def test_its_settings_explain_themselves_and_hide_their_secrets(self) -> None:
        config_class = load(self.kind).Config
        assert is_dataclass(config_class)
        assert config_class.__pydantic_config__ == CONFIG
        assert [each.name for each in fields(config_class) if not each.metadata.get("help")] == []
        if self.takes_secret:
            hidden = [each for each in fields(config_class) if "SecretStr" in str(each.type) or each.type is SecretStr]
            assert hidden
        source = self.source(1)
        assert SECRET not in repr(vars(source))
        assert SECRET not in source.peer

    def test_its_secrets_are_known_to_whoever_masks_them(self) -> None:
        if self.takes_secret:
            assert SECRET in [text for value in vars(self.source(1)).values() for text in secrets_in(value)]

    def test_a_probe_of_nobody_says_so(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        found = self.source(port).probe()
        assert not found.ok
        assert len(found.detail) > 20
        assert SECRET not in found.detail

    def test_a_probe_of_an_exchange_is_well(self) -> None:
        with exchange(self.talk) as port:
            found = self.source(port).probe()
        assert found.ok, found.detail

    def test_a_probe_does_not_wait_for_ever(self) -> None:
        with exchange(silent) as port:
            began = time.monotonic()
            found = self.source(port).probe()
        assert time.monotonic() - began < 15
        assert SECRET not in found.detail

    def test_an_attempt_that_finds_nobody_says_why(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with attempt(self.source(port)) as made:
            assert made.ended()
        assert isinstance(made.error, EventSourceError)
        assert SECRET not in str(made.error)
        assert made.report.connections == 0

    def test_what_an_exchange_says_is_told(self) -> None:
        with exchange(self.talk) as port, attempt(self.source(port)) as made:
            until(lambda: bool(made.report.messages), "an event was told")
            assert made.report.connections == 1
            for message in made.report.messages:
                assert message.tenant == TENANT
                assert message.origin.wire == self.kind
                assert message.origin.mark is not None
                assert message.origin.mark.source == "central"
                assert isinstance(message, AgentStateChanged) or message.call_ref
            assert made.report.heard_bytes

    def test_it_ends_soon_when_told_to(self) -> None:
        with exchange(self.talk) as port, attempt(self.source(port)) as made:
            until(lambda: bool(made.report.messages), "an event was told")
            made.report.stop.set()
            assert made.ended(within_s=4)
            assert made.error is None or isinstance(made.error, SourceStopped | EventSourceError)

    def test_it_ends_soon_while_a_peer_says_nothing(self) -> None:
        with exchange(silent) as port, attempt(self.source(port)) as made:
            time.sleep(0.1)
            made.report.stop.set()
            assert made.ended(within_s=4)

    def test_it_ends_soon_while_the_disk_is_slow(self) -> None:
        report = CollectedReport()
        report.open_gate.clear()
        with exchange(self.talk) as port, attempt(self.source(port), report) as made:
            until(lambda: report.connections == 1, "it is connected")
            report.stop.set()
            assert made.ended(within_s=4)

    def test_an_exchange_that_goes_away_ends_the_attempt(self) -> None:
        def talk_and_go(connection: socket.socket) -> None:
            threading.Timer(0.5, lambda: connection.shutdown(socket.SHUT_RDWR)).start()
            self.talk(connection)

        with exchange(talk_and_go) as port, attempt(self.source(port)) as made:
            assert made.ended()
            assert made.error is None or isinstance(made.error, EventSourceError)

    def test_what_nobody_can_understand_is_no_defect(self) -> None:
        with exchange(babbling) as port, attempt(self.source(port)) as made:
            assert made.ended(within_s=15)
            assert made.error is None or isinstance(made.error, GatewayError), repr(made.error)
