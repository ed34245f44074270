"""The directory live from WConnect, Senior CRM's SOAP service: ``getContas`` and ``getContatos``.

What is known of it comes from a public client of its WSDL: rpc/encoded, namespace ``urn:WConnect``, ISO-8859-1, names
with spaces, the login in every request, and the fields of accounts and contacts. Not known: whether a request without a
filter gives all accounts, whether there are pages, whether it can be asked for changes, what a contact's request takes,
and what ``status`` says. What is not known is a setting, and by default nothing is sent for it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from adapters.http.client import Peer
from adapters.http.settings import origin_of
from adapters.wconnect.call import WConnectCall
from adapters.wconnect.records import NotSoap, Record
from adapters.wconnect.settings import Parameters, WConnectConfig, placeholders
from gateway.adapter import Probe
from gateway.errors import SourceError
from gateway.source import Entry, Reason, Refused
from gateway.texts.text import Text

MOST_PAGES = 1_000_000
HINT = Text("Check user and password, and what WConnect expects (account_parameters, unset).")
REPEATED = Text(
    "WConnect does not understand the parameter of the page: check account_parameters and contact_parameters."
)


class WConnectSource:
    """The source ``wconnect``: all accounts, then all contacts, page by page if it is told how."""

    Config: ClassVar[type[Any]] = WConnectConfig

    def __init__(self, config: WConnectConfig, *, name: str) -> None:
        """Make a source from its settings. Raises ``AdapterError`` for an address that is none."""
        self._config = config
        self._name = name
        self._peer = Peer(config, name=name, max_body=config.max_answer_mb * 1024 * 1024)
        for url in (config.wsdl, config.address):
            if "://" in url:
                origin_of(url)

    @property
    def incremental(self) -> bool:
        return "since" in placeholders(self._config.account_parameters)

    def probe(self) -> Probe:
        """Log in with ``setTeste``, which does nothing else."""
        try:
            call = WConnectCall(self._config, self._peer, "setTeste", {})
            records = call.ask({}, key="-")
            for _ in records:
                pass
            said = ", ".join(f"{name} {text!r}" for name, text in records.said.items())
        except SourceError as error:
            return Probe(
                False, Text("{text} {advice}", text=error.text, advice=error.advice) if error.hint else error.text
            )
        except NotSoap:
            return Probe(False, Text("the answer is not SOAP"))
        if records.fault:
            return Probe(False, self._peer.told(records.fault))
        answer = Text("WConnect answered setTeste: {said}", said=said or Text("no message"))
        return Probe(True, self._peer.clean(answer))

    def entries(self, since: int | None) -> Iterator[Entry | Refused]:
        """Yield the accounts, then the contacts. Raises ``SourceError``, also for a full import without any account."""
        config, found = self._config, False
        lacking = dict.fromkeys(config.fields)
        for record in self._records(config.accounts_operation, config.account_parameters, "contaId", since):
            found = True
            yield self._account(record)
            lacking = {name: None for name in lacking if name not in record} if lacking else lacking
        if not found and since is None:
            text = Text("{operation} returned no account.", operation=config.accounts_operation)
            raise SourceError(text, hint=HINT)
        if found:
            yield from (Refused(config.accounts_operation, Reason.NO_FIELD, name) for name in lacking)
        if config.contacts_operation:
            for record in self._records(config.contacts_operation, config.contact_parameters, "contatoId", since):
                yield self._contact(record)

    def share(self) -> float | None:
        return None

    def close(self) -> None:
        self._peer.close()

    def _account(self, record: Record) -> Entry:
        name = record.get("contaNome") or record.get("contaFantasia", "")
        phones = tuple((record[field], "") for field in self._config.account_phones if record.get(field))
        named = tuple((field, record[field]) for field in self._config.account_identifiers if record.get(field))
        place = f"{self._config.accounts_operation}:{record['contaId']}"
        fields = tuple((field, record[field]) for field in self._config.fields if record.get(field))
        return Entry(record["contaId"], name, phones, place, identifiers=named, fields=fields)

    def _contact(self, record: Record) -> Entry:
        """Return the entry of a contact; one that belongs to no account is an account of its own."""
        person, owner = record.get("contatoNome", ""), record.get("contatoContaId", "")
        alone = owner in ("", "0")
        phones = tuple((record[field], person) for field in self._config.contact_phones if record.get(field))
        code = f"contato-{record['contatoId']}" if alone else owner
        name = person if alone else record.get("contatoContaDescricao", "")
        return Entry(code, name, phones, f"{self._config.contacts_operation}:{record['contatoId']}")

    def _records(self, operation: str, parameters: Parameters, key: str, since: int | None) -> Iterator[Record]:
        call = WConnectCall(self._config, self._peer, operation, parameters)
        before: list[str] = []
        for page in range(self._config.first_page, self._config.first_page + MOST_PAGES):
            ids: list[str] = []
            records = call.ask({"page": str(page), "since": self._since(since)}, key=key)
            try:
                for record in records:
                    ids.append(record[key])
                    yield record
            except NotSoap:
                text = Text("{operation}: the answer is not SOAP.", operation=operation)
                raise SourceError(text, hint=HINT) from None
            if records.fault:
                words = self._peer.told(records.fault)
                raise SourceError(Text("{operation}: WConnect refused: {words}.", operation=operation, words=words))
            if not ids or not call.paged:
                return
            if ids == before:
                text = Text("{operation}: page {page} repeats the one before.", operation=operation, page=page)
                raise SourceError(text, hint=REPEATED)
            before = ids

    def _since(self, since: int | None) -> str:
        moment = datetime.fromtimestamp((since or 0) / 1000, UTC).astimezone(ZoneInfo(self._config.timezone))
        return moment.strftime(self._config.since_format)
