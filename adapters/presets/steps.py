"""A preset's steps made ready for one appliance: from a step and the values of an order to the request."""

import json
import re
import xmlrpc.client
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import quote_plus

from pydantic import SecretStr, ValidationError

from adapters.http.client import HttpAnswer, HttpRequest, Peer
from adapters.http.connection import Attempt
from adapters.http.outcomes import Failed
from adapters.http.settings import origin_of
from adapters.http.templates import (
    DIAL_FIELDS,
    Escape,
    Template,
    compiled,
    escape_for,
    for_form,
    for_header,
    for_url,
    rendered,
)
from adapters.presets.answers import AnswerReading
from adapters.presets.language import PresetStep
from adapters.presets.schema import Preset
from adapters.soap.call import SoapCall, not_loaded
from adapters.soap.settings import SoapConfig
from adapters.url import as_written
from adapters.xmlrpc import look, misfit
from gateway.adapter import EVENT_FIELDS, Outgoing, Probe
from gateway.config.validation import sentences
from gateway.domain.conditions import EventCondition, condition
from gateway.domain.event_fields import EVENT_KINDS, EventField
from gateway.errors import AdapterError
from gateway.texts.text import Text, problem_of

ALWAYS = DIAL_FIELDS | {"kind", "id", "secrets"}
EVENT_ALWAYS = frozenset(("kind", "id", "secrets"))
_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_HOSTED = re.compile(r"(https?://)\{\{\s*(\w+)\s*\}\}(?=/|$)")
"""An address that begins with a host of the extension's own."""
_TREES = ("json", "params", "arguments")
"""Keys of a step whose values keep their type."""
_WHOLE = ("template", "pattern", "url", "list", "table")
"""Parameters that are put into a step before it is read: what they hold is itself of the language."""


@dataclass(frozen=True)
class Scene:
    """What all steps of one appliance share. ``login`` is user and password of WS-Security, if it is used; ``hosts``
    are the parts of origin by which an address may begin; ``place`` is where the step stands, such as ``login 1``."""

    peer: Peer
    address: str
    headers: Mapping[str, str]
    secrets: Mapping[str, SecretStr]
    login: tuple[str, SecretStr] | None = None
    hosts: Collection[str] = ()
    place: str = ""

    def at(self, key: str) -> str:
        """Return the place of a key of the step, for errors."""
        return f"{self.place}: {key}"


class PreparedStep(Protocol):
    """One step, ready."""

    step: PresetStep
    when: EventCondition | None
    """Without this the step of a forward is left out."""
    origin: str
    """Scheme, host and port; empty when only a WSDL or the order's extension knows."""

    def request(self, message: Outgoing, attempt: Attempt) -> HttpRequest:
        """Build the request for ``message``. Raises ``AdapterError``, and ``Failed`` when a WSDL does not come."""

    def reading(self, answer: HttpAnswer) -> AnswerReading:
        """Read the answer as rules see it."""

    def look(self, peer: Peer, message: Outgoing) -> Probe:
        """Check whether what it needs is there, without ringing anybody; ``message`` knows parameters only."""


class _Base:
    """Address and headers, which every kind of step has."""

    def __init__(self, step: PresetStep, scene: Scene, names: Collection[str]) -> None:
        self.step = step
        self.when = _condition(step.when, scene, names)
        where = step.where.strip()
        address = where if "://" in where.split("{", 1)[0] else scene.address + where
        hosted = _HOSTED.match(address)
        self._hosted = (hosted[1], hosted[2]) if hosted and hosted[2] in scene.hosts else None
        if hosted and self._hosted:
            address = address[hosted.end() :]
        self.origin = origin_of(address) if address and not self._hosted else ""
        self._url = Template(address, escape=for_url, secrets=scene.secrets, names=names, place=scene.at(step.way))
        self._headers = {
            name: Template(
                text, escape=for_header, secrets=scene.secrets, names=names, place=scene.at(f"headers.{name}")
            )
            for name, text in {**scene.headers, **step.headers}.items()
        }

    def _head(self, message: Outgoing) -> tuple[str, dict[str, str]]:
        rendered = {name: template.render(message) for name, template in self._headers.items()}
        headers = {name: value for name, value in rendered.items() if value}  # a login may be optional
        scheme, host = self._hosted or ("", "")
        origin = f"{scheme}{message.fields[host]}" if host else self.origin
        url = (origin if host else "") + self._url.render(message)
        return as_written(url, origin) if url else "", headers

    def reading(self, answer: HttpAnswer) -> AnswerReading:
        return AnswerReading(answer, self.step.kind)

    def look(self, peer: Peer, message: Outgoing) -> Probe:
        return peer.look(HttpRequest("GET", f"{self.origin}/"))


