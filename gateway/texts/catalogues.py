"""A language's sentences, joined from the catalogues of all areas.

An installed package has compiled catalogues (setup.py). In a source tree a catalogue that was changed is compiled when
it is read, as Python does it with modules, so nobody needs a step in between.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

from gateway.texts.languages import DEFAULT, LANGUAGES, Language
from gateway.texts.text import VERBATIM, Text

FOLDER = Path(__file__).parent
SOURCE: Language = "en"
"""The language of the ids; it has no catalogue."""


@cache
def translations(language: Language) -> NullTranslations:
    """Return all sentences of ``language``; one that it lacks comes in the default language, else as its id."""
    found = NullTranslations()
    for each in dict.fromkeys((language, SOURCE if language == SOURCE else DEFAULT)):
        if catalogues := [GNUTranslations(BytesIO(_data(path))) for path in _paths(each)]:
            found.add_fallback(_joined(catalogues))
    return found


def _joined(catalogues: Sequence[Any]) -> NullTranslations:
    """Return one of several catalogues of a language, of which the first that has a sentence says it.

    Asking them one after the other took six times as long as finding a sentence.
    """
    first: Any = catalogues[0]
    for other in catalogues[1:]:
        first._catalog = other._catalog | first._catalog
    joined: NullTranslations = first
    return joined


@cache
def area_sentences(language: Language, area: str) -> Mapping[str, str | list[str]]:
    """Return the sentences of one area by their ids, for a program that is not Python.

    One that follows a count has two forms, under the id of the first.
    """
    from babel.messages.mofile import read_mo

    catalogues = [read_mo(BytesIO(_data(path))) for path in _paths(language) if path.stem == area]
    messages = [message for catalogue in catalogues for message in catalogue if message.id]
    return {_first(message.id): _forms(message.string or "") for message in messages}


def read_all() -> None:
    """Read every catalogue now: a gateway goes on speaking while no file can be opened."""
    _ids()
    for language in LANGUAGES:
        translations(language)
        area_sentences(language, "script")


def _first(id: str | Sequence[str]) -> str:
    return id if isinstance(id, str) else id[0]


def _forms(string: str | Sequence[str]) -> str | list[str]:
    return string if isinstance(string, str) else list(string)


def has(text: Text) -> bool:
    """Return whether ``text`` is a sentence of this version, or one that nobody can translate."""
    return text.id == VERBATIM or (text.context, text.id) in _ids()


@cache
def _ids() -> frozenset[tuple[str, str]]:
    """Return the ids of all sentences, each behind its context."""
    found: set[tuple[str, str]] = set()
    for path in _paths(DEFAULT):
        catalogue: Any = GNUTranslations(BytesIO(_data(path)))
        for key in catalogue._catalog:
            context, _, id = (key if isinstance(key, str) else key[0]).rpartition("\x04")
            found.add((context, id))
    return frozenset(found)


def _paths(language: Language) -> list[Path]:
    """Return where the compiled catalogues of ``language`` lie or will lie."""
    folder = FOLDER / language.replace("-", "_") / "LC_MESSAGES"
    return sorted({path.with_suffix(".mo") for path in folder.glob("[a-z]*.[mp]o")})


def _data(compiled: Path) -> bytes:
    source = compiled.with_suffix(".po")
    if source.exists() and not _is_fresh(compiled, source):
        return _compiled_now(source, compiled)
    return compiled.read_bytes()


def _is_fresh(compiled: Path, source: Path) -> bool:
    return compiled.exists() and compiled.stat().st_mtime_ns >= source.stat().st_mtime_ns


def _compiled_now(source: Path, target: Path) -> bytes:
    from gateway.texts import compiling  # babel takes a while to import, and an installed gateway does without it here

    data = compiling.compiled(source)
    compiling.keep(target, data)
    return data
