"""Makes Spyne 2.14 import on every Python we support. Whoever needs Spyne imports it from here.

Spyne carries its own copy of ``six``, whose importer has no ``find_spec``: dead since Python 3.12. The installed ``six``
takes its place before Spyne is imported. ``cgi`` left Python in 3.13; the distribution ``legacy-cgi`` brings it back.
"""

import logging
import sys
import warnings
from importlib import import_module

VENDORED = "spyne.util.six"
MOVES = ("", ".collections_abc", ".http_cookies", ".urllib", ".urllib.error", ".urllib.parse", ".urllib.request")
# Spyne writes whole bad bodies to these.
LEAKING_LOGGERS = (
    "spyne.protocol.xml.invalid",
    "spyne.protocol.soap.soap11.invalid",
    "spyne.protocol.soap.soap12.invalid",
)


def replace_vendored_six() -> None:
    """Put the installed ``six`` where Spyne looks for its own copy. Doing it twice changes nothing."""
    sys.modules.setdefault(VENDORED, import_module("six"))
    for name in MOVES:
        sys.modules.setdefault(f"{VENDORED}.moves{name}", import_module(f"six.moves{name}"))


def quiet_loggers() -> None:
    """Keep payloads and ``Authorization`` headers out of the log: Spyne writes both at DEBUG and ERROR."""
    logging.getLogger("spyne").setLevel(logging.WARNING)
    for name in LEAKING_LOGGERS:
        logging.getLogger(name).disabled = True


replace_vendored_six()
quiet_loggers()

with warnings.catch_warnings():
    # Only what Spyne's own lines raise: "'cgi' is deprecated", and escapes that a newer compiler dislikes.
    warnings.filterwarnings("ignore", module=r"(.*[/\\])?spyne([./\\]|$)")
    from spyne import Application, ComplexModel, Integer64, ServiceBase, Unicode, rpc
    from spyne.const import xml as namespaces
    from spyne.interface.wsdl import Wsdl11
    from spyne.protocol.soap import Soap11
    from spyne.server.wsgi import WsgiApplication

__all__ = [
    "Application",
    "ComplexModel",
    "Integer64",
    "ServiceBase",
    "Soap11",
    "Unicode",
    "Wsdl11",
    "WsgiApplication",
    "namespaces",
    "rpc",
]
