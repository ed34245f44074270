"""The operations, defined once: SOAP's types, XML-RPC's signatures and the documentation come from here.

A wire hands over its parameters as text by name, and gets the message that they mean. Required parameters
that cannot be used are refused; an optional extra that cannot be read is left out with a warning, because an
event must not be lost for it.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, tzinfo
from functools import cached_property
from typing import TypeVar

import structlog

from gateway.domain.messages import (
    ATTACHED,
    AttachedData,
    CallAnswered,
    CallEnded,
    CallStarted,
    CallTransferred,
    Direction,
    Message,
    Origin,
    PlaceCall,
)
from gateway.errors import BadParameter, MissingParameter
from gateway.texts.text import Text

log = structlog.get_logger()

Texts = Mapping[str, str]
T = TypeVar("T")

TEXT_LIMIT = 255
URL_LIMIT = 2000
LOGIN = ("UsuarioLogin", "UsuarioSenha")
CALL_WITH_LOGIN = 4
"""``ClickToCall(ramal, telefone, login, senha)``; or is it ``ClickToCall(ramal, telefone, central, id_pedido)``?"""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# What an exchange leaves in its template: ${CALLERID}, {{ number }}, [Number], %NUMBER%, $EXTEN, @src@, RAMAL.
PLACEHOLDER = re.compile(
    r"\$?\{{1,2}[^{}]{1,60}\}{1,2}|\[[\w .-]{1,40}\]|%\w{1,40}%|%[a-z]|@\w{1,40}@|\$[a-z_]\w{1,40}"
    r"|ramal|telefone|numero|number|origem|destino|exten|extension|caller_?id|url_audio|id_ligacao|uniqueid",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent the parameters, and when: what a message needs beside them. ``login`` is an agent's."""

    tenant: str
    zone: tzinfo
    origin: Origin
    received_at: int
    login: str | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; on every wire it is text, whatever type the peer guessed for it.

    ``field`` is the field of the call log (``calls --format json``, API) that shows it.
    ``later`` says that it came after the rpc/encoded contract: there it stands behind all others, because clients made
    of an older WSDL send theirs in its order. One that counts ``by_name`` only is not read by position either: what old
    clients send there is something else, such as a login.
    """

    name: str
    help: Text
    field: str
    required: bool = False
    later: bool = False
    by_name: bool = False


@dataclass(frozen=True)
class Operation:
    """One operation. ``build`` makes its message, or None where there is nothing to handle (``Teste``).

    ``dials`` tells the two kinds of access apart: who may send events, and who may have a call placed.
    ``takes_login`` says that an agent's login among the parameters is looked at.
    """

    name: str
    help: Text
    parameters: tuple[Parameter, ...]
    build: Callable[[Texts, Sender], Message | None]
    dials: bool = False
    takes_login: bool = False

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The parameters' names in order."""
        return tuple(parameter.name for parameter in self.parameters)

    @cached_property
    def positional(self) -> tuple[str, ...]:
        """The names in order, for peers that send them by position."""
        return tuple(parameter.name for parameter in self.parameters if not parameter.by_name)

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """The parameters' names by their spelling in small letters, which some peers do not keep to.

        Every request may also carry an agent's login, as the classic WConnect wants it in each.
        """
        return {name.lower(): name for name in (*self.names, *LOGIN)}

    @cached_property
    def published(self) -> tuple[str, ...]:
        """The names in the rpc/encoded contract, in its order: with the login where an operation looks at it."""
        later = tuple(parameter.name for parameter in self.parameters if parameter.later)
        names = tuple(name for name in self.names if name not in later)
        return (*names, *(LOGIN if self.takes_login else ()), *later)

    @cached_property
    def published_positions(self) -> tuple[str, ...]:
        """Those of the rpc/encoded contract that are read by position."""
        by_name = {parameter.name for parameter in self.parameters if parameter.by_name}
        return tuple(name for name in self.published if name not in by_name)


class EitherReading(dict[str, str]):
    """Parameters by position that are a login and its password, or an appliance that nobody knows and a request's id.

    They hold both readings: where no agent has this login and password, the appliance is named as unknown.
    """

    def as_login(self) -> dict[str, str]:
        """Return them read as a login."""
        return {name: text for name, text in self.items() if name not in ("central", "id_pedido")}


