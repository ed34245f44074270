"""Turns the raw headers of a request into keys of a WSGI environ (PEP 3333), the same on both ports.

An environ has one key for ``X-Forwarded-For`` and ``X_Forwarded_For``, so a name with an underscore, which proxies
neither write nor remove, would pass for theirs. Such names are left out, as nginx does by default
(``underscores_in_headers``); the one exception is ``token_auth``, which Senior CRM sends (its manual,
"integracao-cti-interno").
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

WITH_UNDERSCORE = frozenset({"TOKEN_AUTH"})
"""Names in capitals that are taken although they hold an underscore."""
WITHOUT_PREFIX = ("CONTENT_TYPE", "CONTENT_LENGTH")


@lru_cache(maxsize=1024)
def environ_key(name: str) -> str | None:
    """Return the environ's key of the header ``name``; None for a name that could pass for another one's.

    >>> environ_key("x-forwarded-for"), environ_key("X_Forwarded-For"), environ_key("Token_Auth")
    ('HTTP_X_FORWARDED_FOR', None, 'HTTP_TOKEN_AUTH')
    """
    upper = name.upper()
    if "_" in upper and upper not in WITH_UNDERSCORE:
        return None
    key = upper.replace("-", "_")
    return key if key in WITHOUT_PREFIX else f"HTTP_{key}"


def header_environ(headers: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the environ's part for ``headers``, (name, value) as they came; a repeated header becomes one list.

    The parts are joined with ``,`` in the order of arrival, those of ``Cookie`` with ``; `` (RFC 9110, 5.3; RFC 6265).
    """
    environ: dict[str, Any] = {}
    for name, value in headers:
        key = environ_key(name)
        if key is None:
            continue
        if key in environ:
            value = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
        environ[key] = value
    return environ
