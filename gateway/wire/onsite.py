"""Where gateways on site connect: they bring events, wait for orders, and say how they are doing.

Every request has the site's key in ``Authorization: Bearer``. Bodies and answers are JSON; docs/onsite.md says what is
in them. Any worker or node may answer any request: what they tell each other stands in the database.
"""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog

from gateway.clock import milliseconds
from gateway.errors import (
    GatewayError,
    MalformedRequest,
    OnsiteKeyRefused,
    Stopping,
    UnknownOperation,
    WrongMethod,
)
from gateway.store.onsite.arrivals import Arrival, OnsiteArrivals
from gateway.store.onsite.orders import OnsiteOrders
from gateway.store.onsite.sites import OnsiteSite, OnsiteSites
from gateway.texts.text import Text
from gateway.wire.auth import Guesses
from gateway.wire.guard import read_body
from gateway.wire.intake import explain
from gateway.wire.transport import JSON, STATUS_LINES, Answer, Environ, Headers, answer, headers_of, language_of

log = structlog.get_logger()

PREFIX = "/onsite/v1/"
WIRE = "onsite"
HOLD_S = 20.0
"""How long a request for orders is held open while there is none: less than any proxy or NAT forgets a connection."""
GRACE_S = 6.0
"""After a request for orders ended the next one is there within this, or the site is gone."""
LOOK_EVERY_S = 0.25
ASK_EVERY_S = 2.0
"""How often a request that is held open looks whether its key still holds."""
MOST_EVENTS = 1000
StartResponse = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class OnsiteStore:
    """What the endpoint works with: all of it in the database."""

    sites: OnsiteSites
    orders: OnsiteOrders
    arrivals: OnsiteArrivals


