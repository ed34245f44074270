"""What to look for in the call log, as pages (in Portuguese) and scripts (in English) ask for it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from gateway.desk.formats import day_start
from gateway.desk.search_box import LONGEST, SearchReader
from gateway.domain.calls.results import Result
from gateway.domain.messages import Direction
from gateway.errors import BadParameter
from gateway.store.calls import MISSED, STATUSES, CallFilter
from gateway.store.letters.kept import LetterFilter, LetterStanding
from gateway.texts.text import Text

LARGEST_ID = 2**53
MOST = 200
YES_OR_NO = {"1": True, "true": True, "0": False, "false": False}
IN_PROGRESS = ("ringing", "talking")
"""One choice on the page."""
DIRECTIONS = tuple(direction.value for direction in Direction)
RESULTS = tuple(result.value for result in Result)


@dataclass(frozen=True, slots=True)
class CallSearch:
    """The call log's form as it was filled in; what cannot be understood counts as not filled in."""

    extension: str
    number: str
    direction: str
    since: str
    until: str
    before_id: int | None
    status: str = ""
    result: str = ""
    text: str = ""

    @classmethod
    def of(cls, asked: "MultiDict[str, str]") -> "CallSearch":
        """Read the page's parameters."""
        direction = asked.get("sentido", "")
        return cls(
            extension=asked.get("ramal", "").strip()[:32],
            number=asked.get("numero", "").strip()[:64],
            direction=direction if direction in DIRECTIONS else "",
            since=asked.get("de", "") if _day(asked.get("de")) else "",
            until=asked.get("ate", "") if _day(asked.get("ate")) else "",
            before_id=row_id(asked.get("antes")),
            status=asked.get("situacao", "") if asked.get("situacao") in (*STATUSES, MISSED) else "",
            result=asked.get("resultado", "") if asked.get("resultado") in RESULTS else "",
            text=asked.get("busca", "").strip()[:LONGEST],
        )

    @property
    def narrow(self) -> bool:
        """Whether anything was filled in."""
        chosen = (self.extension, self.number, self.direction, self.since, self.until, self.status, self.result)
        return any((*chosen, self.text))

    def parameters(self, before_id: int | None = None) -> dict[str, str | int]:
        """Return the parameters of a link to the same search, continued before ``before_id``."""
        named = {"busca": self.text, "ramal": self.extension, "numero": self.number, "sentido": self.direction}
        named |= {"de": self.since, "ate": self.until, "situacao": self.status, "resultado": self.result}
        given: dict[str, str | int] = {name: value for name, value in named.items() if value}
        return given | ({"antes": before_id} if before_id else {})

    def wanted(self, zone: ZoneInfo) -> CallFilter:
        """Return the filter as the store understands it; both days are included."""
        since, until = _day(self.since), _day(self.until)
        return CallFilter(
            extension=self.extension or None,
            number=_digits(self.number) or None,
            direction=self.direction or None,
            since=day_start(since, zone) if since else None,
            until=day_start(until, zone, after=1) if until else None,
            before_id=self.before_id,
            statuses=IN_PROGRESS if self.status in IN_PROGRESS else (self.status,) if self.status else (),
            results=(self.result,) if self.result else (),
        )


SCRIPT_PARAMETERS = (
    "search",
    "extension",
    "number",
    "direction",
    "account_id",
    "status",
    "result",
    "missed",
    "consultations",
    "since",
    "until",
    "before_id",
    "limit",
)


EXPORT_PARAMETERS = SCRIPT_PARAMETERS[:-2]
"""A file has all calls: there is no next page."""
SEVERAL = ("status", "result")
"""Parameters that may be given twice: one of the values is enough."""


def wanted_by_script(asked: "MultiDict[str, str]", reader: SearchReader) -> tuple[CallFilter, int]:
    """Return the filter and the limit of ``GET /api/calls``. Raises ``BadParameter``."""
    zone = reader.zone
    for name in SCRIPT_PARAMETERS:
        if name not in SEVERAL and len(given := asked.getlist(name)) > 1:
            raise BadParameter(name, ", ".join(given), expected=Text("a single value"))
    direction = asked.get("direction") or None
    if direction and direction not in DIRECTIONS:
        raise BadParameter("direction", direction, expected=", ".join(DIRECTIONS))
    found = CallFilter(
        extension=asked.get("extension") or None,
        number=_digits(asked.get("number", "")) or None,
        direction=direction,
        account_id=_whole(asked, "account_id", LARGEST_ID),
        since=_moment(asked, "since", zone),
        until=_moment(asked, "until", zone),
        before_id=_whole(asked, "before_id", LARGEST_ID),
        statuses=_several(asked, "status", (*STATUSES, MISSED)),
        results=_several(asked, "result", RESULTS),
        missed=_yes_or_no(asked, "missed"),
        consultations=bool(_yes_or_no(asked, "consultations")),
    )
    return searched(found, asked.get("search", ""), reader), _whole(asked, "limit", MOST) or 50


