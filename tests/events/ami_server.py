"""A small manager interface that logs people in, answers what is asked, and plays a recorded stream."""

import hashlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.events.compliance import SECRET, exchange

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
FULLY_BOOTED = "Event: FullyBooted\nPrivilege: system,all\nUptime: 3600\nStatus: Fully Booted\n\n"
MARK = re.compile(r"^; \+(\d+) ms\n", re.MULTILINE)
"""What stands before each block of a recording: when it came."""


def blocks_of(recording: str) -> list[tuple[int, bytes]]:
    """Return the blocks of a recording with their milliseconds, as they stood on the wire."""
    parts = MARK.split(recording)[1:]
    return [
        (int(at), text.strip().replace("\n", "\r\n").encode() + b"\r\n\r\n")
        for at, text in zip(parts[::2], parts[1::2], strict=True)
    ]


def event(name: str, **lines: str) -> str:
    """Return an event as text."""
    return "".join(f"{key}: {value}\n" for key, value in {"Event": name, **lines}.items()) + "\n"


def _channels(uniqueid: str, extension: str) -> tuple[str, str]:
    number = uniqueid.replace(".", "")[-8:]
    return f"PJSIP/trunk-{number}", f"PJSIP/{extension}-{number}"


def ringing(uniqueid: str = "1796007130.7", number: str = "47999990016", extension: str = "3501") -> str:
    """Return the events of a call from outside that rings at an extension."""
    trunk, phone = _channels(uniqueid, extension)
    leg = f"{uniqueid}5"
    caller = {"Channel": trunk, "CallerIDNum": number, "Uniqueid": uniqueid, "Linkedid": uniqueid}
    called = {"Channel": phone, "CallerIDNum": extension, "Uniqueid": leg, "Linkedid": uniqueid}
    dest = {f"Dest{name}": value for name, value in called.items()}
    return (
        event("Newchannel", **caller, ChannelState="4", Context="from-trunk", Exten="4733330000")
        + event("Newchannel", **called, ChannelState="0", Context="from-internal", Exten="s")
        + event("DialBegin", **caller, **dest, DialString=extension)
        + event("Newstate", **called, ChannelState="5", ChannelStateDesc="Ringing")
    )


def hangups(uniqueid: str = "1796007130.7", extension: str = "3501") -> str:
    """Return the events of the end of ``ringing``, whose caller gives up."""
    trunk, phone = _channels(uniqueid, extension)
    ended = {"Cause": "127", "Linkedid": uniqueid}
    return event("Hangup", Channel=phone, Uniqueid=f"{uniqueid}5", **ended) + event(
        "Hangup", Channel=trunk, Uniqueid=uniqueid, **ended
    )


def listed(uniqueid: str = "1796007130.7", number: str = "47999990016", extension: str = "3501") -> str:
    """Return the call of ``ringing`` as CoreShowChannels has it while it rings."""
    trunk, phone = _channels(uniqueid, extension)
    both = {"Linkedid": uniqueid, "BridgeId": ""}
    caller = {"ChannelState": "4", "CallerIDNum": number, "Context": "from-trunk", "Exten": "4733330000"}
    called = {"ChannelState": "5", "CallerIDNum": extension, "ConnectedLineNum": number}
    return event("CoreShowChannel", Channel=trunk, Uniqueid=uniqueid, Application="Dial", **caller, **both) + event(
        "CoreShowChannel", Channel=phone, Uniqueid=f"{uniqueid}5", Application="AppDial", **called, **both
    )


