"""The files that pages need, served from the package: nothing comes from anywhere else."""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

FOLDER = Path(__file__).parent / "static"
SCRIPTS = "desk/"
A_YEAR_S = 31_536_000
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, its media type, and a short mark of its content."""

    data: bytes
    media_type: str
    mark: str


@cache
def assets() -> Mapping[str, Asset]:
    """Return all files by their path below ``static/``."""
    files = (path for path in sorted(FOLDER.rglob("*")) if path.is_file())
    return {path.relative_to(FOLDER).as_posix(): _asset(path) for path in files}


def mark(name: str) -> str:
    """Return a mark that changes with the content, so that browsers may keep the file for good under this address."""
    return assets()[name].mark


@cache
def scripts_mark() -> str:
    """Return a mark that changes with any of the desk's own scripts, which load each other."""
    marks = "".join(asset.mark for name, asset in assets().items() if name.startswith(SCRIPTS))
    return hashlib.sha256(marks.encode()).hexdigest()[:12]


def script(name: str) -> str:
    """Return the name under which the desk's own script ``name`` is loaded.

    The mark is a folder, so that what scripts load by ``./other.js`` is of the same version, and a shared
    worker of an older version never serves a newer page.
    """
    return f"@{scripts_mark()}/{SCRIPTS}{name}"


def serve(request: Request, name: str) -> Response:
    """Serve the file ``name``, 304 when the browser has it. Raises ``NotFound``."""
    marked, name = _unmarked(name)
    asset = assets().get(name)
    if asset is None:
        raise NotFound
    response = Response(asset.data, mimetype=asset.media_type)
    response.set_etag(asset.mark)
    response.cache_control.public = True
    if request.args.get("v") == asset.mark or marked == scripts_mark():
        response.cache_control.max_age = A_YEAR_S
        response.cache_control.immutable = True
    else:
        response.cache_control.no_cache = True
    return response.make_conditional(request)


def shared(request: Request, name: str, *, keep_s: int = 3600) -> Response:
    """Serve the file ``name`` at an address that stays the same, also to pages of other sites."""
    asset = assets()[name]
    response = Response(asset.data, mimetype=asset.media_type)
    response.set_etag(asset.mark)
    response.cache_control.public = True
    response.cache_control.max_age = keep_s
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response.make_conditional(request)


def _unmarked(name: str) -> tuple[str, str]:
    """Return the mark in ``@MARK/desk/main.js``, and the file's own name."""
    mark, _, rest = name.partition("/")
    return (mark[1:], rest) if mark.startswith("@") and rest.startswith(SCRIPTS) else ("", name)


def _asset(path: Path) -> Asset:
    data = path.read_bytes()
    guessed = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Asset(data, guessed, hashlib.sha256(data).hexdigest()[:12])
