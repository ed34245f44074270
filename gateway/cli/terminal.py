"""What commands print of texts that others wrote: a terminal obeys control characters, so none reaches it."""

import json
import sys
from typing import Any

import click

from gateway.domain.shown_text import escaped, escaped_json


def cell(value: object) -> str:
    """Return ``value`` as one line without control characters, for a table."""
    return escaped(str(value))


def tell(text: str, *, err: bool = False) -> None:
    """Print ``text``; lines and tabs stay, other control characters show as ``\\x1b``."""
    click.echo(escaped(text, keep="\n\t"), err=err)


def tell_json(data: Any, *, indent: int | None = None) -> None:
    """Print ``data`` as JSON, with control characters in JSON's own notation."""
    click.echo(escaped_json(json.dumps(data, ensure_ascii=False, indent=indent)))


def tell_data(data: str | bytes) -> None:
    """Print ``data`` as it is into a file or a pipe, and readable on a terminal."""
    if not sys.stdout.isatty():
        click.echo(data)
        return
    tell((data if isinstance(data, str) else data.decode("utf-8", "backslashreplace")).replace("\r\n", "\n"))
