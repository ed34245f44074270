"""Says whether a request proves that its source sent it. Every comparison with a secret takes constant time.

``proof_of`` makes the proof that an ``Authenticity`` asks for, with the source's secrets: several at once while one is
replaced by the next.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gateway.mapping.authenticity import Authenticity, Output
from gateway.mapping.doubts import Doubt, DoubtCode
from gateway.mapping.keys import SHORTEST, key_of
from gateway.mapping.secrets_sent import SENT, Sender, behind_scheme
from gateway.mapping.signed_requests import SignedRequest, as_bytes
from gateway.mapping.signed_texts import SignedText
from gateway.mapping.tokens import TokenProof
from gateway.texts.text import Text

MOST_SIGNATURES = 8
"""Of one request that are looked at."""

Right = Callable[[bytes, str], bool]
"""``right(text, signature)``: whether the signature is one of ``text``, with whichever of the keys."""


class Proof(Protocol):
    """What a source proves its requests with."""

    @property
    def by_address(self) -> bool:
        """Whether nothing but the client's address speaks for the request."""

    @property
    def by_signature(self) -> bool:
        """Whether the secret itself is never sent."""

    def doubt(self, signed: SignedRequest) -> Doubt | None:
        """Return what speaks against the request; None where it is proven."""

    def sent(self, signed: SignedRequest) -> Sequence[str]:
        """Return the secrets that stand in the request, right or wrong."""


@dataclass(frozen=True, slots=True)
class NoProof:
    """The source's requests carry no proof: only the addresses that may send events."""

    by_address: bool = True
    by_signature: bool = False

    def doubt(self, signed: SignedRequest) -> Doubt | None:
        return None

    def sent(self, signed: SignedRequest) -> Sequence[str]:
        return ()


@dataclass(frozen=True, slots=True)
class SecretProof:
    """The secret itself stands in the request."""

    place: str
    read: Sender = field(repr=False)
    secrets: tuple[bytes, ...] = field(repr=False)
    by_address: bool = False
    by_signature: bool = False

    def doubt(self, signed: SignedRequest) -> Doubt | None:
        given = self.read(signed)
        if not given:
            return Doubt(DoubtCode.SECRET_MISSING, {"place": self.place})
        # Twice the same name: whoever passed the request on may have read the other one.
        if len(given) == 1 and is_one_of(as_bytes(given[0]), self.secrets):
            return None
        return Doubt(DoubtCode.SECRET_WRONG, {"place": self.place})

    def sent(self, signed: SignedRequest) -> Sequence[str]:
        return self.read(signed)


@dataclass(frozen=True, slots=True)
class SignatureProof:
    """A signature of what the request says stands in it."""

    rules: Authenticity
    texts: tuple[SignedText, ...]
    rights: "Rights" = field(repr=False)
    by_address: bool = False
    by_signature: bool = True

    def doubt(self, signed: SignedRequest) -> Doubt | None:
        given = self._given(signed)
        place = self.rules.header or self.rules.field
        if not given:
            return Doubt(DoubtCode.SIGNATURE_MISSING, {"place": place})
        stamp = self._stamp(signed)
        if self.rules.timestamp_header and not stamp:
            return Doubt(DoubtCode.TIMESTAMP_MISSING, {"place": self.rules.timestamp_header})
        chosen = self._chosen(signed)
        if isinstance(chosen, Doubt):
            return chosen
        # All are compared, so that the time says nothing of which one was nearly right.
        if not sum(right(signed, stamp, one) for right in map(self.rights.of, chosen) for one in given):
            return Doubt(DoubtCode.SIGNATURE_WRONG, {"place": place, "url": signed.address})
        return self._doubt_of_time(stamp, signed.now)

    def sent(self, signed: SignedRequest) -> Sequence[str]:
        return ()

    def _given(self, signed: SignedRequest) -> list[str]:
        rules = self.rules
        whole = signed.header(rules.header) if rules.header else signed.value(rules.field)
        items = whole.split(rules.separator) if rules.separator else [whole]
        found = [behind_scheme(item.strip(), rules.scheme) for item in items]
        cut = [item.removeprefix(rules.prefix) for item in found if item.startswith(rules.prefix)]
        return [one for one in (_behind(item, rules.after) for item in cut) if one][:MOST_SIGNATURES]

    def _stamp(self, signed: SignedRequest) -> str:
        text, prefix = signed.header(self.rules.timestamp_header), self.rules.timestamp_prefix
        if not prefix:
            return text
        parts = [part.strip() for part in text.split(self.rules.separator or ",")]
        found = [part.removeprefix(prefix) for part in parts if part.startswith(prefix)]
        return found[0] if len(found) == 1 else ""

    def _chosen(self, signed: SignedRequest) -> "list[SignedText] | Doubt":
        """Return the templates that cover what this request says."""
        texts: Iterable[SignedText] = self.texts
        if isinstance(self.rules.signed, dict):
            event = signed.value(self.rules.event)
            if event not in self.rules.signed:
                return Doubt(DoubtCode.EVENT_UNKNOWN, {"event": event[:40]})
            texts = [SignedText.read(self.rules.signed[event])]
        proven = self._body_proven(signed)
        if proven is False:
            return Doubt(DoubtCode.BODY_CHANGED, {"place": self.rules.body_hash})
        found = [text for text in texts if text.suits(signed, body_proven=bool(proven))]
        return found or Doubt(DoubtCode.NOT_COVERED)

    def _body_proven(self, signed: SignedRequest) -> bool | None:
        """Return whether the digest in the query is the body's; None where there is none."""
        given = signed.query_values(self.rules.body_hash) if self.rules.body_hash else []
        if not given or not signed.request.body:
            return None
        return len(given) == 1 and hmac.compare_digest(
            as_bytes(given[0].lower()), signed.body_hash("sha256").hex().encode()
        )

    def _doubt_of_time(self, stamp: str, now: float) -> Doubt | None:
        if not self.rules.timestamp_header:
            return None
        seconds = seconds_of(stamp, self.rules.timestamp_unit)
        if seconds is None:
            return Doubt(DoubtCode.TIMESTAMP_MISSING, {"place": self.rules.timestamp_header})
        off = now - seconds
        return Doubt(DoubtCode.TIMESTAMP_OFF, {"seconds": round(off)}) if abs(off) > self.rules.tolerance_s else None


