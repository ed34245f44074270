"""The sample company: its configuration, accounts and agents."""

from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import tomli_w

from gateway.clock import milliseconds
from gateway.config import loader as config_file
from gateway.config.tables import Config
from gateway.directory.run import Job
from gateway.directory.sheet import SheetConfig, SheetSource
from gateway.logins.passwords import hash_password
from gateway.server.bootstrap import build, tenants
from gateway.store.directory import Agent

TENANT = "demo"
PASSWORD = "demo-1234"  # noqa: S105 - printed on purpose; the demo listens on this machine only
AGENTS = (("ana", "Ana Souza", "3501"), ("bruno", "Bruno Lima", "3502"))
TITLES = {"soap": "Central SOAP", "xmlrpc": "Central XML-RPC", "url": "Central URL"}


def write_config(folder: Path, listen: str, appliances: Mapping[str, Mapping[str, Any]], crm: str = "") -> Path:
    """Write the demo's ``gateway.toml``: one tenant with prefix 0 and the given appliances, by name; ``crm`` is the
    address of its CRM's pages.
    """
    tenant: dict[str, Any] = {
        "title": "Empresa Demonstração",
        "area_code": "47",
        "extensions": ["3500-3599"],
        "dial_plan": {"prefix": "0"},
        # The guide has a curl without a login. The demo listens on this machine, for as long as one looks at it.
        "click_to_call": {"open_loopback": True},
        "appliances": {name: {"title": TITLES[name], **peer} for name, peer in appliances.items()},
    }
    if crm:
        tenant["crm"] = {**tenant.get("crm", {}), **crm_settings(crm)}
    path = folder / "gateway.toml"
    path.write_text(
        tomli_w.dumps({"server": {"listen": listen}, "log": {"level": "warning"}, "tenants": {TENANT: tenant}}),
        encoding="utf-8",
    )
    return path


def crm_settings(address: str) -> Mapping[str, Any]:
    """Return what has the CRM at ``address`` show the panel, and opens its records."""
    links = {"link": f"{address}/contas/{{{{ code }}}}", "new_link": f"{address}/contas/nova?telefone={{{{ number }}}}"}
    return {"origins": [address], **links}


def furnish(config_path: Path) -> Config:
    """Load the sample accounts and agents into the demo's data folder; the configuration that goes with them."""
    config = config_file.load(config_path)
    with build(config, config_path.parent / "data") as gateway, as_file(files("gateway.demo") / "accounts.csv") as csv:
        sheet = SheetSource(SheetConfig(path=csv), name="csv")
        gateway.importer.run(Job(TENANT, "csv", sheet, tenants(config)[TENANT].numbers), "csv")
        for login, name, extension in AGENTS:
            agent = Agent(0, TENANT, login, name, extension)
            gateway.directory.save_agent(agent, hash_password(PASSWORD), milliseconds())
    return config
