"""The door of one source: who may send to it, and what a provider is answered that only tries the address.

A right secret or signature lets any address in; without one (kind ``none``) the addresses count that may send events.
A source's own ``allow`` counts beside its proof, for providers that publish their addresses.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from gateway.config.sources import SourceSettings
from gateway.config.tables import Config
from gateway.errors import AddressNotAllowed, LoginNotProven, NotProven, TooManyAttempts
from gateway.mapping.authenticity import Authenticity
from gateway.mapping.bodies import BodyForm, WebhookRequest
from gateway.mapping.doubts import Doubt
from gateway.mapping.handshakes import Handshake, handshake_in
from gateway.mapping.keys import key_of
from gateway.mapping.proofs import Proof, proof_of
from gateway.mapping.replies import RenderedReply
from gateway.mapping.secrets_sent import stands_in_tail
from gateway.mapping.signed_requests import SignedRequest
from gateway.store.traffic import Remark, RemarkCode
from gateway.traffic.told import tell
from gateway.wire.auth import Gate, Guesses, query_token
from gateway.wire.clients import Networks, asker
from gateway.wire.intake import REPLAY_OF
from gateway.wire.sites import base_url
from gateway.wire.transport import REMARKS, Environ

IN_PATH = "/@:!$&'()*+,;=~-._"
"""What a path may hold as it is (RFC 3986, 3.3)."""
LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class SourceRules:
    """What the configuration says of a source's door.

    ``public_url`` is the source's whole address as its provider calls it, ``public_base`` the company's scheme and host
    (and what a proxy puts before the path). ``allow`` None: no addresses of its own.
    """

    tenant: str
    name: str
    authenticity: Authenticity = field(default_factory=Authenticity)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    handshakes: tuple[Handshake, ...] = ()
    form: BodyForm = "auto"
    public_url: str = ""
    public_base: str = ""
    allow: tuple[str, ...] | None = None
    answer_within_s: float = 2.5


class SourceGate:
    """Lets a source's requests in."""

    def __init__(self, rules: SourceRules, guesses: Guesses, *, clock: Callable[[], float] = time.time) -> None:
        """Make the door. Raises ``ValueError`` where the secrets do not fit what the source proves itself with."""
        self._rules = rules
        self._guesses = guesses
        self._clock = clock
        self._proof: Proof = proof_of(rules.authenticity, rules.secrets)
        self._allow = None if rules.allow is None else Networks(rules.allow)

    @property
    def answer_within_s(self) -> float:
        """How soon the source wants its answer, in seconds."""
        return self._rules.answer_within_s

    def enter(self, environ: Environ, request: WebhookRequest, gate: Gate) -> SignedRequest | RenderedReply:
        """Return the request as the mapping should see it, or the answer to a trial of the address; ``gate`` is the
        company's, for a source that proves nothing.

        Raises ``NotProven``, ``TooManyAttempts``, ``AddressNotAllowed`` and ``ForeignPage``.
        """
        signed = self._signed(environ, request)
        if self._rules.authenticity.kind != "basic":  # whose header is masked whole
            tell(environ, self._proof.sent(signed))
        if environ.get(REPLAY_OF):
            return self._without_secret(signed)
        open_to_all = handshake_in(signed, self._rules.handshakes, signed=False)
        if open_to_all is not None:
            return open_to_all.answer(signed)
        self._admit(environ, signed, gate)
        handshake = handshake_in(signed, self._rules.handshakes, signed=True)
        return self._without_secret(signed) if handshake is None else handshake.answer(signed, key=self._key(signed))

    def _signed(self, environ: Environ, request: WebhookRequest) -> SignedRequest:
        return SignedRequest(request, url=self.url(environ, request), now=self._clock(), form=self._rules.form)

    def url(self, environ: Environ, request: WebhookRequest) -> str:
        """Return the address that the sender called: as configured, else as it reached us (or the trusted proxy)."""
        query = f"?{request.query}" if request.query else ""
        if self._rules.public_url:
            tail = quote(request.tail, safe=IN_PATH)
            slash = "/" if tail and not tail.startswith("/") else ""
            return f"{self._rules.public_url}{slash}{tail}{query}"
        path = quote(environ["PATH_INFO"].encode("latin-1", "replace"), safe=IN_PATH)
        if self._rules.public_base:
            return f"{self._rules.public_base}{environ.get('SCRIPT_NAME', '')}{path}{query}"
        return f"{base_url(environ) or ''}{path}{query}"

    def _admit(self, environ: Environ, signed: SignedRequest, gate: Gate) -> None:
        if self._allow is not None and not self._allow.admit(environ):
            raise AddressNotAllowed(*asker(environ))
        if self._proof.by_address:
            if self._allow is None:
                token = query_token(environ)
                tell(environ, [token])
                gate.admit_event(environ, token)
            return
        if not self._proof.by_signature:
            self._check_guesses(environ)
        doubt = self._proof.doubt(signed)
        if doubt is not None:
            self._refuse(environ, signed, doubt)
        elif not self._proof.by_signature:
            self._guesses.right(self._rules.tenant, self._rules.name, environ["cti.client"])

    def _check_guesses(self, environ: Environ) -> None:
        """Raise ``TooManyAttempts`` where nothing more of this address is compared.

        Signatures always are: they cannot be guessed, and strangers can have a provider sign and send requests of
        their own from its addresses.
        """
        try:
            self._guesses.check(self._rules.tenant, self._rules.name, environ["cti.client"])
        except TooManyAttempts:
            remark(environ, RemarkCode.TOO_MANY_GUESSES, {})
            raise

    def _refuse(self, environ: Environ, signed: SignedRequest, doubt: Doubt) -> None:
        facts = {name: fact[:LONGEST_SHOWN] if isinstance(fact, str) else fact for name, fact in doubt.facts.items()}
        remark(environ, RemarkCode(doubt.code.value), facts)
        if not doubt.gave_nothing:
            guess = "\n".join(self._proof.sent(signed))
            if guess:
                self._guesses.wrong(self._rules.tenant, self._rules.name, environ["cti.client"], guess)
        raise (LoginNotProven if self._rules.authenticity.kind == "basic" else NotProven)(self._rules.name)

    def _without_secret(self, signed: SignedRequest) -> SignedRequest:
        """Return the request without a secret at the beginning of its tail."""
        if not stands_in_tail(self._rules.authenticity, signed):
            return signed
        rest = signed.request.tail.strip("/").partition("/")[2]
        return SignedRequest(replace(signed.request, tail=rest), url=signed.url, now=signed.now, form=self._rules.form)

    def _key(self, signed: SignedRequest) -> bytes:
        """Return the key of the one secret that proves the request, to answer with it."""
        rules = self._rules
        fitting = [secret for secret in rules.secrets if proof_of(rules.authenticity, [secret]).doubt(signed) is None]
        return key_of(fitting[0], rules.authenticity.key) if fitting else b""


def remark(environ: Environ, code: RemarkCode, facts: Mapping[str, str | int]) -> None:
    """Have the traffic log say so of this request."""
    environ[REMARKS] = (*environ.get(REMARKS, ()), Remark(code, facts))


def source_gates(
    config: Config, guesses: Guesses, *, clock: Callable[[], float]
) -> Mapping[tuple[str, str], SourceGate]:
    """Return the door of every source, by company and name."""
    return {
        (tenant, name): SourceGate(_rules(tenant, name, source, table.public_url or ""), guesses, clock=clock)
        for tenant, table in config.tenants.items()
        for name, source in table.webhooks.items()
    }


def _rules(tenant: str, name: str, source: SourceSettings, public_base: str) -> SourceRules:
    mapping = source.mapping
    return SourceRules(
        tenant,
        name,
        source.authenticity,
        source.secrets,
        handshakes=mapping.handshakes if mapping else (),
        form=mapping.body if mapping else "auto",
        public_url=source.public_url or "",
        public_base=public_base,
        allow=source.allow,
        answer_within_s=source.answer_within_s,
    )
