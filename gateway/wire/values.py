"""The values of parameters, as exchanges write them: checked, and read as moments, directions, seconds.

Required parameters that cannot be used are refused; an optional extra that cannot be read is left out with a warning,
because an event must not be lost for it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import TypeVar

import structlog

from gateway.domain.messages import Direction
from gateway.errors import BadParameter, MissingParameter
from gateway.texts.text import Text
from gateway.wire.free_fields import CAMPOS, fields_in
from gateway.wire.parameters import Sender, Texts

log = structlog.get_logger()

T = TypeVar("T")

PLACEHOLDER_BEGINS = frozenset("${[%@")

TEXT_LIMIT = 255
URL_LIMIT = 2000
TRANSCRIPT_LIMIT = 20_000
# Also halves of letters, which JSON can escape alone, and UTF-8 cannot hold.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# What an exchange leaves in its template: ${CALLERID}, {{ number }}, [Number], %NUMBER%, $EXTEN, @src@, RAMAL.
PLACEHOLDER = re.compile(
    r"\$?\{{1,2}[^{}]{1,60}\}{1,2}|\[[\w .-]{1,40}\]|%\w{1,40}%|%[a-z]|@\w{1,40}@|\$[a-z_]\w{1,40}"
    r"|ramal|telefone|numero|number|origem|destino|exten|extension|caller_?id|url_audio|id_ligacao|uniqueid",
    re.IGNORECASE,
)


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
    return attempt(value, name, read)


def attempt(value: str, name: str, read: Callable[[str], T]) -> T | None:
    """Return ``value`` as ``read`` understands it, or None; what cannot be read is logged."""
    try:
        return read(value)
    except (ValueError, KeyError, OverflowError, BadParameter):
        log.warning("extra_ignored", parameter=name)
        return None


def read_text(text: str) -> str:
    """Return free text. Raises ``BadParameter``."""
    return checked(text, "texto", TEXT_LIMIT)


def read_words(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return free text, cut where it is too long, for its beginning says enough; control characters become spaces."""
    return CONTROL.sub(" ", text)[:limit].strip()


def fields_of(texts: Texts, sender: Sender) -> dict[str, str] | None:
    """Return the free fields, ``{"cpf": "1"}`` or ``cpf=1;protocolo=2``, without those that were not filled in."""
    text = texts.get(CAMPOS)
    if not text or not (found := attempt(text, CAMPOS, fields_in)):
        return None
    words = {read_words(name): read_words(said, TRANSCRIPT_LIMIT) for name, said in found.items()}
    filled = {name: said for name, said in words.items() if name and said and not is_placeholder(said, name, sender)}
    return filled or None


def is_placeholder(value: str, name: str, sender: Sender) -> bool:
    """Return whether a free field is a placeholder; of these, words such as *ramal* are none."""
    return value[:1] in PLACEHOLDER_BEGINS and not_filled(value, f"{CAMPOS}[{name}]", sender)


def read_extensions(text: str) -> tuple[str, ...]:
    """Read several extensions, ``3501,3502``, with whatever stands between them."""
    return tuple(read_text(each) for each in re.split(r"[,;&|\s]+", text) if each)


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
