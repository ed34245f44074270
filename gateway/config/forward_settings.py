"""How a forward's table becomes settings of its adapter: those of all events, and those of single kinds."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.config.forwards import Forward
from gateway.errors import ConfigError
from gateway.texts.text import Text

Build = Callable[[Mapping[str, Any], tuple[str, ...]], Any]
"""Makes the adapter's settings of a table; the second is where in the forward's table it stands."""
Raw = Mapping[str, Any]


def forward_settings(own: Raw, rest: Raw, known: frozenset[str], build: Build, where: str) -> dict[str, Any]:
    """Return what ``Forward`` is filled with beside its ``own`` keys.

    ``rest`` are the adapter's keys and ``known`` the names that it knows; ``where`` says in errors where the forward
    stands. Raises ``ConfigError``.
    """
    if "timeout_s" in known:
        rest = {"timeout_s": own.get("patience", Forward.model_fields["patience"].default), **rest}
    on, late = (_by_kind(own, key, known, where) for key in ("on", "late"))
    late = {kind: {**on.get(kind, {}), **differs} for kind, differs in late.items() if differs}
    made = {
        "settings_by_kind": {kind: build({**rest, **own_}, ("on", kind)) for kind, own_ in on.items() if own_},
        "late_settings": {kind: build({**rest, **own_}, ("late", kind)) for kind, own_ in late.items()},
        "settings": None if on and all(on.values()) else build(rest, ()),
    }
    kinds = {key: list(own[key]) for key in ("on", "late") if isinstance(own.get(key), Mapping)}
    return {**kinds, **made}


def _by_kind(own: Raw, key: str, known: frozenset[str], where: str) -> dict[str, Raw]:
    """Return the settings that differ for each kind that a table under ``key`` names; {} where ``key`` is none."""
    found = own.get(key)
    if not isinstance(found, Mapping):
        return {}
    return {kind: _differing(value, known, f"{where}.{key}.{kind}") for kind, value in found.items()}


def _differing(value: Any, known: frozenset[str], where: str) -> Raw:
    """Return the settings that a kind has of its own: an address is the adapter's ``url``."""
    if value is True:
        return {}
    if isinstance(value, Mapping):
        return value
    if isinstance(value, str) and "url" in known:
        return {"url": value}
    expected = Text("a table of the settings that differ, or true")
    if "url" in known:
        expected = Text("an address, a table of the settings that differ, or true")
    raise ConfigError(
        Text("{place}: came {value}; expected {expected}.", place=where, value=repr(value), expected=expected)
    )