def _condition(source: str, scene: Scene, names: Collection[str]) -> EventCondition | None:
    """Return the condition of a step; it may ask for parameters and for what was captured. Raises ``AdapterError``."""
    try:
        return condition(source, {name: EventField(name) for name in set(names) - EVENT_FIELDS}) if source else None
    except ValueError as error:
        raise AdapterError(Text("{problem}.", problem=problem_of(error)), place=scene.at("when")) from None


class HttpCall(_Base):
    """GET, POST and the like."""

    def __init__(self, step: PresetStep, scene: Scene, names: Collection[str]) -> None:
        super().__init__(step, scene, names)
        self._media, self._body = _body_of(step, scene, names)

    def request(self, message: Outgoing, attempt: Attempt) -> HttpRequest:
        url, headers = self._head(message)
        if self._body is None:
            return HttpRequest(self.step.verb, url, headers)
        return HttpRequest(self.step.verb, url, {"Content-Type": self._media} | headers, self._body(message).encode())


class XmlRpcCall(_Base):
    """One method of an XML-RPC service."""

    def __init__(self, step: PresetStep, scene: Scene, names: Collection[str]) -> None:
        super().__init__(step, scene, names)
        if not isinstance(step.params, list | tuple):
            raise AdapterError(Text("params is {value}; expected a list.", value=repr(step.params)))
        self._method = Template(step.method, secrets=scene.secrets, names=names, place=scene.at("method"))
        self._params = compiled(step.params, scene.secrets, names, place=scene.at("params"))

    def request(self, message: Outgoing, attempt: Attempt) -> HttpRequest:
        """Build the call for ``message``. Raises ``AdapterError`` when the parameters do not fit XML-RPC."""
        url, headers = self._head(message)
        params, method = tuple(rendered(self._params, message)), self._method.render(message)
        try:
            body = xmlrpc.client.dumps(params, method, encoding="utf-8", allow_none=True)
        except (TypeError, OverflowError) as error:
            raise misfit(method, error) from None
        return HttpRequest("POST", url, {"Content-Type": "text/xml"} | headers, body.encode())

    def look(self, peer: Peer, message: Outgoing) -> Probe:
        return look(peer, self._head(message)[0])


class SoapStepCall(_Base):
    """One operation of a SOAP service, by its WSDL or by an envelope."""

    def __init__(self, step: PresetStep, scene: Scene, names: Collection[str]) -> None:
        super().__init__(step, scene, names)
        self._call = SoapCall(_soap_config(step, scene, self.origin), scene.peer, names)

    def request(self, message: Outgoing, attempt: Attempt) -> HttpRequest:
        url, headers = self._head(message)
        made = self._call.request(message, attempt)
        return replace(made, url=url or made.url, headers={**made.headers, **headers})

    def reading(self, answer: HttpAnswer) -> AnswerReading:
        return AnswerReading(answer, "soap", self._call.result, self._call.silent)

    def look(self, peer: Peer, message: Outgoing) -> Probe:
        """Load the WSDL, if there is one, and look at its address."""
        try:
            address = self._call.address(peer.attempt())
        except AdapterError as error:
            return peer.probe(False, error.text)
        except Failed as failed:
            return peer.unfit(self.step.wsdl, not_loaded(failed), failed.code)
        return peer.look(HttpRequest("GET", address))


def _soap_config(step: PresetStep, scene: Scene, origin: str) -> SoapConfig:
    login: dict[str, Any] = {}
    if scene.login:
        login = {"auth": "wsse", "username": scene.login[0], "password": scene.login[1]}
    try:
        return SoapConfig(
            wsdl=step.wsdl,
            operation=step.operation,
            arguments=step.arguments,
            envelope=step.envelope,
            address=origin,
            soap_action=step.soap_action,
            header=step.soap_header,
            secrets=scene.secrets,
            **login,
        )
    except ValueError as error:
        raise AdapterError(Text("{problem}.", problem=problem_of(error))) from None


def _body_of(step: PresetStep, scene: Scene, names: Collection[str]) -> tuple[str, Callable[[Outgoing], str] | None]:
    """Return the media type of a body, and what makes it."""

    def template(key: str, text: str, escape: Escape) -> Callable[[Outgoing], str]:
        return Template(text, escape=escape, secrets=scene.secrets, names=names, place=scene.at(key)).render

    if step.form is not None:
        text = "&".join(f"{quote_plus(key)}={value}" for key, value in step.form.items())
        return "application/x-www-form-urlencoded", template("form", text, for_form)
    if step.json_body is not None:
        tree = compiled(step.json_body, scene.secrets, names, place=scene.at("json"))
        return "application/json", lambda message: json.dumps(rendered(tree, message))
    if step.body is None:
        return "", None
    return step.content_type, template("body", step.body, escape_for(step.content_type))


