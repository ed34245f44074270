"""The words that the search box knows, in Portuguese, English and Spanish, without case and accents."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from gateway.domain.calls.results import Result
from gateway.domain.calls.search_terms import Field
from gateway.domain.messages import Direction
from gateway.texts.text import Text, in_context


class Key(NamedTuple):
    """What stands before a colon: its name for people, and the field in which a text is looked for, or the ``kind`` of
    value that it takes.
    """

    name: Text
    field: Field | None = None
    kind: str = ""


def _each(words: str, key: Key) -> dict[str, Key]:
    return dict.fromkeys(words.split(), key)


FIELDS: Mapping[str, Key] = {
    **_each("nome conta cliente contato name account contact nombre cuenta contacto", Key(Text("Name"), Field.NAME)),
    **_each("numero telefone fone tel number phone telefono", Key(Text("Number"), Field.NUMBER)),
    **_each("final fim ending ends termina", Key(Text("Ends with"), Field.ENDING)),
    **_each("codigo cod code cpf cnpj protocolo protocol", Key(Text("Code"), Field.CODE)),
    **_each("nota anotacao note nota notas notes obs", Key(Text("Note"), Field.NOTE)),
    **_each("quem agente atendente who agent quien", Key(Text("Who"), Field.WHO)),
    **_each("fila grupo queue group cola", Key(Text("Queue"), Field.QUEUE)),
    **_each("linha line linea", Key(Text("Line"), Field.LINE)),
    **_each("ramal extension ext", Key(Text("Extension"), kind="extension")),
    **_each("resultado result", Key(Text("Result"), kind="result")),
    **_each("situacao status estado situacion", Key(Text("Status"), kind="status")),
    **_each("sentido direcao direction direccion", Key(Text("Direction"), kind="direction")),
    **_each("dia data em day date on fecha", Key(Text("Day"), kind="day")),
    **_each("de desde from since", Key(Text("From"), kind="since")),
    **_each("ate until to hasta", Key(Text("Until"), kind="until")),
}

MISSED_WORDS = frozenset(("perdida", "perdidas", "perdido", "perdidos", "missed"))
"""What says that a caller reached nobody, whatever the exchange calls that."""


def _named(code: Result, name: Text, words: str) -> dict[str, tuple[str, Text]]:
    return dict.fromkeys((code.value, *words.split("|")), (code.value, name))


RESULTS: Mapping[str, tuple[str, Text]] = {
    **_named(Result.ANSWERED, Text("Answered"), "atendida|atendidas|atendido|contestada|contestadas"),
    **_named(
        Result.MISSED,
        Text("Not answered"),
        "nao atendida|nao atendidas|not answered|no answer|no contestada|no atendida",
    ),
    **_named(Result.BUSY, Text("Busy"), "ocupado|ocupada"),
    **_named(Result.REJECTED, Text("Rejected"), "rejeitada|recusada|rechazada"),
    **_named(Result.FAILED, Text("Not completed"), "nao completada|falhou|falha|not completed|no completada|fallida"),
    **_named(Result.CANCELLED, Text("Cancelled before it was answered"), "cancelada|canceled"),
    **_named(Result.VOICEMAIL, Text("Voicemail"), "caixa postal|correio de voz|buzon|buzon de voz"),
    **_named(Result.ABANDONED, Text("Abandoned while waiting"), "abandonada|abandonadas|desistencia"),
    **_named(Result.FORWARDED, Text("Forwarded"), "encaminhada|desviada|transferida"),
    **_named(Result.UNKNOWN, Text("Unknown"), "desconhecido|desconhecida|desconocido"),
}

_GOING_ON = (("waiting", "ringing", "talking"), in_context("of calls", "in progress"))
_ENDED = (("ended",), in_context("of calls", "ended"))
_LOST = (("lost",), Text("no end reported"))
_OVER = (("over",), Text("marked as ended"))
STATUSES: Mapping[str, tuple[tuple[str, ...], Text]] = {
    **dict.fromkeys(("em andamento", "andamento", "agora", "in progress", "now", "en curso", "ahora"), _GOING_ON),
    **dict.fromkeys(("encerrada", "encerradas", "ended", "terminada", "finalizada"), _ENDED),
    **dict.fromkeys(("sem fim", "lost", "no end", "sin fin"), _LOST),
    **dict.fromkeys(("marcada", "over", "marked"), _OVER),
}

_IN = (Direction.INCOMING.value, in_context("of calls", "incoming"))
_OUT = (Direction.OUTGOING.value, in_context("of calls", "outgoing"))
_INNER = (Direction.INTERNAL.value, in_context("of calls", "internal"))
DIRECTIONS: Mapping[str, tuple[str, Text]] = {
    **dict.fromkeys(("entrada", "recebida", "recebidas", "incoming", "in", "entrante", "entrantes"), _IN),
    **dict.fromkeys(("saida", "efetuada", "efetuadas", "outgoing", "out", "salida", "saliente", "salientes"), _OUT),
    **dict.fromkeys(("interna", "internas", "internal"), _INNER),
}

DAY = timedelta(days=1)
Days = Callable[[date], tuple[date, date]]


def _ago(days: int) -> Days:
    return lambda today: (today - DAY * days, today - DAY * days)


def _week(weeks: int) -> Days:
    """Return a week from Monday on; the running one up to today."""

    def days(today: date) -> tuple[date, date]:
        monday = today - DAY * (today.weekday() + 7 * weeks)
        return monday, min(today, monday + DAY * 6)

    return days


def _month(months: int) -> Days:
    def days(today: date) -> tuple[date, date]:
        at = today.year * 12 + today.month - 1 - months
        first, following = date(at // 12, at % 12 + 1, 1), date((at + 1) // 12, (at + 1) % 12 + 1, 1)
        return first, min(today, following - DAY)

    return days


DAYS: Mapping[str, Days] = {
    **dict.fromkeys(("hoje", "today", "hoy"), _ago(0)),
    **dict.fromkeys(("ontem", "yesterday", "ayer"), _ago(1)),
    **dict.fromkeys(("anteontem", "anteayer"), _ago(2)),
    **dict.fromkeys(("semana", "esta semana", "week", "this week"), _week(0)),
    **dict.fromkeys(("semana passada", "last week", "semana pasada"), _week(1)),
    **dict.fromkeys(("mes", "este mes", "month", "this month"), _month(0)),
    **dict.fromkeys(("mes passado", "last month", "mes pasado"), _month(1)),
}
"""Words for days."""
ALONE = frozenset(("hoje", "today", "hoy", "ontem", "yesterday", "ayer", "anteontem", "anteayer"))
"""Those that say so without ``dia:`` in front; a week or a month may be somebody's name."""