class OnsiteEndpoint:
    """The addresses below ``/onsite/v1/``. ``appliances_of`` names those of a company that a site dials for."""

    def __init__(
        self,
        store: OnsiteStore,
        guesses: Guesses,
        *,
        max_body_bytes: int,
        appliances_of: Callable[[str, str], Iterable[str]] = lambda _tenant, _site: (),
        clock: Callable[[], int] = milliseconds,
    ) -> None:
        self._store = store
        self._guesses = guesses
        self._limit = max_body_bytes
        self._appliances_of = appliances_of
        self._clock = clock
        self._lock = threading.Lock()
        self._polls: dict[tuple[str, str], OnsitePoll] = {}
        """The newest request for orders of each site in this process; an older one ends."""
        self._is_stopping = False
        self._verbs: Mapping[str, Callable[[OnsiteSite, Mapping[str, Any], Environ], Mapping[str, Any]]] = {
            "hello": self._hello,
            "events": self._events,
            "take": self._take,
            "answers": self._answers,
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        try:
            site, verb, asked = self._read(environ)
            if verb == "orders":
                return self._poll(site, asked, environ, start_response)
            made = answer(200, JSON, _encoded({"now": self._clock(), **self._verbs[verb](site, asked, environ)}))
        except Exception as error:
            made = refuse(explain(error, environ, WIRE), environ)
        start_response(made.status, made.headers)
        return [made.body]

    def stop(self) -> None:
        """Answer all requests that are held open, and hold no more."""
        with self._lock:
            self._is_stopping = True
            polls = list(self._polls.values())
        for poll in polls:
            poll.end()

    def _read(self, environ: Environ) -> tuple[OnsiteSite, str, Mapping[str, Any]]:
        verb = environ["PATH_INFO"].removeprefix(PREFIX)
        if verb != "orders" and verb not in self._verbs:
            raise UnknownOperation(verb[:80], known=sorted([*self._verbs, "orders"]))
        if environ["REQUEST_METHOD"] != "POST":
            raise WrongMethod(environ["REQUEST_METHOD"], allowed=("POST",))
        site = self._site(environ)
        environ["cti.tenant"], environ["cti.operation"] = site.tenant, f"onsite/{verb}"
        return site, verb, _document(read_body(environ, self._limit))

    def _site(self, environ: Environ) -> OnsiteSite:
        """Return who asks. Raises ``OnsiteKeyRefused``, and ``TooManyAttempts`` after many wrong keys."""
        kind, _, key = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        address = environ["cti.client"]
        self._guesses.check("", WIRE, address)
        site = self._store.sites.by_key(key.strip()) if kind.lower() == "bearer" and key.strip() else None
        if site is None:
            self._guesses.wrong("", WIRE, address, key)
            raise OnsiteKeyRefused
        self._guesses.right("", WIRE, address)
        return site

    def _hello(self, site: OnsiteSite, asked: Mapping[str, Any], environ: Environ) -> Mapping[str, Any]:
        """Take how a site is doing, and say who it is here."""
        self._store.sites.seen(site, self._clock(), **self._facts(asked, environ))
        appliances = sorted(self._appliances_of(site.tenant, site.name))
        return {"tenant": site.tenant, "site": site.name, "appliances": appliances}

    def _facts(self, asked: Mapping[str, Any], environ: Environ) -> dict[str, Any]:
        facts: dict[str, Any] = {"address": environ["cti.client"][:64], "ahead_ms": self._ahead(asked)}
        status = asked.get("status")
        return facts | ({"status": status} if isinstance(status, Mapping) else {})

    def _ahead(self, asked: Mapping[str, Any]) -> int:
        """Return by how much the site's clock is ahead of ours, in milliseconds. Raises ``MalformedRequest``."""
        return _whole(asked, "now") - self._clock()

    def _events(self, site: OnsiteSite, asked: Mapping[str, Any], _environ: Environ) -> Mapping[str, Any]:
        """Write down what a site brings; all of it is durable when this is answered."""
        spool, listed = asked.get("spool"), asked.get("events")
        if not isinstance(spool, str) or not 0 < len(spool) <= 255 or not isinstance(listed, list):
            raise MalformedRequest(Text("expected spool, a text, and events, a list."))
        if len(listed) > MOST_EVENTS:
            raise MalformedRequest(Text("expected at most {most} events at once.", most=MOST_EVENTS))
        taken = self._store.arrivals.take(site, spool, [_arrival(each) for each in listed], self._ahead(asked))
        refused = [{"turn": each.turn, "reason": each.reason} for each in taken.refused]
        return {"turn": taken.turn, "refused": refused}

    def _take(self, site: OnsiteSite, asked: Mapping[str, Any], _environ: Environ) -> Mapping[str, Any]:
        """Give an order to the site that was shown it, unless it is too late."""
        now = self._clock()
        order = self._store.orders.take(site, str(asked.get("id", ""))[:32], now)
        if order is None:
            return {"go": False}
        return {"go": True, "within_s": max(0.0, (order.expires_at - now) / 1000)}

    def _answers(self, site: OnsiteSite, asked: Mapping[str, Any], _environ: Environ) -> Mapping[str, Any]:
        """Take what came of orders; all that are named in the answer need not be sent again."""
        listed = asked.get("answers")
        if not isinstance(listed, list) or len(listed) > MOST_EVENTS:
            raise MalformedRequest(Text("expected answers, a list."))
        found = {str(each["id"])[:32]: each for each in listed if isinstance(each, Mapping) and "id" in each}
        for order, each in found.items():
            self._store.orders.answer(site, order, each)
        return {"taken": list(found)}

    def _poll(
        self, site: OnsiteSite, asked: Mapping[str, Any], environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer with the orders that wait for the site, as soon as there is one, else when ``HOLD_S`` are over."""
        poll = OnsitePoll(site, self._store, self._clock, forget=self._forget)
        with self._lock:
            if self._is_stopping:
                raise Stopping
            older, self._polls[site.tenant, site.name] = self._polls.get((site.tenant, site.name)), poll
        if older is not None:
            older.end()
        until = self._clock() + round((HOLD_S + GRACE_S) * 1000)
        try:
            facts = self._facts(asked, environ)
            self._store.sites.seen(site, self._clock(), poll=poll.name, polled_until=until, **facts)
        except BaseException:
            self._forget(poll)
            raise
        headers: Headers = [("Content-Type", JSON), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no")]
        start_response(STATUS_LINES[200], headers)
        return poll

    def _forget(self, poll: "OnsitePoll") -> None:
        key = (poll.site.tenant, poll.site.name)
        with self._lock:
            if self._polls.get(key) is poll:
                del self._polls[key]


class OnsitePoll:
    """A request for orders that is held open. It is sent blanks meanwhile, which JSON passes over, so that whoever
    stands in between sees a connection in use.
    """

    def __init__(
        self,
        site: OnsiteSite,
        store: OnsiteStore,
        clock: Callable[[], int],
        *,
        forget: Callable[["OnsitePoll"], None],
    ) -> None:
        self.site = site
        self.name = secrets.token_hex(8)
        self._store, self._clock, self._forget = store, clock, forget
        self._ending = threading.Event()
        self._is_answered = False
        self._stream = self._bytes()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._stream)

    def end(self) -> None:
        """Answer at once."""
        self._ending.set()
        self._store.orders.ring()

    def close(self) -> None:
        """Let go; where nobody was answered, nobody waits any more. Safe to call again, never waits."""
        self._forget(self)
        if not self._is_answered:
            self._is_answered = True
            threading.Thread(target=self._leave, name="onsite-left", daemon=True).start()

    def _leave(self) -> None:
        with suppress(GatewayError):
            self._store.sites.left(self.site, self.name)

    def _bytes(self) -> Iterator[bytes]:
        yield b" "
        ends = time.monotonic() + HOLD_S
        asked_at, beat_at = time.monotonic(), time.monotonic()
        orders = self._waiting()
        while not orders and not self._ending.is_set() and (now := time.monotonic()) < ends:
            if now - asked_at > ASK_EVERY_S:
                asked_at = now
                if not self._is_welcome():
                    break
            if now - beat_at > HOLD_S / 4:
                beat_at = now
                yield b" "
            self._store.orders.wait(LOOK_EVERY_S)
            orders = self._waiting()
        yield _encoded({"now": self._clock(), "orders": orders})
        self._is_answered = True

    def _waiting(self) -> list[Mapping[str, Any]]:
        """Return the orders that wait; none where that cannot be looked up just now."""
        try:
            found = self._store.orders.waiting(self.site, self._clock())
        except Exception as error:
            log.warning("onsite_orders_not_read", site=self.site.name, error=type(error).__name__)
            return []
        return [
            {"id": each.id, "appliance": each.appliance, "kind": each.kind, "fields": dict(each.fields)}
            for each in found
        ]

    def _is_welcome(self) -> bool:
        """Return whether the key with which this was asked still holds, as far as that can be looked up."""
        try:
            site = self._store.sites.of(self.site.tenant, self.site.name)
        except Exception:
            return True
        return site is not None and not site.is_revoked and site.made_at == self.site.made_at


def refuse(error: GatewayError, environ: Environ) -> Answer:
    """Return an error as JSON."""
    said = error.said(language_of(environ))
    body = _encoded({"error": error.code, "detail": said})
    headers = [("WWW-Authenticate", "Bearer")] if error.http_status == HTTPStatus.UNAUTHORIZED else headers_of(error)
    return answer(error.http_status, JSON, body, headers)


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise MalformedRequest(Text("the body is no JSON.")) from None
    if not isinstance(found, dict):
        raise MalformedRequest(Text("expected a JSON object."))
    return found


def _arrival(found: object) -> Arrival:
    if not isinstance(found, Mapping) or not isinstance(found.get("message"), str):
        raise MalformedRequest(Text("expected events, each with turn, at and message."))
    return Arrival(_whole(found, "turn"), _whole(found, "at"), found["message"])


def _whole(found: Mapping[str, Any], name: str) -> int:
    value = found.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 1 << 53:
        raise MalformedRequest(Text("expected {name}, a whole number.", name=name))
    return value


def _encoded(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
