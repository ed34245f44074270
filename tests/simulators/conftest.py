"""Hundreds of simulators are started and stopped here: let each notice at once that it shall stop."""

import pytest

from gateway.simulators import appliance


@pytest.fixture(autouse=True)
def quick_to_stop(monkeypatch):
    monkeypatch.setattr(appliance, "POLL_S", 0.002)
