"""What a test peer does in each protocol: how it tells requests apart, how it greets, and how it misbehaves.

``HTTP`` is the one of bad_peers.py. A protocol that is not here yet needs one entry.
"""

import re
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from tests.adapters.bad_peers import BAD, Peer, garbage, hang, hang_up, reset, serving, silent, whole_http

Behave = Callable[[Peer, socket.socket], bool]


def say(data: bytes, *, stays: bool = True) -> Behave:
    """Answer with ``data``; the connection stays open, or is closed."""

    def behave(_: Peer, connection: socket.socket) -> bool:
        connection.sendall(data)
        return stays

    return behave


def again_and_again(data: bytes, pause_s: float = 0.0) -> Behave:
    """Send ``data`` for ever."""

    def behave(peer: Peer, connection: socket.socket) -> bool:
        while not peer.stopped.wait(pause_s):
            connection.sendall(data)
        return False

    return behave


@dataclass(frozen=True)
class Bad:
    """How a peer misbehaves, and what an order must then come to: its outcome, and how many requests were sent.

    ``greet`` None is the protocol's own greeting.
    """

    behave: Behave
    outcome: str = "unknown"
    requests: int = 1
    greet: Behave | None = None


@dataclass(frozen=True)
class Protocol:
    """``whole`` is how long the first request in some bytes is; ``is_order`` tells the requests that order a call."""

    bad: Mapping[str, Bad]
    whole: Callable[[bytes], int] = whole_http
    greet: Behave = silent
    is_order: Callable[[bytes], bool] = lambda _: True

    def serving(self, behave: Behave, greet: Behave | None = None) -> AbstractContextManager[Peer]:
        """A peer that speaks this protocol, inside the block."""
        return serving(behave, whole=self.whole, greet=greet or self.greet)

    def orders(self, requests: Sequence[bytes]) -> list[bytes]:
        return [request for request in requests if self.is_order(request)]


HTTP = Protocol({name: Bad(behave, outcome) for name, (behave, outcome) in BAD.items()})

LINES = Protocol(
    {
        "hangs": Bad(hang),
        "resets": Bad(reset),
        "hangs up": Bad(hang_up),
        "hangs up at once": Bad(hang, greet=hang_up),
        "half an answer": Bad(say(b"OK 7", stays=False)),
        "empty answer": Bad(say(b"\r\n")),
        "drips": Bad(again_and_again(b"O", 0.05)),
        "endless line": Bad(again_and_again(b"OK " * 20000)),
        "another protocol": Bad(garbage),
    },
    whole=lambda data: data.find(b"\n") + 1,
)
"""A line each way, and the client begins. The client cannot see that a peer is gone before it has written."""


def named(block: bytes) -> dict[str, str]:
    """The lines of an AMI block."""
    return dict(re.findall(r"(?m)^([^:\r\n]+): ?(.*?)\r?$", block.decode()))


def manager(order: Behave, *, login: Behave | None = None) -> Behave:
    """Answer as Asterisk's manager interface does, ``order`` to what is neither login nor ping."""
    own = {
        "Login": login or say(b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n"),
        "Challenge": login or say(b"Response: Success\r\nChallenge: 176956002\r\n\r\n"),
        "Ping": say(b"Response: Success\r\nPing: Pong\r\nTimestamp: 1796007213.020391\r\n\r\n"),
    }

    def behave(peer: Peer, connection: socket.socket) -> bool:
        return own.get(named(peer.asked)["Action"], order)(peer, connection)

    return behave


def refused_login(peer: Peer, connection: socket.socket) -> bool:
    return say(b"Response: Error\r\nMessage: Authentication failed\r\n\r\n", stays=False)(peer, connection)


SALUTE = say(b"Asterisk Call Manager/11.0.0\r\n")
EVENT = b"Event: Newchannel\r\nPrivilege: call,all\r\nUniqueid: 1796007226.135\r\n\r\n"
_at_order: Callable[..., Bad] = lambda behave: Bad(manager(behave), requests=2)  # noqa: E731
_at_login: Callable[..., Bad] = lambda behave: Bad(manager(hang, login=behave), "unreachable")  # noqa: E731
_at_greeting: Callable[..., Bad] = partial(Bad, hang, "unreachable", 0)

AMI = Protocol(
    {
        "hangs": _at_order(hang),
        "resets": _at_order(reset),
        "hangs up": _at_order(hang_up),
        "half an answer": _at_order(say(b"Response: Success\r\nMessage: Orig", stays=False)),
        "an answer without its end": _at_order(say(b"Response: Success\r\nMessage: queued\r\n")),
        "drips": _at_order(again_and_again(b"R", 0.05)),
        "endless line": _at_order(again_and_again(b"Response " * 8000)),
        "endless block": _at_order(again_and_again(b"Response: Success\r\n" * 100)),
        "endless events": _at_order(again_and_again(EVENT * 100)),
        "another answer": _at_order(say(b"Response: Follows\r\n\r\n")),
        "another protocol": _at_order(say(b"220 pabx ESMTP ready\r\n\r\n", stays=False)),
        "login refused": Bad(manager(hang, login=refused_login), "refused"),
        "login hangs": _at_login(hang),
        "login resets": _at_login(reset),
        "login hangs up": _at_login(hang_up),
        "login drips": _at_login(again_and_again(b"R", 0.05)),
        "login answered by garbage": _at_login(say(b"Response: Goodbye\r\n\r\n")),
        "hangs up at once": _at_greeting(hang_up),
        "never greets": _at_greeting(hang),
        "endless greeting": _at_greeting(again_and_again(b"Asterisk Call Manager" * 1000)),
        "another service": _at_greeting(say(b"SSH-2.0-OpenSSH_9.2\r\n")),
    },
    whole=lambda data: data.find(b"\r\n\r\n") + 4 if b"\r\n\r\n" in data else 0,
    greet=SALUTE,
    is_order=lambda request: b"Action: Originate" in request,
)
"""The server greets, then a login, then the order: until that is written nothing can have been dialled."""
