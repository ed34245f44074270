"""Where a gateway's data is: the folder of this node, and the database of the configuration."""

from pathlib import Path

from gateway.config.tables import Config
from gateway.errors import ConfigError
from gateway.store.database import Database, open_database
from gateway.texts.text import Text


def database_of(config: Config, data: Path) -> Database:
    """Return the configured database, with this node's folder ``data``; nothing is made or connected to yet.

    Raises ``ConfigError``.
    """
    server = config.server
    url, password, direct = (
        secret.get_secret_value() if secret else None
        for secret in (server.database, server.database_password, server.database_direct)
    )
    if direct and not url:
        raise ConfigError(
            Text("server.database_direct is for a PostgreSQL database, and server.database names none."),
            hint=Text("Name the pooler, or the server, in server.database."),
        )
    return open_database(data, url, password, direct=direct)


def data_folder(config: Config, config_path: Path | None, wanted: Path | None) -> Path:
    """Return the folder of the data: as asked for, else ``server.data`` seen from the configuration file (or from
    here).
    """
    if wanted is not None:
        return wanted
    return (config_path.parent if config_path else Path()) / config.server.data
