"""TLS for appliances that will never learn today's: only what an administrator asks for, for that one appliance."""

import hashlib
import socket
import ssl
from functools import cached_property
from hmac import compare_digest
from pathlib import Path
from typing import Literal

import certifi
from urllib3.util.ssl_ import create_urllib3_context

from adapters.http.connecting import open_socket

Version = Literal["1.0", "1.1", "1.2"]

STRICT: Version = "1.2"
_VERSIONS = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2}
_LEGACY_SERVER_CONNECT = 0x4
"""OpenSSL's flag for servers without RFC 5746's renegotiation (``ssl.OP_LEGACY_SERVER_CONNECT`` from Python 3.12)."""
OLD = frozenset(
    {
        *("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "WRONG_SSL_VERSION", "WRONG_SIGNATURE_TYPE"),
        *("DH_KEY_TOO_SMALL", "EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK", "NO_CIPHERS_AVAILABLE"),
        *("SSLV3_ALERT_HANDSHAKE_FAILURE", "UNSAFE_LEGACY_RENEGOTIATION_DISABLED"),
        "LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED",
    }
)  # fmt: skip
"""OpenSSL's reasons that end a handshake between today's settings and an old appliance."""


def context_for(minimum: Version, ciphers: str, *, verify: bool) -> ssl.SSLContext | None:
    """Make a context for the settings, or None when they are the defaults: then the libraries' own, strict one is used.

    TLS 1.0 and 1.1 sign with SHA-1 and MD5, which OpenSSL 3 allows at security level 0 only, so they come with it
    unless ``ciphers`` says otherwise. Raises ``ssl.SSLError`` when OpenSSL knows none of ``ciphers``.
    """
    if minimum == STRICT and not ciphers:
        return None
    old = minimum != STRICT
    context = create_urllib3_context(
        ciphers=ciphers or "DEFAULT@SECLEVEL=0", cert_reqs=ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    )
    context.minimum_version = _VERSIONS[minimum]  # Python calls the old ones deprecated, by a warning it does not show
    if old:
        context.options |= _LEGACY_SERVER_CONNECT
    return context


class WrongCertificate(ssl.SSLError):
    """The peer shows another certificate than the one that is pinned."""


class NoAuthorities(OSError):
    """The file or folder of ``tls_verify`` holds no certificates, or cannot be read."""


class Trust:
    """Whom a peer's certificate must be signed by.

    ``verify``: by the authorities that everybody trusts, by a file or folder of them, or it is not checked at all. With
    ``fingerprint`` (SHA-256 in hex) the peer must show that very certificate. Without ``context`` urllib3's strict
    settings hold.
    """

    def __init__(
        self, verify: bool | Path = True, *, context: ssl.SSLContext | None = None, fingerprint: str | None = None
    ) -> None:
        self._verify = verify
        self._given = context
        self._fingerprint = fingerprint

    def wrap(self, raw: socket.socket, host: str) -> ssl.SSLSocket:
        """Return ``raw`` after the handshake, within its timeout; it is closed when that fails. Raises ``OSError``, of
        which kind are ``ssl.SSLError``, ``NoAuthorities`` and ``WrongCertificate``.
        """
        try:
            shaken = self._context.wrap_socket(raw, server_hostname=host.rstrip("."))
        except BaseException:
            raw.close()
            raise
        shown = hashlib.sha256(shaken.getpeercert(binary_form=True) or b"").hexdigest()
        if self._fingerprint and not compare_digest(shown, self._fingerprint):
            shaken.close()
            raise WrongCertificate("the certificate is not the pinned one")
        return shaken

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """Made when it is first needed: most appliances speak http. Raises ``NoAuthorities``."""
        checked = self._verify is not False
        context = self._given or create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if checked else ssl.CERT_NONE)
        context.check_hostname = checked
        if checked:
            found = Path(certifi.where()) if self._verify is True else Path(str(self._verify))
            try:
                context.load_verify_locations(**{"capath" if found.is_dir() else "cafile": str(found)})
            except OSError as error:
                raise NoAuthorities(str(found)) from error
        return context


def pin_of(host: str, port: int, *, timeout_s: float, context: ssl.SSLContext | None, public_only: bool = False) -> str:
    """Return the certificate that ``host`` shows, as a value for ``tls_pin``; whether it is trusted is not looked at.

    ``context`` is a peer's own, for those with old TLS. Raises ``OSError``.
    """
    looking = create_urllib3_context(cert_reqs=ssl.CERT_NONE, ciphers="DEFAULT@SECLEVEL=0" if context else None)
    if context:
        looking.minimum_version = context.minimum_version
        looking.options |= _LEGACY_SERVER_CONNECT
    with open_socket(host, port, timeout_s=timeout_s, public_only=public_only) as raw:
        raw.settimeout(timeout_s)
        with looking.wrap_socket(raw, server_hostname=host) as shaken:
            shown = shaken.getpeercert(binary_form=True)
    return f"sha256:{hashlib.sha256(shown or b'').hexdigest()}"
