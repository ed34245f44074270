"""Guess a mapping to start from, by what requests look like: names of keys, and what stands at them.

A guess is for a person to read and put right; it is never used by itself.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import tomli_w

from gateway.mapping.bodies import UnreadableBody, WebhookRequest, document_of
from gateway.mapping.moments import read_moment, read_seconds
from gateway.mapping.paths import text_of
from gateway.mapping.sides import bare, direction_of

MOST_LEAVES = 500
MOST_KINDS = 40
UTC = ZoneInfo("UTC")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PLAIN_NAME = re.compile(r"[^.\[\]@*]+")


class Leaf(NamedTuple):
    """A text somewhere in a request: its path, the words of its last name, those above, and the text."""

    path: str
    words: tuple[str, ...]
    above: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Clue:
    """What a value's key is called, in words without separators, the likeliest first; and what may stand there."""

    names: tuple[str, ...]
    fits: Callable[[str], bool]


def _is_number(text: str) -> bool:
    digits = sum(sign.isdigit() for sign in text)
    return digits >= 8 and sum(sign.isalpha() for sign in bare(text)) == 0 and len(text) <= 64


def _is_extension(text: str) -> bool:
    return re.fullmatch(r"[0-9]{2,6}", bare(text)) is not None


def _is_moment(text: str) -> bool:
    try:
        read_moment(text, UTC)
    except ValueError:
        return False
    return True


def _is_length(text: str) -> bool:
    try:
        read_seconds(text)
    except ValueError:
        return False
    return not _is_moment(text)


def _is_id(text: str) -> bool:
    return 1 <= len(text) <= 200 and any(sign.isdigit() for sign in text) and " " not in text


def _is_words(text: str) -> bool:
    return 1 <= len(text) <= 200


def _is_event(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z][\w .:/-]{1,60}", text) is not None


