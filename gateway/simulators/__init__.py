"""Three simulated appliances, one for each protocol, to try the gateway without an exchange.

They take calls as real ones do, show what they received on a page, and can play an exchange that reports its
calls. They are for people and tests on one machine: they listen on 127.0.0.1 only.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.simulators.appliance import Appliance, Received
from gateway.simulators.soap import SoapAppliance
from gateway.simulators.url import UrlAppliance
from gateway.simulators.xmlrpc import XmlRpcAppliance

__all__ = [
    "SIMULATORS",
    "Appliance",
    "Received",
    "SoapAppliance",
    "UrlAppliance",
    "XmlRpcAppliance",
    "demo_settings",
]

SIMULATORS: Mapping[str, type[Appliance]] = MappingProxyType(
    {"soap": SoapAppliance, "xmlrpc": XmlRpcAppliance, "url": UrlAppliance}
)
"""The simulated appliances by name."""


def demo_settings(name: str, address: str) -> dict[str, Any]:
    """The gateway's settings to dial on the simulator ``name`` at ``address``, as a TOML file has them.

    Raises ``KeyError`` for an unknown name.
    """
    return SIMULATORS[name].settings(address)
