"""``server.public_targets_only``: it becomes ``public_only`` in the table of each forward that does not say itself."""

from collections.abc import Mapping
from typing import Any


def with_public_only(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``raw`` with ``public_only`` in each forward's table, where the server wants public targets only."""
    server, tenants = raw.get("server"), raw.get("tenants")
    if not isinstance(server, Mapping) or server.get("public_targets_only") is not True:
        return raw
    if not isinstance(tenants, Mapping):
        return raw
    return {**raw, "tenants": {name: _with_public_forwards(tenant) for name, tenant in tenants.items()}}


def _with_public_forwards(tenant: Any) -> Any:
    if not isinstance(tenant, Mapping) or not isinstance(forwards := tenant.get("forwards"), Mapping):
        return tenant
    public = {
        name: {"public_only": True, **forward} if isinstance(forward, Mapping) else forward
        for name, forward in forwards.items()
    }
    return {**tenant, "forwards": public}