def searched(wanted: CallFilter, line: str, reader: SearchReader) -> CallFilter:
    """Return ``wanted`` with what a program's search says. Raises ``BadParameter`` where a part has no meaning: left
    out, it would answer another question.
    """
    understood = reader.understand(line)
    for part in understood.parts:
        if not part.wanted:
            raise BadParameter("search", part.source, expected=Text("a value that the name before the colon takes"))
    return understood.narrowed(wanted)


LETTER_PARAMETERS = ("id", "target", "state", "call_id", "since", "until", "before_id", "limit")


def letters_by_script(asked: "MultiDict[str, str]", zone: ZoneInfo) -> tuple[LetterFilter, int]:
    """Return which events for forwards a program means, and the limit. Raises ``BadParameter``."""
    known = [standing.value for standing in LetterStanding]
    letter_id = _whole(asked, "id", LARGEST_ID)
    found = LetterFilter(
        ids=[letter_id] if letter_id else None,
        target=asked.get("target") or None,
        standings=tuple(map(LetterStanding, _several(asked, "state", known))),
        call_id=_whole(asked, "call_id", LARGEST_ID),
        since=_moment(asked, "since", zone),
        until=_moment(asked, "until", zone),
        before_id=_whole(asked, "before_id", LARGEST_ID),
    )
    return found, _whole(asked, "limit", MOST) or 50


def plain(fields: Mapping[str, Any]) -> "MultiDict[str, str]":
    """Return the fields of a body as texts, as a query has them."""
    return MultiDict({name: str(value) for name, value in fields.items() if value not in (None, "")})


def _several(asked: "MultiDict[str, str]", name: str, known: Sequence[str]) -> tuple[str, ...]:
    """Read one word of ``known``, or several with commas between. Raises ``BadParameter``."""
    text = ",".join(asked.getlist(name))
    wanted = tuple(word.strip() for word in text.split(",") if word.strip())
    for word in wanted:
        if word not in known:
            raise BadParameter(name, word, expected=Text("one or several of: {known}", known=", ".join(known)))
    return wanted


def _yes_or_no(asked: "MultiDict[str, str]", name: str) -> bool | None:
    """Read 1 or true, 0 or false; None where it is not asked for. Raises ``BadParameter``."""
    text = asked.get(name)
    if not text:
        return None
    if text.lower() not in YES_OR_NO:
        raise BadParameter(name, text, expected=Text("1 (yes) or 0 (no)"))
    return YES_OR_NO[text.lower()]


def _whole(asked: "MultiDict[str, str]", name: str, most: int) -> int | None:
    text = asked.get(name)
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,17}", text) or not 1 <= int(text) <= most:
        raise BadParameter(name, text, expected=Text("a whole number from 1 to {most}", most=most))
    return int(text)


def _moment(asked: "MultiDict[str, str]", name: str, zone: ZoneInfo) -> int | None:
    """Read an ISO 8601 date or time as milliseconds; without an offset it is the company's local time. Raises
    ``BadParameter``.
    """
    text = asked.get(name)
    if not text:
        return None
    try:
        # A '+' that was not escaped in the address arrives as a space.
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        expected = Text("an ISO 8601 date, or date and time (2026-03-05T14:20)")
        raise BadParameter(name, text, expected=expected) from None


def row_id(text: str | None) -> int | None:
    found = re.fullmatch(r"[0-9]{1,15}", text or "")
    return int(found[0]) or None if found else None


def _day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if 1970 <= day.year < 9000 else None


def _digits(text: str) -> str:
    """Return ``(47) 99999-`` as ``4799999``; words such as *anonymous* as they are."""
    return re.sub(r"\D", "", text) or text.strip()