class Rights(Protocol):
    """Says whether a signature is right."""

    def of(self, text: SignedText) -> Callable[[SignedRequest, str, str], bool]:
        """Return what says whether a signature is one of ``text`` for a request and its time stamp."""


@dataclass(frozen=True, slots=True)
class MacRights:
    """Signatures that are made again and compared: HMAC, or a digest of text and secret."""

    keys: tuple[bytes, ...] = field(repr=False)
    algorithm: str
    output: Output
    plain: bool

    def of(self, text: SignedText) -> Callable[[SignedRequest, str, str], bool]:
        def right(signed: SignedRequest, stamp: str, given: str) -> bool:
            wanted = [self._made(text, signed, stamp, key) for key in self.keys]
            return is_one_of(as_bytes(given.lower() if self.output == "hex" else given), wanted)

        return right

    def _made(self, text: SignedText, signed: SignedRequest, stamp: str, key: bytes) -> bytes:
        if self.plain:
            digest = hashlib.new(self.algorithm, text.of(signed, stamp, key)).digest()
        else:
            digest = hmac.digest(key, text.of(signed, stamp), self.algorithm)
        return written(digest, self.output)


@dataclass(frozen=True, slots=True)
class KeyRights:
    """Signatures by Ed25519, which the sender's public key proves."""

    right: Right = field(repr=False)

    def of(self, text: SignedText) -> Callable[[SignedRequest, str, str], bool]:
        return lambda signed, stamp, given: self.right(text.of(signed, stamp), given)


def proof_of(rules: Authenticity, secrets: Sequence[str], *, shortest: int = SHORTEST) -> Proof:
    """Return the proof that ``rules`` ask for. Raises ``ValueError`` without a secret, or for one that is no key or has
    less than ``shortest`` characters.
    """
    if rules.kind == "none":
        if secrets:
            raise ValueError(Text("secret: nothing of this source's requests is compared with it; name a kind"))
        return NoProof()
    if not secrets:
        raise ValueError(Text("secret is missing: the kind {kind!r} needs one", kind=rules.kind))
    if any(len(secret.strip()) < shortest for secret in secrets):
        raise ValueError(Text("a secret needs at least {least} characters", least=shortest))
    keys = tuple(key_of(secret, rules.key) for secret in secrets)
    if any(len(key) < shortest for key in keys):
        raise ValueError(
            Text("the secret, read as {form}, has fewer than {least} bytes", form=rules.key, least=shortest)
        )
    if rules.kind == "jwt":
        return TokenProof.make(rules, keys)
    if rules.kind in SENT:
        return SecretProof(place_of(rules), SENT[rules.kind](rules), keys)
    return SignatureProof(rules, rules.signed_texts(), _rights(rules, keys, secrets))


def _rights(rules: Authenticity, keys: tuple[bytes, ...], secrets: Sequence[str]) -> Rights:
    if rules.kind == "ed25519":
        # The library is loaded by those who need it only: it takes 20 ms and 5 MB.
        from gateway.mapping.public_keys import right_by

        return KeyRights(right_by(secrets))
    return MacRights(keys, rules.algorithm, rules.output, rules.kind == "digest")


def place_of(rules: Authenticity) -> str:
    """Return where a source's secret stands, as its doubts call it."""
    return rules.header or rules.field or rules.parameter or rules.kind


def is_one_of(given: bytes, wanted: Iterable[bytes]) -> bool:
    """Return whether ``given`` is one of ``wanted``, compared with all of them in constant time; empty is none."""
    return sum(hmac.compare_digest(given, one) and bool(one) for one in wanted) > 0


def written(digest: bytes, output: Output) -> bytes:
    """Return ``digest`` as a signature writes it."""
    if output == "hex":
        return digest.hex().encode()
    return base64.b64encode(digest if output == "base64" else digest.hex().encode())


def _behind(text: str, mark: str) -> str:
    return text.rpartition(mark)[2] if mark else text


def seconds_of(stamp: str, unit: str) -> float | None:
    """Return a time stamp in seconds since 1970; None for what is none."""
    if unit == "iso":
        return _iso_seconds(stamp)
    if not re.fullmatch(r"[0-9]{1,15}", stamp):
        return None
    return int(stamp) / (1000 if unit == "ms" else 1)


def _iso_seconds(stamp: str) -> float | None:
    try:
        moment = datetime.fromisoformat(stamp)
        return moment.timestamp() if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