def by_position(
    values: Sequence[str], operation: Operation, names: Sequence[str], appliances: Collection[str]
) -> dict[str, str]:
    """Return ``values`` by the ``names`` of their positions; in a click-to-call a login may stand behind the number.

    ``appliances`` are those of the company: any other third value of four is a login.
    """
    if operation.dials and len(values) == CALL_WITH_LOGIN and values[2].strip() and values[2] not in appliances:
        order = ("ramal", "telefone", *LOGIN, "central", "id_pedido")
        return EitherReading(zip(order, (*values, *values[2:]), strict=True))
    if operation.takes_login and len(values) > len(operation.positional):
        names = operation.published_positions
    return {name: value for name, value in zip(names, values, strict=False) if value}


def hidden(values: Iterable[str], texts: Texts, operation: Operation) -> Iterable[str]:
    """Return those of a request's ``values`` that the traffic log must not keep; ``texts`` are those that were read.

    An operation that takes a login may get it under any name, so that all are hidden that are nothing else.
    """
    if not operation.takes_login:
        return [texts.get(LOGIN[1], "")]
    public = set(texts) - {LOGIN[1]} - ({LOGIN[0], "id_pedido"} if isinstance(texts, EitherReading) else set())
    return (Counter(values) - Counter(texts[name] for name in public)).elements()


def call_started(texts: Texts, sender: Sender) -> CallStarted:
    """Make the message of ``ConsultaRamal``. Raises ``MissingParameter``, ``BadParameter``."""
    return CallStarted(
        tenant=sender.tenant,
        ramal=required(texts, sender, "ramal", "3501"),
        telefone=required(texts, sender, "telefone", "4732100123"),
        origin=sender.origin,
        received_at=sender.received_at,
        call_ref=extra(texts, sender, "id_ligacao", read_text),
        occurred_at=extra(texts, sender, "data_hora", lambda text: read_moment(text, sender.zone)),
        direction=extra(texts, sender, "direcao", read_direction),
        **attached(texts, sender),
    )


def call_answered(texts: Texts, sender: Sender) -> CallAnswered:
    """Make the message of ``AtendeLigacao``. Raises ``MissingParameter``, ``BadParameter``."""
    return CallAnswered(
        tenant=sender.tenant,
        ramal=required(texts, sender, "ramal", "3501"),
        telefone=required(texts, sender, "telefone", "4732100123"),
        origin=sender.origin,
        received_at=sender.received_at,
        call_ref=extra(texts, sender, "id_ligacao", read_text),
        occurred_at=extra(texts, sender, "data_hora", lambda text: read_moment(text, sender.zone)),
        direction=extra(texts, sender, "direcao", read_direction),
        **attached(texts, sender),
    )


def call_transferred(texts: Texts, sender: Sender) -> CallTransferred:
    """Make the message of ``TransfereLigacao``. Raises ``MissingParameter``, ``BadParameter``."""
    return CallTransferred(
        tenant=sender.tenant,
        ramal=required(texts, sender, "ramal", "3501"),
        telefone=required(texts, sender, "telefone", "4732100123"),
        to=required(texts, sender, "ramal_destino", "3502"),
        origin=sender.origin,
        received_at=sender.received_at,
        call_ref=extra(texts, sender, "id_ligacao", read_text),
        occurred_at=extra(texts, sender, "data_hora", lambda text: read_moment(text, sender.zone)),
        direction=extra(texts, sender, "direcao", read_direction),
        **attached(texts, sender),
    )


def call_ended(texts: Texts, sender: Sender) -> CallEnded:
    """Make the message of ``FinalizaLigacao``. Raises ``MissingParameter``, ``BadParameter``."""
    return CallEnded(
        tenant=sender.tenant,
        ramal=required(texts, sender, "ramal", "3501"),
        telefone=required(texts, sender, "telefone", "4732100123"),
        origin=sender.origin,
        received_at=sender.received_at,
        recording_url=recording_url(texts, sender),
        call_ref=extra(texts, sender, "id_ligacao", read_text),
        occurred_at=extra(texts, sender, "data_hora", lambda text: read_moment(text, sender.zone)),
        direction=extra(texts, sender, "direcao", read_direction),
        duration_s=extra(texts, sender, "duracao", read_duration),
        result=extra(texts, sender, "resultado", read_words),
        **attached(texts, sender),
    )


def attached(texts: Texts, sender: Sender) -> dict[str, str | None]:
    """Return what an exchange tells of a call in words of its own, by the message's fields."""
    return {name: extra(texts, sender, parameter, read_words) for name, parameter in ATTACHED.items()}


