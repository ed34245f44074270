"""Bring the catalogues up to date with the source: ``python -m gateway.texts.update``.

New sentences come in untranslated, what stands nowhere any more goes, translations stay. Run it after changing a
sentence, then fill in each empty ``msgstr``. With ``--check`` it writes nothing, and tells what it would write.
"""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from gateway.texts import areas, catalogues
from gateway.texts.extraction import extract
from gateway.texts.languages import LANGUAGES, Language
from gateway.texts.rendering import locale_of

ROOT = Path(__file__).parents[2]
TRANSLATED = tuple(language for language in LANGUAGES if language != catalogues.SOURCE)
WIDTH = 120
HEADER = """# {area}: {language}. Written by "python -m gateway.texts.update"; translate the empty msgstr by hand.
msgid ""
msgstr ""
"Language: {locale}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"

"""
"""Without dates and names of people, over which merges would quarrel."""
PLURALS = {"pt-BR": "nplurals=2; plural=(n > 1);", "es": "nplurals=2; plural=(n != 1);"}
"""Babel has a third form for whole millions, which no sentence of ours counts."""


def updated(area: str, language: Language, found: Catalog) -> bytes:
    """Return the catalogue of ``area`` in ``language`` as it should be, given what was ``found`` in the source."""
    catalogue = _present(area, language)
    catalogue.update(found, no_fuzzy_matching=True)
    target = BytesIO()
    write_po(target, catalogue, WIDTH, omit_header=True, sort_by_file=True, ignore_obsolete=True, include_lineno=False)
    return _header(area, language) + target.getvalue()


def place(area: str, language: Language) -> Path:
    """Return the file of the catalogue of ``area`` in ``language``."""
    return catalogues.FOLDER / language.replace("-", "_") / "LC_MESSAGES" / f"{area}.po"


def stale(*, write: bool) -> list[Path]:
    """Return the catalogues that are not as they should be; ``write`` mends them."""
    changed = []
    for area in areas.AREAS:
        found = extract(ROOT, area)
        for language in TRANSLATED:
            path, data = place(area, language), updated(area, language, found)
            if not path.exists() or path.read_bytes() != data:
                changed.append(path)
                _write(path, data) if write else None
    return changed


def _present(area: str, language: Language) -> Catalog:
    path = place(area, language)
    data = path.read_bytes() if path.exists() else _header(area, language)
    return read_po(BytesIO(data), locale_of(language), charset="utf-8", abort_invalid=True)


def _header(area: str, language: Language) -> bytes:
    locale, plural = locale_of(language), PLURALS[language]
    return HEADER.format(area=area, language=language, locale=locale, plural=plural).encode()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def main() -> None:
    """Update all catalogues, or with ``--check`` end with 1 where one is not up to date."""
    check = "--check" in sys.argv[1:]
    for path in (found := stale(write=not check)):
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    sys.exit(bool(found) if check else 0)


if __name__ == "__main__":
    main()
