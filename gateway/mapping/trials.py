"""Run the tests that stand in a mapping: is this what is made of a saved request?"""

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from gateway.mapping.bodies import WebhookRequest
from gateway.mapping.engine import interpret
from gateway.mapping.events import Interpretation
from gateway.mapping.facts import MappingSource
from gateway.mapping.moments import read_moment
from gateway.mapping.schema import WebhookMapping, WebhookTrial
from gateway.texts.text import Text

MOMENTS = ("at", "started_at", "answered_at", "ended_at")


def trials(mapping: WebhookMapping) -> Iterator[tuple[str, list[Text]]]:
    """Yield the name of each test in ``mapping``, and what does not hold."""
    return ((trial.name, failures(mapping, trial)) for trial in mapping.tests)


def request_of(trial: WebhookTrial) -> WebhookRequest:
    """Return the request of a test."""
    headers = {name.lower(): value for name, value in trial.headers.items()}
    return WebhookRequest(
        body=trial.body.strip().encode(),
        content_type=headers.get("content-type", ""),
        query=trial.query,
        headers=headers,
        tail=trial.tail,
        method=trial.method,
    )


def failures(mapping: WebhookMapping, trial: WebhookTrial) -> list[Text]:
    """Run ``trial`` and return what does not hold, as sentences; empty when all does."""
    made = interpret(mapping, request_of(trial), MappingSource(ZoneInfo(trial.timezone), trial.extensions))
    events = [event.shown() for event in made.events]
    if len(events) != len(trial.events):
        return [miscounted(made, len(trial.events))]
    return [
        problem
        for place, (event, expected) in enumerate(zip(events, trial.events, strict=True), start=1)
        for problem in unlike(place, event, expected)
    ]


def miscounted(made: Interpretation, expected: int) -> Text:
    """Return the sentence that ``made`` has not as many events as expected."""
    reasons = "; ".join(str(problem) for problem in (*made.problems, *made.notes))
    kinds = ", ".join(event.kind for event in made.events)
    return Text(
        "{count} events were made ({kinds}), expected {expected}. {reasons}",
        count=len(made.events),
        kinds=kinds,
        expected=expected,
        reasons=reasons,
    )


def unlike(place: int, event: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[Text]:
    """Yield in what the event at ``place`` is not as ``expected``, which names what is compared."""
    for name, wanted in expected.items():
        got = event.get(name)
        if not _same(name, got, wanted):
            yield Text(
                "event {place}: {name} is {got!r}, expected {wanted!r}", place=place, name=name, got=got, wanted=wanted
            )


def _same(name: str, got: Any, wanted: Any) -> bool:
    if name in MOMENTS and isinstance(got, str):
        return _moment(got) == _moment(str(wanted))
    if wanted == "" or got is None:
        return not got and not wanted
    if isinstance(wanted, list):
        return bool(got == wanted)
    if isinstance(wanted, Mapping):
        return bool(got == dict(wanted))
    return str(got) == str(wanted)


def _moment(text: str) -> int | None:
    try:
        return read_moment(text, ZoneInfo("UTC"))
    except ValueError:
        return None
