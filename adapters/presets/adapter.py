"""Appliances described by a preset: data that says which requests place a call and what the answers mean."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, ClassVar

from pydantic import SecretStr

from adapters.http.client import Peer
from adapters.http.digests import PREVIEW
from adapters.http.outcomes import Failed, built
from adapters.http.settings import HttpConfig, PeerConfig
from adapters.http.templates import Template
from adapters.presets.files import Catalogue
from adapters.presets.phones import has_phones, look_at, phones_of
from adapters.presets.rank import LIFE, PresetRank, rank_of, told
from adapters.presets.run import Runner, first_of, wanted
from adapters.presets.schema import ForwardSteps, Preset
from adapters.presets.settings import PresetConfig, config_class_of, plain
from adapters.presets.steps import ALWAYS, PreparedStep, Scene, calls_of, inserted
from gateway.adapter import Delivery, Limits, Outgoing, Probe, WireRequest
from gateway.domain.event_fields import EVENT_KINDS
from gateway.domain.patterns import SlowPattern, fullmatch
from gateway.errors import AdapterError, UnknownPreset
from gateway.texts.text import Text, problem_of, verbatim

_ACCEPTS = dict.fromkeys(("extension", "number"), r"[0-9A-Za-z*#+_-][0-9A-Za-z*#+._-]{0,63}")
"""No sign that any appliance's own syntax could take for more than a part of a number."""


