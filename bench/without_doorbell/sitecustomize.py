"""Has a gateway notify nobody of its commits: the cost of doing so is the difference.

Python imports this module at its start, where its folder is in PYTHONPATH.
"""

import psycopg

_execute = psycopg.Connection.execute


def _deaf(self, query, *args, **kwargs):  # type: ignore[no-untyped-def]
    if isinstance(query, str) and ("pg_notify" in query or query.lstrip().upper().startswith("NOTIFY")):
        query, args, kwargs = "SELECT 1", (), {}
    return _execute(self, query, *args, **kwargs)


psycopg.Connection.execute = _deaf  # type: ignore[method-assign]