CLUES: Mapping[str, Clue] = {
    "event": Clue(
        (
            *("event", "eventtype", "eventname", "evento", "type", "tipo", "action", "notification", "requesttype"),
            *("callstatus", "callstate", "status", "state", "estado", "situacao"),
        ),
        _is_event,
    ),
    "id": Clue(
        (
            *("callid", "callsid", "calluuid", "linkedid", "callsessionid", "sessionid", "conversationuuid"),
            *("uniqueid", "pbxcallid", "idligacao", "idchamada", "callref", "uuid", "sid", "id"),
        ),
        _is_id,
    ),
    "event_id": Clue(("eventid", "eventuuid", "messageid", "notificationid", "webhookid", "uid"), _is_id),
    "sequence": Clue(("sequencenumber", "sequence", "seq"), str.isdigit),
    "at": Clue(
        ("timestamp", "eventtime", "eventts", "occurredat", "time", "ts", "date", "datetime", "datahora", "createdat"),
        _is_moment,
    ),
    "started_at": Clue(
        ("startedat", "starttime", "startdate", "callstart", "timestart", "datacriacao", "inicio", "datainicio"),
        _is_moment,
    ),
    "answered_at": Clue(
        ("answeredat", "answertime", "answerstarttime", "connectedat", "dataatendimento", "answer"), _is_moment
    ),
    "ended_at": Clue(
        ("endedat", "endtime", "callendtime", "hangupat", "hanguptime", "datafim", "fim", "end"), _is_moment
    ),
    "direction": Clue(
        ("direction", "calldirection", "direcao", "sentido", "calltype", "way", "type", "tipo"),
        lambda text: direction_of(text) is not None,
    ),
    "number": Clue(
        (
            *("callernumber", "callerid", "callfrom", "from", "caller", "ani", "src", "source", "origin", "origem"),
            *(
                "rawdigits",
                "externalnumber",
                "phonenumber",
                "phone",
                "telefone",
                "number",
                "numero",
                "cliente",
                "remote",
            ),
        ),
        _is_number,
    ),
    "extension": Clue(
        (
            *("extension", "extensionnumber", "ext", "exten", "ramal", "internal", "internalnumber", "answeringnumber"),
            *("agentextension", "userextension", "device", "peer", "user", "agent", "agente", "to", "callee", "called"),
        ),
        _is_extension,
    ),
    "line": Clue(
        (
            "did",
            "dnis",
            "didnumber",
            "calleddid",
            "line",
            "linenumber",
            "linha",
            "tonumber",
            "to",
            "called",
            "destination",
        ),
        _is_number,
    ),
    "queue": Clue(("queuename", "queue", "fila", "group", "acdgroup", "grupo"), _is_words),
    "caller_name": Clue(("callername", "calleridname", "fromname", "contactname", "nome"), _is_words),
    "result": Clue(
        (
            "hangupcause",
            "disposition",
            "cause",
            "result",
            "resultado",
            "reason",
            "disconnectreason",
            "motivodesconexao",
        ),
        _is_words,
    ),
    "duration": Clue(
        ("talkduration", "billsec", "talktime", "duracaofaladasegundos", "callduration", "duration", "duracao"),
        _is_length,
    ),
    "recording": Clue(
        ("recordingurl", "recordurl", "recording", "urlgravacao", "gravacao", "urlaudio"),
        lambda text: text.startswith(("http://", "https://")),
    ),
    "hung_up_by": Clue(("hungupby", "hangupsource", "whohungup", "desligou", "hangupby"), _is_words),
}
PAIRS = (
    *(("from", "to"), ("caller", "called"), ("caller", "callee"), ("src", "dst"), ("source", "destination")),
    *(("callfrom", "callto"), ("fromnumber", "tonumber"), ("origem", "destino"), ("origin", "destination")),
    *(("callernumber", "destinationnumber"), ("callernumber", "calleenumber"), ("callerid", "destination")),
)
"""Names of who calls and who is called."""
KIND_WORDS: Sequence[tuple[str, tuple[str, ...]]] = (
    ("resumed", ("resume", "unhold", "retriev", "retom")),
    ("held", ("hold", "espera", "park")),
    ("transferred", ("transfer",)),
    ("noted", ("record", "gravac", "transcri", "summary", "qualif", "voicemail")),
    ("agent_state", ("agent", "login", "logout", "pause", "idle", "presence")),
    ("ended", ("unanswer", "notanswer", "noanswer", "naoatend", "missed", "perdida")),
    ("queue_left", ("queueleft", "queueleave", "leavequeue", "queueexit", "abandon")),
    ("queue_entered", ("queue", "fila")),
    (
        "ended",
        ("hang", "hung", "end", "complet", "finish", "destroy", "bye", "disconnect", "gone", "busy", "fail", "cancel"),
    ),
    ("ended", ("reject", "down", "terminat", "desliga", "fim", "final", "encerr", "over", "stop", "cdr", "close")),
    ("answered", ("answer", "connect", "bridge", "establish", "talk", "atend", "accept", "inprogress", "active")),
    ("started", ("ring", "new", "start", "init", "creat", "incoming", "outgoing", "trying", "dial", "call", "alert")),
    ("started", ("chama", "inici", "appear", "invite", "early", "proceed", "setup", "receiv", "notify")),
)
"""Words in the names of events, the telling ones first."""


def guess(requests: Sequence[WebhookRequest]) -> dict[str, Any]:
    """Return a mapping, as plain data, guessed from ``requests``; its ``kinds`` are those that came."""
    documents = [document for request in requests if (document := _document(request)) is not None]
    leaves = [leaf for document in documents for leaf in _leaves(document)]
    values = _values(leaves)
    event = values.pop("event", None)
    mapping: dict[str, Any] = {}
    if event is not None:
        mapping["event"] = event
        mapping["kinds"] = _kinds(leaf.text for leaf in leaves if leaf.path == event)
    else:
        mapping["other"] = "started"
    return mapping | {"values": values}


