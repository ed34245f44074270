"""The settings of an appliance with a preset: those of every connection, and the preset's own parameters.

A preset's parameters become the fields of a dataclass of its own, so that they are checked like any adapter's.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from adapters.http.settings import PeerConfig
from adapters.presets.schema import OriginField, Preset, PresetParameter
from gateway.texts.text import Text

_HOST = r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(:[0-9]{1,5})?"
_PATTERNS = {"host": _HOST, "url": rf"https?://{_HOST}(/[^\s?#{{}}]*)?"}
_EXPECTED = {
    "host": Text("a host name or an address, with ':port' when it has its own"),
    "url": Text("an address such as https://host:8443/path, without user, '?' and '#'"),
}


@dataclass(frozen=True, kw_only=True)
class PresetConfig(PeerConfig):
    """What every appliance with a preset may have; ``config_for`` adds the preset's parameters."""

    preset: str = field(metadata={"help": "The kind of appliance: cti-gateway presets lists them."})
    origins: Mapping[str, Any] = field(
        default_factory=dict,
        metadata={"help": "What the appliance calls each extension, where the preset has no rule or it does not hold."},
    )

    @property
    def chosen(self) -> Preset:
        """The preset; a class made by ``config_class_of`` has it."""
        raise NotImplementedError

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by preset and values: the class is made at run time, and the gateway's processes get it through a
        pipe.
        """
        return _restored, (self.chosen, {each.name: getattr(self, each.name) for each in fields(self)})

    def values(self) -> dict[str, Any]:
        """Return the preset's parameters by name, secrets in plain text."""
        return {name: plain(getattr(self, name)) for name in self.chosen.parameters}


def _restored(preset: Preset, values: Mapping[str, Any]) -> PresetConfig:
    return config_class_of(preset)(**values)


def plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def config_class_of(preset: Preset) -> type[PresetConfig]:
    """Return the dataclass of the settings that ``preset`` takes."""
    own: list[tuple[str, Any, Any]] = [_field(name, each) for name, each in preset.parameters.items()]
    own.append(("timeout_s", float, _inherited("timeout_s", default=preset.timeout_s)))
    row = Annotated[Mapping[str, Any], BeforeValidator(lambda value: _row(value, preset.origin))]
    own.append(("origins", Mapping[str, row], _inherited("origins", default_factory=dict)))
    return make_dataclass(
        "PresetSettings", own, bases=(PresetConfig,), namespace={"chosen": preset}, frozen=True, kw_only=True
    )


def _inherited(name: str, **default: Any) -> Any:
    return field(metadata=PresetConfig.__dataclass_fields__[name].metadata, **default)


def _field(name: str, parameter: PresetParameter) -> tuple[str, Any, Any]:
    metadata = {"help": parameter.help}
    if parameter.default is None:
        return name, _annotation(parameter), field(metadata=metadata)
    default = SecretStr(parameter.default) if parameter.type == "secret" else parameter.default
    if isinstance(default, list | dict):
        return name, _annotation(parameter), field(default_factory=lambda: default, metadata=metadata)
    return name, _annotation(parameter), field(default=default, metadata=metadata)


def _annotation(parameter: PresetParameter) -> Any:
    simple: dict[str, Any] = {"boolean": bool, "list": list[Any], "table": dict[str, Any], "template": str}
    if parameter.type in simple:
        return simple[parameter.type]
    if parameter.type == "integer":
        return Annotated[int, Field(ge=parameter.minimum, le=parameter.maximum)]
    if parameter.type == "choice":
        return Literal[parameter.choices]
    if parameter.type == "pattern":
        return Annotated[str, AfterValidator(_pattern)]
    kind: Any = SecretStr if parameter.type == "secret" else str
    return Annotated[kind, AfterValidator(lambda value: _line(value, parameter))]


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(Text("not a regular expression: {error}", error=str(error))) from None
    return value


def _line(value: Any, parameter: PresetParameter) -> Any:
    """Return a text without control characters that matches the parameter's pattern."""
    text = plain(value)
    pattern = parameter.pattern or _PATTERNS.get(parameter.type, "")
    if pattern and not re.fullmatch(pattern, text):
        matching = Text("text that matches {pattern}", pattern=pattern)
        raise ValueError(Text("expected {shape}", shape=_EXPECTED.get(parameter.type) or matching))
    if any(not char.isprintable() for char in text):
        raise ValueError(Text("expected text without control characters"))
    return value


def _row(value: Any, known: Mapping[str, OriginField]) -> dict[str, Any]:
    """Return the parameters of one extension: a table, or a bare text when the preset asks for one thing only."""
    if isinstance(value, str | int) and len(known) == 1:
        value = {next(iter(known)): value}
    if not known:
        raise ValueError(Text("expected a table with nothing: this preset has no origins"))
    if not isinstance(value, Mapping):
        raise ValueError(Text("expected a table with {known}", known=", ".join(known)))
    for name in value:
        if name not in known:
            raise ValueError(_unknown(str(name), known))
        if any(not char.isprintable() for char in str(value[name])):
            raise ValueError(Text("{name}: expected text without control characters", name=str(name)))
        if known[name].host and not re.fullmatch(_HOST, str(value[name])):
            raise ValueError(Text("{name}: expected {shape}", name=str(name), shape=_EXPECTED["host"]))
    return {name: SecretStr(str(one)) if known[name].secret else str(one) for name, one in value.items()}


def _unknown(name: str, known: Iterable[str]) -> Text:
    if near := get_close_matches(name, known, n=1):
        return Text("unknown {name!r}; did you mean {near!r}?", name=name, near=near[0])
    return Text("unknown {name!r}; known: {known}", name=name, known=", ".join(known))
