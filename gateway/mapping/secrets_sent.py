"""Where the secret itself stands in a request, for the kinds of proof that send it."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence

from gateway.mapping.authenticity import Authenticity
from gateway.mapping.signed_requests import SignedRequest

Sender = Callable[[SignedRequest], Sequence[str]]
"""Returns the secrets that a request gives; several are one too many."""
TOKEN = "token"  # noqa: S105
HEADERS = ("token-auth", "x-token-auth")


def in_path(rules: Authenticity) -> Sender:
    """Read the first part of what the address has behind the source's name: ``/in/NAME/SECRET``."""
    return lambda signed: _present([signed.first_of_tail])


def in_query(rules: Authenticity) -> Sender:
    """Read a parameter of the query."""
    return lambda signed: signed.query_values(rules.parameter)


def in_header(rules: Authenticity) -> Sender:
    """Read a header, or what stands in it behind the scheme."""

    def read(signed: SignedRequest) -> Sequence[str]:
        return _present([behind_scheme(signed.header(rules.header), rules.scheme)])

    return read


def in_body(rules: Authenticity) -> Sender:
    """Read a value of the body."""
    return lambda signed: _present([signed.value(rules.field)])


def in_basic(rules: Authenticity) -> Sender:
    """Read the password of HTTP Basic, where the user name is the wanted one or none is wanted."""

    def read(signed: SignedRequest) -> Sequence[str]:
        login, password = _login(behind_scheme(signed.header("authorization"), "basic"))
        if rules.login and password and login != rules.login:
            return [""]
        return _present([password])

    return read


def anywhere(rules: Authenticity) -> Sender:
    """Read the query's ``token``, a header as for plain events, else the first part of the tail."""

    def read(signed: SignedRequest) -> Sequence[str]:
        headers = [signed.header(name) for name in HEADERS]
        bearer = behind_scheme(signed.header("authorization"), "bearer")
        given = _present([*signed.query_values(TOKEN), *headers, bearer])
        # nginx, set up as docs/reverse-proxy.md says, passes Token-Auth on under both names.
        return list(dict.fromkeys(given)) or _present([signed.first_of_tail])

    return read


SENT: Mapping[str, Callable[[Authenticity], Sender]] = {
    "secret": anywhere,
    "path": in_path,
    "query": in_query,
    "basic": in_basic,
    "header": in_header,
    "body": in_body,
}


def stands_in_tail(rules: Authenticity, signed: SignedRequest) -> bool:
    """Return whether the first part of the tail is the secret, and so nothing that the mapping should see."""
    return rules.kind == "path" or (rules.kind == "secret" and anywhere(rules)(signed) == [signed.first_of_tail])


def behind_scheme(text: str, scheme: str) -> str:
    """Return ``text`` without the word ``scheme`` before it, in whatever letters; nothing where it is missing."""
    if not scheme:
        return text
    word, _, rest = text.partition(" ")
    return rest.strip() if word.lower() == scheme.lower() else ""


def _present(texts: Sequence[str]) -> list[str]:
    return [text for text in texts if text]


def _login(encoded: str) -> tuple[str, str]:
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return "", ""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    login, _, password = text.partition(":")
    return login, password
