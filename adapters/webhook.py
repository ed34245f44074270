"""Our own webhooks: events as JSON, signed as Standard Webhooks says, for programs that are written for them.

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

import hmac
import re
import time
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from json import dumps
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from adapters.http.client import HttpAnswer, HttpRequest, Peer
from adapters.http.one_request import OneRequest
from adapters.http.outcomes import advised, outcome_of_status
from adapters.http.retry_after import retry_after_s
from adapters.http.settings import HttpConfig, origin_of
from adapters.http.templates import check_sendable
from gateway.adapter import Delivery, Outcome, Outgoing, Probe
from gateway.domain.webhook_documents import document
from gateway.texts.text import Text

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a key."""
_PAGE = re.compile(r"\s*<(?:!doctype|html|head|body)\b", re.IGNORECASE)
_NEW_KEY = "echo whsec_$(openssl rand -base64 32)"


def key_of(secret: SecretStr) -> bytes:
    """Return the bytes that a secret stands for. Raises ``ValueError`` for what is no secret of a webhook."""
    text = secret.get_secret_value()
    try:
        key = b64decode(text.removeprefix(PREFIX), validate=True)
    except (NotBase64, ValueError):
        key = b""
    if not text.startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
        told = Text(
            "expected whsec_ and {least} to {most} bytes in base64; make one with: {command}",
            least=SHORTEST,
            most=LONGEST,
            command=_NEW_KEY,
        )
        raise ValueError(told)
    return key


def _checked(secret: SecretStr) -> SecretStr:
    key_of(secret)
    return secret


WebhookSecrets = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(_checked), Field(strict=False)], ...],
    BeforeValidator(lambda value: value if isinstance(value, list | tuple) else (value,)),
    Field(strict=False, min_length=1),
]
"""One secret, or several while one takes the place of another."""


@dataclass(frozen=True, kw_only=True)
class WebhookConfig(HttpConfig):
    """Where webhooks go, and what signs them."""

    url: str = field(metadata={"help": "Where the events are posted, as JSON."})
    secret: WebhookSecrets = field(
        metadata={"help": "What signs them: whsec_ and base64; a list while one takes the place of another."}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if "{" in self.url or any(not char.isprintable() or char.isspace() for char in self.url):
            raise ValueError(Text("url is an address such as https://crm.example.com/hooks/calls, without a template"))


class WebhookAdapter(OneRequest):
    """Posts each event as JSON with its signature; a 2xx that is no page says that it was taken.

    An event keeps its ``webhook-id`` over all attempts, so a receiver knows one that comes again. ``idempotent`` and
    ``carries_time`` say to the relay that it may send an event again, and late.
    """

    Config: ClassVar[type[Any]] = WebhookConfig
    idempotent = True
    carries_time = True

    def __init__(self, config: WebhookConfig, *, name: str, clock: Callable[[], float] = time.time) -> None:
        """Take the secrets. Raises ``AdapterError`` for an address that is none."""
        self._config = config
        self._name = name
        self._clock = clock
        self._keys = [key_of(secret) for secret in config.secret]
        self._origin = origin_of(config.url)
        secrets = {f"secret {place}": each for place, each in enumerate(config.secret)}
        self._peer = Peer(replace(config, secrets={**config.secrets, **secrets}), name=name)
        self.longest_s = config.timeout_s

    def probe(self) -> Probe:
        """Look whether there is a web server; the address itself is not asked, for it takes events only."""
        return self._peer.look(HttpRequest("GET", f"{self._origin}/"))

    def _request(self, message: Outgoing) -> HttpRequest:
        body = _body(message)
        webhook_id, at = id_of(message, self._name), str(int(self._clock()))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": at,
            "webhook-signature": " ".join(signature(key, webhook_id, at, body) for key in self._keys),
        }
        return HttpRequest("POST", self._config.url, headers, body)

    def _judge(self, answer: HttpAnswer) -> Delivery:
        well = 200 <= answer.status < 300
        if well and _PAGE.match(answer.text):  # of a login, or of an error
            return self._peer.delivery(Outcome.UNKNOWN, self._peer.quoted(answer.text))
        if well:
            return self._peer.delivery(Outcome.ACCEPTED)
        words = self._peer.quoted(answer.text) if answer.text.strip() else None
        reason, later = advised(self._peer.status_reason(answer), words), retry_after_s(answer.status, answer.headers)
        return self._peer.delivery(outcome_of_status(answer.status), reason, retry_after_s=later)


def _body(message: Outgoing) -> bytes:
    """Return an event as JSON. Raises ``AdapterError`` for an order whose extension or number has control characters;
    texts of an event may have some.
    """
    for name in ("extension", "number"):
        check_sendable(message.fields.get(name, ""))
    fields = {name: value.encode("utf-8", "replace").decode() for name, value in message.fields.items()}
    return dumps(document(message.kind, fields), ensure_ascii=False, separators=(",", ":")).encode()


def id_of(message: Outgoing, target: str) -> str:
    """Return the ``webhook-id`` of an event for one target: the same for each attempt, another for any other event.

    The number of a letter alone would come again where a gateway begins with an empty database.
    """
    parts = (message.fields.get(name, "") for name in ("tenant", "revision", "occurred_at"))
    return "msg_" + sha256("\n".join((target, message.kind, message.id, *parts)).encode()).hexdigest()[:32]


def signature(key: bytes, webhook_id: str, at: str, body: bytes) -> str:
    """Return the signature of one webhook by one key."""
    signed = f"{webhook_id}.{at}.".encode() + body
    return "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode()
