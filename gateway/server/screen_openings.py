"""Screens that open, or come back: the sessions of many are looked up together."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

from gateway.desk.access import COOKIE, FRAMED_COOKIE
from gateway.store.directory import Directory, token_hash
from gateway.wire.sites import without_tenant

PATH = "/events"
SESSIONS = re.compile(rf"\b(?:{COOKIE}|{FRAMED_COOKIE})[^=;, ]*=([\w-]+)")
"""The values of our cookies, by whatever name they have in the browser (``access.cookie_name``)."""
MOST_OF_ONE = 4
"""Sessions of one request that are looked up together with others; a browser sends one."""


class ScreenOpenings:
    """Requests for a stream of events by a browser; programs prove themselves otherwise, which may take longer."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def is_meant(self, environ: Mapping[str, Any]) -> bool:
        """Return whether a screen opens."""
        is_stream = environ["REQUEST_METHOD"] == "GET" and without_tenant(environ["PATH_INFO"]) == PATH
        return is_stream and "HTTP_AUTHORIZATION" not in environ

    def ahead(self, environs: Sequence[Mapping[str, Any]]) -> AbstractContextManager[None]:
        """Return a block within which the sessions of these requests are known to the thread that enters it."""
        return self._directory.looking_ahead({key for environ in environs for key in _keys(environ)})


def _keys(environ: Mapping[str, Any]) -> Iterator[str]:
    """Yield the hashes of the sessions that a request may be one of."""
    found = SESSIONS.finditer(environ.get("HTTP_COOKIE", ""))
    return (token_hash(each[1]) for each in islice(found, MOST_OF_ONE))
