"""The lines that ``check`` prints."""

from collections.abc import Mapping
from typing import Literal

import click

from gateway.cli.terminal import cell

_MARKS: Mapping[Literal["note"] | bool | None, str] = {
    True: click.style("ok  ", fg="green"),
    False: click.style("FAIL", fg="red"),
    None: click.style("warn", fg="yellow"),
    "note": "note",
}


def print_line(good: Literal["note"] | bool | None, what: str, detail: str) -> None:
    """Print one line; ``good`` is None for a warning, which changes no exit code, and neither does a note."""
    click.echo(f"{_MARKS[good]}  {what:24}  {cell(detail)}")
