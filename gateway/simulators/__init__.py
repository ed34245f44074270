"""Simulated appliances, to try the gateway without an exchange, and CRMs, to try it without one.

They take calls as real ones do, fail as real ones do, show what they received on a page, and can play an exchange that
reports its calls. Three, one for each protocol, are our own; the others behave as their models were recorded or are
documented. None of them knows our adapters: that is what makes them evidence. They listen on 127.0.0.1 unless told
otherwise.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.simulators.appliance import Received, SimulatedAppliance
from gateway.simulators.ari import AsteriskAri
from gateway.simulators.asterisk import AsteriskAmi
from gateway.simulators.asterisk_manager import AsteriskManager
from gateway.simulators.avaya import AvayaAes
from gateway.simulators.behaviour import Behaviour
from gateway.simulators.cloud_apis import CLOUD_APIS
from gateway.simulators.crms import CRMS as _CRMS
from gateway.simulators.crms import SimulatedCrm
from gateway.simulators.freeswitch import FreeSwitch
from gateway.simulators.innovaphone import Innovaphone
from gateway.simulators.kamailio import Kamailio
from gateway.simulators.line_exchanges import SimulatedLineExchange
from gateway.simulators.parlayx import ParlayX
from gateway.simulators.phones import PHONES
from gateway.simulators.providers import PROVIDERS
from gateway.simulators.rest import REST
from gateway.simulators.sippy import Sippy
from gateway.simulators.smdr import LINE_EXCHANGES as _LINE_EXCHANGES
from gateway.simulators.soap import SoapAppliance
from gateway.simulators.softswitches import OpenSips, Sems
from gateway.simulators.ucm import GrandstreamUcm
from gateway.simulators.url import UrlAppliance
from gateway.simulators.url_pbxs import URL_PBXS
from gateway.simulators.vicidial import Vicidial
from gateway.simulators.webdialer import WebDialer, WebDialerSu5
from gateway.simulators.xmlrpc import XmlRpcAppliance
from gateway.simulators.yeastar import YeastarP, YeastarS

__all__ = [
    "CRMS",
    "FAMILIES",
    "LINE_EXCHANGES",
    "SIMULATORS",
    "Behaviour",
    "Received",
    "SimulatedAppliance",
    "SoapAppliance",
    "UrlAppliance",
    "XmlRpcAppliance",
    "demo_settings",
]

SIMULATORS: Mapping[str, type[SimulatedAppliance]] = MappingProxyType(
    {"soap": SoapAppliance, "xmlrpc": XmlRpcAppliance, "url": UrlAppliance}
)
"""The three of the demo by name."""

_EVERY: tuple[type[SimulatedAppliance], ...] = (
    *SIMULATORS.values(),
    AsteriskAmi,
    AsteriskManager,
    AsteriskAri,
    FreeSwitch,
    Kamailio,
    OpenSips,
    Sems,
    WebDialer,
    WebDialerSu5,
    Innovaphone,
    AvayaAes,
    ParlayX,
    Sippy,
    Vicidial,
    GrandstreamUcm,
    YeastarS,
    YeastarP,
    *REST,
    *URL_PBXS,
    *PHONES,
    *PROVIDERS,
    *CLOUD_APIS,
)
FAMILIES: Mapping[str, type[SimulatedAppliance]] = MappingProxyType({cls.name: cls for cls in _EVERY})
"""All simulated appliances by name."""
CRMS: Mapping[str, type[SimulatedCrm]] = MappingProxyType({cls.name: cls for cls in _CRMS})
"""All simulated CRMs by name."""
LINE_EXCHANGES: Mapping[str, type[SimulatedLineExchange]] = MappingProxyType({cls.name: cls for cls in _LINE_EXCHANGES})
"""All simulated exchanges that write lines, by name."""


def demo_settings(name: str, address: str) -> dict[str, Any]:
    """Return the gateway's settings to dial on the simulator ``name`` at ``address``, as a TOML file has them.

    Raises ``KeyError`` for an unknown name.
    """
    return SIMULATORS[name].settings(address)
