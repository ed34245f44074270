"""Asterisk's manager interface on TCP: its blocks of lines, and a session for one attempt.

The server speaks first, by one line. Then each side sends blocks of ``Name: value`` lines that end with an empty line;
between the answers stand the events of the whole exchange. (Recorded from Asterisk 22.10.1.)
"""

import hashlib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from adapters.ami.settings import AmiLoginConfig, has_control
from adapters.http.connection import Attempt
from adapters.http.outcomes import Failed, code_of, reason_of
from adapters.http.tls import Trust
from adapters.lines import HeardBytes, Lines, told
from adapters.sentences import Sentences
from gateway.adapter import Outcome
from gateway.errors import AdapterError
from gateway.texts.text import Text

MAX_SENT_LINE = 1000
"""Bytes of a line that we send: Asterisk reads 1,020, and takes the lines behind a longer one for another action."""
BANNER = "Asterisk Call Manager"
UNKNOWN_KEY = "****"
"""What a preview shows in place of the answer to a challenge that has not been given."""
_HINTS = {
    "Authentication failed": Text("check username and secret, and the user's permit in manager.conf"),
    "Permission denied": Text("the user of manager.conf needs write=originate,call"),
    "Extension does not exist.": Text("the number does not exist in the context"),
}
"""What to do about a refusal, by Asterisk's own words for it."""
_NO_AMI = Text("{said}, which is not the greeting of AMI; something else listens on this port")

T = TypeVar("T")


class LoginFailed(Failed):
    """The peer was reached and the login did not succeed: nothing was ordered."""


@dataclass
class Block:
    """An answer or an event: its lines by name in small letters (the first of each name), and its bytes."""

    lines: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""

    def get(self, name: str) -> str:
        """Return the value of the line ``name``; empty when there is none."""
        return self.lines.get(name.lower(), "")

    @property
    def is_answer(self) -> bool:
        """Whether it answers an action: the event OriginateResponse has a line ``Response`` as well."""
        return "response" in self.lines and "event" not in self.lines

    @property
    def succeeded(self) -> bool:
        """Whether the answer, or the event of an order, says yes."""
        return self.get("response") == "Success"

    @property
    def refusal(self) -> Text:
        """Asterisk's message, with what to do about it where that is known."""
        message = self.get("message")
        hint, said = _HINTS.get(message), Text('answered "{words}"', words=message)
        return Text("{reason}; {advice}", reason=said, advice=hint) if hint else said


def written(*lines: tuple[str, str]) -> bytes:
    """Return the bytes of one action. Raises ``AdapterError`` for what no line can hold."""
    for name, value in lines:
        if has_control(value):
            raise AdapterError(Text("the value has control characters, which are never sent"), place=name)
        if (size := len(f"{name}: {value}".encode())) > MAX_SENT_LINE:
            too_long = Text("the line has {size} bytes; Asterisk takes {most} at most", size=size, most=MAX_SENT_LINE)
            raise AdapterError(too_long, place=name)
    return "".join([*(f"{name}: {value}\r\n" for name, value in lines), "\r\n"]).encode()


def login_actions(config: AmiLoginConfig, challenge: str | None = None) -> list[bytes]:
    """Return the actions of a login. Without the ``challenge`` that an MD5 login answers, its key is masked."""
    events, user, secret = config.events, config.username, config.secret.get_secret_value()
    if config.auth == "plain":
        return [written(("Action", "Login"), ("Username", user), ("Secret", secret), ("Events", events))]
    key = UNKNOWN_KEY if challenge is None else key_of(challenge, secret)
    lines = (("Action", "Login"), ("AuthType", "MD5"), ("Username", user), ("Key", key), ("Events", events))
    return [written(("Action", "Challenge"), ("AuthType", "MD5")), written(*lines)]


def key_of(challenge: str, secret: str) -> str:
    """Return the answer to an MD5 challenge, in hexadecimal."""
    return hashlib.md5(f"{challenge}{secret}".encode(), usedforsecurity=False).hexdigest()


