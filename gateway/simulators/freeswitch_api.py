"""The API commands of a simulated FreeSWITCH: what ``originate`` and its kin answer."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from uuid import uuid4

from gateway.simulators.exchange import whole
from gateway.texts.text import Text

UNKNOWN = "unknown command"
"""The result of no command; XML-RPC and URL word it differently."""
USAGE = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] "
    "[<timeout_sec>]\n"
)
RINGS_S = 60.0
CALLS_KEPT = 200
NO_ANSWER = "no-answer"
CAUSES = {
    "busy": "USER_BUSY",
    NO_ANSWER: "NO_ANSWER",
    "congestion": "NORMAL_CIRCUIT_CONGESTION",
    "rejected": "CALL_REJECTED",
    "no-route": "NO_ROUTE_DESTINATION",
    "unregistered": "MANDATORY_IE_MISSING",
}


def _answer(name: str) -> str:
    return f"'-ERR {CAUSES[name]}'"


CALL_FAILURES: Mapping[str, Text] = {
    "busy": Text("the extension is busy: {answer}", answer=_answer("busy")),
    NO_ANSWER: Text("nobody answers, after originate_timeout or 60 s: {answer}", answer=_answer(NO_ANSWER)),
    "congestion": Text("no line: {answer}", answer=_answer("congestion")),
    "rejected": Text("the phone rejects the call: {answer}", answer=_answer("rejected")),
    "no-route": Text("the extension or its context does not exist: {answer}", answer=_answer("no-route")),
    "unregistered": Text("no phone is registered for user/EXTENSION: {answer}", answer=_answer("unregistered")),
}


@dataclass(frozen=True)
class Command:
    """What a command says, after ``rings_s``; with ``call_id`` it made a call."""

    said: str
    extension: str = ""
    number: str = ""
    call_id: str = ""
    rings_s: float = 0.0


class FreeswitchApi:
    """Runs commands; ``failure`` is what happens to each extension that is rung."""

    def __init__(self, failure: str, ring_s: float) -> None:
        self._failure = failure if failure in CAUSES else ""
        self._ring_s = ring_s
        self._alive: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def run(self, command: str, arguments: str) -> Command:
        if command == "originate":
            return self._originate(arguments)
        if command == "bgapi":
            return self._background(arguments)
        if command == "uuid_kill":
            return Command(self._kill(arguments))
        if command == "uuid_exists":
            return Command("true" if arguments.strip() in self._alive else "false")
        if command == "status":
            return Command("UP 0 years, 0 days, 0 hours, 1 minute, 0 seconds, 0 milliseconds, 0 microseconds\n")
        return Command(UNKNOWN)

    def _background(self, arguments: str) -> Command:
        """Start a background job (bgapi): it answers at once, whatever becomes of the command."""
        command, _, rest = arguments.partition(" ")
        done = self.run(command, rest)
        return Command(f"+OK Job-UUID: {uuid4()}\n", done.extension, done.number, done.call_id)

    def _originate(self, arguments: str) -> Command:
        found = re.fullmatch(r"\s*(?:\{(?P<variables>[^}]*)\})?(?P<where>\S+)\s+(?P<rest>\S.*)", arguments, re.DOTALL)
        if not found:
            return Command(USAGE)
        variables = dict(pair.split("=", 1) for pair in (found["variables"] or "").split(",") if "=" in pair)
        words = found["rest"].split()
        number = "" if words[0].startswith("&") else words[0]
        timeout = variables.get("originate_timeout") or (words[5] if len(words) > 5 else "")
        seconds = whole(timeout, most=600)
        allowed_s = RINGS_S if seconds is None else float(seconds)
        failure = NO_ANSWER if not self._failure and self._ring_s > allowed_s else self._failure
        extension = _extension(found["where"])
        if failure:
            rings_s = allowed_s if failure == NO_ANSWER else 0.0
            return Command(f"-ERR {CAUSES[failure]}\n", extension, number, rings_s=rings_s)
        call_id = self._begin(variables.get("origination_uuid", ""))
        return Command(f"+OK {call_id}\n", extension, number, call_id, self._ring_s)

    def _begin(self, wanted: str) -> str:
        """Begin a call and return its id: the one wished for, unless a call of that id is alive."""
        with self._lock:
            call_id = wanted if wanted and wanted not in self._alive else str(uuid4())
            self._alive[call_id] = None
            while len(self._alive) > CALLS_KEPT:
                self._alive.popitem(last=False)
        return call_id

    def _kill(self, arguments: str) -> str:
        if not arguments.strip():
            return "-USAGE: <uuid> [cause]\n"
        with self._lock:
            known = self._alive.pop(arguments.split()[0], 0) is None
        return "+OK\n" if known else "-ERR No such channel!\n"


def _extension(where: str) -> str:
    """Return the extension that a dial string rings: 2000 for ``user/2000@dom``, ``loopback/2000/phones`` and
    ``sofia/internal/2000@host``.
    """
    kind, *rest = where.split("/")
    at = 1 if kind == "sofia" and len(rest) > 1 else 0
    return rest[at].partition("@")[0] if len(rest) > at else where
