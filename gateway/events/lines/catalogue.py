"""Where line descriptions are: a TOML file each, shipped in ``presets`` or in a folder of the user's own."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gateway.config.validation import sentences
from gateway.errors import ConfigError
from gateway.events.lines.description import LineDescription
from gateway.texts.text import Text, lines

OWN = "lines"
"""Folder in the user's folder of presets that holds descriptions of lines."""
MERGED = ("transport", "framing", "times", "call", "fields")
NEVER_INHERITED = ("based_on", "tests", "verified", "title", "setup", "products")


def names(folder: Path | None = None) -> list[str]:
    """Return the names of all descriptions; ``folder`` is the user's folder of presets."""
    return sorted({**_shipped(), **_own(folder)})


def description(name: str, folder: Path | None = None) -> LineDescription:
    """Return the description called ``name``; the user's own goes before a shipped one. Raises ``ConfigError``."""
    return read(path_of(name, folder), folder)


def path_of(name: str, folder: Path | None = None) -> Path:
    """Return the file of a description. Raises ``ConfigError`` with the nearest name."""
    found = _own(folder).get(name) or _shipped().get(name)
    if found is None:
        known = names(folder)
        near = get_close_matches(name, known, n=1)
        hint = Text("Did you mean {name!r}?", name=near[0]) if near else ""
        told = Text("there is no preset of lines {name!r}; there are: {known}.", name=name, known=", ".join(known))
        raise ConfigError(told, hint=hint)
    return found


def read(path: Path, folder: Path | None = None) -> LineDescription:
    """Read the description in the file ``path``. Raises ``ConfigError``, which names file and key."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(Text("{path}: cannot be read ({reason}).", path=str(path), reason=error.strerror)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(Text("{path}: is not TOML in UTF-8: {reason}", path=str(path), reason=str(error))) from None
    return made(raw, str(path), folder)


def made(raw: Mapping[str, Any], place: str, folder: Path | None = None) -> LineDescription:
    """Return the description in ``raw``, over the one that it is based on. Raises ``ConfigError``."""
    merged = _based(raw, folder, ())
    try:
        return LineDescription.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(lines(sentences(error, place, LineDescription))) from None


def _based(raw: Mapping[str, Any], folder: Path | None, above: tuple[str, ...]) -> dict[str, Any]:
    name = raw.get("based_on")
    if not isinstance(name, str):
        return dict(raw)
    if name in above:
        raise ConfigError(Text("based_on: {name!r} is based on itself.", name=name))
    below = tomllib.loads(path_of(name, folder).read_text(encoding="utf-8"))
    inherited = _based(below, folder, (*above, name))
    return _over({key: value for key, value in inherited.items() if key not in NEVER_INHERITED}, raw)


def _over(base: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``upper`` over ``base``: the keys of some tables are replaced one by one, all else is replaced whole."""
    merged = {**base, **upper}
    for key in MERGED:
        below, above = base.get(key), upper.get(key)
        if isinstance(below, Mapping) and isinstance(above, Mapping):
            merged[key] = {**below, **above}
    return merged


@cache
def _shipped() -> dict[str, Path]:
    return _listing(Path(str(files("gateway.events.lines").joinpath("presets"))))


def _own(folder: Path | None) -> dict[str, Path]:
    return _listing(folder / OWN) if folder and (folder / OWN).is_dir() else {}


def _listing(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}
