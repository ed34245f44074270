"""Which catalogue the sentences of a source file are in: one for each area, so that several people can work at once."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

AREAS: Mapping[str, tuple[str, ...]] = {
    "errors": ("gateway/errors/*.py",),
    "machines": ("gateway/wire/*.py", "gateway/multipart.py", "gateway/traffic/*.py"),
    "webhooks": ("gateway/mapping/*.py", "gateway/wire/webhooks/*.py"),
    "commands": (
        "gateway/__main__.py",
        "gateway/cli/*.py",
        "gateway/config/*.py",
        "gateway/demo/*.py",
        "gateway/logins/*.py",
        "gateway/onsite/*.py",
        "gateway/server/*.py",
        "gateway/simulators/*.py",
    ),
    "click": ("gateway/cli/click_words.py",),
    "directory": ("gateway/source.py", "gateway/directory/*.py", "adapters/wconnect/*.py"),
    "desk": ("gateway/desk/*.py", "gateway/desk/templates/*.html"),
    "calls": (
        "gateway/desk/board.py",
        "gateway/desk/call_log.py",
        "gateway/desk/exports.py",
        "gateway/desk/figures.py",
        "gateway/desk/search_box.py",
        "gateway/desk/search_words.py",
        "gateway/desk/templates/_saved.html",
        "gateway/desk/templates/_understood.html",
        "gateway/desk/templates/_calls.html",
        "gateway/desk/templates/calls.html",
        "gateway/desk/templates/board.html",
        "gateway/desk/templates/_board.html",
        "gateway/desk/templates/figures.html",
        "gateway/store/saved_filters.py",
    ),
    "forwards": (
        "gateway/desk/integrations.py",
        "gateway/desk/templates/_letters.html",
        "gateway/desk/templates/integrations.html",
        "gateway/desk/templates/letter.html",
        "gateway/store/letters/*.py",
    ),
    "script": ("gateway/desk/static/desk/*.js",),
    "diagnosis": ("gateway/diagnosis/*.py",),
    "events": ("gateway/event_source.py", "gateway/events/*.py"),
    "outcomes": (
        "gateway/adapter.py",
        "gateway/handlers.py",
        "gateway/maintenance.py",
        "gateway/onsite/orders.py",
        "gateway/orders/*.py",
        "gateway/relay/*.py",
        "gateway/store/*.py",
        "adapters/*.py",
    ),
    "numbers": ("gateway/domain/*.py",),
    "presets": (
        "adapters/presets/catalogue/*.toml",
        "gateway/events/lines/presets/*.toml",
        "gateway/events/cdr/presets/*.toml",
    ),
}
"""Patterns of paths by area. ``*`` stands for folders, too; the longest pattern that fits a file decides."""

WITHOUT_SENTENCES = ("gateway/__init__.py", "gateway/clock.py", "gateway/texts/*.py", "gateway/gateway.toml")
SUFFIXES = (".py", ".html", ".js", ".toml")


def area_of(path: str) -> str | None:
    """Return the area of the file ``path`` (relative to the root, with slashes), None where it has no sentences."""
    if any(fnmatchcase(path, pattern) for pattern in WITHOUT_SENTENCES):
        return None
    found = [(len(each), area) for area, patterns in AREAS.items() for each in patterns if fnmatchcase(path, each)]
    return max(found)[1] if found else None


def sources(root: Path) -> Iterator[str]:
    """Yield the paths of all source files of the product below ``root``, in order."""
    for folder in ("gateway", "adapters"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SUFFIXES and "vendor" not in path.parts:
                yield path.relative_to(root).as_posix()
