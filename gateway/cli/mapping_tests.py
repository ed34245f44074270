"""Run the tests that stand in the mappings and line descriptions of sources, for ``check``."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gateway.config.tables import Config
from gateway.events.lines import trials as line_trials
from gateway.events.lines.settings import LineSourceConfig
from gateway.mapping.trials import trials
from gateway.texts.text import Text, counted


class MappingCheck(NamedTuple):
    """Whether all tests of a source's mapping hold, and a line for each that does not, or one that says so."""

    good: bool
    place: str
    lines: tuple[Text, ...]


def mapping_checks(config: Config) -> Iterator[MappingCheck]:
    """Yield what came of each source's tests; of a source without any, nothing."""
    for tenant, settings in config.tenants.items():
        for name, source in settings.webhooks.items():
            if source.mapping is not None and source.mapping.tests:
                yield _checked(f"{tenant}/{name} mapping", list(trials(source.mapping)))
        for name, other in settings.sources.items():
            own = getattr(other, "settings", None)
            if isinstance(own, LineSourceConfig) and own.description.get("tests"):
                yield _checked(f"{tenant}/{name} description", list(line_trials.trials(own.described())))


def _checked(place: str, made: Sequence[tuple[str, list[Text]]]) -> MappingCheck:
    told = [Text("{test}: {problem}", test=name, problem=each) for name, found in made for each in found]
    if told:
        return MappingCheck(False, place, tuple(told))
    count = len(made)
    return MappingCheck(True, place, (counted("{count} mapping test holds", "{count} mapping tests hold", count),))
