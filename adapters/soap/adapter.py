"""Appliances that dial by SOAP, described by their WSDL or by an envelope to send."""

from collections.abc import Sequence
from typing import Any, ClassVar

from adapters.http.answers import AnswerRule, Verdict, fault_text
from adapters.http.client import HttpAnswer, HttpRequest, Peer
from adapters.http.outcomes import Failed
from adapters.soap.call import SoapCall, not_loaded
from adapters.soap.envelope import envelope_of, fault_of
from adapters.soap.settings import SoapConfig
from gateway.adapter import Delivery, Outcome, Outgoing, Probe, WireRequest
from gateway.errors import AdapterError
from gateway.texts.text import Text


class SoapAdapter:
    """Calls one operation for each message; a WSDL is loaded once, when it is first needed.

    An answer without a fault is a success unless ``success`` says more: Cisco's WebDialer answers failures
    as a ``responseCode`` (its API reference).
    """

    Config: ClassVar[type[Any]] = SoapConfig

    def __init__(self, config: SoapConfig, *, name: str) -> None:
        """Compile the call. Raises ``AdapterError`` when the address, a template or an argument cannot be used."""
        self._config = config
        self.longest_s = config.timeout_s
        self._rule = AnswerRule(config.success, config.refused, config.result_path, config.ref_path)
        self._peer = Peer(config, name=name)
        self._call = SoapCall(config, self._peer)

    def probe(self) -> Probe:
        """Load the WSDL, look whether it has the operation, and ask for the address by GET."""
        try:
            address = self._call.address(self._peer.attempt())
        except AdapterError as error:
            return self._call.noted(self._peer.probe(False, error.text))
        except Failed as failed:
            found = self._peer.unfit(self._config.wsdl, failed.reason, failed.code)
            return Probe(False, Text("The WSDL was not loaded. {why}", why=found.text))
        return self._call.noted(self._peer.look(HttpRequest("GET", address)))

    def preview(self, message: Outgoing) -> Sequence[WireRequest]:
        """Return the call that ``deliver`` would send. Raises ``AdapterError``, also when the WSDL does not load."""
        try:
            return [self._peer.record(self._call.request(message, self._peer.attempt()))]
        except Failed as failed:
            why = self._peer.clean(failed.reason)
            raise AdapterError(
                Text("the WSDL {wsdl!r} does not load: {why}", wsdl=self._config.wsdl, why=why)
            ) from None

    def deliver(self, message: Outgoing) -> Delivery:
        attempt = self._peer.attempt()
        try:
            request = self._call.request(message, attempt)
        except AdapterError as error:
            return self._peer.unbuilt(error)
        except Failed as failed:
            return self._peer.delivery(Outcome.UNREACHABLE, not_loaded(failed))
        try:
            return self._judge(self._peer.exchange(request, attempt))
        except Failed as failed:
            return self._peer.delivery(failed.outcome, failed.reason)

    def close(self) -> None:
        self._peer.close()

    def _judge(self, answer: HttpAnswer) -> Delivery:
        answer = answer.root
        envelope = envelope_of(answer.body, answer.charset)
        if envelope is not None and (fault := fault_of(envelope)) is not None:
            return self._peer.delivery(Outcome.REFUSED, fault_text(fault))
        if self._call.silent(answer):
            # Where the WSDL describes no answer there is nothing for a rule to look at.
            silence = Verdict(Outcome.ACCEPTED, "") if self._call.is_one_way else self._rule.judge(None)
            return self._peer.judged(silence)
        # What comes with a one-way operation's 202 is to be ignored, unless a rule of the settings looks at it.
        if answer.status != 200 and not (self._call.is_one_way and 200 <= answer.status < 300):
            return self._peer.by_status(answer)
        if envelope is None:
            return self._peer.delivery(Outcome.UNKNOWN, Text("the answer is not SOAP"))
        return self._result(envelope)

    def _result(self, envelope: Any) -> Delivery:
        try:
            value = self._call.result(envelope)
        except Exception:  # zeep raises a dozen unrelated classes for answers that do not fit
            return self._peer.delivery(Outcome.UNKNOWN, Text("the answer is not the one that the operation gives"))
        return self._peer.judged(self._rule.judge(value))
