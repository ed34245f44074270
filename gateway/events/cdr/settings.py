"""The settings of a source that reads a table of finished calls, ``kind = "cdr"``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field, SecretStr

from gateway.config.values import Interval, seconds_of
from gateway.errors import ConfigError, SourceError
from gateway.event_source import CONFIG, setting
from gateway.events.cdr.description import TableDescription, described
from gateway.store.imports.foreign import shown_address, with_password
from gateway.texts.text import Text

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,127}")
LONGEST_LATE_S = 7 * 24 * 3600
"""Rows that come later than this are not found: what other sources told of their calls is not compared any more."""


@dataclass(frozen=True)
class TableSourceConfig:
    """What an administrator says of a table of finished calls."""

    __pydantic_config__ = CONFIG

    url: SecretStr = field(metadata={"help": "the database's address as SQLAlchemy has it (env: or file:)"})
    password: SecretStr = field(
        default=SecretStr(""), metadata={"help": "its password, where it does not stand in url (env: or file:)"}
    )
    preset: str = setting("", "the kind of table: asterisk-cdr or generic-table")
    table: str = setting("", "its name, with its schema where it needs one; else the preset's. A view will do")
    grows: str = setting("", "the column that grows from row to row, a number or a time; else the preset's")
    columns: Mapping[str, str] = setting({}, "the column of each field that the preset or the description names")
    description: Mapping[str, Any] = setting({}, "how rows are read, instead of a preset or over it: docs/sources.md")
    recording_url: str = setting(
        "", "address of a recording, with columns in braces: https://pbx/rec/{date_path}/{recordingfile}"
    )
    every_s: Annotated[float, Field(ge=0.2, le=3600)] = field(
        default=10.0, metadata={"help": "seconds between two looks at it"}
    )
    late_within: Interval = field(
        default="1d",
        metadata={
            "help": "how long after its moment in that column a row may come or change, if that is a time; at most 7d"
        },
    )
    late_rows: Annotated[int, Field(ge=0, le=100_000)] = field(
        default=1000, metadata={"help": "the same where it is a number: rows that are looked at again"}
    )
    settle_s: Annotated[float, Field(ge=0, le=600)] = field(
        default=5.0, metadata={"help": "seconds that further rows of a call are waited for, before it is told"}
    )
    from_start: bool = setting(
        False, "at the very first start read all rows; else those of late_within, or the last late_rows"
    )
    connect_timeout_s: Annotated[float, Field(gt=0, le=60)] = field(
        default=3.0, metadata={"help": "seconds to wait for a connection"}
    )
    timeout_s: Annotated[float, Field(gt=0, le=600)] = field(
        default=30.0, metadata={"help": "seconds that one look at the table may take"}
    )

    def __post_init__(self) -> None:
        """Check that all is there. Raises ``ValueError``."""
        try:
            found = self.described
        except ConfigError as error:
            raise ValueError(error.whole) from None
        for name, value in (("table", self.table or found.table), ("grows", self.grows or found.grows)):
            _check_name(name, value)
        try:
            shown_address(self.address)
        except SourceError as error:
            raise ValueError(error.whole) from None
        if not 0 < seconds_of(self.late_within) <= LONGEST_LATE_S:
            raise ValueError(Text("late_within {came!r} is more than 7d", came=self.late_within))

    @property
    def address(self) -> str:
        """The database's whole address, a secret. Raises ``SourceError`` where it is none."""
        return with_password(self.url.get_secret_value(), self.password.get_secret_value())

    @property
    def described(self) -> TableDescription:
        """How its rows are read. Raises ``ConfigError``."""
        if not self.preset and not self.description:
            raise ConfigError(Text("preset is missing, or a description of the table."))
        if not self.recording_url:
            return described(self.preset, self.description)
        call = {**self.description.get("call", {}), "recording": {"template": self.recording_url}}
        return described(self.preset, {**self.description, "call": call})

    @property
    def table_name(self) -> str:
        """The name of the table."""
        return self.table or self.described.table

    @property
    def growing_column(self) -> str:
        """The column that grows."""
        return self.grows or self.described.grows

    @property
    def column_of(self) -> Mapping[str, str]:
        """The column of each field, in small letters."""
        named = {**self.described.columns, **self.columns}
        return {name: column.lower() for name, column in named.items()}


def _check_name(setting_name: str, value: str) -> None:
    """Refuse what is no name in a database. Raises ``ValueError``."""
    if not value:
        raise ValueError(Text("{name} is missing: the preset does not say it", name=setting_name))
    parts = value.split(".")
    if len(parts) > (3 if setting_name == "table" else 1) or not all(NAME.fullmatch(part) for part in parts):
        raise ValueError(Text("{name} {value!r} is no name of a database", name=setting_name, value=value))
