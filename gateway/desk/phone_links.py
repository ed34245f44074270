"""Links to numbers (``tel:``, ``callto:``, ``sip:``) of any program or page, which the browser hands to the desk.

Any page can open such a link, so it dials nothing: it shows the number, and the agent clicks.
"""

import re
from urllib.parse import unquote

from werkzeug.wrappers import Response

from gateway.desk.context import Visit
from gateway.desk.rendering import as_json, page
from gateway.domain.numbering.numbers import read
from gateway.domain.roles import Right
from gateway.domain.shown_text import unturned

LONGEST = 64
SCHEME = re.compile(r"(?:web\+)?(?:tel|callto|sips?):(?://)?", re.IGNORECASE)
INVISIBLE = re.compile(r"[\x00-\x1f\x7f]+")


def number_in(link: str) -> str:
    """Return the number in ``tel:+55-47-3210-0123;ext=5``, ``callto:32100123`` or ``sip:3501@pbx``.

    Any other text stays as it is, without what no one sees.
    """
    text = link.strip()
    scheme = SCHEME.match(text)
    if scheme:
        text = re.split(r"[;?@]", unquote(text[scheme.end() :]))[0]
    return INVISIBLE.sub("", unturned(text)).strip()[:LONGEST]


def ask(visit: Visit) -> Response:
    """Show the number of a link, whose it is, and a button to dial it."""
    number = number_in(visit.request.args.get("numero", ""))
    seq = visit.services.log.newest(visit.tenant)
    return page(visit, "phone_link.html", seq=seq, number=number, owner=_owner(visit, number))


def _owner(visit: Visit, number: str) -> str:
    if not number or not visit.may(Right.SEE_ACCOUNTS):
        return ""
    reading = read(number, visit.services.core.tenant(visit.tenant).numbers_for(visit.me.extension))
    found = visit.services.directory.owners(visit.tenant, reading.candidates)
    return found[0].name if found else ""


def manifest(visit: Visit) -> Response:
    """Describe the desk as an application that a browser can install, which then takes links to numbers."""
    return as_json(
        {
            "name": visit.title,
            "short_name": visit.title[:12],
            "start_url": visit.url("screen"),
            "scope": visit.url("screen"),
            "display": "standalone",
            "icons": [{"src": visit.url("static", name="logo.svg"), "sizes": "any", "type": "image/svg+xml"}],
            "protocol_handlers": [{"protocol": "tel", "url": f"{visit.url('dial_page')}?numero=%s"}],
        },
        mimetype="application/manifest+json",
    )
