"""Templates into answers, with the headers that keep pages to themselves."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup
from werkzeug.wrappers import Response

from gateway.desk import access, assets, formats, framing
from gateway.desk.context import Visit
from gateway.domain.links import safe_link
from gateway.domain.masking import is_masked
from gateway.domain.shown_text import escaped, unturned
from gateway.texts.catalogues import area_sentences, translations
from gateway.texts.languages import NAMES, Language
from gateway.texts.rendering import render, shown
from gateway.texts.text import Text
from gateway.traffic import remarks

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}

VARY = ("HX-Request", "HX-History-Restore-Request", "Accept-Language")
"""One address is a page or a piece of it by these headers (``Visit.by_htmx``), in one language or another."""


def isolated(text: str) -> Markup:
    """Set ``text``, somebody's name, off from the sentence around it, whatever its direction of writing."""
    return Markup("<bdi>{}</bdi>").format(text)


def raw(text: str) -> str:
    """Return what was sent, with the characters that no one sees as escapes."""
    return escaped(text, keep="\r\n\t")


def _finalizer(language: Language) -> Callable[[Any], Any]:
    """Return what makes a value ready to be shown: a ``Text`` is rendered, nothing turns the text behind it round."""

    def finalized(value: Any) -> Any:
        shown = render(value, language) if isinstance(value, Text) else value
        return unturned(shown) if isinstance(shown, str) else shown

    return finalized


def sentences(language: Language) -> Markup:
    """Return the sentences of the browser's script by their English, as JSON that may stand in HTML."""
    return htmlsafe_json_dumps(area_sentences(language, "script"), ensure_ascii=False)


@cache
def environment(language: Language) -> Environment:
    """Return the environment that renders pages in ``language``."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalizer(language),
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    environment.policies["ext.i18n.trimmed"] = True
    environment.globals |= {"language": language, "languages": NAMES, "sentences": sentences(language)}
    environment.filters |= {
        "said": partial(shown, language=language),
        "number": formats.number_text,
        "duration": formats.duration_text,
        "waiting": formats.waiting_text,
        "date": partial(formats.date_text, language=language),
        "amount": partial(formats.amount_text, language=language),
        "time": formats.time_text,
        "clock": formats.clock_text,
        "seconds": formats.seconds_text,
        "remarks": partial(remarks.said, language=language),
        "link": safe_link,
        "isolated": isolated,
        "raw": raw,
        "identifier": formats.identifier_name,
    }
    environment.tests["diallable"] = formats.is_diallable
    environment.tests["masked"] = is_masked
    environment.tests["playable_on"] = formats.plays_here
    return environment


def page(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
    """Render a page or a piece of one, for this visitor only."""
    text = (
        environment(visit.language)
        .get_template(template)
        .render(
            visit=visit,
            zone=visit.zone,
            url=visit.url,
            static=lambda name: visit.url("static", name=name, v=assets.mark(name)),
            script=lambda name: visit.url("static", name=assets.script(name)),
            form_token=access.form_token(visit.secret),
            session_mark=access.session_mark(visit.secret),
            **values,
        )
    )
    response = Response(text, status, mimetype="text/html")
    response.vary.update(VARY)
    return private(response)


def as_json(
    data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None, mimetype: str = "application/json"
) -> Response:
    """Answer with JSON for a script or the page's own script."""
    text = json.dumps(data, ensure_ascii=False)
    return private(Response(text, status, headers=headers, mimetype=mimetype))


def streamed(stream: Iterable[bytes]) -> Response:
    """Return a response of server-sent events; proxies are asked not to hold them back."""
    response = Response(stream, mimetype="text/event-stream", direct_passthrough=True)
    response.headers["X-Accel-Buffering"] = "no"
    return private(response)


def private(response: Response) -> Response:
    """Keep ``response`` out of every cache."""
    response.headers["Cache-Control"] = "no-store"
    return response


def protected(response: Response, framers: Sequence[str] = ()) -> Response:
    """Add the headers that every answer has; pages of ``framers`` may frame it, others may not."""
    for name, value in {**HEADERS, **framing.headers(framers)}.items():
        response.headers.setdefault(name, value)
    return response