def written(mapping: Mapping[str, Any], tenant: str, source: str) -> str:
    """Return ``mapping`` as TOML for the configuration."""
    table = {"tenants": {tenant: {"sources": {source: {"kind": "webhook", "mapping": dict(mapping)}}}}}
    return tomli_w.dumps(table)


def _document(request: WebhookRequest) -> Any:
    try:
        return document_of(request)
    except UnreadableBody:
        return None


def _values(leaves: Sequence[Leaf]) -> dict[str, str]:
    """Return the likeliest path of each value; no path is taken for two, the surest match first."""
    pair = _pair(leaves)
    chosen = dict(zip(("origin", "destination"), pair, strict=False))
    left = {"number"} if pair else set()
    ranked = sorted(
        {
            (score, name, leaf.path)
            for leaf in leaves
            for name, clue in CLUES.items()
            if name not in left and (score := _score(name, clue, leaf)) is not None
        }
    )
    for _rank, name, path in ranked:
        if name not in chosen and path not in chosen.values():
            chosen[name] = path
    return {name: chosen[name] for name in (*CLUES, "origin", "destination") if name in chosen}


def _pair(leaves: Sequence[Leaf]) -> tuple[str, ...]:
    """Return the paths of who calls and who is called, where both stand side by side under names that go together."""
    found = {(leaf.path.rpartition(".")[0], "".join(leaf.words)): leaf.path for leaf in leaves if _is_party(leaf.text)}
    for place, name in found:
        for caller, called in PAIRS:
            if name == caller and (place, called) in found:
                return found[place, caller], found[place, called]
    return ()


def _is_party(text: str) -> bool:
    return _is_number(text) or _is_extension(text)


def _score(name: str, clue: Clue, leaf: Leaf) -> tuple[int, int] | None:
    """Return how badly a place fits a value, less is better; None where it does not fit at all."""
    if not clue.fits(leaf.text):
        return None
    joined = "".join(leaf.words)
    whole = "".join((*leaf.above[-1:], *leaf.words))
    for place, known in enumerate(clue.names):
        if known in (joined, whole):
            return place, len(leaf.above)
    return None


def _kinds(names: Iterator[str]) -> dict[str, str]:
    found = Counter(names)
    return {name: kind_of(name) for name, _count in found.most_common(MOST_KINDS)}


def kind_of(name: str) -> str:
    """Return the kind that the name of an event sounds like; ``ignore`` where it sounds like none."""
    plain = _SEPARATORS.sub("", name.lower())
    if "up" in _words(name) and "hung" not in plain:
        return "answered"
    return next((kind for kind, words in KIND_WORDS if any(word in plain for word in words)), "ignore")


def _leaves(document: Any) -> Iterator[Leaf]:
    """Yield the texts of a document with their paths, those near its root first; at most ``MOST_LEAVES``."""
    level: list[tuple[str, tuple[str, ...], Any]] = [("", (), document)]
    count = 0
    while level and count < MOST_LEAVES:
        below: list[tuple[str, tuple[str, ...], Any]] = []
        for path, names, node in level:
            if isinstance(node, dict | list):
                below += _children(path, names, node)
            elif names and text_of(node):
                count += 1
                yield Leaf(
                    path, _words(names[-1]), tuple(word for name in names[:-1] for word in _words(name)), text_of(node)
                )
        level = below


def _children(path: str, names: tuple[str, ...], node: Any) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    if isinstance(node, list):
        # Into a list a path leads to its first element by itself.
        yield from ((path, names, child) for child in node[:1])
        return
    for name, child in node.items():
        if _PLAIN_NAME.fullmatch(str(name)) or "." in str(name):
            yield (f"{path}.{name}" if path else str(name)), (*names, str(name)), child


def _words(name: str) -> tuple[str, ...]:
    split = _SEPARATORS.sub(" ", _CAMEL.sub(" ", name).lower())
    return tuple(split.split())
