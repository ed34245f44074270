"""Gateways that hear an exchange by its manager interface."""

from pathlib import Path

from tests.events.compliance import SECRET
from tests.live.conftest import LiveGateway, start_gateway

SERVER = """
[server]
workers = {workers}
"""
SOURCE = """
[tenants.acme]
area_code = "47"
extensions = ["3500-3599"]

[tenants.acme.sources.pabx]
kind = "ami"
host = "127.0.0.1"
port = {port}
username = "cti"
secret = "{secret}"
"""


def start_hearing(folder: Path, port: int, *, workers: int | None = None) -> LiveGateway:
    """Start a gateway with its data and configuration in ``folder``, which hears the exchange at ``port``."""
    server = SERVER.format(workers=workers) if workers else ""
    config = folder / "gateway.toml"
    config.write_text(server + SOURCE.format(port=port, secret=SECRET))
    return start_gateway(folder / "data", config=config)
