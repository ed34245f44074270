"""Appliances, forwards and sources of the directory: what in their tables is not the gateway's own belongs to whoever
they name (a preset, an adapter, a source) and becomes its settings, checked by its own dataclass.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from gateway import adapter as adapters
from gateway import event_source as event_sources
from gateway import source as sources
from gateway.config.forward_settings import forward_settings
from gateway.config.sources import EventSourceSettings
from gateway.config.tables import EVENT_KINDS, PEERS, ApplianceSettings, DirectorySettings, Forward
from gateway.config.validation import sentences
from gateway.config.values import Table
from gateway.errors import ConfigError, GatewayError, UnknownAdapter, UnknownPreset, UnknownSource, UnknownSourceKind
from gateway.mapping.layers import over
from gateway.texts.text import Text, lines

Place = tuple[str, ...]
"""Where in the file a table stands."""


def prepare(raw: Mapping[str, Any], *, source: str, folder: Path | None) -> dict[str, Any]:
    """Split each such table of ``raw`` into its own keys and ``settings``; ``folder`` has the user's own presets.

    Raises ``ConfigError`` that names file, key and remedy.
    """
    prepared = dict(raw)
    tenants = prepared.get("tenants")
    if isinstance(tenants, Mapping):
        prepared["tenants"] = {name: _prepare_tenant(name, table, source, folder) for name, table in tenants.items()}
    return prepared


def _prepare_tenant(name: str, table: Any, source: str, folder: Path | None) -> Any:
    return prepare_company(table, source, ("tenants", name), folder) if isinstance(table, Mapping) else table


def prepare_company(table: Mapping[str, Any], source: str, place: Place, folder: Path | None) -> dict[str, Any]:
    """Split the tables of sources, appliances and their like of the company at ``place``. Raises ``ConfigError``."""
    prepared = dict(table)
    if isinstance(prepared.get("sources"), Mapping):
        prepared["sources"] = {
            key: _prepare_source(each, source, (*place, "sources", key), folder)
            for key, each in prepared["sources"].items()
        }
    for group, model in PEERS.items():
        peers = prepared.get(group)
        if isinstance(peers, Mapping):
            prepared[group] = {
                key: _prepare_peer(peer, model, source, (*place, group, key), folder) for key, peer in peers.items()
            }
    return prepared


def _prepare_peer(table: Any, model: type[Table], source: str, place: tuple[str, ...], folder: Path | None) -> Any:
    chooser = "source" if model is DirectorySettings else "adapter"
    with_presets = model in (ApplianceSettings, Forward)
    if with_presets and isinstance(table, Mapping) and isinstance(table.get("preset"), str):
        table = {"adapter": adapters.PRESET, **table}
    elif model is ApplianceSettings and isinstance(table, Mapping) and isinstance(table.get(adapters.ONSITE), str):
        table = {"adapter": adapters.ONSITE, **table}
    if not isinstance(table, Mapping) or not isinstance(table.get(chooser), str):
        return table
    own = {key: value for key, value in table.items() if key in model.model_fields and key != "settings"}
    rest = {key: value for key, value in table.items() if key not in own}
    if model is DirectorySettings and isinstance(rest.get("path"), str):
        rest["path"] = str(Path(source).parent / rest["path"])
    if model is Forward and adapters.only_dials(own["adapter"]):
        raise ConfigError(_only_dials(own["adapter"], source, place))
    if own.get("adapter") == adapters.PRESET and isinstance(table.get("preset"), str):
        rest["preset"] = table["preset"]
        own |= _of_preset(table["preset"], own, model, source, place, folder)
    if model is Forward:
        return _prepare_forward(own, rest, source, place, folder)
    return own | {"settings": _settings(table[chooser], rest, model, source, place, folder)}


def _prepare_forward(own: dict[str, Any], rest: dict[str, Any], source: str, place: Place, folder: Path | None) -> Any:
    """Return the settings of a forward's adapter, and of the kinds of events that have their own."""
    known = frozenset(
        field.name for field in fields(_config_class(own["adapter"], rest, Forward, source, place, folder))
    )

    def build(table: Mapping[str, Any], below: Place) -> Any:
        return _settings(own["adapter"], dict(table), Forward, source, (*place, *below), folder)

    return own | forward_settings(own, rest, known, build, f"{source}: {'.'.join(place)}")


def _prepare_source(table: Any, source: str, place: tuple[str, ...], folder: Path | None) -> Any:
    """Return the table of a source with the mapping that holds: its preset's, its own, or its own over the preset's."""
    if not isinstance(table, Mapping):
        return table
    if isinstance(kind := table.get("kind"), str) and kind != event_sources.WEBHOOK:
        return _prepare_event_source(kind, table, source, place, folder)
    preset, own = table.get("preset"), table.get("mapping")
    if not isinstance(preset, str):
        return table
    try:
        mapping = adapters.webhook_of(preset, folder)
    except UnknownPreset as error:
        raise ConfigError(_at(source, (*place, "preset"), error)) from None
    return {**table, "mapping": mapping if own is None else own if not isinstance(own, Mapping) else over(mapping, own)}


