"""The configuration's file: TOML in, frozen ``Config`` out, every error with its place."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gateway.config import former_names
from gateway.config import plugins as config_peers
from gateway.config import references as config_references
from gateway.config.public_targets import with_public_only
from gateway.config.tables import Config
from gateway.config.validation import sentences
from gateway.errors import ConfigError
from gateway.texts.text import Text, lines


def load(path: Path | None) -> Config:
    """Read ``path`` (or the defaults when it is None). Raises ``ConfigError`` that names file, key and remedy."""
    if path is None:
        return Config()
    return parse(_read(path), source=str(path), base=path.parent)


def parse(raw: Mapping[str, Any], *, source: str, base: Path = Path()) -> Config:
    """Make a ``Config`` of already parsed TOML; ``source`` names the file in errors, ``base`` is where ``file:``
    begins. Raises ``ConfigError``.
    """
    try:
        resolved = config_references.resolve(former_names.renamed(raw, source=source), source=source, base=base)
        resolved = with_public_only(resolved)
        folder = _presets_folder(resolved, base)
        config = Config.model_validate(config_peers.prepare(resolved, source=source, folder=folder))
    except ValidationError as error:
        raise ConfigError(lines(sentences(error, source, Config))) from None
    config._former_names = former_names.former_names_in(raw)
    return config


def presets_in(path: Path) -> Path | None:
    """Return the folder of the user's own presets that the file ``path`` names, even when the rest of it is wrong."""
    return _presets_folder(_read(path), path.parent)


def tenants_in(path: Path) -> list[str]:
    """Return the names of the tenants in the file ``path``, even when the rest of it is wrong."""
    tenants = _read(path).get("tenants")
    return list(tenants) if isinstance(tenants, Mapping) else []


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            Text("{path}: cannot be read ({reason}).", path=str(path), reason=error.strerror),
            hint=_how_to_read(error),
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(Text("{path}: is not UTF-8 text.", path=str(path)), hint=Text("Save it as UTF-8.")) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(Text("{path}: is not TOML: {reason}", path=str(path), reason=str(error))) from None


def _how_to_read(error: OSError) -> Text:
    if isinstance(error, PermissionError):
        return Text("Run this as the user whom the gateway's files belong to (sudo -u USER).")
    return Text("Write one with 'cti-gateway init'.")


def _presets_folder(raw: Mapping[str, Any], base: Path) -> Path | None:
    server = raw.get("server")
    folder = server.get("presets") if isinstance(server, Mapping) else None
    return base / folder if isinstance(folder, str) else None
