"""The control of bench.powercut: a gateway whose database is opened with less than synchronous=FULL.

Python imports it at its start, in every process, where this folder is in PYTHONPATH.
"""

import os
import sqlite3
import sqlite3.dbapi2
from functools import partial
from typing import Any

WANTED = os.environ.get("POWERCUT_SYNCHRONOUS", "FULL")


class ControlConnection(sqlite3.Connection):
    """Has another setting where FULL is asked for."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        return super().execute(sql.replace("synchronous=FULL", f"synchronous={WANTED}"), *parameters)


sqlite3.connect = sqlite3.dbapi2.connect = partial(sqlite3.connect, factory=ControlConnection)  # type: ignore[assignment]
