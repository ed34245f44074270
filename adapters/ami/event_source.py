"""Asterisk, and exchanges built on it, as a source of events: by its manager interface, without any dialplan."""

from contextlib import closing
from functools import cached_property
from typing import Any, ClassVar

from adapters.ami.adapter import ADVICE, PING
from adapters.ami.conversation import NO_SNAPSHOT, AmiConversation
from adapters.ami.session import AmiSession, LoginFailed, written
from adapters.ami.source_settings import AmiSourceConfig
from adapters.http.client import UNCHECKED
from adapters.http.connection import Attempt
from adapters.http.outcomes import OF_CERTIFICATE, Failed, FailureCode, advised
from adapters.sentences import Sentences
from gateway.adapter import Outcome, Probe, WireExchange, overheard
from gateway.errors import EventSourceError
from gateway.event_source import Report, SourcePlace, Stop
from gateway.events.ami.interpreter import AmiInterpreter
from gateway.texts.text import Text

CHANNELS = written(("Action", "CoreShowChannels"))
REFUSED_PAUSE_S = 180.0
"""After a refused login: exchanges lock out an address that tries wrong passwords more often."""
READY = Text("{peer} speaks AMI and accepted the login")
NOT_READY = Text("{peer} is not heard: {reason}")


class AmiEventSource:
    """Reads the events of one exchange on one connection, and tells what happens to its calls."""

    Config: ClassVar[type[Any]] = AmiSourceConfig

    def __init__(self, config: AmiSourceConfig, place: SourcePlace) -> None:
        self._config, self._place = config, place
        self._say = Sentences(place.name, [config.secret.get_secret_value()])
        self._trust = config.trust() if config.tls else None

    @cached_property
    def _interpreter(self) -> AmiInterpreter:
        """Kept from one connection to the next, so that calls go on."""
        return AmiInterpreter(self._config.interpreter_settings(self._place))

    @property
    def peer(self) -> str:
        """Where the manager interface is."""
        return self._config.peer

    def probe(self) -> Probe:
        """Log in, ``Ping``, and ask which channels there are, as every connection begins."""
        try:
            with self._session() as session:
                session.log_in()
                answer = session.ask(PING)
                channels = session.ask(CHANNELS)
        except Failed as failed:
            return Probe(False, Text(NOT_READY.id, peer=self.peer, reason=self._reason(failed)))
        if not answer.get("ping"):
            return Probe(False, Text(NOT_READY.id, peer=self.peer, reason=self._say.clean(answer.refusal)))
        note = "" if channels.succeeded else Text(NO_SNAPSHOT.id, words=self._say.told(channels.get("message")))
        unchecked = self._config.tls and self._config.tls_verify is False
        well = advised(Text(READY.id, peer=self.peer), UNCHECKED if unchecked else None)
        return Probe(True, well, note)

    def run(self, report: Report, stop: Stop) -> None:
        """Log in and tell what happens until the connection ends. Raises ``EventSourceError``."""
        session = self._session()
        try:
            with session, overheard(lambda exchange: _told(report, exchange)):
                session.log_in()
                sock, rest = session.detach()
        except Failed as failed:
            is_refused = isinstance(failed, LoginFailed) and failed.outcome is Outcome.REFUSED
            raise EventSourceError(self._reason(failed), pause_s=REFUSED_PAUSE_S if is_refused else 0.0) from None
        with closing(sock):
            report.connected()
            AmiConversation(sock, rest, self._config, self._place, self._interpreter, report).run(stop)

    def _session(self) -> AmiSession:
        return AmiSession(self._config, Attempt(self._config.timeout_s), self._trust, self._say)

    def _reason(self, failed: Failed) -> Text:
        return self._say.clean(advised(failed.reason, self._advice(failed.code)))

    def _advice(self, code: FailureCode) -> Text | None:
        if code in OF_CERTIFICATE:
            return self._config.advice_to_pin(self._config.address, self._config.port)
        return ADVICE.get(code)


def _told(report: Report, exchange: WireExchange) -> None:
    report.said(exchange.request.data, tuple(exchange.request.secrets))
    if exchange.answer:
        report.heard(exchange.answer)
