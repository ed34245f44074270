"""Appliances that dial by SOAP, described by their WSDL. The only place that imports zeep."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
import zeep
from lxml import etree
from zeep.helpers import serialize_object
from zeep.transports import Transport

from adapters.answers import Pattern, Rule, Single
from adapters.envelope import ENCODING, encoding_schema, envelope_of, fault_of, parsed
from adapters.http import Answer, HttpRequest, Peer
from adapters.outcomes import Failed
from adapters.settings import HttpConfig, origin_of
from adapters.templates import compiled, rendered
from adapters.wire import Attempt
from gateway.adapter import Delivery, Outcome, Outgoing, Probe, WireRequest
from gateway.errors import AdapterError

# zeep logs whole requests and answers, credentials included.
logging.getLogger("zeep").setLevel(logging.WARNING)


@dataclass(frozen=True, kw_only=True)
class SoapConfig(HttpConfig):
    """Texts in ``arguments`` are templates; numbers, true and false keep their type."""

    wsdl: str = field(metadata={"help": "Where the WSDL is: a URL or a file."})
    operation: str = field(metadata={"help": "The operation to call."})
    arguments: Mapping[str, Any] = field(
        default_factory=dict, metadata={"help": "Its arguments: templates, scalars, lists and tables."}
    )
    service: str = field(default="", metadata={"help": "The service in the WSDL; the first one if empty."})
    port: str = field(default="", metadata={"help": "The port of the service; the first one if empty."})
    address: str = field(default="", metadata={"help": "Where to send calls, if not where the WSDL says."})
    result_path: str = field(
        default="", metadata={"help": "Where in the answer to look (responseCode); empty: all of it."}
    )
    success: Pattern = field(default="", metadata={"help": "Pattern that the result of a success contains."})
    refused: Pattern = field(default="", metadata={"help": "Pattern that the result of a refusal contains."})
    ref_path: str = field(default="", metadata={"help": "Where in the answer the peer's own call id is."})


class SoapAdapter:
    """Calls one operation for each message; the WSDL is loaded once, when it is first needed.

    An answer without a fault is a success unless ``success`` says more: Cisco's WebDialer answers failures
    as a ``responseCode``.
    """

    Config: ClassVar[type[Any]] = SoapConfig

    def __init__(self, config: SoapConfig, *, name: str) -> None:
        """Raises ``AdapterError`` when the address, a template or an argument cannot be used."""
        self._config = config
        self._arguments = compiled(config.arguments, config.secrets)
        self._rule = Rule(config.success, config.refused, config.result_path, config.ref_path)
        self._peer = Peer(config, name=name)
        self._lock = Lock()
        self._loaded: _Contract | None = None
        if config.address:
            origin_of(config.address)
        if "://" in config.wsdl:
            origin_of(config.wsdl)

    def probe(self) -> Probe:
        """Loads the WSDL, looks whether it has the operation, and connects to the address."""
        try:
            contract = self._contract(self._peer.attempt())
        except AdapterError as error:
            return self._peer.probe(False, error.message)
        except Failed as failed:
            return self._peer.probe(False, f"o WSDL não foi carregado, {failed.reason}")
        return self._peer.touch(contract.address)

    def preview(self, message: Outgoing) -> Sequence[WireRequest]:
        try:
            return [self._peer.record(self._request(message, self._peer.attempt()))]
        except Failed as failed:
            raise AdapterError(f"the WSDL {self._config.wsdl!r} does not load: {failed.reason}") from None

    def deliver(self, message: Outgoing) -> Delivery:
        attempt = self._peer.attempt()
        try:
            request = self._request(message, attempt)
        except AdapterError as error:
            return self._peer.unbuilt(error)
        except Failed as failed:
            return self._peer.delivery(Outcome.UNREACHABLE, f"o WSDL não foi carregado, {failed.reason}")
        try:
            return self._judge(self._peer.exchange(request, attempt))
        except Failed as failed:
            return self._peer.delivery(failed.outcome, failed.reason)

    def close(self) -> None:
        self._peer.close()

    def _request(self, message: Outgoing, attempt: Attempt) -> HttpRequest:
        return self._contract(attempt).request(rendered(self._arguments, message))

    def _contract(self, attempt: Attempt) -> "_Contract":
        """What the WSDL says, loaded by the first who asks, within the attempt; a failure is not kept.

        Raises ``Failed`` and ``AdapterError``.
        """
        if self._loaded:
            return self._loaded
        with suppress(TimeoutError):
            if self._lock.acquire(timeout=attempt.left_s()):
                try:
                    self._loaded = self._loaded or _Contract(self._config, self._peer, attempt)
                    return self._loaded
                finally:
                    self._lock.release()
        raise Failed(Outcome.UNREACHABLE, "o WSDL não veio a tempo")

    def _judge(self, answer: Answer) -> Delivery:
        envelope = envelope_of(answer.body)
        if envelope is not None and (fault := fault_of(envelope)):
            return self._peer.delivery(Outcome.REFUSED, fault)
        if answer.status != 200:
            return self._peer.by_status(answer)
        if envelope is None:
            return self._peer.delivery(Outcome.UNKNOWN, "a resposta não é SOAP")
        return self._result(envelope)

    def _result(self, envelope: Any) -> Delivery:
        assert self._loaded is not None
        try:
            value = self._loaded.result(envelope)
        except Exception:  # zeep raises a dozen unrelated classes for answers that do not fit their schema
            return self._peer.delivery(Outcome.UNKNOWN, "a resposta não é a que o WSDL descreve")
        return self._peer.judged(self._rule.judge(value))


class _Contract:
    """A loaded WSDL, bound to one operation and address. Raises ``AdapterError`` and ``Failed``."""

    def __init__(self, config: SoapConfig, peer: Peer, attempt: Attempt) -> None:
        # Not strict: a missing or surplus element in an answer does not undo the call that was placed.
        settings = zeep.Settings(strict=False, raw_response=True)
        transport = _Loading(config.wsdl, peer, attempt)
        try:
            self._client = zeep.Client(config.wsdl, transport=transport, settings=settings)
            self._service = self._client.bind(config.service or None, config.port or None)
            self._operation = self._service and self._service._binding.get(config.operation)
        except (AdapterError, Failed):
            raise
        except Exception as error:  # zeep raises what it stumbles over
            raise AdapterError(f"the WSDL {config.wsdl!r} cannot be used: {error}") from None
        if not self._service:
            raise AdapterError(f"the WSDL {config.wsdl!r} describes no service")
        transport.finished = True
        self._name = config.operation
        self.address: str = config.address or self._service._binding_options["address"] or ""
        origin_of(self.address)

    def request(self, arguments: dict[str, Any]) -> HttpRequest:
        """One call of the operation. Raises ``AdapterError`` when the arguments do not fit it."""
        binding = self._service._binding
        try:
            envelope, headers = binding._create(
                self._name, (), arguments, client=self._client, options={"address": self.address}
            )
        except Exception as error:  # zeep raises TypeError, ValueError, its own ...
            raise AdapterError(f"the arguments do not fit {self._name!r}: {error}") from None
        body = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        return HttpRequest("POST", self.address, headers, body)

    def result(self, envelope: Any) -> Any:
        """The answer as plain Python: mappings, lists, scalars. Raises whatever zeep raises."""
        response = requests.Response()
        response.status_code = 200
        response._content = etree.tostring(envelope)
        decoded = self._service._binding.process_reply(self._client, self._operation, response)
        value = serialize_object(decoded, dict)
        names = [etree.QName(part).localname for part in envelope.iterfind("{*}Body/*/*")]
        # zeep hands out an answer's only part without the name that the WSDL gives it.
        bare = len(names) == 1 and not isinstance(value, dict | list)
        return Single({names[0]: value}) if bare else value


class _Loading(Transport):  # type: ignore[misc]
    """Loads a WSDL and what it imports through the peer, from its own host or folder only."""

    def __init__(self, wsdl: str, peer: Peer, attempt: Attempt) -> None:
        super().__init__(session=requests.Session())
        self._wsdl = wsdl
        self._peer = peer
        self._attempt = attempt
        self.finished = False

    def load(self, url: str) -> bytes:
        if url.rstrip("/") + "/" == ENCODING:
            return encoding_schema()
        if self.finished:
            raise AdapterError(f"an answer asks for {url!r}, which is not loaded")
        content = self._fetch(url) if "://" in url else self._read(Path(url))
        _check(content, url)
        return content

    def _fetch(self, url: str) -> bytes:
        own = "://" in self._wsdl and origin_of(self._wsdl)
        if not own or urlsplit(url)[:2] != urlsplit(own)[:2]:
            raise AdapterError(f"the WSDL imports {url!r}, which is not on its own host and is not loaded")
        answer = self._peer.exchange(HttpRequest("GET", url), self._attempt)
        if answer.status != 200:
            raise Failed(Outcome.UNREACHABLE, f"HTTP {answer.status} em {urlsplit(url).path}")
        return answer.body

    def _read(self, path: Path) -> bytes:
        folder = Path(self._wsdl).resolve().parent
        if "://" in self._wsdl or not path.resolve().is_relative_to(folder):
            raise AdapterError(f"the WSDL imports {str(path)!r}, which is not beside it and is not loaded")
        try:
            return path.read_bytes()
        except OSError as error:
            raise AdapterError(f"the file {str(path)!r} cannot be read: {error.strerror}") from None


def _check(content: bytes, url: str) -> None:
    root = parsed(content)
    if root is None or etree.QName(root).localname not in ("definitions", "schema"):
        raise AdapterError(f"what {url!r} answers is no WSDL and no schema (a login page?)")
