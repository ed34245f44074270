"""What values and events are usually called: the knowledge behind a guessed mapping."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.mapping.moments import read_moment, read_seconds
from gateway.mapping.sides import bare, direction_of

UTC = ZoneInfo("UTC")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


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
            *("protocolo", "protocol", "protocolnumber"),
        ),
        _is_id,
    ),
    "event_id": Clue(("eventid", "eventuuid", "messageid", "notificationid", "webhookid", "uid"), _is_id),
    "sequence": Clue(("sequencenumber", "sequence", "seq"), str.isdigit),
    "at": Clue(
        (
            *("timestamp", "eventtime", "eventts", "occurredat", "time", "ts", "date", "datetime", "datahora"),
            *("createdat", "quando", "when", "horario", "data", "momento"),
        ),
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
            *("ramalnumero", "ramalid", "agentnumber", "agentenumero", "atendenteramal", "operadorramal"),
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
            "hangupreason",
            "endreason",
            "motivo",
            "desfecho",
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
AGENTS = frozenset(("agent", "agente", "atendente", "operador", "operator", "ramal", "extension", "user", "usuario"))
"""Names of what a *name* within belongs to that is no caller."""
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
    ("noted", ("record", "gravac", "transcri", "summary", "qualif", "voicemail", "pesquisa", "survey", "avaliac")),
    ("agent_state", ("agent", "login", "logout", "pause", "idle", "presence")),
    ("ended", ("unanswer", "notanswer", "noanswer", "naoatend", "missed", "perdida")),
    ("answered", ("atend", "contestad")),
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


def is_party(text: str) -> bool:
    """Return whether ``text`` may be one side of a call."""
    return _is_number(text) or _is_extension(text)


def kind_of(name: str) -> str:
    """Return the kind that the name of an event sounds like; ``ignore`` where it sounds like none."""
    plain = _SEPARATORS.sub("", name.lower())
    if "up" in words_of(name) and "hung" not in plain:
        return "answered"
    return next((kind for kind, words in KIND_WORDS if any(word in plain for word in words)), "ignore")


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name, in small letters: ``callStart`` and ``call_start`` are two."""
    split = _SEPARATORS.sub(" ", _CAMEL.sub(" ", name).lower())
    return tuple(split.split())