@dataclass
class AmiServer:
    """What the manager does. ``after_login`` is said at once; ``say`` says something to all who are there.

    ``denied`` names actions that the user may not do, ``mute`` those that get no answer.
    """

    username: str = "cti"
    secret: str = SECRET
    after_login: str = FULLY_BOOTED
    channels: str = ""
    """The events CoreShowChannel of the answer, without ActionID."""
    entries: str = ""
    denied: set[str] = field(default_factory=set)
    mute: set[str] = field(default_factory=set)
    banner: bytes = BANNER
    actions: list[dict[str, str]] = field(default_factory=list)
    there: list[socket.socket] = field(default_factory=list)
    logins: int = 0

    def names(self) -> list[str]:
        """Return the names of the actions that came."""
        return [action["action"] for action in self.actions]

    def say(self, text: str) -> None:
        for connection in list(self.there):
            with suppress(OSError):
                connection.sendall(text.replace("\n", "\r\n").encode())

    def cut(self) -> None:
        """End all connections without a word."""
        for connection in self.there:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.there.clear()

    def talk(self, connection: socket.socket) -> None:
        """Serve one connection to its end."""
        connection.sendall(self.banner)
        challenge = ""
        for action in _actions(connection):
            self.actions.append(action)
            name = action["action"]
            if name in self.mute:
                continue
            if name == "Challenge":
                challenge = "176956002"
                self._answer(connection, action, Response="Success", Challenge=challenge)
            elif name == "Login":
                if not self._is_right(action, challenge):
                    self._answer(connection, action, Response="Error", Message="Authentication failed")
                    return connection.shutdown(socket.SHUT_RDWR)
                self.logins += 1
                self._answer(connection, action, Response="Success", Message="Authentication accepted")
                connection.sendall(self.after_login.replace("\n", "\r\n").encode())
                self.there.append(connection)
            else:
                self._act(connection, action, name)
        return None

    def _act(self, connection: socket.socket, action: dict[str, str], name: str) -> None:
        if name in self.denied:
            self._answer(connection, action, Response="Error", Message="Permission denied")
        elif name == "Ping":
            self._answer(connection, action, Response="Success", Ping="Pong", Timestamp="1796007213.020391")
        elif name == "Logoff":
            self._answer(connection, action, Response="Goodbye", Message="Thanks for all the fish.")
            connection.shutdown(socket.SHUT_RDWR)
        elif name in ("CoreShowChannels", "QueueStatus", "ParkedCalls"):
            self._answer(connection, action, Response="Success", EventList="start")
            listed = {"CoreShowChannels": self.channels, "QueueStatus": self.entries}.get(name, "")
            own = f"ActionID: {action.get('actionid', '')}\n"
            for block in [each for each in listed.split("\n\n") if each]:
                connection.sendall(f"{block}\n{own}\n".replace("\n", "\r\n").encode())
            done = f"Event: {name}Complete\n{own}EventList: Complete\nListItems: 0\n\n"
            connection.sendall(done.replace("\n", "\r\n").encode())
        else:
            self._answer(connection, action, Response="Success")

    def _is_right(self, action: dict[str, str], challenge: str) -> bool:
        if action.get("username") != self.username:
            return False
        if action.get("authtype", "").upper() == "MD5":
            key = hashlib.md5(f"{challenge}{self.secret}".encode(), usedforsecurity=False).hexdigest()
            return action.get("key") == key
        return action.get("secret") == self.secret

    def _answer(self, connection: socket.socket, action: dict[str, str], **lines: str) -> None:
        own = {"ActionID": action["actionid"]} if "actionid" in action else {}
        text = "".join(f"{name}: {value}\r\n" for name, value in {**lines, **own}.items())
        connection.sendall(text.encode() + b"\r\n")


def _actions(connection: socket.socket) -> Iterator[dict[str, str]]:
    rest = b""
    while data := connection.recv(65536):
        *whole, rest = (rest + data).split(b"\r\n\r\n")
        for block in whole:
            lines = (line.partition(": ") for line in block.decode().split("\r\n"))
            yield {name.lower(): value for name, _, value in lines}


@contextmanager
def manager(server: AmiServer) -> Iterator[int]:
    """Yield the port on which ``server`` listens."""
    with exchange(server.talk) as port:
        yield port


def play(say: Callable[[bytes], object], recording: str, *, speed: float = 0.0) -> None:
    """Say a recording, at once or ``speed`` times as slowly as it was."""
    before = 0
    for at, block in blocks_of(recording):
        time.sleep(max(0, at - before) / 1000 * speed)
        before = at
        say(block)


def in_background(work: Callable[[], object]) -> threading.Thread:
    """Do ``work`` on a thread of its own."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
