"""Templates into answers, with the headers that keep pages to themselves."""

import json
from collections.abc import Iterable, Mapping
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from werkzeug.wrappers import Response

from gateway.desk import access, assets, formats
from gateway.desk.context import Visit
from gateway.domain.links import safe_link
from gateway.domain.shown_text import escaped, unturned

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; media-src 'self' http: https:; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}

VARY = ("HX-Request", "HX-History-Restore-Request")
"""One address is a page or a piece of it by these headers (``Visit.by_htmx``)."""


def isolated(text: str) -> Markup:
    """Set ``text``, somebody's name, off from the sentence around it, whatever its direction of writing."""
    return Markup("<bdi>{}</bdi>").format(text)


def raw(text: str) -> str:
    """Return what was sent, with the characters that no one sees as escapes."""
    return escaped(text, keep="\r\n\t")


def _harmless(value: Any) -> Any:
    """Take out of every value that a page shows what would turn the text behind it round."""
    return unturned(value) if isinstance(value, str) else value


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(NullTranslations(), newstyle=True)  # type: ignore[attr-defined]
    environment.policies["ext.i18n.trimmed"] = True
    environment.filters |= {
        "number": formats.number_text,
        "duration": formats.duration_text,
        "date": formats.date_text,
        "time": formats.time_text,
        "clock": formats.clock_text,
        "link": safe_link,
        "isolated": isolated,
        "raw": raw,
    }
    environment.tests["diallable"] = formats.is_diallable
    environment.tests["playable_on"] = formats.plays_here
    return environment


_templates = _environment()


def page(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page or a piece of one, for this visitor only."""
    text = _templates.get_template(template).render(
        visit=visit,
        zone=visit.zone,
        url=visit.url,
        static=lambda name: visit.url("static", name=name, v=assets.mark(name)),
        script=lambda name: visit.url("static", name=assets.script(name)),
        form_token=access.form_token(visit.secret),
        session_mark=access.session_mark(visit.secret),
        **values,
    )
    response = Response(text, status, mimetype="text/html")
    response.vary.update(VARY)
    return private(response)


def as_json(data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON for a script or the page's own script."""
    text = json.dumps(data, ensure_ascii=False)
    return private(Response(text, status, headers=headers, mimetype="application/json"))


def streamed(stream: Iterable[bytes]) -> Response:
    """Server-sent events; proxies are asked not to hold them back."""
    response = Response(stream, mimetype="text/event-stream", direct_passthrough=True)
    response.headers["X-Accel-Buffering"] = "no"
    return private(response)


def private(response: Response) -> Response:
    """Keep ``response`` out of every cache."""
    response.headers["Cache-Control"] = "no-store"
    return response


def protected(response: Response) -> Response:
    """Add the headers that every answer has."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