class AmiSession:
    """One connection for one attempt. Leave its ``with`` block to close it."""

    def __init__(self, config: AmiLoginConfig, attempt: Attempt, trust: Trust | None, say: Sentences) -> None:
        self._config = config
        self._attempt = attempt
        self._trust = trust
        self._say = say
        self._lines: Lines | None = None
        self._heard = HeardBytes()

    def __enter__(self) -> "AmiSession":
        return self

    def __exit__(self, *_: object) -> None:
        if self._lines is not None:
            self._lines.close()

    def log_in(self) -> None:
        """Connect and log in. Raises ``Failed`` when the peer is not reached, then ``LoginFailed``."""
        if self._config.auth == "plain":
            with self._told():
                self._connect()
                self._answer_to_login(login_actions(self._config)[0])
            return
        with self._told():
            self._connect()
            challenge = self._answer_to_login(login_actions(self._config)[0]).get("challenge")
        key = key_of(challenge, self._config.secret.get_secret_value())
        with self._told(key):
            self._answer_to_login(login_actions(self._config, challenge)[1])

    def detach(self) -> tuple[socket.socket, bytes]:
        """Return the open connection and what was read of it already, for whoever goes on; leaving the ``with`` block
        closes it no more.
        """
        assert self._lines is not None
        lines, self._lines = self._lines, None
        return lines.detach()

    def ask(self, action: bytes) -> Block:
        """Send one action, which may take effect. Raises ``Failed`` (*unknown*) when no answer to it comes."""
        with self._told():
            return self._ask(action)

    def ask_and_watch(
        self, action: bytes, seconds: float, is_news: Callable[[Block], bool]
    ) -> tuple[Block, Block | None]:
        """Send one action and, after a yes, wait ``seconds`` at most for an event for which ``is_news`` is true.

        Return the answer and the event, or None. Raises ``Failed`` as ``ask`` does, never for the wait.
        """
        with self._told():
            answer = self._ask(action)
            return answer, self._watch(seconds, is_news) if answer.succeeded and seconds else None

    def _ask(self, action: bytes) -> Block:
        try:
            return self._exchange(action)
        except OSError as error:
            raise Failed(Outcome.UNKNOWN, self._reason(error), code_of(error)) from error

    def _watch(self, seconds: float, is_news: Callable[[Block], bool]) -> Block | None:
        """Wait for the event that ``is_news`` and keep only it for the traffic log: the other events are of other
        people's calls.
        """
        assert self._lines is not None
        kept = len(self._heard.came)
        with suppress(OSError):
            self._lines.attempt = Attempt(min(seconds, self._attempt.left_s()))
            while not is_news(block := self._block()):
                del self._heard.came[kept:]
            return block
        del self._heard.came[kept:]
        return None

    def _connect(self) -> None:
        config = self._config
        try:
            self._lines = Lines(
                config.address,
                config.port,
                self._attempt,
                self._heard,
                connect_s=config.connect_timeout_s,
                trust=self._trust,
                public_only=config.public_only,
            )
        except OSError as error:
            raise Failed(Outcome.UNREACHABLE, self._reason(error), code_of(error)) from error
        banner = self._before_the_order(self._line)
        if BANNER not in banner:
            raise LoginFailed(Outcome.UNREACHABLE, Text(_NO_AMI.id, said=self._say.quoted(banner)))
        self._heard.came.clear()

    def _answer_to_login(self, action: bytes) -> Block:
        block = self._before_the_order(lambda: self._exchange(action))
        if block.get("response") == "Error":
            raise LoginFailed(Outcome.REFUSED, block.refusal)
        if not block.succeeded:
            raise LoginFailed(Outcome.UNREACHABLE, self._say.quoted(block.raw.decode("utf-8", "replace")))
        return block

    def _before_the_order(self, act: Callable[[], T]) -> T:
        """Return what ``act`` returns. Raises ``LoginFailed``: whatever goes wrong now, nothing was ordered."""
        try:
            return act()
        except OSError as error:
            raise LoginFailed(Outcome.UNREACHABLE, self._reason(error), code_of(error)) from error

    def _exchange(self, action: bytes) -> Block:
        """Send ``action`` and return its answer, passing over events. Raises ``OSError``."""
        assert self._lines is not None
        self._lines.send(action)
        while not (block := self._block()).is_answer:
            self._heard.came.clear()
        return block

    def _block(self) -> Block:
        """Read one block; what is no ``Name: value`` line is passed over. Raises ``OSError``."""
        block = Block()
        start = len(self._heard.came)
        while True:
            line = self._line()
            if not line and block.lines:
                block.raw = bytes(self._heard.came[start:])
                return block
            name, colon, value = line.partition(":")
            if colon:
                block.lines.setdefault(name.strip().lower(), value.strip())

    def _line(self) -> str:
        assert self._lines is not None
        line = self._lines.line()
        try:
            return line.decode()
        except UnicodeDecodeError:
            return line.decode("latin-1")

    def _reason(self, error: OSError) -> Text:
        return reason_of(error, connect_s=self._config.connect_timeout_s, total_s=self._config.timeout_s)

    def _problem(self, error: Exception) -> Text:
        return self._say.clean(error.reason if isinstance(error, Failed) else str(error))

    @contextmanager
    def _told(self, *hidden: str) -> Iterator[None]:
        """Tell who listens of the exchange in this block; ``hidden`` is secret in it besides the configured secret."""
        secrets = (*hidden, self._config.secret.get_secret_value())
        with told(self._config.peer, self._problem, secrets=secrets) as heard:
            self._heard = heard
            if self._lines is not None:
                self._lines.heard = heard
            yield
