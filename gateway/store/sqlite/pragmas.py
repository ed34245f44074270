"""Settings of an SQLite connection."""

import sqlite3


def set_pragmas(connection: sqlite3.Connection, *pragmas: str) -> None:
    """Set each pragma, ``name=value``, and read its answer to the end.

    Some answer by a row (``journal_mode``). While it is unread the statement counts as a write in progress, and SQLite
    refuses every COMMIT on the connection; a cursor that is only let go may live on for a while.
    """
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}").fetchall()
