"""Runs the tests that stand in a preset's file, without any socket: is this what goes out, and what comes of it?"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from lxml import etree
from pydantic import TypeAdapter, ValidationError
from urllib3 import HTTPHeaderDict

from adapters.http.client import HttpAnswer, HttpRequest, Peer
from adapters.http.connection import Attempt
from adapters.http.outcomes import Failed, FailureCode
from adapters.http.settings import HttpConfig
from adapters.presets.adapter import PresetAdapter
from adapters.presets.schema import ForwardTrial, Preset, PresetTrial, TrialExchange
from adapters.presets.settings import config_class_of
from adapters.soap.envelope import parsed
from gateway.adapter import Delivery, Outcome, Outgoing
from gateway.config.validation import sentences
from gateway.domain.event_fields import FIELDS
from gateway.errors import AdapterError
from gateway.texts.text import Text

_USUAL = {"host": "", "user-agent": "cti-gateway", "accept": "*/*", "accept-encoding": "identity"}
_USUAL |= {"connection": "", "content-length": ""}
"""Headers that a test need not list; with a value: only when they have it."""
_SILENCE = {
    "no answer": Failed(Outcome.UNKNOWN, Text("no complete answer"), FailureCode.ANSWER_TIMEOUT),
    "no connection": Failed(Outcome.UNREACHABLE, Text("connection refused"), FailureCode.CONNECTION_REFUSED),
}

Request = tuple[str, dict[str, str], str]
"""Request line, headers that are not usual by their names in small letters, and body."""


class ScriptedPeer(Peer):
    """Writes down each request and gives the next answer of a script."""

    def __init__(self, config: HttpConfig, *, name: str, script: Sequence[TrialExchange]) -> None:
        super().__init__(config, name=name)
        self.sent: list[bytes] = []
        self._answers = [exchange.answer for exchange in script]

    def exchange(self, request: HttpRequest, attempt: Attempt | None = None) -> HttpAnswer:
        """Return the next answer of the script. Raises ``Failed`` where the script is silent, or has no answer left."""
        self.sent.append(self.record(request).data)
        if not self._answers:
            raise Failed(Outcome.UNREACHABLE, Text("the test has no more answers"))
        text = self._answers.pop(0)
        if text.strip() in _SILENCE:
            raise _SILENCE[text.strip()]
        return _answer(text)


PLAIN_EVENT: Mapping[str, str] = {
    **dict.fromkeys(FIELDS, ""),
    "tenant": "acme",
    "zone": "America/Sao_Paulo",
    "revision": "1",
    "call_id": "18",
    "ramal": "2000",
    "telefone": "4799998888",
    "number_kind": "mobile",
    "number_e164": "+554799998888",
    "direction": "incoming",
    "started_at": "2026-03-05T17:20:31.000Z",
    "occurred_at": "2026-03-05T17:20:31.000Z",
    "missed": "false",
}
"""The fields of an event of a test that says nothing else."""


def failures(preset: Preset, trial: PresetTrial) -> list[str]:
    """Run ``trial`` and return what does not hold, as sentences; empty when all does."""

    def act(adapter: PresetAdapter) -> Delivery:
        if trial.kept is not None:
            adapter.resume(trial.kept)
        return _done(adapter, trial)

    return _failures(preset, trial, act)


def forward_failures(preset: Preset, trial: ForwardTrial) -> list[str]:
    """Run the test of an event and return what does not hold, as sentences; empty when all does."""
    message = Outgoing(trial.event, "17", {**PLAIN_EVENT, **trial.known, **trial.fields})
    if unknown := sorted(trial.fields.keys() - FIELDS.keys()):
        return [f"an event has no field {unknown[0]!r}"]

    def act(adapter: PresetAdapter) -> Delivery:
        skipped = adapter.unwanted(message) is not None
        return adapter.deliver(message) if not skipped or trial.exchange else Delivery(Outcome.ACCEPTED, "")

    return _failures(preset, trial, act)


def _failures(preset: Preset, trial: PresetTrial | ForwardTrial, act: Callable[[PresetAdapter], Delivery]) -> list[str]:
    try:
        config = TypeAdapter(config_class_of(preset)).validate_python(
            {"preset": "tried", **preset.given, **trial.given}
        )
        peers: list[ScriptedPeer] = []
        adapter = PresetAdapter(config, name="pabx", peer=partial(_noted, peers, trial.exchange))
    except ValidationError as error:
        return [str(sentence) for sentence in sentences(error, "given", config_class_of(preset))]
    except AdapterError as error:
        return [f"the preset cannot be used: {error}"]
    delivery = act(adapter)
    sent = list(peers[0].sent)
    adapter.close()
    return [*_unlike(trial, sent), *_unmet(trial, delivery)]


def _noted(
    peers: list[ScriptedPeer], script: Sequence[TrialExchange], config: HttpConfig, *, name: str
) -> ScriptedPeer:
    peers.append(ScriptedPeer(config, name=name, script=script))
    return peers[0]


def _done(adapter: PresetAdapter, trial: PresetTrial) -> Delivery:
    fields = trial.order.model_dump()
    if trial.hang_up is None:
        return adapter.deliver(Outgoing("dial", trial.order.order_id, fields))
    return adapter.hangup(Outgoing("hangup", trial.order.order_id, {**fields, "peer_ref": trial.hang_up}))


def _unlike(trial: PresetTrial | ForwardTrial, sent: Sequence[bytes]) -> Iterator[str]:
    for place, exchange in enumerate(trial.exchange):
        expected = _request(*_written(exchange.sent))
        went = _request(*_received(sent[place])) if place < len(sent) else None
        if went is None:
            yield f"exchange {place + 1}: nothing went out, expected {expected[0]}"
        elif went != expected:
            shown = _shown_both(went, expected)
            yield f"exchange {place + 1}: this went out:\n{shown[0]}\n  expected:\n{shown[1]}"
    for more in sent[len(trial.exchange) :]:
        yield f"one more request went out:\n{_shown(_request(*_received(more)))}"


def _unmet(trial: PresetTrial | ForwardTrial, delivery: Delivery) -> Iterator[str]:
    if isinstance(trial, ForwardTrial) and dict(delivery.kept) != trial.keeps:
        yield f"it keeps {dict(delivery.kept)}, expected {trial.keeps}"
    if delivery.outcome != trial.outcome:
        yield f"the outcome is {delivery.outcome}, expected {trial.outcome}: {delivery.detail}"
    if isinstance(trial, PresetTrial) and trial.ref is not None and delivery.peer_ref != trial.ref:
        yield f"the ref is {delivery.peer_ref!r}, expected {trial.ref!r}"
    if trial.says not in delivery.detail:
        yield f"it says {delivery.detail!r}, expected {trial.says!r} in it"


def _written(text: str) -> tuple[str, str]:
    """Return head and body as a test has them; the line end before the closing quotes belongs to the file, not to the
    body.
    """
    head, _, body = text.lstrip("\n").partition("\n\n")
    return head, body.removesuffix("\n")


def _received(data: bytes) -> tuple[str, str]:
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    return head, body


def _request(head: str, body: str) -> Request:
    line, *lines = head.strip().splitlines()
    pairs = (each.partition(":") for each in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    told = {name: value for name, value in headers.items() if _USUAL.get(name, value + ".") not in ("", value)}
    return line.removesuffix(" HTTP/1.1").strip(), told, _canonical(body)


def _canonical(body: str) -> str:
    """Return XML without the white space that only serves readers; all else as it is, to the last line end."""
    root = parsed(body.strip().encode()) if body.lstrip().startswith("<") else None
    if root is None:
        return body
    for element in root.iter():
        element.text = element.text if (element.text or "").strip() else None
        element.tail = None
    return str(etree.tostring(root, method="c14n2").decode())


def _shown_both(went: Request, expected: Request) -> tuple[str, str]:
    """Return both texts; line ends are made visible where nothing else is different."""
    visible = went[2] != expected[2] and went[2].split() == expected[2].split()
    return _shown(went, visible=visible), _shown(expected, visible=visible)


def _shown(request: Request, *, visible: bool = False) -> str:
    line, headers, body = request
    if visible:
        body = body.replace("\r", "\\r").replace("\n", "\\n\n") + "<end>"
    lines = (line, *(f"{name}: {value}" for name, value in headers.items()), *body.split("\n"))
    return "\n".join(f"    {each}" for each in lines)


def _answer(text: str) -> HttpAnswer:
    head, body = _written(text)
    line, *lines = head.rstrip("\n").split("\n")
    status = next(word for word in line.split() if word.isdigit())
    headers = HTTPHeaderDict()
    for each in lines:
        name, _, value = each.partition(":")
        headers[name.strip()] = value.strip()
    return HttpAnswer(int(status), headers, body.encode())
