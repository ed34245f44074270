"""Which gateway a command is about: the options ``--config`` and ``--data``, with the same defaults everywhere.

The gateway itself is imported when a command opens it: help and ``version`` are there at once.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.errors import ConfigError, GatewayError
from gateway.texts.text import Text

if TYPE_CHECKING:
    from gateway.config.tables import Config
    from gateway.server.gateway import Gateway
    from gateway.store.database import Database


@dataclass(frozen=True, slots=True)
class DataLocation:
    """The configuration file (None: the defaults) and the data folder asked for (None: as configured)."""

    config_path: Path | None
    data: Path | None

    def load(self) -> "Config":
        """Read the configuration and set up logs accordingly. Raises ``ConfigError``."""
        from gateway.config import loader as config_file
        from gateway.server import logs

        config = config_file.load(self.config_path)
        logs.set_up(config.log)
        return config

    def folder(self, config: "Config") -> Path:
        from gateway.server.databases import data_folder

        return data_folder(config, self.config_path, self.data)

    def open(self) -> "Gateway":
        """Open the gateway's data, ready for a command; close it after use."""
        from gateway.server.bootstrap import build

        config = self.load()
        folder = self.folder(config)
        with self.explained(config):
            return build(config, folder)

    def open_existing(self) -> "Gateway":
        """Open the data for a command that only reads, and make none. Raises ``ConfigError`` where there is none."""
        from gateway.server.bootstrap import build

        config = self.load()
        folder = self.folder(config)
        with self.explained(config):
            self._refuse_missing(config)
            return build(config, folder)

    def database(self, config: "Config") -> "Database":
        """Return the configured database; nothing is made or connected to yet."""
        from gateway.server.databases import database_of

        return database_of(config, self.folder(config))

    def explained(self, config: "Config") -> AbstractContextManager[None]:
        """Raise ``DataUnusable`` inside the block for what is wrong with the database or the data folder."""
        from gateway.store.database import explained

        return explained(self.database(config))

    def _refuse_missing(self, config: "Config") -> None:
        with closing(self.database(config)) as database:
            if not database.exists():
                shown = str(database.data.resolve()) if database.kind == "sqlite" else database.shown
                raise ConfigError(
                    Text("there is no gateway's data in {folder}.", folder=shown),
                    hint=Text("Give the folder with --data, or the configuration that names it with --config."),
                )


def with_place(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--config`` and ``--data``; the command gets them as its first argument, a ``DataLocation``."""

    @click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="CTI_GATEWAY_CONFIG",
        help="Configuration file. Without one: a single tenant 'default'.",
    )
    @click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data folder.  [default: ./data]")
    @wraps(command)
    def placed(*args: Any, config_path: Path | None, data: Path | None, **kwargs: Any) -> Any:
        place = DataLocation(config_path, data)
        try:
            return command(place, *args, **kwargs)
        except GatewayError:
            raise
        except Exception as error:
            told = _about_data(place, error)
            if told is None:
                raise
            raise told from None

    return placed


def _about_data(place: DataLocation, error: Exception) -> GatewayError | None:
    """Return the error that says what is wrong with the data, where ``error`` comes of a damaged database or a full
    disk; else None.
    """
    try:
        return place.database(place.load()).explain(error)
    except GatewayError as wrong:
        return wrong


def with_tenant(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--tenant``."""
    return click.option("--tenant", help="The company.  [default: the only one]")(command)


def one_tenant(config: "Config", asked: str | None) -> str:
    """Return the tenant asked for, or the only one. Raises ``ConfigError`` when there is none of that name or a choice
    is needed.
    """
    known = ", ".join(config.tenants)
    if asked is None and len(config.tenants) == 1:
        return next(iter(config.tenants))
    if asked is None:
        hint = Text("Choose one with --tenant: {known}.", known=known)
        raise ConfigError(Text("there are several tenants."), hint=hint)
    if asked not in config.tenants:
        raise ConfigError(
            Text("there is no tenant {name!r}.", name=asked), hint=Text("Configured: {known}.", known=known)
        )
    return asked
