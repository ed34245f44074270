"""The logins that appliances ask for over HTTP: Basic and Digest (RFC 7616), checked on their side."""

import re
from base64 import b64decode
from binascii import Error as BadBase64
from collections import OrderedDict
from hashlib import md5
from hmac import compare_digest
from secrets import token_hex
from threading import Lock

from gateway.simulators.exchange import Request

NONCES_KEPT = 1000
_PART = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')


def same(one: str, other: str) -> bool:
    """Return whether two secrets are equal, in a time that does not tell how much of them is."""
    return compare_digest(one.encode(), other.encode())


def basic(request: Request) -> tuple[str, str] | None:
    """Return user and password of a Basic login; None when there is none."""
    scheme, _, coded = request.header("Authorization").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = b64decode(coded, validate=True).decode("utf-8", "replace").partition(":")
    except (BadBase64, ValueError):
        return None
    return user, password


def logged_in(request: Request, login: tuple[str, str]) -> bool:
    """Return whether ``request`` holds ``login`` as Basic."""
    given = basic(request)
    return given is not None and same(given[0], login[0]) and same(given[1], login[1])


def _md5(*parts: str) -> str:
    return md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()


class Digest:
    """One realm's Digest login with MD5 and ``qop="auth"``, as strict as Asterisk: the counter ``nc`` of a nonce must
    rise, the ``uri`` must be the whole target; a nonce it never gave is taken, and so is a login without qop."""

    def __init__(self, realm: str) -> None:
        self.realm = realm
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def refused(self, request: Request, login: tuple[str, str]) -> str:
        """Return the challenge to answer with 401; empty when ``request`` holds ``login``."""
        scheme, _, rest = request.header("Authorization").partition(" ")
        given = {name.lower(): quoted or bare for name, quoted, bare in _PART.findall(rest)}
        if scheme.lower() != "digest" or not self._right(request, given, login):
            return self._challenge()
        if given.get("qop") and not self._rises(given.get("nonce", ""), given.get("nc", "")):
            return self._challenge() + ", stale=true"
        return ""

    def _right(self, request: Request, given: dict[str, str], login: tuple[str, str]) -> bool:
        user, password = login
        if given.get("username") != user or given.get("uri") != request.target:
            return False
        ends = _md5(user, self.realm, password), _md5(request.method, request.target)
        middle = [given.get("nonce", "")]
        if given.get("qop"):
            middle += [given.get("nc", ""), given.get("cnonce", ""), given["qop"]]
        return same(given.get("response", ""), _md5(ends[0], *middle, ends[1]))

    def _rises(self, nonce: str, count: str) -> bool:
        try:
            number = int(count, 16)
        except ValueError:
            return False
        with self._lock:
            if number <= self._counts.get(nonce, 0):
                return False
            self._counts[nonce] = number
            while len(self._counts) > NONCES_KEPT:
                self._counts.popitem(last=False)
        return True

    def _challenge(self) -> str:
        nonce = token_hex(4)
        return f'Digest algorithm=MD5, realm="{self.realm}", nonce="{nonce}", qop="auth", opaque="{nonce}"'
