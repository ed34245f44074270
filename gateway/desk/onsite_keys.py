"""What administrators do with the keys of gateways on site: make, replace and revoke them. A key is shown once."""

from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.config.onsite_sample import onsite_sample
from gateway.config.values import TENANT_NAME
from gateway.desk.appliances import appliances
from gateway.desk.auditing import actor
from gateway.desk.context import Visit
from gateway.store.onsite.sites import OnsiteSites
from gateway.texts.text import Text


def add(visit: Visit) -> Response:
    """Make a key for a gateway on site of a new name, or of one whose key is revoked, and show it this once."""
    name = visit.request.form.get("local", "").strip()[:255]
    if not TENANT_NAME.fullmatch(name):
        told = Text("expected small letters, digits and '-' as a name, came {name!r}", name=name)
        return appliances(visit, site_problem=told, status=400)
    found = _sites(visit).of(visit.tenant, name)
    if found and not found.is_revoked:
        there = Text("There is a gateway on site {name!r} already: replace its key, or revoke it first.", name=name)
        return appliances(visit, site_problem=there, status=409)
    return _with_key(visit, name)


def renew(visit: Visit, name: str) -> Response:
    """Replace the key of a gateway on site and show the new one this once. Raises ``NotFound``."""
    if _sites(visit).of(visit.tenant, name) is None:
        raise NotFound
    return _with_key(visit, name)


def revoke(visit: Visit, name: str) -> Response:
    """Have the key of a gateway on site open nothing any more. Raises ``NotFound`` where there is none."""
    if not _sites(visit).revoke(visit.tenant, name, visit.at, actor(visit)):
        raise NotFound
    return redirect(visit.url("appliances"), 303)


def _with_key(visit: Visit, name: str) -> Response:
    key = _sites(visit).add(visit.tenant, name, visit.at, actor(visit))
    address = f"{visit.request.scheme}://{visit.request.host}"
    return appliances(visit, site_sample=onsite_sample(visit.settings, key, address), site_name=name)


def _sites(visit: Visit) -> OnsiteSites:
    if visit.services.onsite_sites is None:
        raise NotFound
    return visit.services.onsite_sites
