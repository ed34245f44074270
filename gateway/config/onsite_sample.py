"""The configuration that a gateway on site begins with."""

import tomli_w

from gateway.config.tables import TenantSettings


def onsite_sample(company: TenantSettings, key: str, url: str) -> str:
    """Return a configuration to start from, with what is known of the company; ``url`` is the main gateway's."""
    table: dict[str, object] = {"timezone": company.timezone}
    if company.area_code:
        table["area_code"] = company.area_code
    if company.extensions:
        table["extensions"] = list(company.extensions)
    table["main"] = {"url": url, "key": key}
    return tomli_w.dumps(table)
