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
from adapters.soap.loading import Loading
from adapters.soap.names import safe, written
from adapters.soap.repairs import file_of
from gateway.errors import AdapterError
from gateway.texts.text import Listing, Text, counted

# zeep logs whole requests and answers, credentials included.
logging.getLogger("zeep").setLevel(logging.WARNING)
# Of what it leaves out in a WSDL it warns on stderr; nobody misses an operation that is not called.
warnings.filterwarnings("ignore", category=UserWarning, module="zeep")


MOST_NAMED = 10
"""Operations that a note names; ``notes`` names all."""


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

    @property
    def note(self) -> Text | str:
        """What was put right in it, in one sentence; nothing where all is well."""
        repairs, lost = len(list(self._transport.repairs)), list(self._unusable())
        parts = [_put_right(repairs)] if repairs else []
        if lost:
            parts.append(_not_usable([name for name, _ in lost]))
        return Text("{parts} (check -v says what)", parts=Listing(tuple(parts), joined_by="clauses")) if parts else ""

    def notes(self) -> Iterator[Text]:
        """Yield what was put right, and the operations that cannot be used, each with its file and part."""
        yield from (repair.line for repair in self._transport.repairs)
        for name, why in self._unusable():
            facts = {"file": file_of(self.wsdl), "name": name, "why": why}
            yield Text("{file}: operation {name!r}: it cannot be used: {why}", **facts)

    def documents(self) -> Iterator[Any]:
        """Yield the roots of the WSDL and of all that it imports, put right."""
        yield from self._transport.documents

    def _unusable(self) -> Iterator[tuple[str, Text | str]]:
        """Yield the operations that nobody can call, by the ports of the WSDL, and why; each once."""
        found: dict[str, Text | str] = {}
        for _, _, port in self.ports():
            found |= {written(name): why for name, why in port.binding.unusable.items() if name not in found}
        yield from found.items()

    def encoding_style(self, binding: Any, operation: str) -> str:
        """Return the encodingStyle of an operation's requests, or nothing when its use is literal."""
        return self._transport.encoding_style(binding.name.localname, operation)

    def port(self, service: str, name: str) -> Any:
        """Return the port of these names, or the first one that speaks SOAP (.NET lists GET and POST too).

        Raises ``AdapterError``, which lists what there is.
        """
        services = self.client.wsdl.services
        found = chosen(services if service.strip() else self._having(name) or services, service, Text("service"))
        return chosen(_speaking(found), name, Text("SOAP port"))

    def _having(self, port: str) -> dict[str, Any]:
        """Return the services that have this port, or any port that speaks SOAP."""
        wanted = safe(port.strip())
        speaking = {name: _speaking(each) for name, each in self.client.wsdl.services.items()}
        services = self.client.wsdl.services
        return {name: services[name] for name, ports in speaking.items() if (wanted in ports if wanted else ports)}

    def ports(self) -> Iterator[tuple[str, str, Any]]:
        """Yield the names of services and ports, and the ports that speak SOAP."""
        for service in self.client.wsdl.services.values():
            for name, port in _speaking(service).items():
                yield written(service.name), written(name), port


def _put_right(places: int) -> Text:
    return counted("the WSDL was put right in {count} place", "the WSDL was put right in {count} places", count=places)


def _not_usable(names: list[str]) -> Text:
    shown = ", ".join(names[:MOST_NAMED])
    return counted(
        "{count} of the WSDL's operations cannot be used: {names}",
        "{count} of the WSDL's operations cannot be used: {names}",
        count=len(names),
        names=Text("{names}, ...", names=shown) if len(names) > MOST_NAMED else shown,
    )


def unusable(wsdl: str, error: Exception) -> AdapterError:
    """Return what to raise where zeep stumbled over a WSDL."""
    why = str(error) or type(error).__name__
    return AdapterError(Text("the WSDL {wsdl!r} cannot be used: {why}", wsdl=wsdl, why=why))


def chosen(found: Mapping[str, Any], name: str, what: Text) -> Any:
    """Return the entry called ``name``, or the first. Raises ``AdapterError``, which lists the names found."""
    if not found:
        # zeep leaves out operations whose messages or types it does not find.
        none = Text("the WSDL describes no {what} that can be used: does it lack messages or types?", what=what)
        raise AdapterError(none)
    name = name.strip()
    if name and safe(name) not in found:
        known = ", ".join(map(written, found))
        raise AdapterError(Text("the WSDL has no {what} {name!r}; it has: {known}", what=what, name=name, known=known))
    return found[safe(name)] if name else next(iter(found.values()))


def _speaking(service: Any) -> dict[str, Any]:
    return {name: port for name, port in service.ports.items() if isinstance(port.binding, SoapBinding)}
