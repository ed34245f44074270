"""A preset's rank: how much of a call's life is known of an appliance, and how well that is proven.

Nobody writes it down. It is computed from what the preset's file says and from the tests that stand in it;
``docs/presets.md`` publishes the scale.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from adapters.presets.schema import Preset
from gateway.texts.text import Text

SEEN = "run against"
"""The evidence in ``verified`` that says: seen on the real thing."""


LIFE = ("start", "answer", "end", "result", "recording")
"""What of a call's life ranks ask for."""


class Rank(StrEnum):
    """Each rank has all that the ones before it have."""

    NONE = "none"
    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"
    PLATINUM = "platinum"


@dataclass(frozen=True, slots=True)
class PresetRank:
    """The rank that a preset has reached, the one above (None at the top), and what is missing for that."""

    reached: Rank
    above: Rank | None = None
    missing: Sequence[Text] = ()


def rank_of(preset: Preset) -> PresetRank:
    """Return the highest rank of which nothing is missing, nor of those below it."""
    reached = Rank.NONE
    for wanted, demands in DEMANDS.items():
        if missing := [text for holds, text in demands if not holds(preset)]:
            return PresetRank(reached, wanted, missing)
        reached = wanted
    return PresetRank(reached)


def dials(preset: Preset) -> bool:
    """Tell whether its tests show an order that is accepted and one that is not."""
    outcomes = {trial.outcome for trial in preset.tests if trial.hang_up is None}
    return "accepted" in outcomes and len(outcomes) > 1


def is_told(preset: Preset) -> bool:
    """Tell whether its tests show an event that a target takes and one that it does not."""
    outcomes = {trial.outcome for trial in preset.forward.tests if trial.exchange} if preset.forward else set()
    return "accepted" in outcomes and len(outcomes) > 1


def told(preset: Preset) -> set[str]:
    """Return what of a call the gateway is told of: *start*, *answer*, *end*, *result*, *recording*.

    By a text to paste, or by webhooks as the tests in the preset's file show them.
    """
    return {*_by_texts(preset), *_by_webhook(preset)}


_KINDS: Mapping[str, str] = {"started": "start", "answered": "answer", "ended": "end"}
_IN_TEXTS: Mapping[str, str] = {
    "start": r"\{start_url\}",
    "answer": r"\{answer_url\}",
    "end": r"\{end_url\}",
    "result": r"\bresultado=",
    "recording": r"\burl_audio=",
}


def _by_texts(preset: Preset) -> Iterator[str]:
    whole = "\n".join(event.text for event in preset.events)
    yield from (what for what, pattern in _IN_TEXTS.items() if re.search(pattern, whole))


def _by_webhook(preset: Preset) -> Iterator[str]:
    trials = preset.webhook.tests if preset.webhook else ()
    for event in (event for trial in trials for event in trial.events):
        yield _KINDS.get(str(event["kind"]), "")
        yield from (what for what in ("result", "recording") if event.get(what))


def _tells(*wanted: str) -> Callable[[Preset], bool]:
    return lambda preset: told(preset).issuperset(wanted)


def _does_something(preset: Preset) -> bool:
    return dials(preset) or is_told(preset) or _tells("start", "end")(preset)


def _dialling_was_seen(preset: Preset) -> bool:
    return preset.verified.how == SEEN


def _events_were_seen(preset: Preset) -> bool:
    return preset.verified.events == SEEN


def _is_in_ci(preset: Preset) -> bool:
    return bool(preset.verified.in_ci)


DEMANDS: Mapping[Rank, Sequence[tuple[Callable[[Preset], bool], Text]]] = {
    Rank.BRONZE: ((_does_something, Text("tests that show a success and a failure")),),
    Rank.SILVER: (
        (dials, Text("dialling, with its tests")),
        (_tells("start", "end"), Text("start and end of calls")),
    ),
    Rank.GOLD: (
        (_tells("answer"), Text("who answered")),
        (_tells("result"), Text("how a call ended")),
        (_tells("recording"), Text("the recording's address")),
        (_dialling_was_seen, Text("dialling seen on the real thing")),
        (_events_were_seen, Text("events seen on the real thing")),
    ),
    Rank.PLATINUM: ((_is_in_ci, Text("a test of every release against the real thing")),),
}
