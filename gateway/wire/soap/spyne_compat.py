"""Makes Spyne 2.14 import on every Python we support. Whoever needs Spyne imports it from here.

Spyne carries its own copy of ``six`` (with additions, so it must stay), whose importer of ``six.moves`` has
no ``find_spec``: dead since Python 3.12. The moves of the installed ``six`` take their place beforehand, and
the importer goes. ``cgi`` left Python in 3.13; the distribution ``legacy-cgi`` brings it back.
"""

import logging
import sys
import warnings
from importlib import import_module

VENDORED_MOVES = "spyne.util.six.moves"
MOVES = (
    "",
    ".collections_abc",
    ".http_cookies",
    ".urllib",
    ".urllib.error",
    ".urllib.parse",
    ".urllib.request",
)
# Spyne writes whole bad bodies to these.
LEAKING_LOGGERS = (
    "spyne.protocol.xml.invalid",
    "spyne.protocol.soap.soap11.invalid",
    "spyne.protocol.soap.soap12.invalid",
)


def replace_vendored_moves() -> None:
    """Put the installed ``six.moves`` where Spyne looks for its own. Doing it twice changes nothing."""
    for name in MOVES:
        sys.modules.setdefault(VENDORED_MOVES + name, import_module(f"six.moves{name}"))


def quiet_loggers() -> None:
    """Keep payloads and ``Authorization`` headers out of the log: Spyne writes both at DEBUG and ERROR."""
    logging.getLogger("spyne").setLevel(logging.WARNING)
    # It warns when a second application of the same name is made, which harms nobody here.
    logging.getLogger("spyne.util.appreg").setLevel(logging.ERROR)
    for name in LEAKING_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # servers that set logging up undo 'disabled'


def remove_dead_importer() -> None:
    """Take Spyne's importer away again: Python 3.11 would warn of it at every later import."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "spyne.util.six"]


replace_vendored_moves()
quiet_loggers()

with warnings.catch_warnings():
    # Only what Spyne raises: "'cgi' is deprecated", escapes that a newer compiler dislikes, its importer.
    warnings.filterwarnings("ignore", module=r"(.*[/\\])?spyne([./\\]|$)")
    warnings.filterwarnings("ignore", message="_SixMetaPathImporter", category=ImportWarning)
    from spyne import Application, ComplexModel, Integer64, ServiceBase, Unicode, rpc
    from spyne.const import xml as namespaces
    from spyne.interface.wsdl import Wsdl11
    from spyne.protocol.soap import Soap11
    from spyne.server.wsgi import WsgiApplication

remove_dead_importer()

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
