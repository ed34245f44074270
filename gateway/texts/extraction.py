"""The sentences that stand in the source: in Python as ``Text`` and its like, in templates, in the browser's script."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file

from gateway.texts import areas

KEYWORDS: Mapping[str, tuple[int | tuple[int, str], ...] | None] = {
    "Text": None,
    "counted": (1, 2),
    "in_context": ((1, "c"), 2),
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
METHODS = {".py": "python", ".html": "jinja2", ".js": "javascript"}
OPTIONS = {"jinja2": {"trimmed": "true", "silent": "false"}}
PENDING = Path(__file__).parent / "pending"
"""Lists of files whose sentences are still Portuguese where they stand, by area; their templates are left out."""


def extract(root: Path, area: str) -> Catalog:
    """Return the sentences of ``area`` in the source tree ``root``, each with the files it stands in."""
    catalogue = Catalog(project="cti-gateway", charset="utf-8")
    for path in areas.sources(root):
        if areas.area_of(path) == area and path not in (pending() if not path.endswith(".py") else ()):
            for id, context in _found(root / path):
                catalogue.add(id, locations=[(path, 0)], context=context)
    return catalogue


def pending() -> set[str]:
    """Return the files that are not done."""
    lists = [path.read_text(encoding="utf-8").split() for path in sorted(PENDING.glob("*.txt"))]
    return {path for each in lists for path in each}


def _found(path: Path) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    method = METHODS.get(path.suffix)
    if method is None:
        return
    for _, id, _, context in extract_from_file(method, path, KEYWORDS, options=OPTIONS.get(method)):
        if id and (isinstance(id, str) or all(id)):
            yield id, context
