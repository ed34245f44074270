"""Outbound HTTP for every adapter: one peer, its settings, and what each way of failing means.

``Peer.exchange`` and ``Peer.record`` write a request by the same code; one sends it, one shows it.
"""

import http.client
import re
import time
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from requests.auth import HTTPDigestAuth
from requests.utils import parse_dict_header
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import HTTPError

from adapters.http.connection import MAX_BODY, AnswerTooLarge, Attempt, ConnectionPool
from adapters.http.head import Response, address_of, request_head
from adapters.http.outcomes import (
    ADVICE,
    OF_CERTIFICATE,
    Failed,
    FailureCode,
    advised,
    code_of,
    outcome_of_status,
    reason_of,
    status_text,
)
from adapters.http.retry_after import retry_after_s
from adapters.http.settings import HttpConfig, spellings
from adapters.sentences import Sentences
from gateway.adapter import Delivery, Outcome, Probe, WireExchange, WireRequest, defect_of, overhearing
from gateway.errors import AdapterError
from gateway.multipart import is_multipart, root_part
from gateway.texts.text import Text


@dataclass(frozen=True)
class HttpRequest:
    """What to send. The part of ``url`` behind the host goes out letter for letter."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    @cached_property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @cached_property
    def target(self) -> str:
        target = self.url[len(self.origin) :]
        return target if target.startswith("/") else f"/{target}"


@dataclass(frozen=True)
class HttpAnswer:
    """What came back, the body whole and decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    head: bytes = b""
    """All before the body, as it came."""

    @property
    def raw(self) -> bytes:
        """Head and body for the traffic log; the body as it was read. A folded header is one line, as it was read too:
        a secret in it could not be masked else.
        """
        return _FOLD.sub(b" ", self.head) + self.body

    @property
    def charset(self) -> str:
        """The charset that the header Content-Type names, or nothing."""
        found = _CHARSET.search(self.headers.get("Content-Type", ""))
        return found[1] if found else ""

    @cached_property
    def root(self) -> "HttpAnswer":
        """Of a multipart/related answer (SOAP with attachments, MTOM) its root part; of another the answer itself."""
        kind = self.headers.get("Content-Type", "")
        if not is_multipart(kind):
            return self
        try:
            body, own = root_part(self.body, kind)
        except ValueError:
            return self
        headers = HTTPHeaderDict(self.headers)
        headers["Content-Type"] = own
        return replace(self, headers=headers, body=body)

    @property
    def text(self) -> str:
        """The body as UTF-8, or as Latin-1 when it is not: many old appliances declare neither."""
        try:
            return self.body.decode("utf-8-sig")
        except UnicodeDecodeError:
            return self.body.decode("latin-1")


UNCHECKED = Text("its certificate is not checked (tls_verify = false), pin it with tls_pin")
_FOLD = re.compile(rb"(?:[ \t]*\r?\n[ \t]+)+")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_ALWAYS = (("User-Agent", "cti-gateway"), ("Accept", "*/*"), ("Accept-Encoding", "identity"))