def place_call(texts: Texts, sender: Sender) -> PlaceCall:
    """Make the message of ``ClickToCall``. Raises ``MissingParameter``, ``BadParameter``."""
    appliance, key = (texts.get(name, "").strip() for name in ("central", "id_pedido"))
    return PlaceCall(
        tenant=sender.tenant,
        extension=required(texts, sender, "ramal", "3501"),
        number=required(texts, sender, "telefone", "4732100123"),
        origin=sender.origin,
        received_at=sender.received_at,
        appliance=checked(appliance, "central", TEXT_LIMIT) if appliance else None,
        requested_by=sender.login,
        # Never left out like other extras: without it the call might be dialled twice.
        request_key=checked(key, "id_pedido", TEXT_LIMIT) if key else None,
    )


def nothing(texts: Texts, sender: Sender) -> None:
    """Return no message: ``Teste`` leaves no trace."""


def recording_url(texts: Texts, sender: Sender) -> str | None:
    """Return the address of the recording, where there is one. Raises ``BadParameter``."""
    url = texts.get("url_audio", "").strip()
    if not url or not_filled(url, "url_audio", sender):
        return None
    return checked(url, "url_audio", URL_LIMIT)


def not_filled(value: str, name: str, sender: Sender) -> bool:
    """Return whether ``value`` is a placeholder that the exchange forgot to replace; it is named in the log then."""
    if value.isdecimal() or not PLACEHOLDER.fullmatch(value):
        return False
    log.warning("placeholder_not_filled", parameter=name, value=value, tenant=sender.tenant)
    return True


def required(texts: Texts, sender: Sender, name: str, example: str) -> str:
    """Return the parameter ``name``, trimmed. Raises ``MissingParameter``, ``BadParameter``."""
    value = texts.get(name, "").strip()
    if not value:
        raise MissingParameter(name, expected=example)
    # The event is kept all the same: it says at least that there was a call.
    not_filled(value, name, sender)
    return checked(value, name, TEXT_LIMIT)


def checked(value: str, name: str, limit: int) -> str:
    """Return ``value``. Raises ``BadParameter`` when it is longer than ``limit`` or holds control characters."""
    if len(value) > limit:
        raise BadParameter(name, value, expected=Text("at most {limit} characters", limit=limit))
    if not value.isprintable() and CONTROL.search(value):
        raise BadParameter(name, value, expected=Text("a text without control characters"))
    return value


def extra(texts: Texts, sender: Sender, name: str, read: Callable[[str], T]) -> T | None:
    """Return the optional parameter ``name`` as ``read`` understands it, or None; what cannot be read is logged."""
    value = texts.get(name)
    if not value or not (value := value.strip()) or not_filled(value, name, sender):
        return None
    try:
        return read(value)
    except (ValueError, OverflowError, BadParameter):
        log.warning("extra_ignored", parameter=name)
        return None


def read_text(text: str) -> str:
    """Return free text. Raises ``BadParameter``."""
    return checked(text, "texto", TEXT_LIMIT)


def read_words(text: str) -> str:
    """Return free text, cut where it is too long, for its beginning says enough; control characters become spaces."""
    return CONTROL.sub(" ", text)[:TEXT_LIMIT].strip()


EPOCH = re.compile(r"([0-9]{9,10})(\.[0-9]+)?")
EPOCH_MS = re.compile(r"[0-9]{13}")


def read_moment(text: str, zone: tzinfo) -> int:
    """Read an ISO 8601 date with time, or seconds (or milliseconds) since 1970, as milliseconds since 1970.

    A date without zone is the tenant's local time. Raises ``ValueError``, ``OverflowError``.

    >>> from datetime import timezone
    >>> read_moment("2026-03-04 10:15:00", timezone.utc) == read_moment("1772619300", timezone.utc)
    True
    """
    if EPOCH.fullmatch(text):
        return round(float(text) * 1000)
    if EPOCH_MS.fullmatch(text):
        return int(text)
    if ":" not in text and "T" not in text:
        raise ValueError("a date without time says nothing of the moment")
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)


DIRECTIONS: Mapping[str, Direction] = (
    dict.fromkeys(("entrada", "in", "incoming", "inbound"), Direction.INCOMING)
    | dict.fromkeys(("saida", "saída", "out", "outgoing", "outbound"), Direction.OUTGOING)
    | dict.fromkeys(("interna", "internal"), Direction.INTERNAL)
)


def read_direction(text: str) -> Direction:
    """Read ``entrada``, ``saida``, ``interna`` or their English names. Raises ``ValueError``."""
    found = DIRECTIONS.get(text.lower())
    if found is None:
        raise ValueError("unknown direction")
    return found


CLOCK = re.compile(r"([0-9]{1,3}):([0-5][0-9]):([0-5][0-9])")
# The sign is one that numbers of XML-RPC may have.
SECONDS = re.compile(r"\+?([0-9]{1,7})(\.[0-9]*)?")


