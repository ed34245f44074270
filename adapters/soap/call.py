"""One SOAP operation of one appliance: its requests and answers, by a WSDL or by an envelope to send."""

from collections.abc import Collection
from contextlib import suppress
from threading import Lock
from typing import Any

from adapters.http.client import HttpAnswer, HttpRequest, Peer
from adapters.http.connection import Attempt
from adapters.http.outcomes import Failed, built
from adapters.http.settings import origin_of
from adapters.http.templates import NAMES, compiled
from adapters.soap.description import Description
from adapters.soap.header import Header
from adapters.soap.raw import RawEnvelope
from adapters.soap.settings import SoapConfig
from adapters.soap.wsdl import Contract
from gateway.adapter import Outcome, Outgoing, Probe
from gateway.texts.text import Text


def not_loaded(failed: Failed) -> Text:
    """Return as a reason that a WSDL did not come, and why."""
    return Text("the WSDL was not loaded, {why}", why=failed.reason)


class SoapCall:
    """A WSDL is loaded once, when it is first needed. For many threads at once."""

    def __init__(self, config: SoapConfig, peer: Peer, names: Collection[str] = NAMES) -> None:
        """Compile the call. Raises ``AdapterError`` when the address, a template (of ``names``) or an argument cannot
        be used.
        """
        self._config = config
        self._peer = peer
        self._arguments = compiled(config.arguments, config.secrets, names, place="arguments")
        self._header = Header(config, names)
        self._lock = Lock()
        raw = RawEnvelope(config, self._header, names) if config.envelope else None
        self._loaded: Contract | RawEnvelope | None = raw
        self._description: Description | None = None
        if config.address:
            origin_of(config.address)
        if "://" in config.wsdl:
            origin_of(config.wsdl)

    def address(self, attempt: Attempt) -> str:
        """Return where calls are sent. Raises ``Failed`` and ``AdapterError``."""
        return built(lambda: self._contract(attempt).address)

    def request(self, message: Outgoing, attempt: Attempt) -> HttpRequest:
        """Build the call for ``message``. Raises ``Failed`` when the WSDL does not come, and ``AdapterError``."""
        return built(lambda: self._contract(attempt).request(message))

    def noted(self, probe: Probe) -> Probe:
        """Return ``probe`` with what is good to know of the WSDL, if one was loaded."""
        if self._description is None:
            return probe
        notes, note = tuple(map(self._peer.clean, self._description.notes())), self._description.note
        return Probe(probe.ok, probe.text, self._peer.clean(note) if note else "", notes)

    def silent(self, answer: HttpAnswer) -> bool:
        """Return whether an empty ``answer`` is all that the operation gives: of a one-way operation any 2xx, else a
        202 or 204 where the WSDL describes no parts, or where there is none.
        """
        if answer.body.strip() or not 200 <= answer.status < 300:
            return False
        loaded = self._loaded
        if isinstance(loaded, Contract) and loaded.is_one_way:
            return True
        return answer.status in (202, 204) and not (isinstance(loaded, Contract) and loaded.has_answer)

    @property
    def is_one_way(self) -> bool:
        """Whether the WSDL describes no answer to the operation."""
        return isinstance(self._loaded, Contract) and self._loaded.is_one_way

    def result(self, envelope: Any) -> Any:
        """Return what an answer to a request holds. Raises a dozen unrelated classes for one that does not fit."""
        assert self._loaded is not None
        return self._loaded.result(envelope)

    def _contract(self, attempt: Attempt) -> Contract | RawEnvelope:
        """Return the maker of requests: a WSDL is loaded by the first who asks, within the attempt; a failure is not
        kept.
        """
        if self._loaded:
            return self._loaded
        with suppress(TimeoutError):
            if self._lock.acquire(timeout=attempt.left_s()):
                try:
                    self._loaded = self._loaded or self._load(attempt)
                    return self._loaded
                finally:
                    self._lock.release()
        raise Failed(Outcome.UNREACHABLE, Text("the WSDL did not come in time"))

    def _load(self, attempt: Attempt) -> Contract:
        self._description = Description(self._config.wsdl, self._peer, attempt)
        return Contract(self._config, self._arguments, self._header, self._peer, self._description)
