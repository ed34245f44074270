"""Signed tokens (JWT, RFC 7519) that carry the digest of the body, as Vonage sends them."""

import hmac
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.mapping.authenticity import Authenticity
from gateway.mapping.doubts import Doubt, DoubtCode
from gateway.mapping.secrets_sent import behind_scheme
from gateway.mapping.signed_requests import SignedRequest
from gateway.texts.text import Text

ALGORITHMS = {"sha256": "HS256", "sha384": "HS384", "sha512": "HS512"}
LONGEST = 8192
BEARER = "Bearer"
UNTIMED: Any = {"require": ["iat"]} | dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf", "verify_aud"), False)
"""The times are compared here, with the clock and the tolerance of the source."""


@dataclass(frozen=True, slots=True)
class TokenProof:
    """A token that the secret signed, with the time of its making and the digest of the body."""

    rules: Authenticity
    keys: tuple[bytes, ...] = field(repr=False)
    by_address: bool = False
    by_signature: bool = True

    @classmethod
    def make(cls, rules: Authenticity, keys: tuple[bytes, ...]) -> "TokenProof":
        """Make the proof. Raises ``ValueError`` for an algorithm that tokens do not have, and for no key of theirs."""
        # Loaded by those who need it only.
        import jwt

        if rules.algorithm not in ALGORITHMS:
            raise ValueError(Text("a JWT is signed by sha256, sha384 or sha512"))
        # How long the secret is, its provider has decided.
        warnings.filterwarnings("ignore", category=jwt.InsecureKeyLengthWarning)
        try:
            for key in keys:
                jwt.encode({}, key, ALGORITHMS[rules.algorithm])
        except jwt.PyJWTError:
            raise ValueError(Text("the secret is no key of a JWT signed by {name}", name=rules.algorithm)) from None
        return cls(rules, keys)

    def doubt(self, signed: SignedRequest) -> Doubt | None:
        header = self.rules.header or "Authorization"
        token = behind_scheme(signed.header(header), self.rules.scheme or ("" if self.rules.header else BEARER))
        if not token:
            return Doubt(DoubtCode.SIGNATURE_MISSING, {"place": header})
        claims = next(filter(None, [self._claims(token, key) for key in self.keys]), None)
        if claims is None:
            return Doubt(DoubtCode.TOKEN_WRONG, {"place": header})
        return self._doubt_of_time(claims, signed.now) or self._doubt_of_body(claims, signed)

    def sent(self, signed: SignedRequest) -> Sequence[str]:
        return ()

    def _claims(self, token: str, key: bytes) -> dict[str, Any] | None:
        """Return what the token says; None where ``key`` did not sign it by the one algorithm that it may have."""
        import jwt

        try:
            return jwt.decode(token[:LONGEST], key, algorithms=[ALGORITHMS[self.rules.algorithm]], options=UNTIMED)
        except (jwt.PyJWTError, RecursionError):
            return None

    def _doubt_of_time(self, claims: dict[str, Any], now: float) -> Doubt | None:
        made, ends = claims["iat"], claims.get("exp", now)
        if not _is_number(made) or not _is_number(ends):
            return Doubt(DoubtCode.TIMESTAMP_MISSING, {"place": "iat"})
        off = now - made
        late = abs(off) > self.rules.tolerance_s or ends < now - self.rules.tolerance_s
        return Doubt(DoubtCode.TIMESTAMP_OFF, {"seconds": round(off)}) if late else None

    def _doubt_of_body(self, claims: dict[str, Any], signed: SignedRequest) -> Doubt | None:
        """Return what speaks against the body; a token says nothing of a request without one."""
        if not signed.request.body:
            return Doubt(DoubtCode.NOT_COVERED)
        given = str(claims.get(self.rules.payload_hash, "")).lower().encode("utf-8", "replace")
        if hmac.compare_digest(given, signed.body_hash("sha256").hex().encode()):
            return None
        return Doubt(DoubtCode.BODY_CHANGED, {"place": self.rules.payload_hash})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