def _prepare_event_source(
    kind: str, table: Mapping[str, Any], source: str, place: Place, folder: Path | None
) -> EventSourceSettings:
    """Return the settings of a source that is gone and got, the kind's own among them. Raises ``ConfigError``."""
    own = {key: value for key, value in table.items() if key in EventSourceSettings.model_fields and key != "settings"}
    rest = {key: value for key, value in table.items() if key not in own}
    try:
        config_class = event_sources.config_class(kind, rest, folder)
    except (UnknownSourceKind, UnknownPreset) as error:
        key = "preset" if isinstance(error, UnknownPreset) else "kind"
        raise ConfigError(_at(source, (*place, key), error)) from None
    rest = {key: _seen_from(source, config_class, key, value) for key, value in rest.items()}
    settings = _validated(config_class, rest, EventSourceSettings, source, place)
    return cast(EventSourceSettings, _validated(EventSourceSettings, own, None, source, place)).with_settings(settings)


def _seen_from(source: str, config_class: type[Any], key: str, value: Any) -> Any:
    """Return a path as it is seen from the configuration file, anything else as it is."""
    found = config_class.__dataclass_fields__.get(key)
    is_path = found is not None and found.metadata.get(event_sources.PATH) and isinstance(value, str)
    return str(Path(source).parent / value) if is_path else value


def _of_preset(
    preset: str, own: Mapping[str, Any], model: type[Table], source: str, place: tuple[str, ...], folder: Path | None
) -> dict[str, Any]:
    """Return what a forward has from its preset where it does not say itself; an appliance's preset has to dial."""
    try:
        if model is ApplianceSettings:
            adapters.check_dials(preset, folder)
            return {}
        told = adapters.forward_of(preset, folder)
    except UnknownPreset as error:
        raise ConfigError(_at(source, (*place, "preset"), error)) from None
    if unknown := [kind for kind in own.get("on", ()) if kind in EVENT_KINDS and kind not in told.kinds]:
        facts = {"name": preset, "kind": unknown[0], "known": ", ".join(told.kinds)}
        problem = Text("the preset {name!r} has nothing to say of {kind!r}; known: {known}.", **facts)
        raise ConfigError(Text("{file}: {place}: {problem}", file=source, place=_on(place), problem=problem))
    usual = {"on": told.kinds} | ({"only": told.only} if told.only else {})
    return {name: value for name, value in usual.items() if name not in own}


def _on(place: tuple[str, ...]) -> str:
    return ".".join((*place, "on"))


def _only_dials(adapter: str, source: str, place: tuple[str, ...]) -> Text:
    dialler = Text("the adapter {name!r}", name=adapter)
    return Text(
        "{file}: {place}.adapter: {dialler} dials; a forward needs url, soap, xmlrpc, webhook or a preset.",
        file=source,
        place=".".join(place),
        dialler=dialler,
    )


def _settings(
    name: str,
    rest: dict[str, Any],
    model: type[Table],
    source: str,
    place: tuple[str, ...],
    folder: Path | None,
) -> Any:
    return _validated(_config_class(name, rest, model, source, place, folder), rest, model, source, place)


def _validated(root: type[Any], table: Mapping[str, Any], also: type[Table] | None, source: str, place: Place) -> Any:
    """Return ``table`` as ``root``; the keys of ``also`` are known beside its own. Raises ``ConfigError``."""
    try:
        return TypeAdapter(root).validate_python(table)
    except ValidationError as error:
        raise ConfigError(lines(sentences(error, source, root, place, also=also))) from None


def _config_class(
    name: str, rest: dict[str, Any], model: type[Table], source: str, place: Place, folder: Path | None
) -> Any:
    """Return the class of the settings of the adapter or source ``name``. Raises ``ConfigError``."""
    try:
        if model is DirectorySettings:
            return sources.load(name).Config
        return adapters.config_class(name, rest, folder)
    except (UnknownAdapter, UnknownSource) as error:
        chooser = "source" if model is DirectorySettings else "adapter"
        raise ConfigError(_at(source, (*place, chooser), error)) from None
    except UnknownPreset as error:
        raise ConfigError(_at(source, (*place, "preset"), error)) from None


def _at(source: str, place: tuple[str, ...], error: GatewayError) -> Text:
    """Return what ``error`` says, with the key that it is about."""
    return Text("{file}: {place}: {problem}", file=source, place=".".join(place), problem=error.whole)
