"""How the rows of a table of finished calls are read, in the language of line descriptions; presets are TOML files."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from gateway.config.validation import sentences
from gateway.errors import ConfigError
from gateway.events.lines.description import DescriptionEvidence, LineDescription, LineShape, LineTable, LineTimes
from gateway.mapping.schema import CallValues, MappingCondition, Texts, Value
from gateway.texts.text import Text, lines

MERGED = ("times", "call", "fields", "columns")
ANY_COLUMNS = LineShape(name="row", titles=True)


class TableDescription(LineTable):
    """What the columns of a table of finished calls mean. A row's fields are its columns, in small letters."""

    title: str = Field("", description="name shown to people")
    verified: DescriptionEvidence | None = Field(None, description="how sure it is")
    setup: Texts = Field((), description="what to know")
    table: str = Field("", description="the usual name of the table")
    grows: str = Field("", description="the usual column that grows")
    columns: dict[str, str] = Field(default_factory=dict, description="the column of each field")
    times: LineTimes = Field(default_factory=LineTimes, description="which columns hold times, as in docs/lines.md")
    call: CallValues = Field(default_factory=CallValues, description="where each value of a call is")
    fields: dict[str, Value] = Field(default_factory=dict, max_length=20, description="free fields to keep with a call")
    unanswered: MappingCondition | None = Field(None, description="when nobody answered")
    unfinished: MappingCondition | None = Field(None, description="when a row is of a call that goes on yet")

    @cached_property
    def as_lines(self) -> LineDescription:
        """The same as a description of lines, by which its rows are interpreted."""
        return LineDescription(
            lines=(ANY_COLUMNS,), times=self.times, call=self.call, fields=self.fields, unanswered=self.unanswered
        )


def names() -> list[str]:
    """Return the names of the shipped descriptions."""
    return sorted(_shipped())


def described(preset: str, own: Mapping[str, Any]) -> TableDescription:
    """Return the description called ``preset`` (empty: none) with ``own`` laid over it. Raises ``ConfigError``."""
    base = tomllib.loads(_path_of(preset).read_text(encoding="utf-8")) if preset else {}
    merged = {**base, **own}
    for key in MERGED:
        below, above = base.get(key), own.get(key)
        if isinstance(below, Mapping) and isinstance(above, Mapping):
            merged[key] = {**below, **above}
    try:
        return TableDescription.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(lines(sentences(error, "description", TableDescription))) from None


def _path_of(name: str) -> Path:
    found = _shipped().get(name)
    if found is None:
        near = get_close_matches(name, names(), n=1)
        hint = Text("Did you mean {name!r}?", name=near[0]) if near else ""
        told = Text("there is no preset of tables {name!r}; there are: {known}.", name=name, known=", ".join(names()))
        raise ConfigError(told, hint=hint)
    return found


@cache
def _shipped() -> dict[str, Path]:
    folder = Path(str(files("gateway.events.cdr").joinpath("presets")))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}
