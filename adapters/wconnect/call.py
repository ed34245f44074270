"""One operation of WConnect, asked by its WSDL: which parts and members a request has is read there."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from adapters.http.client import HttpRequest, Peer
from adapters.http.outcomes import Failed, FailureCode, status_text
from adapters.http.settings import HttpConfig
from adapters.soap.description import Description
from adapters.soap.header import Header
from adapters.soap.settings import SoapConfig
from adapters.soap.wsdl import Contract
from adapters.wconnect.records import Records
from adapters.wconnect.settings import Parameters, WConnectConfig, filled, placeholders
from gateway.adapter import Outgoing
from gateway.errors import AdapterError, SourceError
from gateway.texts.text import Text

NOTHING = Outgoing("import", "0", {})
TOO_LARGE = Text("Ask for pages (account_parameters, contact_parameters), or raise max_answer_mb.")


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
        """Return the answer's records, which are the elements with a child called ``key``. Raises ``SourceError``."""
        try:
            answer = self._peer.exchange(self._request(filled(self._parameters, values)))
        except Failed as failed:
            hint = TOO_LARGE if failed.code is FailureCode.ANSWER_TOO_LARGE else ""
            why = self._peer.clean(failed.reason)
            text = Text("{operation}: WConnect did not answer: {why}.", operation=self._operation, why=why)
            raise SourceError(text, hint=hint) from None
        if answer.status != 200 and b"Fault" not in answer.body[:4096]:
            status = status_text(answer.status)
            raise SourceError(
                Text("{operation}: WConnect answered {status}.", operation=self._operation, status=status)
            )
        return Records(answer.root, key)

    def _load(self) -> Contract:
        own: dict[str, Any] = {each.name: getattr(self._config, each.name) for each in fields(HttpConfig)}
        own |= {"wsdl": self._config.wsdl, "address": self._config.address, "operation": self._operation}
        config = SoapConfig(**own)
        try:
            description = Description(config.wsdl, self._peer, self._peer.attempt())
            return Contract(config, {}, Header(config), self._peer, description)
        except AdapterError as error:
            raise SourceError(self._peer.clean(error.text)) from None
        except Failed as failed:
            why = self._peer.clean(failed.reason)
            raise SourceError(Text("the WSDL of WConnect was not loaded: {why}.", why=why)) from None

    def _check(self, parameters: Parameters) -> None:
        known = {member for members in self._parts.values() for member in members} | set(self._parts)
        for name in parameters:
            if name not in known:
                listed = ", ".join(sorted(known - {"UsuarioLogin", "UsuarioSenha"}))
                text = Text(
                    "{operation} has no parameter {name!r}; it has: {known}.",
                    operation=self._operation,
                    name=name,
                    known=listed,
                )
                raise SourceError(text)

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
            raise SourceError(self._peer.clean(error.text)) from None

    def _unset(self, whole: bool) -> str | None:
        """Return what stands where there is nothing to say: the WSDLs of such servers leave no parameter out."""
        if self._config.unset == "nil":
            return None
        return "0" if whole else ""
