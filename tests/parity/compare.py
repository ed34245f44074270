"""One WSDL's operations by our adapter and by PHP."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lxml.etree import XMLSyntaxError
from pydantic import SecretStr
from zeep.wsdl.bindings.soap import SoapBinding

from adapters.http.client import Peer
from adapters.http.outcomes import Failed
from adapters.http.templates import compiled
from adapters.soap.description import Description
from adapters.soap.envelope import SOAP_12
from adapters.soap.header import Header
from adapters.soap.settings import SoapConfig
from adapters.soap.wsdl import Contract
from gateway.errors import AdapterError
from tests.adapters.dialects import DIAL
from tests.parity.meaning import difference
from tests.parity.php import Php
from tests.parity.samples import arguments_of

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
                yield name, _Place(service, port, found.binding, version)


def _built(described: Description, name: str, place: _Place) -> Verdict:
    """Our envelope with the arguments for PHP; ``kind`` is empty where there is one."""
    verdict = Verdict(name, "", version=place.version)
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
    return replace(ours, kind="different" if why else "equal", why=why, php=envelope)


def _without_php(ours: Verdict) -> str:
    return {"": "only ours", "refused": "neither"}.get(ours.kind, ours.kind)


def _by_soap(functions: list[str], described: Description) -> list[str]:
    """What PHP lists without the operations of HTTP's GET and POST bindings."""
    bindings = described.client.wsdl.bindings.values()
    other = {name for each in bindings if not isinstance(each, SoapBinding) for name in each.all()}
    return [name for name in functions if name not in other]


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
