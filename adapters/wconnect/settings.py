"""The settings of the source ``wconnect``: what nobody knows of the service stands here, and is not sent by default."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.http.settings import HttpConfig
from gateway.source import KeptFields, setting
from gateway.texts.text import Text

Parameters = Mapping[str, str | int | bool]
PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
PLACEHOLDERS = frozenset({"page", "since"})


@dataclass(frozen=True, kw_only=True)
class WConnectConfig(HttpConfig):
    """Settings of the source ``wconnect``. ``username`` and ``password`` go into every request's body."""

    wsdl: str = field(metadata={"help": "Where the WSDL is: a URL or a file."})
    address: str = setting("", "Where to send requests, if not where the WSDL says.")
    timeout_s: float = setting(120.0, "Seconds that one request may take, a whole page of accounts.")
    accounts_operation: str = setting("getContas", "The operation that gives accounts.")
    contacts_operation: str = setting("getContatos", "The operation that gives contacts; empty: none are asked for.")
    account_parameters: Parameters = field(
        default_factory=dict,
        metadata={"help": "More parameters of accounts; {{ page }} and {{ since }} are filled in."},
    )
    contact_parameters: Parameters = field(default_factory=dict, metadata={"help": "The same for contacts."})
    unset: Literal["empty", "nil"] = setting("empty", "What parameters without a value are: empty (numbers 0), or nil.")
    first_page: int = setting(1, "The number of the first page.")
    since_format: str = setting("%Y-%m-%d %H:%M:%S", "How {{ since }} is written.")
    timezone: str = setting("America/Sao_Paulo", "Time zone of {{ since }}.")
    account_phones: tuple[str, ...] = setting(
        ("contaTelefone", "contaCelular", "contaFax"), "The fields of an account that hold its telephones."
    )
    contact_phones: tuple[str, ...] = setting(
        ("contatoTelefone", "contatoCelular", "contatoFax"), "The fields of a contact that hold its telephones."
    )
    account_identifiers: tuple[str, ...] = setting(
        ("contaCpf", "contaCnpj"), "The fields of an account that name it beside its telephones; empty: none are kept."
    )
    fields: KeptFields = field(
        default_factory=dict,
        metadata={"help": "Fields of an account to keep and show: a list, or a table with labels."},
    )
    max_answer_mb: int = setting(64, "The largest answer that is read; more needs pages.")

    def __post_init__(self) -> None:
        super().__post_init__()
        used = [placeholders(each) for each in (self.account_parameters, self.contact_parameters)]
        for name in (used[0] | used[1]) - PLACEHOLDERS:
            facts = {"name": f"{{{{ {name} }}}}", "known": "{{ page }}, {{ since }}"}
            raise ValueError(Text("there is no {name}; known: {known}", **facts))
        if self.contacts_operation and ("since" in used[0]) != ("since" in used[1]):
            told = Text(
                "{name} must stand in both account_parameters and contact_parameters, or in none", name="{{ since }}"
            )
            raise ValueError(told)
        if self.max_answer_mb < 1:
            raise ValueError(Text("max_answer_mb must be 1 at least"))
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            told = Text("timezone: there is no {name!r}; expected such as 'America/Sao_Paulo'", name=self.timezone)
            raise ValueError(told) from None


def placeholders(parameters: Parameters) -> set[str]:
    """Return the names of the placeholders in ``parameters``."""
    return {name for value in parameters.values() if isinstance(value, str) for name in PLACEHOLDER.findall(value)}


def filled(parameters: Parameters, values: Mapping[str, str]) -> dict[str, str | int | bool]:
    """Return ``parameters`` with their placeholders filled in."""

    def one(value: str | int | bool) -> str | int | bool:
        return PLACEHOLDER.sub(lambda found: values[found[1]], value) if isinstance(value, str) else value

    return {name: one(value) for name, value in parameters.items()}
