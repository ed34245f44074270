"""What a gateway on site is shown of orders: written by the main gateway, read at the site."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS = ("dial", "hangup", "probe")


@dataclass(frozen=True, slots=True)
class ShownOrder:
    """An order that a site may take; ``fields`` are what the appliance's adapter is given."""

    id: str
    appliance: str
    kind: str
    fields: Mapping[str, str]


def shown_orders(answer: Mapping[str, Any]) -> list[ShownOrder]:
    """Return the orders in the main gateway's answer; what is none is passed over."""
    found = answer.get("orders")
    return [order for each in found if (order := _shown(each))] if isinstance(found, list) else []


def _shown(each: Any) -> ShownOrder | None:
    if not isinstance(each, dict) or not isinstance(each.get("fields"), dict):
        return None
    id, appliance, kind = (each.get(name) for name in ("id", "appliance", "kind"))
    if not (isinstance(id, str) and isinstance(appliance, str) and kind in KINDS):
        return None
    fields = {str(name): str(value) for name, value in each["fields"].items()}
    return ShownOrder(id, appliance, kind, fields)
