"""Small values in rows of PostgreSQL, changed by comparing versions.

One of two that change a value at once begins anew with what the other wrote: a half-open breaker has one trial among
all nodes. Where the database cannot be asked, a process goes on with what it knew.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from gateway.store.shared.contract import called
from gateway.store.shared.files import DegradedNotice
from gateway.store.shared.session import SharedSession, SharedUnavailable

T = TypeVar("T")
Told = TypeVar("Told")

FRESH_S = 0.25
"""How old a value may be that is only looked at, such as a closed breaker's."""
TRIES = 40
"""Changes begun anew, because another was quicker, before this process goes on alone."""

READ_ALL = "SELECT tenant, name, version, value FROM shared_values WHERE kind = %(kind)s"
READ = "SELECT version, value FROM shared_values WHERE kind = %(kind)s AND tenant = %(tenant)s AND name = %(name)s"
FIRST = """
INSERT INTO shared_values VALUES (%(kind)s, %(tenant)s, %(name)s, 1, %(value)s) ON CONFLICT DO NOTHING RETURNING version
"""
CHANGE = """
UPDATE shared_values SET version = version + 1, value = %(value)s
WHERE kind = %(kind)s AND tenant = %(tenant)s AND name = %(name)s AND version = %(version)s RETURNING version
"""


class AllValues:
    """All values of a kind at once, for whoever looks at many: a page of appliances, ``/metrics``."""

    def __init__(self, session: SharedSession) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._found: dict[str, tuple[float, Mapping[tuple[str, str], tuple[int, str]]]] = {}

    def of(self, kind: str) -> tuple[float, Mapping[tuple[str, str], tuple[int, str]]]:
        """Return when they were read (``time.monotonic``), and version and JSON by tenant and name.

        Raises ``SharedUnavailable``.
        """
        with self._lock:
            asked_at = time.monotonic()
            found = self._found.get(kind)
            if found is None or asked_at - found[0] >= FRESH_S:
                rows = self._session.run(READ_ALL, kind=kind)
                found = asked_at, {(tenant, name): (version, value) for tenant, name, version, value in rows}
                self._found[kind] = found
            return found


class RowRecord(Generic[T]):
    """A small value in a row. See ``SharedRecord``."""

    def __init__(self, kind: type[T], session: SharedSession, values: AllValues, tenant: str, name: str) -> None:
        self._kind = TypeAdapter(kind)
        self._key = {"kind": kind.__name__, "tenant": tenant, "name": name}
        self._session = session
        self._all = values
        self._value = self._nothing = kind()
        self._version = 0
        self._read_at = float("-inf")
        self._lock = threading.Lock()
        self._notice = DegradedNotice(called(kind), name)

    def change(self, work: Callable[[T], tuple[T, Told]]) -> Told:
        """Put ``work(value)``'s first result in the value's place; its second is what the caller gets."""
        with self._lock:
            try:
                told = self._change(work)
                self._notice.worked()
            except SharedUnavailable as error:
                self._notice.failed(error)
                self._value, told = work(self._value)
            return told

    def read(self) -> T:
        """Return the value now, or as it was ``FRESH_S`` ago."""
        with self._lock:
            if time.monotonic() - self._read_at >= FRESH_S:
                try:
                    self._look()
                    self._notice.worked()
                except SharedUnavailable as error:
                    self._notice.failed(error)
            return self._value

    def close(self) -> None:
        """Do nothing: the session is closed by whoever opened it."""

    def _change(self, work: Callable[[T], tuple[T, Told]]) -> Told:
        if time.monotonic() - self._read_at < FRESH_S:
            after, told = work(self._value)
            if after == self._value:  # most often there is nothing to change
                return told
        for _try in range(TRIES):
            self._load()
            after, told = work(self._value)
            if after == self._value or self._replaced(after):
                return told
        raise SharedUnavailable(None, "others changed it again and again")

    def _look(self) -> None:
        """Learn the value by what was read for all; what this process knows since then is newer."""
        read_at, found = self._all.of(self._key["kind"])
        if read_at > self._read_at:
            self._take(found.get((self._key["tenant"], self._key["name"])), read_at)

    def _load(self) -> None:
        asked_at = time.monotonic()
        rows = self._session.run(READ, **self._key)
        self._take(rows[0] if rows else None, asked_at)

    def _take(self, row: Sequence[Any] | None, read_at: float) -> None:
        self._version, self._value = (row[0], self._parsed(row[1])) if row else (0, self._nothing)
        self._read_at = read_at

    def _parsed(self, value: str) -> T:
        try:
            return self._kind.validate_json(value)
        except ValidationError:  # another version's
            return self._nothing

    def _replaced(self, after: T) -> bool:
        """Put ``after`` in the place of the value that was read; whether nobody was quicker."""
        values, asked_at = {"value": self._kind.dump_json(after).decode()}, time.monotonic()
        changed = self._session.run(CHANGE if self._version else FIRST, **self._key, version=self._version, **values)
        if changed:
            self._version, self._value, self._read_at = changed[0][0], after, asked_at
        return bool(changed)
