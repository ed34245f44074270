"""TLS for appliances that will never learn today's: only what an administrator asks for, for that one appliance."""

import hashlib
import ssl
from typing import Literal

from urllib3.util.ssl_ import create_urllib3_context

from adapters.connecting import open_socket

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
    """A context for the settings, or None when they are the defaults: then the libraries' own, strict one is used.

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


def pin_of(host: str, port: int, *, timeout_s: float, context: ssl.SSLContext | None) -> str:
    """The certificate that ``host`` shows, as a value for ``tls_pin``; whether it is trusted is not looked at.

    ``context`` is a peer's own, for those with old TLS. Raises ``OSError``.
    """
    looking = create_urllib3_context(cert_reqs=ssl.CERT_NONE, ciphers="DEFAULT@SECLEVEL=0" if context else None)
    if context:
        looking.minimum_version = context.minimum_version
        looking.options |= _LEGACY_SERVER_CONNECT
    with open_socket(host, port, timeout_s=timeout_s) as raw:
        raw.settimeout(timeout_s)
        with looking.wrap_socket(raw, server_hostname=host) as shaken:
            shown = shaken.getpeercert(binary_form=True)
    return f"sha256:{hashlib.sha256(shown or b'').hexdigest()}"
