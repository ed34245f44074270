"""A WSDL that has been loaded, with all that it imports; the operations of many orders may be bound to it."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import zeep
from zeep.wsdl.bindings.soap import SoapBinding

from adapters.http.client import Peer
from adapters.http.connection import Attempt
from adapters.http.outcomes import Failed
from adapters.soap.definitions import TolerantDocument
from adapters.soap.documents import safe, written
from adapters.soap.loading import Loading
from gateway.errors import AdapterError

# zeep logs whole requests and answers, credentials included.
logging.getLogger("zeep").setLevel(logging.WARNING)
# Of what it leaves out in a WSDL it warns on stderr; nobody misses an operation that is not called.
warnings.filterwarnings("ignore", category=UserWarning, module="zeep")


class Description:
    """What a WSDL says, by zeep. ``client`` is zeep's."""

    def __init__(self, wsdl: str, peer: Peer, attempt: Attempt) -> None:
        """Load it through ``peer`` within ``attempt``. Raises ``AdapterError`` and ``Failed``."""
        self.wsdl = wsdl
        self._transport = Loading(wsdl, peer, attempt)
        # Not strict: a missing or surplus element in an answer does not undo the call that was placed.
        settings = zeep.Settings(strict=False, raw_response=True)
        try:
            document = TolerantDocument(wsdl, self._transport, settings=settings)
            self.client: Any = zeep.Client(document, transport=self._transport, settings=settings)
        except (AdapterError, Failed):
            raise
        except Exception as error:  # zeep raises what it stumbles over
            raise unusable(wsdl, error) from None
        self._transport.finished = True

    def encoding_style(self, binding: Any, operation: str) -> str:
        """Return the encodingStyle of an operation's requests, or nothing when its use is literal."""
        return self._transport.encoding_style(binding.name.localname, operation)

    def port(self, service: str, name: str) -> Any:
        """Return the port of these names, or the first one that speaks SOAP (.NET lists GET and POST too).

        Raises ``AdapterError``, which lists what there is.
        """
        found = chosen(self.client.wsdl.services, service, "service")
        return chosen(_speaking(found), name, "SOAP port")

    def ports(self) -> Iterator[tuple[str, str, Any]]:
        """Yield the names of services and ports, and the ports that speak SOAP."""
        for service in self.client.wsdl.services.values():
            for name, port in _speaking(service).items():
                yield written(service.name), written(name), port


def unusable(wsdl: str, error: Exception) -> AdapterError:
    """Return what to raise where zeep stumbled over a WSDL."""
    return AdapterError(f"the WSDL {wsdl!r} cannot be used: {error or type(error).__name__}")


def chosen(found: Mapping[str, Any], name: str, what: str) -> Any:
    """Return what is called ``name``, or the first. Raises ``AdapterError``, which lists what there is."""
    if not found:
        # zeep leaves out operations whose messages or types it does not find.
        raise AdapterError(f"the WSDL describes no {what} that can be used: does it lack messages or types?")
    name = name.strip()
    if name and safe(name) not in found:
        known = ", ".join(map(written, found))
        raise AdapterError(f"the WSDL has no {what} {name!r}; it has: {known}")
    return found[safe(name)] if name else next(iter(found.values()))


def _speaking(service: Any) -> dict[str, Any]:
    return {name: port for name, port in service.ports.items() if isinstance(port.binding, SoapBinding)}
