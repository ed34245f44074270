"""Which addresses may be given out: a browser, a spreadsheet or a CRM may open what it is handed."""

from urllib.parse import urlsplit


def safe_link(url: str | None) -> str | None:
    """Return ``url`` if a browser may open it: http or https with a host, least of all ``javascript:``."""
    try:
        parts = urlsplit(url or "")
        host = parts.hostname
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and host else None
