"""Tables of the configuration by the names that they had in an earlier version: they go on working, with a hint."""

from collections.abc import Mapping
from typing import Any

from gateway.errors import ConfigError
from gateway.texts.text import Text

FORMER_NAMES = {"exchanges": "traffic"}


def renamed(raw: Mapping[str, Any], *, source: str) -> dict[str, Any]:
    """Return ``raw`` with the present names of its tables.

    Raises ``ConfigError`` where a table stands there under both names: nobody can tell which one is meant.
    """
    for former in former_names_in(raw):
        if (name := FORMER_NAMES[former]) in raw:
            raise ConfigError(
                Text(
                    "{file}: [{former}] and [{name}] are the same table, by its former and by its present name.",
                    file=source,
                    former=former,
                    name=name,
                ),
                hint=Text("Keep [{name}] and remove [{former}].", name=name, former=former),
            )
    return {FORMER_NAMES.get(key, key): value for key, value in raw.items()}


def former_names_in(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the former names that ``raw`` uses."""
    return tuple(name for name in FORMER_NAMES if name in raw)
