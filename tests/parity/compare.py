"""One WSDL's operations by our adapter and by PHP."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lxml.etree import XMLSyntaxError
from pydantic import SecretStr

from adapters.http.client import Peer
from adapters.http.outcomes import Failed
from adapters.http.templates import compiled
from adapters.soap.description import Description
from adapters.soap.envelope import SOAP_12
from adapters.soap.header import Header
from adapters.soap.mending import BINDINGS
from adapters.soap.names import written
from adapters.soap.settings import SoapConfig
from adapters.soap.wsdl import Contract
from gateway.errors import AdapterError
from gateway.texts.rendering import shown
from tests.adapters.dialects import DIAL
from tests.parity.meaning import difference
from tests.parity.php import Php
from tests.parity.samples import arguments_of

HTTP = "http://schemas.xmlsoap.org/soap/http"
HTTP_12 = "http://www.w3.org/2003/05/soap/bindings/HTTP/"
ADDRESS = "http://127.0.0.1:9/"
_EXPECTED = (AdapterError, Failed, ValueError, OSError)
"""What a refusal comes from; anything else that was raised on the way is a crash, whatever it was told as."""


@dataclass(frozen=True)
class Verdict:
    """What became of one operation (or, without a name, of the whole file)."""

    operation: str
    kind: str
    """``equal``, ``different``, ``refused`` (PHP builds it), ``crashed``, ``only ours`` or ``neither``."""
    why: str = ""
    envelope: bytes = b""
    given: list[Any] = field(default_factory=list)
    version: int = 1
    php: str = ""
    """PHP's envelope."""
    remark: str = ""


@dataclass(frozen=True)
class Compared:
    """What became of one file. Reasons are empty where it loads."""

    path: Path
    php_refuses: str
    we_refuse: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class _Place:
    service: str
    port: str
    binding: Any
    version: int
    remark: str
    """What PHP sees otherwise in it."""


def compare(path: Path, php: Php) -> Compared:
    """Build each operation of the WSDL ``path`` on both sides."""
    try:
        described = _loaded(path)
    except Exception as error:
        answer = php.ask(wsdl=str(path), calls=[])
        kind = "crashed" if _is_crash(error) else "refused" if "refused" not in answer else "neither"
        return Compared(path, answer.get("refused", ""), _told(error), (Verdict("", kind, _told(error)),))
    ours = [_built(described, name, place) for name, place in _operations(described)]
    answer = php.ask(wsdl=str(path), calls=[[each.operation, each.given, each.version] for each in ours])
    if "refused" in answer:
        verdicts = tuple(replace(each, kind=_without_php(each)) for each in ours)
        return Compared(path, answer["refused"], "", verdicts)
    held = [_held(each, *made) for each, made in zip(ours, answer["calls"], strict=True)]
    return Compared(path, "", "", (*held, *_overlooked(ours, _by_soap(answer["functions"], described))))


def _loaded(path: Path) -> Description:
    peer = _peer(path)
    return Description(str(path), peer, peer.attempt())


def _peer(path: Path) -> Peer:
    return Peer(SoapConfig(wsdl=str(path), operation="x", timeout_s=10, password=SecretStr("")), name="parity")


def _operations(described: Description) -> Iterator[tuple[str, _Place]]:
    """Each name once, where it comes first, as PHP has it; also those that cannot be used."""
    seen: set[str] = set()
    for service, port, found in described.ports():
        version = 2 if found.binding.nsmap["soap-env"] == SOAP_12 else 1
        for name in [*found.binding.all(), *found.binding.unusable]:
            if name.lower() not in seen:
                seen.add(name.lower())
                yield name, _Place(service, port, found.binding, version, _remark(described, found.binding, name))


def _remark(described: Description, binding: Any, name: str) -> str:
    """What PHP sees otherwise: it reads no body in a MIME part, and sends a header's part in the body, too."""
    notes = [shown(note, "en") for note in described.notes()]
    if any(f"operation {written(name)!r}" in note and "in a MIME part" in note for note in notes):
        return " (soap:body in a MIME part)"
    operation = binding.all().get(name)
    message = operation.input if operation is not None else None
    headers = message.header.type.elements if message is not None and message.header is not None else ()
    return (
        " (a header has parts of the message)"
        if {each for each, _ in headers} & set(message.abstract.parts if headers else ())
        else ""
    )


def _built(described: Description, name: str, place: _Place) -> Verdict:
    """Our envelope with the arguments for PHP; ``kind`` is empty where there is one."""
    verdict = Verdict(name, "", version=place.version, remark=place.remark)
    try:
        operation = place.binding.all().get(name)
        arguments, given = arguments_of(operation) if operation is not None else ({}, [])
        verdict = replace(verdict, given=given)
        return replace(verdict, envelope=_envelope(described, name, place, arguments))
    except Exception as error:
        return replace(verdict, kind="crashed" if _is_crash(error) else "refused", why=_told(error))


def _envelope(described: Description, name: str, place: _Place, arguments: dict[str, Any]) -> bytes:
    config = SoapConfig(
        wsdl=described.wsdl,
        operation=name,
        service=place.service,
        port=place.port,
        arguments=arguments,
        address=ADDRESS,
    )
    templates = compiled(arguments, {}, place="arguments")
    contract = Contract(config, templates, Header(config), Peer(config, name="parity"), described)
    return contract.request(DIAL).body or b""


def _held(ours: Verdict, envelope: str | None, reason: str | None) -> Verdict:
    if ours.kind == "crashed":
        return ours
    if envelope is None:
        return replace(ours, kind="neither" if ours.kind else "only ours", why=f"{ours.why} | PHP: {reason}")
    if ours.kind:
        return ours
    try:
        why = difference(ours.envelope, envelope)
    except XMLSyntaxError as error:
        return replace(ours, kind="only ours", why=f"PHP's is no XML: {error}")
    why += ours.remark if why else ""
    return replace(ours, kind="different" if why else "equal", why=why, php=envelope)


def _without_php(ours: Verdict) -> str:
    return {"": "only ours", "refused": "neither"}.get(ours.kind, ours.kind)


def _by_soap(functions: list[str], described: Description) -> list[str]:
    """What PHP lists without the operations that only bindings to something else than SOAP have (HTTP, XML, JMS)."""
    bindings = [each for document in described.documents() for each in document.iterfind("{*}binding")]
    names = {True: set(), False: set()}
    for binding in bindings:
        names[_is_soap(binding)] |= {written(each.get("name") or "") for each in binding.iterfind("{*}operation")}
    return [name for name in functions if name in names[True] or name not in names[False]]


def _is_soap(binding: Any) -> bool:
    """Whether it is one to SOAP by HTTP; PHP takes all others for that, too, and calls nothing by them."""
    kinds = [each for uri in BINDINGS for each in binding.iterchildren(f"{{{uri}}}binding")]
    return any(each.get("transport", HTTP) in (HTTP, HTTP_12) for each in kinds)


def _overlooked(ours: list[Verdict], functions: list[str]) -> Iterator[Verdict]:
    known = {each.operation.lower() for each in ours}
    for name in dict.fromkeys(functions):
        if name.lower() not in known:
            yield Verdict(name, "refused", "PHP has this operation, we do not see it")


def _is_crash(error: BaseException | None) -> bool:
    while error is not None:
        if not isinstance(error, _EXPECTED) and not type(error).__module__.startswith(("zeep.", "lxml.")):
            return True
        error = error.__cause__ or error.__context__
    return False


def _told(error: Exception) -> str:
    return str(getattr(error, "message", "") or getattr(error, "reason", "") or error or type(error).__name__)
