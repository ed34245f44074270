"""The page for people whose address names no company here; machines get one line instead."""

from html import escape

from gateway.errors import UnknownTenant
from gateway.wire.transport import Answer, Environ, Headers, answer, refuse_as_text

HTML = "text/html; charset=utf-8"
KEPT_TO_ITSELF: Headers = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Vary", "Accept"),
]
PAGE = """<!doctype html>
<html lang="pt-BR">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Empresa não encontrada</title></head>
<body>
<h1>Empresa não encontrada</h1>
<p>Este endereço ({asked}) não diz de qual empresa é a página.</p>
<p><strong>O que fazer:</strong> abra o endereço que o administrador passou. Ele começa com o nome da empresa,
como <code>http://EMPRESA.exemplo.com.br/</code>, ou termina com ele, como <code>{place}/t/EMPRESA/</code>.</p>
<p>Para o administrador: o nome do host precisa estar em <code>hosts</code> da empresa, na configuração do gateway
(<code>[tenants.EMPRESA]</code>), ou ter o nome da empresa como primeira parte. Código do erro: {code}.</p>
</body>
</html>
"""


def refuse(error: UnknownTenant, environ: Environ) -> Answer:
    """A page for a browser, the line of every machine for the rest; the status is the same."""
    if "text/html" not in environ.get("HTTP_ACCEPT", "") or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return refuse_as_text(error)
    host = environ.get("HTTP_HOST", "")[:255]
    place = f"{environ['wsgi.url_scheme']}://{host}" if host else ""
    asked = place + environ.get("SCRIPT_NAME", "")[:255]
    text = PAGE.format(asked=escape(asked or "?"), place=escape(place), code=error.code)
    return answer(error.http_status, HTML, text.encode(), KEPT_TO_ITSELF)