class PresetAdapter:
    """Takes the steps of its preset for each order.

    ``limits`` is what the appliance says it can take, ``longest_s`` the seconds that an order takes at most,
    ``can_hang_up`` whether ``hangup`` does anything.
    """

    Config: ClassVar[type[Any]] = PresetConfig

    @classmethod
    def config_for(cls, settings: Mapping[str, Any], folder: Path | None) -> type[PresetConfig]:
        """Return the settings of the preset that ``settings`` name. Raises ``UnknownPreset`` and ``ConfigError``."""
        name = settings.get("preset")
        if not isinstance(name, str):
            return PresetConfig
        preset = cls.catalogue(folder).preset(name)
        if preset.dial is None and preset.forward is None:
            raise UnknownPreset(name, text=Text("the preset {name!r} dials nothing: it is for sources.", name=name))
        return config_class_of(preset)

    @classmethod
    def check_dials(cls, name: str, folder: Path | None) -> None:
        """Raise ``UnknownPreset`` for a preset that does not dial: no appliance can have it. Raises ``ConfigError``."""
        if cls.catalogue(folder).preset(name).dial is None:
            told = Text("the preset {name!r} dials nothing: it is for forwards or sources.", name=name)
            raise UnknownPreset(name, text=told)

    @classmethod
    def forward_of(cls, name: str, folder: Path | None) -> ForwardSteps:
        """Return how the preset of this name is told of events. Raises ``UnknownPreset`` for one that is not, and
        ``ConfigError``.
        """
        found = cls.catalogue(folder).preset(name).forward
        if found is None:
            raise UnknownPreset(name, text=Text("the preset {name!r} is told of no events: it dials.", name=name))
        return found

    @classmethod
    def catalogue(cls, folder: Path | None = None) -> Catalogue:
        """Return all presets, those in ``folder`` too."""
        return Catalogue(folder)

    @staticmethod
    def trials(preset: Preset) -> Iterator[tuple[str, Sequence[str | Text]]]:
        """Run the tests in a preset's file; yields the name of each, and what failed."""
        from adapters.presets.trials import failures, forward_failures
        from gateway.mapping.trials import trials

        yield from ((trial.name, failures(preset, trial)) for trial in preset.tests)
        if preset.forward:
            yield from ((trial.name, forward_failures(preset, trial)) for trial in preset.forward.tests)
        yield from trials(preset.webhook) if preset.webhook else ()

    @staticmethod
    def ranked(preset: Preset) -> PresetRank:
        """Return a preset's rank, and what it lacks for the next."""
        return rank_of(preset)

    @staticmethod
    def told(preset: Preset) -> Mapping[str, bool]:
        """Return what of a call a preset's events tell, by what ranks call it, in the order of a call's life."""
        return {what: what in told(preset) for what in LIFE}

    def __init__(self, config: PresetConfig, *, name: str, peer: Callable[..., Peer] = Peer) -> None:
        """Compile the preset with its parameters. Raises ``AdapterError`` when it cannot be used with these."""
        self._config = config
        self._preset: Preset = config.chosen
        self._values = config.values()
        self._peer = peer(self._connection(), name=name)
        self._origin = {
            key: self._rule(key, each.rule) for key, each in self._preset.origin.items() if each.rule is not None
        }
        self._calls = calls_of(self._preset, self._values, self._scene())
        self._runner = Runner(self._peer, self._calls, self._preset.session)
        self.limits = Limits(**self._preset.limits.model_dump())
        self.longest_s = self._runner.longest_s
        self.can_hang_up = bool(self._preset.hangup)
        told = self._preset.forward
        self.keeps = told.captures if told else frozenset[str]()
        self.idempotent, self.carries_time = bool(told and told.idempotent), bool(told and told.carries_time)

    def _rule(self, name: str, text: str) -> Template:
        filled = inserted(text, self._preset, self._values)
        names = ALWAYS | set(self._values)
        return Template(filled, secrets=self._config.secrets, names=names, place=f"origin.{name}.rule")

    def _scene(self) -> Scene:
        hosts = frozenset(name for name, each in self._preset.origin.items() if each.host)
        address = self._preset.address if hosts else self._fixed("address", self._preset.address)
        return Scene(self._peer, address, self._preset.headers, self._config.secrets, self._wsse(), hosts)

    def probe(self) -> Probe:
        """Take the preset's login and ask its harmless questions; without any look what is there."""
        if has_phones(self._preset):
            return look_at(self._peer, phones_of(self._preset, self._config.origins))
        message = Outgoing("probe", "", self._values)
        if self._calls["login"] or self._calls["probe"]:
            # A login with an extension's own password cannot be tried without one.
            with suppress(AdapterError):
                return self._runner.probe(message)
        return first_of(self._calls).look(self._peer, message)

    def preview(self, message: Outgoing) -> Sequence[WireRequest]:
        """Return all requests of an order. What only an answer will tell stands as ``__name__``, hashes
        as ``__md5__``.
        """
        told = self._told_event(message) if message.kind in EVENT_KINDS else self._told(message)
        steps = self._steps(message.kind)
        names = {name: f"__{name}__" for _, call in steps for name in call.step.capture}
        ref = told.fields.get("ref") or "__ref__"
        shown: dict[str, Any] = {**told.fields, **names, "ref": ref, PREVIEW: True}
        told = replace(told, fields=shown)
        return [self._shown(phase, call, told) for phase, call in steps]

    def deliver(self, message: Outgoing) -> Delivery:
        try:
            if message.kind in EVENT_KINDS:
                return self._runner.tell(self._told_event(message))
            return self._runner.order(self._told(message))
        except AdapterError as error:
            return self._peer.unbuilt(error)

    def hangup(self, message: Outgoing) -> Delivery:
        """End the call that the appliance knows as ``peer_ref``."""
        try:
            return self._runner.hang_up(self._told(message))
        except AdapterError as error:
            return self._peer.unbuilt(error)

    def resume(self, captures: Mapping[str, str]) -> None:
        """Begin with a kept login that captured these values, as if an order had been placed before."""
        self._runner.resume(captures)

    def close(self) -> None:
        self._runner.close()
        self._peer.close()

    def _steps(self, kind: str) -> list[tuple[str, PreparedStep]]:
        alone = kind == "hangup" or kind in EVENT_KINDS
        phases = ("login", kind, "logout") if alone else ("login", "before", "dial", "after", "logout")
        return [(phase, call) for phase in phases for call in self._calls.get(phase, ())]

    def _shown(self, phase: str, call: PreparedStep, message: Outgoing) -> WireRequest:
        try:
            request = self._peer.record(built(lambda: call.request(message, self._peer.attempt())))
        except Failed as failed:
            raise AdapterError(Text("the WSDL does not load: {why}", why=failed.reason)) from None
        kept = phase in ("login", "logout") and self._preset.session
        return replace(request, note=_note(phase, call.step.note, kept=bool(kept)))

    def _told(self, message: Outgoing) -> Outgoing:
        """Return the message with the preset's parameters and its extension's fields. Raises ``AdapterError`` for a
        value that the appliance does not accept.
        """
        accepts = {str(field): pattern for field, pattern in self._preset.accepts.items()}
        for field, usual in _ACCEPTS.items():
            value = message.fields[field]
            if _accepted(accepts.get(field, usual), value):
                continue
            # A preset's own pattern says more than which characters there may be.
            if field in accepts:
                raise AdapterError(Text(_UNUSUAL[field].id, value=value))
            raise AdapterError(_UNFIT[field])
        told = replace(message, fields={**self._values, "ref": message.fields.get("peer_ref", ""), **message.fields})
        return replace(told, fields={**told.fields, **self._origin_of(told)})

    def unwanted(self, message: Outgoing) -> Text | None:
        """Return why nothing is sent of an event: no step of its kind follows it; None where one does."""
        try:
            told = self._told_event(message)
        except AdapterError:
            return None  # an attempt says what is wrong
        if any(wanted(call, told) for call in self._calls.get(message.kind, ())):
            return None
        return Text("the preset has nothing to say of this event")

    def _told_event(self, message: Outgoing) -> Outgoing:
        """Return an event with the preset's parameters, its extension's fields, and what was kept of the call."""
        nothing = dict.fromkeys(self.keeps, "")
        fields = {**self._values, **nothing, **message.fields}
        row = self._config.origins.get(message.fields.get("ramal", ""), {})
        known = {name: str(plain(row[name])) if name in row else "" for name in self._preset.origin}
        return replace(message, fields={**fields, **known})

    def _origin_of(self, message: Outgoing) -> dict[str, str]:
        row = self._config.origins.get(message.fields["extension"], {})
        return {name: self._origin_field(name, row, message) for name in self._preset.origin}

    def _origin_field(self, name: str, row: Mapping[str, Any], message: Outgoing) -> str:
        if name in row:
            return str(plain(row[name]))
        if name in self._origin:
            return self._origin[name].render(message)
        extension = message.fields["extension"]
        raise AdapterError(
            Text("the extension {extension!r} has no {name!r} in origins", extension=extension, name=name)
        )

    def _connection(self) -> HttpConfig:
        """Return the settings of the connection, with all that is secret in the preset's."""
        rows = (value for row in self._config.origins.values() for value in row.values())
        hidden = [*(getattr(self._config, name) for name in self._preset.parameters), *rows]
        secrets = {f"parameter {place}": each for place, each in enumerate(hidden) if isinstance(each, SecretStr)}
        kind, username, password = self._login()
        same = [each.name for each in fields(PeerConfig) if each.name != "secrets"]
        try:
            return HttpConfig(
                auth="none" if kind == "wsse" else kind,  # type: ignore[arg-type]
                username=username,
                password=SecretStr(password),
                secrets={**self._config.secrets, **secrets},
                **{name: getattr(self._config, name) for name in same},
            )
        except ValueError as error:
            raise AdapterError(Text("{problem}.", problem=problem_of(error))) from None

    def _login(self) -> tuple[str, str, str]:
        auth = self._preset.auth
        if auth is None:
            return "none", "", ""
        kind, username, password = (
            self._fixed(f"auth.{key}", getattr(auth, key)) for key in ("kind", "username", "password")
        )
        return kind, username, password

    def _wsse(self) -> tuple[str, SecretStr] | None:
        kind, username, password = self._login()
        return (username, SecretStr(password)) if kind == "wsse" else None

    def _fixed(self, place: str, text: str) -> str:
        """Render a template that uses the parameters alone."""
        names = self._values.keys() | {"secrets"}
        template = Template(text, secrets=self._config.secrets, names=names, place=place)
        return template.render(Outgoing("settings", "", self._values))


def _note(phase: str, note: str, *, kept: bool) -> Text:
    """Return which request it is; a shipped preset's ``note`` is in the catalogues, another's stands as it is."""
    said = verbatim(note) if re.search("[{}]", note) else Text(note)
    named = Text("{phase}: {note}", phase=phase, note=said) if note else verbatim(phase)
    return Text("{note} (not for each order)", note=named) if kept else named


_UNUSUAL = {
    "extension": Text("the extension {value!r} is none of those that this appliance accepts"),
    "number": Text("the number {value!r} is none of those that this appliance accepts"),
}
_UNFIT = {
    "extension": Text("the extension has characters that this appliance does not accept"),
    "number": Text("the number has characters that this appliance does not accept"),
}


def _accepted(pattern: str, value: str) -> bool:
    """Return whether ``pattern`` is for the whole of ``value``; not when that takes too long to tell."""
    with suppress(SlowPattern):
        return fullmatch(pattern, value) is not None
    return False