def read_duration(text: str) -> int:
    """Read ``75``, ``+75.0`` or ``00:01:15`` as seconds. Raises ``ValueError``."""
    if found := SECONDS.fullmatch(text):
        return int(found[1])
    if found := CLOCK.fullmatch(text):
        return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])
    raise ValueError("not a duration")


RAMAL = Parameter("ramal", Text("destination number: the extension that rings"), "extension", required=True)
TELEFONE = Parameter("telefone", Text("origin number: area code and number"), "number", required=True)
ID_LIGACAO = Parameter("id_ligacao", Text("the call's identification at the exchange"), "call_ref")
MOMENT = Text("when it happened: ISO 8601, YYYY-MM-DD HH:MM:SS or seconds since 1970")
DIRECAO = Parameter("direcao", Text("entrada (incoming), saida (outgoing) or interna (internal)"), "direction")
ATTACHED_PARAMETERS = tuple(
    Parameter(each.metadata["parameter"], each.metadata["text"], each.name, later=True, by_name=True)
    for each in fields(AttachedData)
)

CONSULTA_RAMAL = Operation(
    "ConsultaRamal",
    Text("A call starts: writes the call down and opens the caller's account on the extension's screen."),
    (RAMAL, TELEFONE, ID_LIGACAO, Parameter("data_hora", MOMENT, "started_at"), DIRECAO, *ATTACHED_PARAMETERS),
    call_started,
)
ATENDE_LIGACAO = Operation(
    "AtendeLigacao",
    Text("A call is answered: writes down who took it and when; it stops ringing on the screens of its group."),
    (
        Parameter("ramal", Text("destination number: the extension that answered"), "answered_by", required=True),
        TELEFONE,
        ID_LIGACAO,
        Parameter("data_hora", MOMENT, "answered_at"),
        DIRECAO,
        *ATTACHED_PARAMETERS,
    ),
    call_answered,
)
TRANSFERE_LIGACAO = Operation(
    "TransfereLigacao",
    Text("A call is transferred: it ends at the extension and goes on at another, with what is known of it."),
    (
        Parameter("ramal", Text("destination number: the extension that transfers"), "extension", required=True),
        TELEFONE,
        Parameter("ramal_destino", Text("where the call goes on: an extension"), "transferred_to", required=True),
        ID_LIGACAO,
        Parameter("data_hora", MOMENT, "ended_at"),
        DIRECAO,
        *ATTACHED_PARAMETERS,
    ),
    call_transferred,
)
FINALIZA_LIGACAO = Operation(
    "FinalizaLigacao",
    Text("A call ends: closes the call's record, with the address of the recording."),
    (
        RAMAL,
        TELEFONE,
        Parameter("url_audio", Text("address of the call's audio"), "recording_url"),
        ID_LIGACAO,
        Parameter("data_hora", MOMENT, "ended_at"),
        DIRECAO,
        Parameter("duracao", Text("seconds or HH:MM:SS"), "duration_s"),
        Parameter("resultado", Text("how the call ended, in free text"), "result_text"),
        *ATTACHED_PARAMETERS,
    ),
    call_ended,
)
CLICK_TO_CALL = Operation(
    "ClickToCall",
    Text("Click-to-call: has the extension call the number through the company's appliance."),
    (
        Parameter("ramal", Text("extension that will call"), "extension", required=True),
        Parameter("telefone", Text("number to dial: area code and number, or an extension"), "number", required=True),
        Parameter("central", Text("name of the appliance, if not the default one"), "appliance"),
        Parameter(
            "id_pedido",
            Text("the asker's own identification of this order; repeated, it does not dial again"),
            "request_id",
            later=True,
        ),
    ),
    place_call,
    dials=True,
    takes_login=True,
)
TESTE = Operation(
    "Teste",
    Text("Test of the connection: answers OK with the gateway's version; checks user name and password, if they come."),
    (),
    nothing,
    takes_login=True,
)

ADDED = (ATENDE_LIGACAO, TRANSFERE_LIGACAO)
"""What the contracts did not have at first stands behind what they had."""
OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation for operation in (CONSULTA_RAMAL, FINALIZA_LIGACAO, CLICK_TO_CALL, TESTE, *ADDED)
}
SPELLINGS = {name.lower(): operation for name, operation in OPERATIONS.items()}


def find(name: str) -> Operation | None:
    """Return the operation called ``name``, in whatever letter case."""
    return OPERATIONS.get(name) or SPELLINGS.get(name.lower())
