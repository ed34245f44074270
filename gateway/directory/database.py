"""The directory in another SQL database: the ERP's, the CRM's own, a copy of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ConfigDict, SecretStr

from gateway.adapter import Probe
from gateway.directory.columns import Columns, UnknownColumns, check_mapping, find_columns
from gateway.errors import SourceError
from gateway.source import Entry, KeptFields, Refused, setting
from gateway.store.imports.foreign import ForeignDatabase
from gateway.texts.text import Text, problem_of

SINCE = re.compile(r"(?<![:\w\\]):since\b(?!:)")
EXPECTED = Text("Name the columns in the query (SELECT phone1 AS telefone), or use columns.")


@dataclass(frozen=True, kw_only=True)
class DatabaseConfig:
    """Settings of the source ``sql``. ``:since`` in the query makes it ask for what changed only."""

    __pydantic_config__ = ConfigDict(extra="forbid", frozen=True)

    url: SecretStr = field(metadata={"help": "The database's address as SQLAlchemy has it (env: or file:)."})
    query: str = field(metadata={"help": "One SELECT; its columns are understood like those of a CSV."})
    columns: Mapping[str, str] = setting(
        {}, "What a column is: code, name, contact, phone, area (DDD), contact1, owner, cpf, cnpj, contrato, ignore ..."
    )
    identifiers: Sequence[str] | None = setting(
        None, "The columns that name accounts; by default those called cpf, cnpj, contrato and the like."
    )
    fields: KeptFields = field(
        default_factory=dict,
        metadata={"help": "Columns to keep and show of each account: a list, or a table with labels."},
    )
    connect_timeout_s: float = setting(10.0, "Seconds to wait for a connection.")
    timeout_s: float = setting(600.0, "Seconds that the whole query may take.")
    since_as: Literal["datetime", "text", "unix"] = setting(
        "datetime", "How :since is written: the database's own time, ISO text, or seconds since 1970."
    )
    timezone: str = setting("America/Sao_Paulo", "Time zone of the database's times, for :since.")

    def __post_init__(self) -> None:
        check_mapping(self.columns)
        if not re.match(r"\s*(select|with|values|exec|call)\b", self.query, re.IGNORECASE):
            raise ValueError(Text("query must be a SELECT"))
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            text = Text("timezone: there is no {zone!r}; expected such as 'America/Sao_Paulo'", zone=self.timezone)
            raise ValueError(text) from None


class DatabaseSource:
    """The source ``sql``: the rows of one query, streamed."""

    Config: ClassVar[type[Any]] = DatabaseConfig

    def __init__(self, config: DatabaseConfig, *, name: str) -> None:
        self._config = config
        self._name = name
        self._database: ForeignDatabase | None = None
        self._unused: Sequence[str] = ()

    @property
    def incremental(self) -> bool:
        return bool(SINCE.search(self._config.query))

    def probe(self) -> Probe:
        """Connect, run the query, and look at the names of the columns."""
        try:
            columns = self._opened().columns(self._config.query, self._parameters(None))
            self._columns(columns)
        except SourceError as error:
            return Probe(False, error.whole)
        finally:
            self.close()
        return Probe(True, Text("The database answered with the columns {names}.", names=", ".join(columns)))

    def entries(self, since: int | None) -> Iterator[Entry | Refused]:
        rows = self._opened().rows(self._config.query, self._parameters(since))
        columns = self._columns(next(rows))
        self._unused = columns.unused
        for number, row in enumerate(rows, start=1):
            said = columns.entry([as_text(value) for value in row], f"{self._name}:{number}")
            if said is not None:
                yield said

    @property
    def unused_columns(self) -> Sequence[tuple[str, str]]:
        """Columns that were not understood, once the query was answered."""
        return [(self._name, column) for column in self._unused]

    def share(self) -> float | None:
        return None

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _opened(self) -> ForeignDatabase:
        config = self._config
        self._database = ForeignDatabase(
            config.url.get_secret_value(), connect_timeout_s=config.connect_timeout_s, timeout_s=config.timeout_s
        )
        return self._database

    def _columns(self, names: Sequence[str]) -> Columns:
        try:
            return find_columns(names, self._config.columns, self._config.identifiers, self._config.fields)
        except UnknownColumns as error:
            text = Text("the query of {name!r}: {problem}", name=self._name, problem=problem_of(error))
            raise SourceError(text, hint=EXPECTED) from None

    def _parameters(self, since: int | None) -> Mapping[str, Any]:
        """Return what the query gets for ``:since``; the beginning of 1970 when everything is wanted."""
        if not self.incremental:
            return {}
        moment = datetime.fromtimestamp((since or 0) / 1000, UTC)
        if self._config.since_as == "unix":
            return {"since": int(moment.timestamp())}
        there = moment.astimezone(ZoneInfo(self._config.timezone)).replace(tzinfo=None, microsecond=0)
        return {"since": there.isoformat(" ") if self._config.since_as == "text" else there}


def as_text(value: Any) -> str:
    """Return a cell as people would write it: whole numbers without ``.0``, None as the empty text."""
    if value is None:
        return ""
    if isinstance(value, Decimal | float) and isfinite(value) and value == int(value):
        return str(int(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return _decoded(bytes(value))
    return str(value)


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")
