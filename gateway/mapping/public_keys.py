"""Ed25519, with the library ``cryptography``."""

from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.mapping.keys import key_of
from gateway.texts.text import Text

RAW = 32
DER_HEAD = bytes.fromhex("302a300506032b6570032100")
"""What stands before the key in its DER form (RFC 8410)."""


def right_by(secrets: Sequence[str]) -> Callable[[bytes, str], bool]:
    """Return ``right(text, signature)`` for public keys in base64, bare or in DER. Raises ``ValueError``."""
    keys = [_public_key(secret) for secret in secrets]

    def right(text: bytes, given: str) -> bool:
        try:
            signature = key_of(given, "base64")
        except ValueError:
            return False
        return sum(_verifies(key, signature, text) for key in keys) > 0

    return right


def _public_key(secret: str) -> Ed25519PublicKey:
    raw = key_of(secret, "whsec").removeprefix(DER_HEAD)
    if len(raw) != RAW:
        raise ValueError(Text("the secret is no public key of Ed25519, which has 32 bytes in base64"))
    return Ed25519PublicKey.from_public_bytes(raw)


def _verifies(key: Ed25519PublicKey, signature: bytes, text: bytes) -> bool:
    try:
        key.verify(signature, text)
    except InvalidSignature:
        return False
    return True
