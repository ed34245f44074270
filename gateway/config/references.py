"""References in place of values, so that no secret needs to lie in the configuration: ``env:NAME`` is read from the
environment and ``file:PATH`` from a file (its first line).
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.errors import ConfigError
from gateway.texts.text import Text


def resolve(value: Any, *, source: str, base: Path, place: tuple[str, ...] = ()) -> Any:
    """Replace the references everywhere in ``value``. Raises ``ConfigError`` for one that leads nowhere."""
    if isinstance(value, Mapping):
        return {k: resolve(v, source=source, base=base, place=(*place, k)) for k, v in value.items()}
    if isinstance(value, list):
        return [resolve(v, source=source, base=base, place=(*place, str(i))) for i, v in enumerate(value)]
    if isinstance(value, str) and re.fullmatch(r"env:\w+", value):
        return _from_environment(value[4:], source, place)
    if isinstance(value, str) and re.match(r"file:(?!//)", value):
        return _from_file(base / value[5:], source, place)
    return value


def _from_environment(name: str, source: str, place: tuple[str, ...]) -> str:
    value = os.environ.get(name)
    if not value:
        raise ConfigError(
            Text(
                "{file}: {place}: the environment variable {name} is not set.",
                file=source,
                place=".".join(place),
                name=name,
            ),
            hint=Text("Set {name} before the start.", name=name),
        )
    return value


def _from_file(path: Path, source: str, place: tuple[str, ...]) -> str:
    try:
        return path.read_text(encoding="utf-8").splitlines()[0]
    except (OSError, IndexError, UnicodeDecodeError) as error:
        text = Text(
            "{file}: {place}: the file {path} cannot be read ({reason}).",
            file=source,
            place=".".join(place),
            path=str(path),
            reason=getattr(error, "strerror", None) or Text("it holds no text"),
        )
        raise ConfigError(text) from None
