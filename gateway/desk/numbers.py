"""The page that explains a number: how it is read, whose it is, and what a central would dial."""

from collections.abc import Sequence
from dataclasses import dataclass

from werkzeug.wrappers import Response

from gateway.desk.context import Visit
from gateway.desk.rendering import page
from gateway.domain.messages import PlaceCall
from gateway.domain.numbering.numbers import NumberKind, Reading, ReadingStep, read
from gateway.errors import DialError, NumberBlocked
from gateway.handlers import choose_appliance, dialled_by
from gateway.store.directory import Owner
from gateway.texts.text import Text

LONGEST = 255
KINDS = {
    NumberKind.EXTENSION: Text("Extension"),
    NumberKind.MOBILE: Text("Mobile"),
    NumberKind.FIXED: Text("Fixed line"),
    NumberKind.SPECIAL: Text("Special number, without area code"),
    NumberKind.SHORT: Text("Public service"),
    NumberKind.FOREIGN: Text("Number of another country"),
    NumberKind.WITHHELD: Text("Withheld"),
    NumberKind.UNKNOWN: Text("Not recognised"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form holds: a number, who calls it (one's own extension if empty) and by which central."""

    number: str
    extension: str
    central: str


@dataclass(frozen=True, slots=True)
class DialPreview:
    """What a central would dial (``digits``), or why it would not (``refusal``), and the steps to it."""

    central: str
    digits: str
    refusal: str
    steps: Sequence[ReadingStep]


def number(visit: Visit) -> Response:
    """Show the page, or only the explanation for the page's own script."""
    asked = _asked(visit)
    template = "_number.html" if visit.by_htmx else "number.html"
    shown = _explained(visit, asked) if asked.number else None
    seq = visit.services.log.newest(visit.tenant)
    return page(visit, template, asked=asked, shown=shown, kinds=KINDS, seq=seq)


@dataclass(frozen=True, slots=True)
class Explained:
    """A number as read, its owners, and how it would be dialled."""

    reading: Reading
    owners: Sequence[Owner]
    order: DialPreview


def _asked(visit: Visit) -> Asked:
    asked = visit.request.args
    text, extension = asked.get("valor", "")[:LONGEST], asked.get("ramal", "").strip()[:LONGEST]
    return Asked(text, extension or visit.me.extension, asked.get("por", ""))


def _explained(visit: Visit, asked: Asked) -> Explained:
    tenant = visit.services.core.tenant(visit.tenant)
    reading = read(asked.number, tenant.numbers_for(asked.extension))
    owners = visit.services.directory.owners(visit.tenant, reading.candidates) if reading.candidates else ()
    return Explained(reading, owners, _order(visit, asked, reading))


def _order(visit: Visit, asked: Asked, reading: Reading) -> DialPreview:
    tenant = visit.services.core.tenant(visit.tenant)
    message = PlaceCall(visit.tenant, asked.extension, asked.number, visit.origin, visit.at, asked.central or None)
    central = ""
    try:
        appliance = choose_appliance(message, tenant)
        central = appliance.title
        dialled = dialled_by(appliance, asked.number, tenant, asked.extension)
    except DialError as error:
        steps = error.steps if isinstance(error, NumberBlocked) else ()
        return DialPreview(central, "", error.said(visit.language), _behind(reading, steps))
    return DialPreview(central, dialled.digits, "", _behind(reading, dialled.steps))


def _behind(reading: Reading, steps: Sequence[ReadingStep]) -> Sequence[ReadingStep]:
    """Return the steps that are not shown yet: those after the reading, or all of them when a prefix was taken off
    first.
    """
    count = len(reading.steps)
    return steps[count:] if steps[:count] == reading.steps else steps
