"""The sample company: its configuration, accounts and agents."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import tomli_w

from gateway.clock import milliseconds
from gateway.config import loader as config_file
from gateway.config.tables import Config
from gateway.demo.history import LINES, SALES, SUPPORT, tell
from gateway.directory.sources import job_of
from gateway.domain.roles import Role
from gateway.logins.passwords import hash_password
from gateway.server.bootstrap import build
from gateway.server.companies import tenants
from gateway.store.directory import Agent

TENANT = "demo"
PASSWORD = "demo-1234"  # noqa: S105 - printed on purpose; the demo listens on this machine only
AGENTS = (
    ("ana", "Ana Souza", "3501", Role.AGENT),
    ("bruno", "Bruno Lima", "3502", Role.AGENT),
    ("carla", "Carla Reis", "3503", Role.SUPERVISOR),
    ("davi", "Davi Nunes", "3504", Role.ADMINISTRATOR),
)
FIELDS = {
    "cidade": {"pt-BR": "Cidade", "en": "City", "es": "Ciudad"},
    "situacao": {"pt-BR": "Situação", "en": "Status", "es": "Estado"},
    "cnpj": "CNPJ",
    "obs": {"pt-BR": "Observações", "en": "Notes", "es": "Observaciones"},
}
TEAMS = {
    "vendas": {"title": "Vendas", "extensions": ["3501-3502"], "queues": [SALES], "supervisors": ["carla"]},
    "suporte": {"title": "Suporte", "extensions": ["3503-3504"], "queues": [SUPPORT], "supervisors": ["carla"]},
}
OUTCOMES: Sequence[Mapping[str, Any]] = (
    {"code": "pedido", "label": "Pedido feito", "labels": {"en": "Order placed", "es": "Pedido hecho"}},
    {"code": "resolvido", "label": "Resolvido", "labels": {"en": "Solved", "es": "Resuelto"}},
    {
        "code": "retornar",
        "label": "Retornar",
        "labels": {"en": "Call again", "es": "Volver a llamar"},
        "follow_up": True,
    },
)
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
        "lines": {number: f"Linha de {name.lower()}" for name, number in LINES.items()},
        "teams": TEAMS,
        "outcomes": OUTCOMES,
        "crm": {"fields": ["situacao", "cidade", "owner", "obs"]},
        "directory": {"planilha": {"source": "csv", "path": "contas.csv", "fields": FIELDS}},
        "appliances": {name: {"title": TITLES[name], **peer} for name, peer in appliances.items()},
    }
    if crm:
        tenant["crm"] = {**tenant.get("crm", {}), **crm_settings(crm)}
    (folder / "contas.csv").write_bytes((files("gateway.demo") / "accounts.csv").read_bytes())
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
    """Load the sample accounts, agents and a morning's calls into the demo's data folder; return its configuration."""
    config = config_file.load(config_path)
    with build(config, config_path.parent / "data") as gateway:
        table, plan = config.tenants[TENANT].directory["planilha"], tenants(config)[TENANT].numbers
        gateway.importer.run(job_of(TENANT, "planilha", table, plan, gateway.importer.imports), table.source)
        hashed = hash_password(PASSWORD)
        for login, name, extension, role in AGENTS:
            gateway.directory.save_agent(Agent(0, TENANT, login, name, extension, role=role), hashed, milliseconds())
        people = {extension: (login, name) for login, name, extension, _ in AGENTS}
        tell(gateway.core, gateway.journal, TENANT, milliseconds(), people)
    return config
