"""What the simulated appliances share: the list of what was received, behaviour, recordings and events."""

import re
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Event, Lock, Thread, local
from typing import Any, ClassVar, Self
from uuid import uuid4

from gateway.simulators import page, recording
from gateway.simulators.behaviour import ANY, FAULT, FAULT_PAGE, Behaviour
from gateway.simulators.events import EventSender
from gateway.simulators.exchange import IDLE_S, Answer, NoReply, Request, SimulatedReply, SimulatorServer
from gateway.texts.languages import DEFAULT, of_browser
from gateway.texts.text import Text

__all__ = ["KEPT", "Received", "Request", "SimulatedAppliance", "SimulatedReply"]

KEPT = 200
"""Requests that the list keeps."""
POLL_S = 0.03
"""Seconds until a server notices that it shall stop."""
MASKED = (
    "secret|client_secret|pass|password|passcode|passwd|pwd|"
    "token|access_token|api_key|api_token|authtoken|pin|auth|gspass|gssession"
)
_HEADER = re.compile(r"(?im)^((?:proxy-)?authorization|cookie|[\w-]*token|token_auth|x-api-key): .*$")
_FIELD = re.compile(rf"(?i)((?:^|[?&\s])(?:{MASKED})=)[^&\s]*", re.MULTILINE)
_MEMBER = re.compile(rf"""(?i)("(?:{MASKED})"\s*:\s*")[^"]*""")
_ELEMENT = re.compile(r"(?i)(<(?:[\w.-]+:)?(?:password|token)(?:\s[^>]*)?>)[^<]*")


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came in; ``raw`` is its text with its secrets masked. An order to dial that was taken has
    ``step`` empty; anything else (a login, an order that was refused) says there what it was and what came of it."""

    at: datetime
    protocol: str
    extension: str
    number: str
    call_id: str
    raw: str
    step: str = ""


def _first_certificate(pem: str) -> str:
    found = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pem, re.DOTALL)
    if not found:
        raise ValueError(Text("the certificate's file holds no certificate"))
    return found[0]


class SimulatedAppliance:
    """A simulated appliance. ``port`` 0 is a free one; with a ``certificate`` (a PEM file that holds its key too) it
    speaks https; ``on_received`` is told of every request.

    With ``events_to`` (the gateway's address) it reports each call as an exchange does: its start after
    ``start_after_s``, its end with the address of its recording after ``end_after_s``. Raises ``ValueError`` for a
    behaviour that it does not have.
    """

    name: ClassVar[str]
    title: ClassVar[Text | str]
    """What is simulated."""
    evidence: ClassVar[Text] = Text("our own")
    """From what it was written: a recording of the real one, its documentation, or nothing but this product."""
    failures: ClassVar[Mapping[str, Text]] = ANY
    """What ``Behaviour.fail`` may be, each with what then happens."""
    login: ClassVar[tuple[str, str]] = ("", "")
    """User and password unless told otherwise; empty when it asks for none."""
    auths: ClassVar[tuple[str, ...]] = ()
    """The kinds of HTTP login that it can be set to, its usual one first."""
    idle_s: ClassVar[float] = IDLE_S

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        certificate: Path | None = None,
        behaviour: Behaviour | None = None,
        on_received: Callable[[Received], None] | None = None,
        events_to: str = "",
        start_after_s: float = 1.0,
        end_after_s: float = 4.0,
    ) -> None:
        self._where = (host, port)
        self._certificate = certificate
        self.behaviour = (behaviour or Behaviour()).checked(self.name, self.failures, self.auths)
        self._on_received = on_received
        self._received: deque[Received] = deque(maxlen=KEPT)
        self._lock = Lock()
        self._server: SimulatorServer | None = None
        self._thread: Thread | None = None
        self._stopping = Event()
        # Whether the request that this thread answers was an order to dial.
        self._now = local()
        self._delays_s = (start_after_s, end_after_s)
        self._events = EventSender(events_to) if events_to else None

    @classmethod
    def settings(cls, address: str) -> dict[str, Any]:
        """Return the gateway's settings to dial on this appliance."""
        raise NotImplementedError

    def answer(self, request: Request) -> Answer:
        """Return the protocol's own answer to ``request``."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """``http://127.0.0.1:PORT``, once started."""
        return f"{'https' if self._certificate else 'http'}://{self.host}:{self.port}"

    @property
    def host(self) -> str:
        """Where it is reached, in brackets when it is of IPv6."""
        shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._where[0], self._where[0])  # noqa: S104
        return f"[{shown}]" if ":" in shown else shown

    @property
    def port(self) -> int:
        """The port, once started."""
        assert self._server is not None, "start it first"
        return int(self._server.server_address[1])

    def pinned(self) -> dict[str, str]:
        """Return what makes the gateway trust this appliance's own certificate; nothing without one."""
        if not self._certificate:
            return {}
        der = ssl.PEM_cert_to_DER_cert(_first_certificate(self._certificate.read_text()))
        return {"tls_pin": f"sha256:{sha256(der).hexdigest()}"}

    def tables(self) -> dict[str, dict[str, Any]]:
        """Return the gateway's settings to dial on this appliance, once started, by the preset or adapter that they
        choose.
        """
        return {self.name: self.settings(self.address)}

    def tables_of_https(self, **more: Any) -> dict[str, dict[str, Any]]:
        """Return the settings for a preset that speaks https only: address, certificate and ``more``; none until there
        is a certificate.
        """
        if not self.pinned():
            return {}
        return {self.name: {"preset": self.name, "host": self.host, "port": self.port, **self.pinned(), **more}}

    @property
    def credentials(self) -> tuple[str, str]:
        """The user and the password that it accepts; both empty when it asks for none."""
        wanted = self.behaviour
        return (wanted.username, wanted.password) if wanted.username or wanted.password else self.login

    @property
    def received(self) -> list[Received]:
        """The last orders to dial that were taken, oldest first."""
        return [one for one in self.seen if not one.step]

    @property
    def seen(self) -> list[Received]:
        """All the last requests, oldest first."""
        with self._lock:
            return list(self._received)

    def start(self) -> Self:
        """Listen. Raises ``OSError`` when the port is taken or the certificate cannot be used."""
        self._server = SimulatorServer(self._where, self.respond, self.idle_s, self.tls())
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": POLL_S}, daemon=True)
        self._thread.start()
        return self

    def tls(self) -> ssl.SSLContext | None:
        """Return the context of its certificate; None without one. Raises ``OSError`` when it cannot be used."""
        if not self._certificate:
            return None
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self._certificate)
        return tls

    def stop(self) -> None:
        """End the server, its connections and the events that are still to come."""
        self._stopping.set()
        if self._events:
            self._events.close()
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()
            self._server.close_all()

    def pause(self, seconds: float) -> None:
        """Let time pass, less when the simulator is stopped."""
        if seconds > 0:
            self._stopping.wait(seconds)

    def dialled(self, request: Request, extension: str, number: str, *, call_id: str = "") -> str:
        """Note an order that was taken and let its call take its course; return the call's id."""
        call_id = call_id or uuid4().hex[:12]
        self.dialled_by(page.as_text(request), extension, number, call_id)
        return call_id

    def dialled_by(self, raw: str, extension: str, number: str, call_id: str) -> None:
        """Note an order that was taken, ``raw`` its text, and let its call take its course."""
        self._now.ordered = True
        self._note(Received(datetime.now(UTC), self.name, extension, number, call_id, self.masked(raw)))
        if self._events:
            audio = f"{self.address}/gravacoes/{call_id}.wav"
            self._events.call(extension, number, audio, delays_s=self._delays_s)

    def noted(self, request: Request, step: str, extension: str = "", number: str = "") -> None:
        """Note a request that dials nothing; ``step`` is what it was and what came of it, in the protocol's words."""
        self.noted_text(page.as_text(request), step, extension, number)

    def noted_text(self, raw: str, step: str, extension: str = "", number: str = "") -> None:
        """Note a request that dials nothing by its text, as ``noted`` does."""
        self._note(Received(datetime.now(UTC), self.name, extension, number, "", self.masked(raw), step))

    def ordered(self) -> None:
        """Note that the request being answered is an order to dial, though its call is made by a later request."""
        self._now.ordered = True

    def _note(self, received: Received) -> None:
        with self._lock:
            self._received.append(received)
        if self._on_received:
            self._on_received(received)

    def masked(self, raw: str) -> str:
        """Return ``raw`` without what must not be shown."""
        hidden = _HEADER.sub(r"\1: ****", raw)
        for secret in (_FIELD, _MEMBER, _ELEMENT):
            hidden = secret.sub(r"\1****", hidden)
        return hidden

    def respond(self, request: Request) -> Answer:
        """Return the answer to any request: the page, a recording, or what the protocol says."""
        if request.method in ("GET", "HEAD") and request.target == "/":
            language = of_browser(request.header("Accept-Language")) or DEFAULT
            shown = page.html(self.title, self.address, reversed(self.seen), language)
            return SimulatedReply(200, "text/html; charset=utf-8", shown, page.HEADERS)
        if request.method in ("GET", "HEAD") and (found := recording.PATH.fullmatch(request.path)):
            return SimulatedReply(*recording.served(found[1], request.header("Range")))
        return self._behaving(request)

    def _behaving(self, request: Request) -> Answer:
        self.pause(self.behaviour.delay_s)
        self._now.ordered = False
        answer = self.fault(request) if self.behaviour.fail == FAULT else self.answer(request)
        return NoReply.CLOSES if self.behaviour.drop and self._now.ordered else answer

    def fault(self, request: Request) -> Answer:
        """Return the answer that comes instead of any other when the appliance shall fail by ``fault``."""
        self.noted(request, "500 Internal Server Error")
        return SimulatedReply(500, "text/html", FAULT_PAGE)
