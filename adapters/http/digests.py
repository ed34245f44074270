"""Filters for templates whose peer wants a hash instead of a password: challenges, signatures.

What they come to is as good as the secret in it, or lets one guess it, so a preview shows only the filter's name.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from jinja2 import pass_context
from jinja2.runtime import Context

PREVIEW = "in_preview"
"""A field of the message that is true when the text is only shown."""


def _hidden(name: str, made: Callable[..., str]) -> Callable[..., str]:
    @pass_context
    def filtered(context: Context, value: Any, *more: Any) -> str:
        return f"__{name}__" if context.get(PREVIEW) else made(str(value), *map(str, more))

    return filtered


def _hash(name: str) -> Callable[..., str]:
    return lambda value: hashlib.new(name, value.encode()).hexdigest()


def _hmac(name: str) -> Callable[..., str]:
    return lambda value, key: hmac.new(key.encode(), value.encode(), name).hexdigest()


FILTERS: Mapping[str, Callable[..., str]] = {
    **{name: _hidden(name, _hash(name)) for name in ("md5", "sha1", "sha256")},
    **{f"hmac_{name}": _hidden(f"hmac_{name}", _hmac(name)) for name in ("md5", "sha1", "sha256")},
    "base64": _hidden("base64", lambda value: b64encode(value.encode()).decode()),
    "quote": lambda value: quote(str(value), safe=""),
}
"""By name: hashes in hexadecimal (``{{ (challenge ~ secret) | md5 }}``), ``hmac_*`` with the key as argument,
``base64``, and ``quote`` (%XX) for the text that a signature covers; values in a URL are escaped without it."""
