"""The page for people whose address names no company here; machines get one line instead."""

from collections.abc import Mapping
from html import escape

from gateway.errors import UnknownTenant
from gateway.texts.languages import of_browser
from gateway.texts.rendering import render
from gateway.texts.text import Text
from gateway.wire.transport import Answer, Environ, Headers, answer, language_of, refuse_as_text

HTML = "text/html; charset=utf-8"
KEPT_TO_ITSELF: Headers = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Vary", "Accept, Accept-Language"),
]
PAGE = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title}</title></head>
<body>
<h1>{title}</h1>
<p>{problem}</p>
<p><strong>{what}</strong> {way}</p>
<p>{administrator}</p>
</body>
</html>
"""


def refuse(error: UnknownTenant, environ: Environ) -> Answer:
    """Answer with a page for a browser, else with the line of every machine; the status is the same."""
    if "text/html" not in environ.get("HTTP_ACCEPT", "") or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return refuse_as_text(error, language_of(environ))
    language = of_browser(environ.get("HTTP_ACCEPT_LANGUAGE")) or language_of(environ)
    said = {name: render(text, language) for name, text in sentences(environ, error.code).items()}
    page = PAGE.format(language=language, **said)
    return answer(error.http_status, HTML, page.encode(), KEPT_TO_ITSELF)


def sentences(environ: Environ, code: int) -> Mapping[str, Text]:
    """Return what the page says, its facts as markup."""
    host = environ.get("HTTP_HOST", "")[:255]
    place = f"{environ['wsgi.url_scheme']}://{host}" if host else ""
    asked = place + environ.get("SCRIPT_NAME", "")[:255]
    return {
        "title": Text("Company not found"),
        "problem": Text("This address ({asked}) does not say which company's page it is.", asked=escape(asked or "?")),
        "what": Text("What to do:"),
        "way": Text(
            "open the address that the administrator gave you. It begins with the company's name, like {first}, or "
            "ends with it, like {last}.",
            first=Text("<code>http://COMPANY.example.com/</code>"),
            last=Text("<code>{place}/t/COMPANY/</code>", place=escape(place)),
        ),
        "administrator": Text(
            "For the administrator: the host's name has to be in {hosts} of the company, in the gateway's "
            "configuration ({table}), or to begin with the company's name. Code of the error: {code}.",
            hosts="<code>hosts</code>",
            table=Text("<code>[tenants.COMPANY]</code>"),
            code=code,
        ),
    }
