"""Appliances that dial by XML-RPC, such as FreeSWITCH and Kamailio."""

import xmlrpc.client
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from xml.parsers.expat import ExpatError

from adapters.http.answers import AnswerRule, Pattern, as_text, boolean_of, fault_text
from adapters.http.client import HttpAnswer, HttpRequest, Peer
from adapters.http.one_request import OneRequest
from adapters.http.outcomes import Failed
from adapters.http.settings import HttpConfig, origin_of
from adapters.http.templates import compiled, rendered
from gateway.adapter import Delivery, Outcome, Outgoing, Probe
from gateway.errors import AdapterError
from gateway.texts.text import Text

NO_SUCH_METHOD = xmlrpc.client.dumps((), "cti_gateway.probe").encode()
MAX_NESTED = 1000
"""Arrays and structs in one answer; the parser takes any depth, but nothing afterwards does."""


class Unreadable(Exception):
    """The answer holds no value: it is no XML-RPC, or a fault, of which ``fault`` are the words."""

    def __init__(self, fault: str | None = None) -> None:
        super().__init__(fault or "")
        self.fault = fault


@dataclass(frozen=True, kw_only=True)
class XmlRpcConfig(HttpConfig):
    """Texts in ``params`` are templates; numbers, true and false keep their type."""

    url: str = field(metadata={"help": "The address of the XML-RPC service, without templates."})
    method: str = field(metadata={"help": "The method to call."})
    params: Sequence[Any] = field(
        default=(), metadata={"help": "Its parameters: templates, scalars, lists and tables of them."}
    )
    result_path: str = field(
        default="", metadata={"help": "Where in the answer to look (call.id, 0.name); empty: all of it."}
    )
    success: Pattern = field(default="", metadata={"help": "Pattern that the value of a success contains."})
    refused: Pattern = field(default="", metadata={"help": "Pattern that the value of a refusal contains."})
    ref_path: str = field(default="", metadata={"help": "Where in the answer the peer's own call id is."})


class XmlRpcAdapter(OneRequest):
    """Calls one method for each message.

    An answer without a fault is a success unless ``success`` says more: Kamailio (5.6.3) answers an empty
    value, FreeSWITCH (1.10.12) says ``-ERR`` in a value, so the rule is a setting.
    """

    Config: ClassVar[type[Any]] = XmlRpcConfig

    def __init__(self, config: XmlRpcConfig, *, name: str) -> None:
        """Compile the templates. Raises ``AdapterError`` when the URL, a template or a parameter cannot be used."""
        self._config = config
        self.longest_s = config.timeout_s
        self._origin = origin_of(config.url)
        self._params = compiled(list(config.params), config.secrets, place="params")
        self._rule = AnswerRule(config.success, config.refused, config.result_path, config.ref_path)
        self._peer = Peer(config, name=name)

    def probe(self) -> Probe:
        """Call a method that nobody has: calling even ``system.listMethods`` is not everywhere harmless."""
        return look(self._peer, self._config.url)

    def _request(self, message: Outgoing) -> HttpRequest:
        params = tuple(rendered(self._params, message))
        try:
            body = xmlrpc.client.dumps(params, self._config.method, encoding="utf-8", allow_none=True)
        except (TypeError, OverflowError) as error:
            raise misfit(self._config.method, error) from None
        return HttpRequest("POST", self._config.url, {"Content-Type": "text/xml"}, body.encode())

    def _judge(self, answer: HttpAnswer) -> Delivery:
        try:
            value = value_of(answer.text)
        except Unreadable as unreadable:
            if unreadable.fault is not None:
                return self._peer.delivery(Outcome.REFUSED, fault_text(unreadable.fault))
            value = None
        if answer.status != 200:
            return self._peer.by_status(answer)
        if value is None:
            return self._peer.delivery(Outcome.UNKNOWN, Text("the answer is not XML-RPC"))
        return self._peer.judged(self._rule.judge(value))


