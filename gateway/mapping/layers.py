"""A mapping of one's own over that of a preset: what it says replaces what the preset says."""

from collections.abc import Mapping
from typing import Any

from gateway.mapping.schema import WebhookMapping

MERGED = ("kinds", "values", "fields")
"""Tables whose keys are replaced one by one; anything else is replaced whole."""


def over(preset: WebhookMapping, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``own`` over ``preset``, as plain data. Rules of one's own are looked at before those of the preset."""
    below = preset.model_dump(by_alias=True, exclude_unset=True, exclude={"tests"})
    merged = {**below, **own}
    for name in MERGED:
        if isinstance(own.get(name), Mapping) and isinstance(below.get(name), Mapping):
            merged[name] = {**below[name], **own[name]}
    if isinstance(own.get("events"), list | tuple):
        merged["events"] = [*own["events"], *below.get("events", ())]
    return merged
