"""Where gateways on site connect: they bring events, wait for orders, and say how they are doing.

Every request has the site's key in ``Authorization: Bearer``. Bodies and answers are JSON; docs/onsite.md says what is
in them. Any worker or node may answer any request: what they tell each other stands in the database.
"""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import structlog

from gateway.clock import milliseconds
from gateway.errors import (
    GatewayError,
    MalformedRequest,
    OnsiteKeyInUse,
    OnsiteKeyRefused,
    Stopping,
    UnknownOperation,
    WrongMethod,
)
from gateway.store.onsite.arrivals import Arrival
from gateway.store.onsite.sites import OnsiteSite
from gateway.texts.text import Text
from gateway.wire import onsite_poll
from gateway.wire.auth import Guesses
from gateway.wire.guard import read_body
from gateway.wire.intake import explain
from gateway.wire.onsite_poll import OnsitePoll, OnsiteStore, OnsiteWatch, encoded
from gateway.wire.transport import JSON, STATUS_LINES, Answer, Environ, Headers, answer, headers_of, language_of

log = structlog.get_logger()

PREFIX = "/onsite/v1/"
WIRE = "onsite"
GRACE_S = 6.0
"""After a request for orders ended the next one is there within this, or the site is gone."""
MOST_EVENTS = 1000
StartResponse = Callable[..., Any]


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
        self._watch = OnsiteWatch(store, clock)
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
            made = answer(200, JSON, encoded({"now": self._clock(), **self._verbs[verb](site, asked, environ)}))
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
        poll = OnsitePoll(
            site,
            str(asked.get("instance", "")),
            self._clock,
            on_attached=self._watch.add,
            on_ending=self._store.orders.ring,
            on_closed=self._closed,
        )
        self._begin(poll, environ)
        until = self._clock() + round((onsite_poll.HOLD_S + GRACE_S) * 1000)
        try:
            facts = self._facts(asked, environ)
            self._store.sites.seen(site, self._clock(), poll=poll.name, polled_until=until, **facts)
        except BaseException:
            self._forget(poll)
            raise
        headers: Headers = [("Content-Type", JSON), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no")]
        start_response(STATUS_LINES[200], headers)
        return poll

    def _begin(self, poll: OnsitePoll, environ: Environ) -> None:
        """Have ``poll`` be the site's request for orders; an older one of the same process at the site ends.

        Raises ``Stopping``, and ``OnsiteKeyInUse``: two that end each other's would ask again at once, without end.
        """
        key = (poll.site.tenant, poll.site.name)
        with self._lock:
            if self._is_stopping:
                raise Stopping
            older = self._polls.get(key)
            if older is not None and older.is_of_another(poll):
                log.warning("onsite_key_used_twice", tenant=key[0], site=key[1], address=environ["cti.client"])
                raise OnsiteKeyInUse
            self._polls[key] = poll
        if older is not None:
            older.end()

    def _closed(self, poll: OnsitePoll, was_answered: bool) -> None:
        """Forget a request that is over; where it was not answered, say that nobody waits. Never waits."""
        self._watch.discard(poll)
        self._forget(poll)
        if not was_answered:
            threading.Thread(target=self._leave, args=(poll,), name="onsite-left", daemon=True).start()

    def _leave(self, poll: OnsitePoll) -> None:
        with suppress(GatewayError):
            self._store.sites.left(poll.site, poll.name)

    def _forget(self, poll: OnsitePoll) -> None:
        key = (poll.site.tenant, poll.site.name)
        with self._lock:
            if self._polls.get(key) is poll:
                del self._polls[key]


def refuse(error: GatewayError, environ: Environ) -> Answer:
    """Return an error as JSON."""
    said = error.said(language_of(environ))
    body = encoded({"error": error.code, "detail": said})
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
