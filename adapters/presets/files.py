"""Where presets are: one TOML file each, shipped in ``adapters/presets/catalogue`` or in a folder of the user's own."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from adapters.presets.schema import NAME, Preset
from gateway.config.validation import sentences
from gateway.errors import ConfigError, UnknownPreset
from gateway.texts.text import Text, lines

NEVER_INHERITED = ("based_on", "replaces_shipped", "tests")


class Catalogue:
    """All presets by name; each file is read when it is asked for. Errors name the file and the key in it."""

    def __init__(self, folder: Path | None = None) -> None:
        """List the presets; ``folder`` holds the user's own; one that has a shipped preset's name must say that it
        replaces it.
        """
        self._shipped = _shipped()
        self._own = _listing(folder) if folder else {}

    def names(self) -> list[str]:
        return sorted(self._shipped | self._own)

    def path(self, name: str) -> Path:
        """Return the file of a preset. Raises ``UnknownPreset``."""
        found = self._own.get(name) or self._shipped.get(name)
        if found is None:
            near = get_close_matches(name, self.names(), n=1)
            raise UnknownPreset(name, nearest=near[0] if near else None)
        return found

    def preset(self, name: str) -> Preset:
        """Read the preset called ``name``. Raises ``UnknownPreset`` and ``ConfigError``."""
        path = self.path(name)
        preset = self.read(path)
        if name in self._own and name in self._shipped and not preset.replaces_shipped:
            raise ConfigError(
                Text("{path}: a preset {name!r} is shipped already.", path=str(path), name=name),
                hint=Text("Give the file another name, or say replaces_shipped = true in it."),
            )
        return preset

    def read(self, path: Path) -> Preset:
        """Read the preset in the file ``path``. Raises ``ConfigError``."""
        try:
            return Preset.model_validate(self._merged(path, ()))
        except ValidationError as error:
            raise ConfigError(lines(sentences(error, str(path), Preset))) from None

    def _merged(self, path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
        """Return the file's tables, over those of the preset that it is based on."""
        raw = _parsed(path)
        if not (name := raw.get("based_on")):
            return raw
        base = self._shipped.get(str(name)) or self.path(str(name))
        if base in (path, *above):
            facts = {"path": str(path), "name": str(name)}
            raise ConfigError(Text("{path}: based_on: {name!r} is based on this very preset.", **facts))
        inherited = self._merged(base, (*above, path))
        # Steps are replaced whole: half a request of one preset and half of another make none.
        fresh = {*NEVER_INHERITED, "dial"} if "dial" in raw else NEVER_INHERITED
        return _over({key: value for key, value in inherited.items() if key not in fresh}, raw)


@cache
def _shipped() -> dict[str, Path]:
    return _listing(Path(str(files("adapters").joinpath("presets").joinpath("catalogue"))))


def _listing(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        told = Text("the folder of presets {folder} is not there.", folder=str(folder))
        raise ConfigError(told, hint=Text("Make it, or take presets out."))
    found = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    for name, path in found.items():
        if not NAME.fullmatch(name):
            told = Text("{path}: is no name of a preset: small letters, digits and '-', then .toml", path=str(path))
            raise ConfigError(told)
    return found


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(Text("{path}: cannot be read ({reason}).", path=str(path), reason=error.strerror)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(Text("{path}: is not TOML in UTF-8: {reason}", path=str(path), reason=str(error))) from None


def _over(base: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``upper`` on top of ``base``: tables are merged, all else is replaced."""
    merged = dict(base)
    for key, value in upper.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = _over(below, value) if both else value  # type: ignore[arg-type]
    return merged
