"""The calls of a simulated Asterisk: what became of an originate, by the manager interface or by ARI."""

import re
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from threading import Lock

from gateway.simulators.exchange import whole
from gateway.texts.text import Text

SYSTEM = "bench"
"""The ``systemname`` of the Asterisk that was recorded; it begins channel ids."""
ABSENT = "absent"
RINGS_S = 30.0
"""Seconds that an extension rings when the order names no timeout."""
LONGEST_MS = 600_000
CALLS_KEPT = 200
BUSY, NO_ANSWER, CONGESTION, REJECTED = "busy", "no-answer", "congestion", "rejected"
REASONS = {"": "4", BUSY: "5", NO_ANSWER: "3", CONGESTION: "8", REJECTED: "0"}
"""Asterisk's reason codes in OriginateResponse, by what happened to the extension."""


def call_failures(asynchronous: str) -> Mapping[str, Text]:
    """Return what can happen to a call; ``asynchronous`` is how an order says that nobody waits for it."""
    said = {"asynchronous": asynchronous}
    return {
        BUSY: Text(
            "the extension is busy: 'Originate failed'; with {asynchronous} 'queued', and the event says Reason 5",
            **said,
        ),
        NO_ANSWER: Text(
            "nobody answers: 'Originate failed' after the order's timeout; with {asynchronous} Reason 3", **said
        ),
        CONGESTION: Text("no line: as busy, with Reason 8"),
        REJECTED: Text("the phone rejects the call: as busy, with Reason 0"),
        ABSENT: Text("'Extension does not exist.': the destination is not in the dialplan"),
    }


@dataclass(frozen=True)
class Originate:
    """An originate: what it asked for and what becomes of it after ``rings_s``."""

    extension: str
    number: str
    channel: str
    call_id: str = ""
    failure: str = ""
    rings_s: float = 0.0
    named: bool = False

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> "Originate":
        """Make an originate that did not get as far as ringing."""
        channel = fields.get("channel", "")
        return cls(extension_of(channel), fields.get("exten", ""), channel, failure="refused")

    @property
    def taken(self) -> bool:
        return not self.failure

    def event(self, fields: Mapping[str, str]) -> Sequence[tuple[str, str]]:
        """Return the OriginateResponse by which Asterisk tells how an asynchronous originate ended."""
        action_id = [("ActionID", fields["actionid"])] if fields.get("actionid") else []
        return [
            ("Event", "OriginateResponse"),
            ("Privilege", "call,all"),
            ("SystemName", SYSTEM),
            *action_id,
            ("Response", "Success" if self.taken else "Failure"),
            ("Channel", f"{self.channel}-00000001;1" if self.taken else self.channel),
            ("Context", fields.get("context", "")),
            ("Exten", self.number),
            ("Reason", REASONS.get(self.failure, "0")),
            ("Uniqueid", self.call_id if self.taken or self.named else "<unknown>"),
            ("CallerIDNum", fields.get("callerid", "") or "<unknown>"),
            ("CallerIDName", "<unknown>"),
        ]


def extension_of(channel: str) -> str:
    """Return the extension that a channel rings: 3501 for ``Local/3501@phones/n``, ``PJSIP/3501`` and
    ``SIP/3501-0000001a``.
    """
    return re.split(r"[@/-]", channel.partition("/")[2], maxsplit=1)[0]


class Calls:
    """The calls that are alive, by their channel id; ``failure`` is what happens to each extension that is rung."""

    def __init__(self, failure: str, ring_s: float) -> None:
        self._failure = failure if failure in REASONS else ""
        self._ring_s = ring_s
        self._alive: OrderedDict[str, None] = OrderedDict()
        self._counter = count()
        self._lock = Lock()

    def place(self, fields: Mapping[str, str]) -> Originate:
        """Ring the channel. ``timeout`` is in milliseconds."""
        allowed_s = (whole(fields.get("timeout", ""), most=LONGEST_MS) or RINGS_S * 1000) / 1000
        failure = NO_ANSWER if not self._failure and self._ring_s > allowed_s else self._failure
        rings_s = {NO_ANSWER: allowed_s, "": self._ring_s}.get(failure, 0.0)
        wanted = fields.get("channelid", "")
        order = Originate(
            extension_of(fields["channel"]),
            fields.get("exten", ""),
            fields["channel"],
            wanted or self.new_id(),
            failure,
            rings_s,
            bool(wanted),
        )
        if order.taken:
            self.begin(order.call_id)
        return order

    def new_id(self) -> str:
        return f"{SYSTEM}-{int(time.time())}.{next(self._counter)}"

    def begin(self, call_id: str) -> None:
        with self._lock:
            self._alive[call_id] = None
            while len(self._alive) > CALLS_KEPT:
                self._alive.popitem(last=False)

    def alive(self, call_id: str) -> bool:
        with self._lock:
            return call_id in self._alive

    def hang_up(self, call_id: str) -> bool:
        """End a call; False when there is none of that id."""
        with self._lock:
            return self._alive.pop(call_id, 0) is None

    @staticmethod
    def timestamp() -> str:
        return f"{time.time():.6f}"