_KINDS: Mapping[str, Callable[[PresetStep, Scene, Collection[str]], PreparedStep]] = {
    "http": HttpCall,
    "soap": SoapStepCall,
    "xmlrpc": XmlRpcCall,
}


def calls_of(preset: Preset, values: Mapping[str, Any], scene: Scene) -> Mapping[str, tuple[PreparedStep, ...]]:
    """Return every step by its sequence. Raises ``AdapterError`` that names the step when one cannot be used."""
    sequences = {name: getattr(preset, name) for name in ("login", "before", "after", "logout", "probe", "hangup")}
    sequences["dial"] = preset.dialling
    sequences |= {kind: getattr(preset.forward, kind) for kind in (preset.forward.kinds if preset.forward else ())}
    known = _names(preset)
    made: dict[str, tuple[PreparedStep, ...]] = {}
    for name, steps in sequences.items():
        made[name] = tuple(
            _call(name if name == "dial" else f"{name} {place + 1}", step, preset, values, scene, known[name])
            for place, step in enumerate(steps)
        )
    return made


def _names(preset: Preset) -> Mapping[str, frozenset[str]]:
    """Return the names that the templates of each sequence may use: captures of its own are there as soon as they are
    made.
    """
    fixed = frozenset(preset.parameters) | {"secrets"}
    order = ALWAYS | fixed | frozenset(preset.origin)
    # A kept login is for many orders, so it can depend on none.
    login = (fixed if preset.session or preset.forward else order) | _captures(preset.login)
    return {**dict.fromkeys(EVENT_KINDS, _event_names(preset, login)), **_dial_names(preset, order, login)}


def _event_names(preset: Preset, login: frozenset[str]) -> frozenset[str]:
    """Return the names that the templates of a forward's steps may use: the event's, and what was kept of the call."""
    captured = preset.forward.captures if preset.forward else frozenset()
    return EVENT_FIELDS | EVENT_ALWAYS | login | frozenset(preset.origin) | captured


def _dial_names(preset: Preset, order: frozenset[str], login: frozenset[str]) -> Mapping[str, frozenset[str]]:
    before = order | login | _captures(preset.before)
    dial = before | _captures(preset.dialling)
    return {
        "login": login,
        "probe": login | _captures(preset.probe),
        "before": before,
        "dial": before,
        "after": dial | {"ref"} | _captures(preset.after),
        "logout": login if preset.session else dial | {"ref"},
        "hangup": order | login | {"ref"} | _captures(preset.hangup),
    }


def _captures(steps: Collection[PresetStep]) -> frozenset[str]:
    return frozenset(name for step in steps for name in step.capture)


def _call(
    place: str, step: PresetStep, preset: Preset, values: Mapping[str, Any], scene: Scene, names: Collection[str]
) -> PreparedStep:
    try:
        filled = _filled(step, preset, values)
        return _KINDS[filled.kind](filled, replace(scene, place=place), names)
    except ValidationError as error:
        raise AdapterError(next(sentences(error, place, PresetStep))) from None
    except AdapterError as error:
        if error.place.startswith(f"{place}: "):  # a template has said already where it stands
            raise
        raise AdapterError(error.text, hint=error.advice, place=place) from None


def _filled(step: PresetStep, preset: Preset, values: Mapping[str, Any]) -> PresetStep:
    """Return ``step`` with those parameters put in whose values are of the preset language, or keep their type."""
    raw = step.model_dump(by_alias=True, exclude_unset=True)
    return PresetStep.model_validate({key: inserted(raw[key], preset, values, typed=key in _TREES) for key in raw})


def inserted(tree: Any, preset: Preset, values: Mapping[str, Any], *, typed: bool = False) -> Any:
    """Return ``tree`` with the parameters put in that are of the preset language: templates wherever they stand,
    patterns, lists and tables where they are a whole text; if ``typed``, numbers and booleans there too, which keep
    their type.
    """
    kinds = {name: each.type for name, each in preset.parameters.items()}
    wanted = (*_WHOLE, "integer", "boolean") if typed else _WHOLE
    whole = {name: values[name] for name, kind in kinds.items() if kind in wanted}
    return _inserted(tree, whole, {name: value for name, value in whole.items() if kinds[name] == "template"})


def _inserted(tree: Any, whole: Mapping[str, Any], anywhere: Mapping[str, str]) -> Any:
    if isinstance(tree, str):
        alone = _PLACE.fullmatch(tree.strip())
        if alone and alone[1] in whole:
            return whole[alone[1]]
        return _PLACE.sub(lambda found: anywhere.get(found[1], found[0]), tree)
    if isinstance(tree, Mapping):
        return {key: _inserted(value, whole, anywhere) for key, value in tree.items()}
    return [_inserted(value, whole, anywhere) for value in tree] if isinstance(tree, list | tuple) else tree
