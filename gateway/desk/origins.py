"""Which web pages of the CRM may use ``/api`` by script, with the agent's login in this browser."""

from collections.abc import Collection

from werkzeug.wrappers import Request, Response

from gateway.logins.named_pages import named_origin, preflight_headers, shared_headers


def is_for_scripts(request: Request) -> bool:
    """Return whether scripts of named pages may ask for this address."""
    return request.path.startswith("/api/")


def is_by_named_page(request: Request, origins: Collection[str]) -> bool:
    """Return whether a script of a page that the company names asks: its Origin stands for a form's token."""
    return is_for_scripts(request) and bool(named_origin(request.environ, origins))


def preflight(request: Request, origins: Collection[str]) -> Response:
    """Answer a preflight: 204 with what is allowed, 403 to pages that the company does not name."""
    if not named_origin(request.environ, origins):
        return Response(status=403)
    return Response(status=204, headers=preflight_headers(request.environ))


def shared(response: Response, request: Request, origins: Collection[str]) -> Response:
    """Let the script of a named page read ``response``."""
    if is_for_scripts(request):
        for name, value in shared_headers(request.environ, origins, credentials=True):
            if name == "Vary":
                response.vary.add(value)
            else:
                response.headers[name] = value
    return response