class Peer(Sentences):
    """One appliance over HTTP, for many threads at once.

    Every exchange has a connect timeout and a total deadline, its answer is capped at ``max_body``, no redirect is
    followed, nothing is tried twice, no cookie is kept, and no proxy of the environment is used.
    """

    def __init__(self, config: HttpConfig, *, name: str, max_body: int = MAX_BODY) -> None:
        super().__init__(name, spellings(config))
        self._max_body = max_body
        self._config = config
        self._live = ConnectionPool(config.trust(), public_only=config.public_only)
        self._own_headers = [(name, value.get_secret_value()) for name, value in config.headers.items()]

    @property
    def timeout_s(self) -> float:
        """Seconds that an attempt may take."""
        return self._config.timeout_s

    def attempt(self) -> Attempt:
        """Start the clock of one attempt; several exchanges may share it."""
        return Attempt(self._config.timeout_s, self._max_body)

    def exchange(self, request: HttpRequest, attempt: Attempt | None = None) -> HttpAnswer:
        """Send ``request`` once and read the answer. Raises ``Failed``."""
        attempt = attempt or self.attempt()
        answer = self._send(request, attempt)
        if answer.status == 401 and self._config.auth == "digest":
            login = self._digest(request, answer)
            return self._send(login, attempt) if login else answer
        return answer

    def record(self, request: HttpRequest) -> WireRequest:
        """Return the bytes that ``exchange`` would write first. Raises ``AdapterError`` when there cannot be any.

        With digest the appliance must first be asked for its nonce: what is shown is that first request.
        """
        try:
            return self._wire_request(request, self._written(request))
        except (ValueError, http.client.HTTPException) as error:
            why = self._reason(error)
            raise AdapterError(
                Text("no request can be made for {origin}: {why}", origin=request.origin, why=why)
            ) from None

    def touch(self, url: str) -> Probe:
        """Connect to ``url``'s host, over TLS when it is https, and send nothing."""
        attempt = self.attempt()
        try:
            self._live.touch(HttpRequest("GET", url).origin, attempt, connect_s=self._config.connect_timeout_s)
        except (OSError, ValueError, http.client.HTTPException) as error:
            return self.unfit(url, self._reason(error), code_of(error))
        return self.fit(url, Text("{peer} accepts connections", peer=urlsplit(url).netloc))

    def look(self, request: HttpRequest) -> Probe:
        """Send ``request``, which must ring nobody: whatever is answered will do, as long as it is HTTP and the login,
        where there is one, is not refused.
        """
        try:
            answer = self.exchange(request)
        except Failed as failed:
            return self.unfit(request.url, failed.reason, failed.code)
        if answer.status in (401, 403, 407) and self._logs_in():
            refused = Text("HTTP {status}, the login was refused; check username and password", status=answer.status)
            return self.probe(False, refused)
        if answer.status == 400 and re.search(rb"(?i)https port|ssl-enabled server port", answer.body):
            return self.probe(False, Text("this port expects https; write https instead of http"))
        peer = urlsplit(request.url).netloc
        return self.fit(request.url, Text("{peer} speaks HTTP (status {status})", peer=peer, status=answer.status))

    def fit(self, url: str, reason: Text) -> Probe:
        """Say that the peer at ``url`` can be used; a certificate that nobody checks is named."""
        if url.lower().startswith("https:") and self._config.tls_verify is False:
            return self.probe(True, advised(reason, UNCHECKED))
        return self.probe(True, reason)

    def unfit(self, url: str, reason: Text | str, code: FailureCode) -> Probe:
        """Say why the peer at ``url`` cannot be used, and what an administrator can do about it."""
        return self.probe(False, advised(reason, self._advice(url, code)))

    def _advice(self, url: str, code: FailureCode) -> Text | None:
        if code not in OF_CERTIFICATE:
            return ADVICE.get(code)
        parts = urlsplit(url)
        return self._config.advice_to_pin(parts.hostname or "", parts.port or 443)

    def _logs_in(self) -> bool:
        return getattr(self._config, "auth", "none") != "none" or bool(self._config.headers)

    def by_status(self, answer: HttpAnswer) -> Delivery:
        """Judge an answer by its HTTP status alone."""
        later = retry_after_s(answer.status, answer.headers)
        return self.delivery(outcome_of_status(answer.status), self.status_reason(answer), retry_after_s=later)

    def status_reason(self, answer: HttpAnswer) -> Text:
        """Return an answer's HTTP status as a reason."""
        status = answer.status
        if 300 <= status < 400 and (where := _location(answer)):
            return Text("HTTP {status} (redirects to {where}, which is not followed)", status=status, where=where)
        return status_text(status)

    def close(self) -> None:
        self._live.close()

    def _wire_request(self, request: HttpRequest, data: bytes, hidden: Iterable[str] = ()) -> WireRequest:
        return WireRequest(_host_of(request.origin), data, (*hidden, *self._secrets))

    def _send(self, request: HttpRequest, attempt: Attempt) -> HttpAnswer:
        """Send, and tell of it whoever wants to know. Raises ``Failed``."""
        listener = overhearing()
        if listener is None:
            return self._send_quietly(request, attempt)
        attempt.written, began = bytearray(), time.perf_counter_ns()
        answer: HttpAnswer | None = None
        problem: Text | str = ""
        try:
            answer = self._send_quietly(request, attempt)
            return answer
        except Failed as failed:
            problem = self.clean(failed.reason)
            raise
        finally:
            took_us = (time.perf_counter_ns() - began) // 1000
            hidden = attempt.hides(answer) if attempt.hides else ()
            sent = self._wire_request(request, bytes(attempt.written), hidden)
            listener(WireExchange(sent, answer.raw if answer else b"", problem, took_us))

    def _send_quietly(self, request: HttpRequest, attempt: Attempt) -> HttpAnswer:
        attempt.sent, attempt.received = False, 0
        try:
            data, connect_s = self._written(request), self._config.connect_timeout_s
            came, body = self._live.exchange(request.origin, data, attempt, connect_s=connect_s)
            return _answer(came, body, attempt.max_body)
        except (HTTPError, OSError, ValueError, http.client.HTTPException) as error:
            outcome = Outcome.UNKNOWN if attempt.sent else Outcome.UNREACHABLE
            raise Failed(outcome, self._reason(error), code_of(error)) from error
        except Exception as error:  # a defect, of ours or of a library: whether anything was sent counts all the same
            outcome = Outcome.UNKNOWN if attempt.sent else Outcome.UNREACHABLE
            raise Failed(outcome, Text("the adapter has a defect ({defect})", defect=defect_of(error))) from error

    def _written(self, request: HttpRequest) -> bytes:
        """Return the bytes of ``request``. Raises ``ValueError`` and ``http.client.InvalidURL``."""
        head = request_head(request.method, request.origin, request.target, self._headers_of(request))
        return head + (request.body or b"")

    def _headers_of(self, request: HttpRequest) -> Mapping[str, str]:
        """Return all headers but Host; those of the configuration come last, except for a login that the request
        brings.
        """
        given = [*_ALWAYS, *request.headers.items(), *self._own_headers]
        if request.body is not None or request.method != "GET":
            given.append(("Content-Length", str(len(request.body or b""))))
        if self._config.auth == "basic":
            given.append(("Authorization", self._basic()))
        if login := request.headers.get("Authorization"):
            given.append(("Authorization", login))
        # Of names that differ in capitals only the last one counts, in the place of the first.
        return dict({name.lower(): (name, value) for name, value in given}.values())

    def _basic(self) -> str:
        login = f"{self._config.username}:{self._config.password.get_secret_value()}"
        return f"Basic {b64encode(login.encode()).decode()}"

    def _digest(self, request: HttpRequest, answer: HttpAnswer) -> HttpRequest | None:
        """Return the request again with its login, or None when the appliance asked for no digest that we know."""
        found = re.search(r"digest\s+(.*)", answer.headers.get("WWW-Authenticate", ""), re.IGNORECASE)
        if not found:
            return None
        # A fresh state each time: no thread shares a nonce, and Asterisk (20.20.1) wants a strictly rising counter.
        auth: Any = HTTPDigestAuth(self._config.username, self._config.password.get_secret_value())
        auth.init_per_thread_state()
        auth._thread_local.chal = parse_dict_header(found[1])  # type: ignore[no-untyped-call]
        try:
            header = auth.build_digest_header(request.method, request.origin + request.target)
        except (KeyError, ValueError):
            return None
        return replace(request, headers={**request.headers, "Authorization": header}) if header else None

    def _reason(self, error: BaseException) -> Text:
        return reason_of(error, connect_s=self._config.connect_timeout_s, total_s=self._config.timeout_s)


