"""One rule of a dial plan: which numbers it is for, and how they are dialled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.domain.dialplan.forms import DialForm, Subject, matches, pattern
from gateway.domain.numbering.reading import NumberKind
from gateway.domain.numbering.subscriber import AREA_CODES
from gateway.domain.patterns import Pattern
from gateway.texts.text import Fact, Text

Area = Literal["own", "other"] | str

_WITH_AREA = (NumberKind.FIXED, NumberKind.MOBILE)
_ABROAD_TOO = (NumberKind.FIXED, NumberKind.MOBILE, NumberKind.SPECIAL, NumberKind.FOREIGN)
_OUTSIDE = (*_ABROAD_TOO, NumberKind.UNKNOWN)
# Extensions and public services are as they are unless a rule names them.
_KINDS_OF_FORM = {
    "national": (*_OUTSIDE, NumberKind.EXTENSION, NumberKind.SHORT),
    "local": _WITH_AREA,
    "international": _ABROAD_TOO,
}


@dataclass(frozen=True, slots=True)
class DialPlanRule:
    """For the numbers that are of one of ``kinds``, in one of ``areas`` and of one of ``patterns``, how to dial.

    No areas or patterns: any. ``form`` is None for numbers that shall not be dialled. Made by `make`.
    """

    form: DialForm | None
    kinds: tuple[NumberKind, ...]
    areas: tuple[Area, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    note: str = ""

    @classmethod
    def make(
        cls,
        *,
        dial: str | None = None,
        block: bool = False,
        kinds: Sequence[str] = (),
        areas: Sequence[Area] = (),
        match: Sequence[str] = (),
        note: str = "",
    ) -> "DialPlanRule":
        """Return a rule from settings. Raises ``ValueError``, which says what is wrong, for one that
        could never work.
        """
        if block == (dial is not None):
            raise ValueError(Text('a rule needs either dial = "..." or block = true'))
        form = DialForm.parse(dial) if dial is not None else None
        if unknown := [area for area in areas if area not in ("own", "other") and area not in AREA_CODES]:
            told = Text("area {area!r} is none: expected 'own', 'other' or DDDs such as '47'", area=unknown[0])
            raise ValueError(told)
        if form and form.name == "local" and (not areas or "other" in areas):
            facts = {"form": "{local}"}
            told = Text("{form} leaves the area code out: expected area = 'own' or the DDDs where that works", **facts)
            raise ValueError(told)
        named = _kinds(kinds, form, bool(areas))
        return cls(form, named, tuple(areas), tuple(pattern(each) for each in match), note)

    def is_for(self, subject: Subject, own_area: str | None) -> bool:
        """Return whether ``subject`` is one of the rule's numbers, seen from ``own_area``."""
        if subject.kind not in self.kinds or not self._in_areas(subject.area, own_area):
            return False
        return not self.patterns or matches(self.patterns, subject.national)

    def _in_areas(self, area: str | None, own: str | None) -> bool:
        if not self.areas:
            return True
        return area in self.areas or ("own" if area == own else "other") in self.areas

    def hides(self, later: "DialPlanRule") -> bool:
        """Return whether every number that ``later`` is for is one of this rule's, so that ``later`` is never asked."""
        areas = not self.areas or (later.areas and set(later.areas) <= set(self.areas))
        return bool(set(later.kinds) <= set(self.kinds) and areas) and self.patterns in ((), later.patterns)

    @property
    def remark(self) -> str:
        """The note, if there is one, as it goes behind the rule's place."""
        return f" ({self.note})" if self.note else ""


def _kinds(named: Sequence[str], form: DialForm | None, by_area: bool) -> tuple[NumberKind, ...]:
    possible = _KINDS_OF_FORM[form.name if form else "national"]
    if by_area:
        possible = tuple(kind for kind in possible if kind in _WITH_AREA)
    kinds = tuple(NumberKind(name) for name in named)
    if wrong := [kind for kind in kinds if kind not in possible]:
        what = f"{{{form.name}}}" if form and not by_area else Text("area code")
        facts: dict[str, Fact] = {"kind": wrong[0].value, "what": what, "possible": ", ".join(possible)}
        raise ValueError(Text("a number of kind {kind!r} has no {what}: expected {possible}", **facts))
    return kinds or tuple(kind for kind in possible if kind in _OUTSIDE)
