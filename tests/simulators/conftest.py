"""Hundreds of simulators are started, asked and stopped here."""

from pathlib import Path

import pytest

from gateway.simulators import appliance

PEM = Path(__file__).parents[1] / "adapters" / "localhost.pem"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Each notices at once that it shall stop, and no client reads the machine's 140 authorities for a pinned one."""
    monkeypatch.setattr(appliance, "POLL_S", 0.002)
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    monkeypatch.setenv("SSL_CERT_DIR", str(PEM.parent))