def look(peer: Peer, url: str) -> Probe:
    """Check whether XML-RPC is spoken at ``url``, by calling a method that nobody has."""
    request = HttpRequest("POST", url, {"Content-Type": "text/xml"}, NO_SUCH_METHOD)
    try:
        answer = peer.exchange(request)
    except Failed as failed:
        return peer.unfit(url, failed.reason, failed.code)
    try:
        value_of(answer.text)
    except Unreadable as unreadable:
        if unreadable.fault is None:
            status = peer.status_reason(answer)
            no_xmlrpc = Text(
                "{status}, an answer that is not XML-RPC; check the url's path and the login", status=status
            )
            return peer.probe(False, no_xmlrpc)
    return peer.probe(True, Text("it speaks XML-RPC"))


def misfit(method: str, error: Exception) -> AdapterError:
    """Return the error of parameters that XML-RPC has no form for."""
    return AdapterError(Text("the parameters of {method!r} do not fit XML-RPC: {why}", method=method, why=str(error)))


def value_of(text: str) -> Any:
    """Return the value of an answer; no value at all is the empty text. Raises ``Unreadable``."""
    # Nobody needs a DOCTYPE here, and expat would expand what it declares.
    if "<!DOCTYPE" in text or text.count("<array") + text.count("<struct") > MAX_NESTED:
        raise Unreadable
    target = _Reading(use_builtin_types=True)
    parser = xmlrpc.client.ExpatParser(target)
    try:
        parser.feed(text.lstrip())
        parser.close()
        values = target.close()
    except (ExpatError, xmlrpc.client.Error, ValueError, TypeError, LookupError, RecursionError) as error:
        raise Unreadable from error
    if target.getmethodname() is None and target.is_fault:
        raise Unreadable(fault_words(values[0] if values else None))
    return values[0] if values and values[0] is not None else ""


def fault_words(told: Any) -> str:
    """Return a fault's code and sentence, as far as it has them."""
    members = {str(name).lower(): value for name, value in told.items()} if isinstance(told, Mapping) else {}
    found = [members.get("faultcode"), members.get("faultstring")] if isinstance(told, Mapping) else [told]
    return ", ".join(as_text(each) for each in found if as_text(each))


class _Reading(xmlrpc.client.Unmarshaller):
    """An answer's values; one that is none of its type stays as its text, since mostly nobody asks for it."""

    dispatch = xmlrpc.client.Unmarshaller.dispatch.copy()

    def __init__(self, *, use_builtin_types: bool) -> None:
        super().__init__(use_builtin_types=use_builtin_types)
        self.is_fault = False
        self._unheard = ""

    def close(self) -> Any:
        """Return all values, also those of a fault."""
        reading: Any = self
        if reading._type == "fault":
            self.is_fault, reading._type = True, "params"
        return super().close()

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        reading: Any = self
        if reading._value and tag.rpartition(":")[2] not in self.dispatch:
            # An extension such as <i64>: its text is what there is of it.
            self._unheard, reading._data, reading._value = tag, [], False
        else:
            super().start(tag, attrs)

    def end(self, tag: str) -> None:
        if tag == self._unheard:
            self._unheard = ""
            _keep_text(self, "".join(self._data))
        else:
            super().end(tag)


def _keep_text(reading: Any, text: str) -> None:
    reading.append(text)
    reading._value = 0


def _tolerant(read: Callable[[Any, str], None]) -> Callable[[Any, str], None]:
    """Return ``read``, a handler of Python's, made to keep the text for what is none of its type."""

    def end(reading: Any, text: str) -> None:
        try:
            read(reading, text)
        except (ValueError, TypeError, OverflowError):
            _keep_text(reading, text)

    return end


def _end_boolean(reading: Any, text: str) -> None:
    reading.append(boolean_of(text))
    reading._value = 0


_SCALARS = ("i1", "i2", "i4", "i8", "int", "biginteger", "double", "float", "bigdecimal", "base64", "dateTime.iso8601")
_Reading.dispatch |= {tag: _tolerant(_Reading.dispatch[tag]) for tag in _SCALARS} | {"boolean": _end_boolean}