def _answer(came: Response, body: bytes, max_body: int) -> HttpAnswer:
    """Return the answer with its body decompressed. Raises ``AnswerTooLarge``, and ``HTTPError`` for one that cannot
    be.
    """
    if "Content-Encoding" in came.fields:
        body = _unpacked(came.fields, body, max_body)
    if len(body) > max_body:
        raise AnswerTooLarge("the answer is too large")
    return HttpAnswer(came.status, came.fields, body, came.head)


def _unpacked(headers: HTTPHeaderDict, body: bytes, max_body: int) -> bytes:
    """Return ``body`` decompressed, as far as ``max_body`` and a little more."""
    packed = HTTPResponse(BytesIO(body), headers=headers, preload_content=False)
    found = bytearray()
    for part in packed.stream(16384, decode_content=True):
        found += part
        if len(found) > max_body:
            break
    return bytes(found)


def _host_of(origin: str) -> str:
    """Return ``host:port``, or what stands where there should be one."""
    try:
        return str(address_of(origin))
    except (ValueError, http.client.HTTPException):
        return origin


def _location(answer: HttpAnswer) -> str:
    """Return where a redirect points, without user, query and fragment, which may hold secrets."""
    try:
        parts = urlsplit(answer.headers.get("Location", ""))
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else parts.path
