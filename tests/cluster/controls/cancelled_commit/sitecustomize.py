"""A gateway made wrong on purpose: a COMMIT that takes longer than 0.3 s is cancelled, and its answer is believed.

PostgreSQL answers such a COMMIT with success and a warning, which this gateway does not hear. Python imports this
module at its start, where its folder is in PYTHONPATH.
"""

import threading

import psycopg

CANCEL_AFTER_S = 0.3
_commit = psycopg.Connection.commit
_execute = psycopg.Connection.execute


def _cancelling(call):  # type: ignore[no-untyped-def]
    def wrapped(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        timer = threading.Timer(CANCEL_AFTER_S, self.cancel)
        timer.start()
        try:
            return call(self, *args, **kwargs)
        finally:
            timer.cancel()

    return wrapped


def _execute_commits(self, query, *args, **kwargs):  # type: ignore[no-untyped-def]
    is_commit = isinstance(query, str | bytes) and query[:6].upper() in ("COMMIT", b"COMMIT")
    return (_cancelling(_execute) if is_commit else _execute)(self, query, *args, **kwargs)


psycopg.Connection.commit = _cancelling(_commit)
psycopg.Connection.execute = _execute_commits  # type: ignore[method-assign]
psycopg.Connection.add_notice_handler = lambda self, callback: None
