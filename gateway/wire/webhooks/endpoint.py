"""The address of sources: ``/in/NAME`` and whatever stands behind it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from gateway.config.webhook_sources import WebhookSource
from gateway.domain.messages import Origin
from gateway.errors import GatewayError, MalformedRequest, NothingKept, UnknownEventSource, WrongMethod
from gateway.mapping.bodies import WebhookRequest
from gateway.mapping.events import Interpretation, MappedEvent
from gateway.mapping.messages import OPERATIONS, mark_of, message_of
from gateway.mapping.replies import LOOKED_UP, RenderedReply, ReplyWriter, WebhookReply
from gateway.mapping.signed_requests import SignedRequest
from gateway.store.traffic import Remark, RemarkCode
from gateway.texts.rendering import render
from gateway.wire.counts import NO_OPERATION
from gateway.wire.guard import read_body
from gateway.wire.intake import REPLAY_OF, Intake, count
from gateway.wire.sites import Site
from gateway.wire.transport import JSON, REMARKS, Answer, Environ, answer, language_of, refuse_as_text
from gateway.wire.webhooks.access import admit
from gateway.wire.webhooks.gates import SourceGate
from gateway.wire.webhooks.lookups import LookUpNumber, nobody
from gateway.wire.webhooks.sources import split

log = structlog.get_logger()

METHODS = ("GET", "POST", "PUT", "PATCH")


class Webhooks:
    """Every source of every company. Answers 200 with the ids of the calls once the events are durable.

    A request that is no event for us, or that its mapping does not understand, is answered 200 as well: a sender would
    only send it again, or leave the address alone for good. The traffic log keeps it with the reason. Without a mapping
    and without that log nothing would be left of it, so the sender is told to keep it.
    """

    wire = "webhook"

    def __init__(
        self,
        intake: Intake,
        gates: Mapping[tuple[str, str], SourceGate],
        *,
        max_body_bytes: int,
        look_up: LookUpNumber = nobody,
        keeps_requests: bool = True,
    ) -> None:
        """Take ``keeps_requests``: whether there is a traffic log."""
        self._intake = intake
        self._gates = gates
        self._look_up = look_up
        self._keeps_requests = keeps_requests
        self._limit = max_body_bytes

    def serve(self, environ: Environ, site: Site) -> Answer:
        """Take what one request tells. Raises ``UnknownEventSource``, ``WrongMethod``, ``MalformedRequest`` where the
        body cannot be read, what ``SourceGate.enter`` raises, ``NothingKept``, and ``BusyError``, also where the disk
        takes longer than the source waits: nothing is acknowledged then.
        """
        name, tail = split(environ["PATH_INFO"])
        source, gate = site.sources.get(name), self._gates.get((site.name, name))
        if source is None or gate is None:
            admit(environ, site)
            raise UnknownEventSource(name, known=sorted(site.sources))
        intake = self._intake if environ.get(REPLAY_OF) else self._intake.within(gate.answer_within_s)
        environ["cti.operation"] = source.operation
        entered = self._entered(environ, tail, gate, site)
        if isinstance(entered, RenderedReply):
            return as_answer(entered)
        if environ["REQUEST_METHOD"] == "HEAD":
            return answer(200, JSON, b"")
        if environ["REQUEST_METHOD"] not in METHODS:
            raise WrongMethod(environ["REQUEST_METHOD"], allowed=METHODS)
        if source.mapping is None and not self._keeps_requests:
            raise NothingKept(name)
        made = source.read(entered.request)
        if made.problems and made.document is None:
            raise MalformedRequest(made.problems[0])
        handled = [self._handled(event, environ, site, intake, source.exchange) for event in made.events]
        calls = [call for call in handled if call]
        told = self._told(made, calls, environ, site, name)
        own = reply_to(source, made)
        return as_answer(self._own_answer(own, entered, made, calls, site.name)) if own else told

    def _entered(self, environ: Environ, tail: str, gate: SourceGate, site: Site) -> SignedRequest | RenderedReply:
        """Return what ``SourceGate.enter`` does; its refusals are counted, for they are of no operation."""
        try:
            return gate.enter(environ, request_of(environ, tail, self._limit), site.gate)
        except GatewayError as error:
            count(self.wire, NO_OPERATION, error)
            raise

    def _own_answer(
        self, reply: WebhookReply, signed: SignedRequest, made: Interpretation, calls: Sequence[int], tenant: str
    ) -> RenderedReply:
        """Return ``reply`` with its values."""
        known = dict.fromkeys(LOOKED_UP, "")
        known |= {"@url": signed.url, "@event": made.name or "", "@call_id": str(calls[0]) if calls else ""}
        if reply.lookup:
            known |= self._look_up(tenant, signed.value(reply.lookup))
            if reply.unknown and not known["@account"]:
                reply = reply.unknown
        return ReplyWriter(lambda path: known[path] if path in known else signed.value(path)).write(reply)

    def _handled(self, event: MappedEvent, environ: Environ, site: Site, intake: Intake, exchange: str) -> int:
        """Handle an event; return our id of its call, 0 where it is about none."""
        origin = Origin(self.wire, environ["cti.client"], environ.get(REPLAY_OF), mark_of(event, exchange))
        message = message_of(event, site.name, origin, intake.now())
        return intake.take(message, environ, wire=self.wire, operation=OPERATIONS[event.kind]).call_id

    def _told(self, made: Interpretation, calls: Sequence[int], environ: Environ, site: Site, name: str) -> Answer:
        problems = [render(each, site.language) for each in made.problems]
        if problems:
            environ[REMARKS] = (*environ.get(REMARKS, ()), Remark(RemarkCode.NOT_MAPPED, {"problem": problems[0]}))
            log.warning("webhook_not_mapped", tenant=site.name, source=name, problem=str(made.problems[0]))
            self._intake.not_understood(self.wire)
        told: dict[str, Any] = {"calls": list(dict.fromkeys(calls))}
        body = json.dumps(told | ({"problems": problems} if problems else {}), ensure_ascii=False)
        return answer(200, JSON, f"{body}\n".encode())

    def refuse(self, error: GatewayError, environ: Environ) -> Answer:
        return refuse_as_text(error, language_of(environ))


def reply_to(source: WebhookSource, made: Interpretation) -> WebhookReply | None:
    """Return the answer that the source's mapping has for this event; None where it says nothing."""
    if source.mapping is None:
        return None
    return source.mapping.replies.get(made.name or "", source.mapping.reply)


def as_answer(reply: RenderedReply) -> Answer:
    """Return an answer that the mapping made; no browser takes it for a page of ours."""
    headers = [*reply.headers, ("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", "sandbox")]
    return answer(reply.status, reply.media_type, reply.body, headers)


def request_of(environ: Environ, tail: str, limit: int) -> WebhookRequest:
    """Return the request as a mapping sees it. Raises ``TooLarge`` and ``MalformedRequest``."""
    return WebhookRequest(
        body=read_body(environ, limit),
        content_type=environ.get("CONTENT_TYPE", ""),
        query=environ.get("QUERY_STRING", ""),
        headers=headers_of(environ),
        tail=tail,
        method=environ["REQUEST_METHOD"],
    )


def headers_of(environ: Environ) -> dict[str, str]:
    """Return the request's headers, their names in small letters."""
    found = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    return found | {"content-type": environ.get("CONTENT_TYPE", "")}
