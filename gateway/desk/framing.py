"""Which web pages may show the gateway's pages inside their own: the panel those of the CRM, nothing else anybody.

``X-Frame-Options`` can name no page, and older browsers obey it against ``frame-ancestors``: it stands only where
nobody is named.
"""

from collections.abc import Mapping, Sequence

PANEL = "/painel"
PANEL_HEADER = "X-CTI-Panel"
"""With requests of the panel's script, so that a lost login leads to the panel's own login page."""
JUST_LOGGED_IN, NOT_KEPT = "entrou", "sem_cookie"
"""Parameters: the panel is shown behind a login; its login page, because the browser has not kept one."""
POLICY = (
    "default-src 'self'; media-src 'self' http: https:; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors "
)


def is_panel(path: str) -> bool:
    """Return whether ``path`` is a page of the panel."""
    return path == PANEL or path.startswith(f"{PANEL}/")


def headers(framers: Sequence[str]) -> Mapping[str, str]:
    """Return the headers that say who may frame an answer."""
    if framers:
        return {"Content-Security-Policy": POLICY + " ".join(framers)}
    return {"Content-Security-Policy": f"{POLICY}'none'", "X-Frame-Options": "DENY"}
