"""``db``: looking after the database: its schema, and moving between SQLite and PostgreSQL."""

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.place import DataLocation, with_place
from gateway.cli.speech import _, said
from gateway.errors import ConfigError
from gateway.texts.text import Quantity, Text, counted

if TYPE_CHECKING:
    from gateway.config.tables import Config
    from gateway.store.copying import CopiedTable
    from gateway.store.database import Database

UNFINISHED = "copying"
"""Folder inside the target's in which an SQLite database is made, before it is put in its place whole."""
SCHEMES = ("postgresql:", "postgresql+psycopg:", "postgres:")


@click.group("db")
def db_command() -> None:
    """Look after the database."""


@db_command.command("upgrade")
@with_place
def db_upgrade(place: DataLocation) -> None:
    """Bring the database to this version's schema ('serve' does so by itself)."""
    database = place.database(place.load())
    database.upgrade()
    database.close()
    click.echo(_("{folder}: schema is up to date", folder=database.shown))


@db_command.command("copy")
@click.option("--to", "target", required=True, metavar="URL|FOLDER", help="A PostgreSQL's URL, or a data folder.")
@click.option("--from", "source", metavar="URL|FOLDER", help="Where from.  [default: the configured database]")
@with_place
def db_copy(place: DataLocation, target: str, source: str | None) -> None:
    """Copy the whole database from SQLite to PostgreSQL, or back, while no gateway runs on it.

    The target must be empty. Every table is counted and compared; when anything fails, nothing is kept. A URL may be
    "env:NAME" or "file:PATH", which say where it stands, so that its password is not seen in the list of processes.
    """
    from gateway.store.copying import copy
    from gateway.store.database import explained

    config = place.load()
    with _source(place, config, source) as old, _target(place, config, target) as new:
        if old.kind == new.kind:
            raise ConfigError(
                Text("both are {kind}: 'db copy' goes from SQLite to PostgreSQL, or back.", kind=old.kind),
                hint=Text("Copy a PostgreSQL with pg_dump, an SQLite with .backup."),
            )
        total: list[int] = []
        with explained(old), explained(new):
            copy(old, new, tenants=config.tenants, on_table=lambda table: _say(table, total))
    click.echo(_("{count} rows copied and compared.", count=Quantity(sum(total))))
    click.echo(said(_next_step(new.kind)))


def _say(table: "CopiedTable", total: list[int]) -> None:
    total.append(table.rows)
    cut = counted("{count} text was too long and was cut", "{count} texts were too long and were cut", table.cut)
    click.echo(f"{table.name:20}  {table.rows:>12,}" + (f"  {said(cut)}" if table.cut else ""))


def _next_step(kind: str) -> Text:
    if kind == "postgresql":
        return Text('Now name it in the configuration ([server] database = "..."), and start the gateway.')
    return Text("Now take [server] database out of the configuration, and start the gateway on this folder.")


@contextmanager
def _source(place: DataLocation, config: "Config", named: str | None) -> Iterator["Database"]:
    """Open what is copied, and keep others from writing to it. Raises ``ConfigError`` when there is nothing."""
    database = _opened(place, config, named)
    if not database.exists():
        raise ConfigError(
            Text("there is no gateway's database in {place}.", place=database.shown),
            hint=Text("Name it with --from, or the configuration that does with --config."),
        )
    with _unused(database):
        database.upgrade()
        with _unwritten(database):
            yield database
    database.close()


@contextmanager
def _target(place: DataLocation, config: "Config", named: str) -> Iterator["Database"]:
    """Open what is copied to; an SQLite database is put in its place at the end of the block, whole."""
    wanted = _opened(place, config, named)
    if wanted.kind == "postgresql":
        with _unused(wanted):
            wanted.upgrade()
            yield wanted
        wanted.close()
        return
    if wanted.exists():
        raise ConfigError(
            Text("there is a gateway's database in {place} already.", place=str(wanted.data)),
            hint=Text("Copy into a folder that no gateway has used."),
        )
    with _made_aside(wanted.data) as made:
        yield made


@contextmanager
def _made_aside(folder: Path) -> Iterator["Database"]:
    """Yield an empty SQLite database that lies in ``folder`` when the block ends well, and nowhere when it does not."""
    from gateway.store.database import open_database
    from gateway.store.private_files import make_folder
    from gateway.store.search.index import DATABASE as SEARCH_INDEX
    from gateway.store.sqlite.engine import DATABASE

    make_folder(folder, lasting=True)
    aside = folder / UNFINISHED
    shutil.rmtree(aside, ignore_errors=True)
    made = open_database(aside)
    try:
        made.upgrade()
        yield made
        made.close()  # with its last connection SQLite brings the write-ahead log home
        _move(aside / DATABASE, folder / DATABASE)
        for left in folder.glob(f"{SEARCH_INDEX}*"):  # of another database; it is made anew
            left.unlink()
    finally:
        made.close()
        shutil.rmtree(aside, ignore_errors=True)


def _move(made: Path, place: Path) -> None:
    """Put ``made`` at ``place``, for good."""
    left = [path.name for path in made.parent.glob(f"{made.name}-*") if path.stat().st_size]
    if left:
        raise ConfigError(Text("{files} were not written into the database.", files=", ".join(left)))
    made.rename(place)
    folder = os.open(place.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _opened(place: DataLocation, config: "Config", named: str | None) -> "Database":
    """Return the database ``named``, else the configured one."""
    from gateway.config.references import resolve
    from gateway.store.database import open_database

    if named is None:
        return place.database(config)
    found = str(resolve(named, source=_("the command line"), base=Path()))
    if found.startswith(SCHEMES):
        return open_database(place.folder(config), found)
    return open_database(Path(found))


@contextmanager
def _unused(database: "Database") -> Iterator[None]:
    """Make sure that no gateway runs on ``database``, and none starts in the block. Raises ``ConfigError``."""
    from gateway.server.runs import alone

    if database.kind == "postgresql":
        _refuse_running_nodes(database)
        yield
        return
    with alone(database.data):
        yield


def _unwritten(database: "Database") -> AbstractContextManager[None]:
    """Keep commands from writing to an SQLite ``database`` in the block; copying itself locks a PostgreSQL."""
    from gateway.store.sqlite.engine import write_lock

    return nullcontext() if database.kind == "postgresql" else write_lock(database.data)


def _refuse_running_nodes(database: "Database") -> None:
    from gateway.store.nodes import GONE_AFTER_MS, Nodes

    if not database.exists():
        return
    if running := ", ".join(node.name for node in Nodes(database.engine).running()):
        raise ConfigError(
            Text("gateways run on this database: {nodes}.", nodes=running),
            hint=Text(
                "Stop them all. One that was killed instead is forgotten after {seconds} seconds.",
                seconds=GONE_AFTER_MS // 1000,
            ),
        )
