"""How connections to a PostgreSQL server are made: the addresses, and what the driver and each session are told."""

from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from gateway.errors import ConfigError
from gateway.texts.text import Text

DRIVER = "postgresql+psycopg"
CONNECT_WITHIN_S = 5
READ_WITHIN_MS = 60_000
"""Longer reading statements are ended: a report over years takes seconds."""
UNANSWERED_MS = 8000
"""How long what was sent to the server may remain without an acknowledgement of its system."""
CONNECTING: dict[str, Any] = {
    "client_encoding": "utf8",
    "connect_timeout": CONNECT_WITHIN_S,
    "tcp_user_timeout": UNANSWERED_MS,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}


def parsed_address(url: str, password: str | None, setting: str) -> URL:
    """Return ``url`` with the driver that we use. The message says nothing of it: it may hold a password.

    Raises ``ConfigError``.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername not in ("postgresql", "postgres", DRIVER):
        raise ConfigError(
            Text("{setting} is no address of a PostgreSQL database.", setting=setting),
            hint=Text("Expected something like postgresql://USER@HOST/DATABASE; without one, SQLite in server.data."),
        )
    parsed = parsed.set(drivername=DRIVER)
    return parsed.set(password=password) if password else parsed


def prepare_to_read(connection: Any, _record: Any) -> None:
    """Let statements that read for too long be ended."""
    _set(connection, f"statement_timeout = {READ_WITHIN_MS}", "idle_in_transaction_session_timeout = 60000")


def prepare_to_write(held_at_most_ms: int, connection: Any, _record: Any) -> None:
    """Let nothing but the loss of the connection end a statement."""
    _set(
        connection,
        "statement_timeout = 0",
        "synchronous_commit = on",
        "client_connection_check_interval = 2000",
        f"idle_in_transaction_session_timeout = {held_at_most_ms}",
    )


def _set(connection: Any, *settings: str) -> None:
    before, connection.autocommit = connection.autocommit, True
    connection.execute("; ".join(f"SET {setting}" for setting in settings))
    connection.autocommit = before
