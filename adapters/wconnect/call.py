"""One operation of WConnect, asked by its WSDL: which parts and members a request has is read there."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from adapters.http.client import HttpAnswer, HttpRequest, Peer
from adapters.http.connection import AnswerTooLarge
from adapters.http.outcomes import STATUS, Failed
from adapters.http.settings import HttpConfig
from adapters.soap.description import Description
from adapters.soap.header import Header
from adapters.soap.settings import SoapConfig
from adapters.soap.wsdl import Contract
from adapters.wconnect.records import Records
from adapters.wconnect.settings import Parameters, WConnectConfig, filled, placeholders
from gateway.adapter import Outgoing
from gateway.errors import AdapterError, SourceError

NOTHING = Outgoing("import", "0", {})
TOO_LARGE = "Peça páginas (account_parameters, contact_parameters), ou aumente max_answer_mb."


class WConnectCall:
    """Asks one operation as often as there are pages. Raises ``SourceError`` when the WSDL cannot be had."""

    def __init__(self, config: WConnectConfig, peer: Peer, operation: str, parameters: Parameters) -> None:
        self._config = config
        self._peer = peer
        self._operation = operation
        self._parameters = parameters
        self.paged = "page" in placeholders(parameters)
        self._contract = self._load()
        self._parts = self._contract.parts()
        self._check(parameters)

    def ask(self, values: Mapping[str, str], *, key: str) -> Records:
        """The answer's records, which are the elements with a child called ``key``. Raises ``SourceError``."""
        try:
            answer = self._peer.exchange(self._request(filled(self._parameters, values)))
        except Failed as failed:
            hint = TOO_LARGE if isinstance(failed.__cause__, AnswerTooLarge) else ""
            raise SourceError(f"{self._operation}: o WConnect não respondeu: {failed.reason}.", hint=hint) from None
        if answer.status != 200 and b"Fault" not in answer.body[:4096]:
            raise SourceError(f"{self._operation}: o WConnect respondeu {_status(answer)}.")
        return Records(answer.root, key)

    def _load(self) -> Contract:
        own: dict[str, Any] = {each.name: getattr(self._config, each.name) for each in fields(HttpConfig)}
        own |= {"wsdl": self._config.wsdl, "address": self._config.address, "operation": self._operation}
        config = SoapConfig(**own)
        try:
            description = Description(config.wsdl, self._peer, self._peer.attempt())
            return Contract(config, {}, Header(config), self._peer, description)
        except AdapterError as error:
            raise SourceError(self._peer.told(error.message)) from None
        except Failed as failed:
            raise SourceError(f"o WSDL do WConnect não foi carregado: {failed.reason}.") from None

    def _check(self, parameters: Parameters) -> None:
        known = {member for members in self._parts.values() for member in members} | set(self._parts)
        for name in parameters:
            if name not in known:
                listed = ", ".join(sorted(known - {"UsuarioLogin", "UsuarioSenha"}))
                raise SourceError(f"{self._operation} não tem o parâmetro {name!r}; tem: {listed}.")

    def _request(self, parameters: dict[str, str | int | bool]) -> HttpRequest:
        login = {
            "UsuarioLogin": self._config.username,
            "UsuarioSenha": self._config.password.get_secret_value(),
        }
        values: dict[str, Any] = parameters | login
        arguments: dict[str, Any] = {
            part: {member: values.get(member, self._unset(whole)) for member, whole in members.items()}
            if members
            else values.get(part, self._unset(whole=False))
            for part, members in self._parts.items()
        }
        try:
            return self._contract.call(arguments, NOTHING)
        except AdapterError as error:
            raise SourceError(self._peer.told(error.message)) from None

    def _unset(self, whole: bool) -> str | None:
        """What stands where there is nothing to say: the WSDLs of such servers leave no parameter out."""
        if self._config.unset == "nil":
            return None
        return "0" if whole else ""


def _status(answer: HttpAnswer) -> str:
    words = f" ({STATUS[answer.status]})" if answer.status in STATUS else ""
    return f"HTTP {answer.status}{words}"
