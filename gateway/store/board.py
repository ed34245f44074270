"""Who is on the phone, read: the calls that go on, the extensions that were heard of lately, the queues."""

import threading
from collections.abc import Callable, Sequence

from sqlalchemy import Engine, select, text

from gateway.clock import Clock
from gateway.store import tables
from gateway.store.calls import CallFilter, CallLog, LoggedCall

calls = tables.calls

GOES_ON = ("waiting", "ringing", "talking")
MOST_CALLS = 500
MOST_EXTENSIONS = 1000
NEWEST_CALLS = 5000
"""Among which names of queues are looked for."""
KEPT_MS = 30_000
"""For which a list of extensions or queues is good."""
NEWEST_HEARD = 40_000
"""Among which, on SQLite, extensions are looked for: some 15 ms; few companies have as many calls in a week."""
_EXTENSIONS = text(
    "SELECT DISTINCT extension FROM (SELECT extension FROM calls WHERE tenant = :tenant AND logged_at >= :since"
    " ORDER BY logged_at DESC LIMIT :newest) WHERE extension > '' ORDER BY extension LIMIT :most"
)
"""By the index of calls by time alone: their rows are not read."""
# Each step finds the next extension by the index that PostgreSQL has, however many calls it has.
_EXTENSIONS_STEP_BY_STEP = text(
    "WITH RECURSIVE found(extension) AS ("
    " SELECT min(extension) FROM calls WHERE tenant = :tenant AND extension > ''"
    " UNION ALL SELECT (SELECT min(extension) FROM calls WHERE tenant = :tenant AND extension > found.extension)"
    " FROM found WHERE found.extension IS NOT NULL),"
    # PostgreSQL takes no limit in the recursion; it goes no further than is read of it.
    " heard AS (SELECT extension FROM found WHERE extension IS NOT NULL LIMIT :most)"
    " SELECT extension FROM heard WHERE :since <="
    " (SELECT max(logged_at) FROM calls WHERE tenant = :tenant AND calls.extension = heard.extension)"
)


class BoardLog:
    """Reads what a board shows of a company, whoever looks at it; safe for many threads."""

    def __init__(self, engine: Engine, *, clock: Clock | None = None) -> None:
        self._engine = engine
        self._calls = CallLog(engine)
        self._clock = clock or Clock()
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[int, Sequence[str]]] = {}

    def going_on(self, tenant: str, since: int) -> Sequence[LoggedCall]:
        """Return the calls since ``since`` (milliseconds) that wait, ring or are spoken in, the newest first."""
        return self._calls.recent(tenant, CallFilter(statuses=GOES_ON, since=since), limit=MOST_CALLS)

    def extensions(self, tenant: str, since: int) -> Sequence[str]:
        """Return the extensions with calls since ``since``, as they were half a minute ago; on SQLite those that are
        heard of among the newest ``NEWEST_HEARD`` calls.
        """
        return self._lately(tenant, "extensions", lambda: self._read_extensions(tenant, since))

    def queues(self, tenant: str) -> Sequence[str]:
        """Return the queues of the newest calls, as they were half a minute ago."""
        return self._lately(tenant, "queues", lambda: self._read_queues(tenant))

    def _lately(self, tenant: str, what: str, read: Callable[[], Sequence[str]]) -> Sequence[str]:
        now = self._clock()
        with self._lock:
            at, found = self._kept.get((tenant, what), (0, ()))
        if abs(now - at) < KEPT_MS:
            return found
        found = read()
        with self._lock:
            self._kept[tenant, what] = (now, found)
        return found

    def _read_extensions(self, tenant: str, since: int) -> Sequence[str]:
        wanted = {"tenant": tenant, "since": since, "most": MOST_EXTENSIONS}
        with self._engine.connect() as connection:
            if connection.dialect.name != "sqlite":
                return connection.execute(_EXTENSIONS_STEP_BY_STEP, wanted).scalars().all()
            return connection.execute(_EXTENSIONS, wanted | {"newest": NEWEST_HEARD}).scalars().all()

    def _read_queues(self, tenant: str) -> Sequence[str]:
        newest = select(calls.c.queue).where(calls.c.tenant == tenant).order_by(calls.c.logged_at.desc())
        recent = newest.limit(NEWEST_CALLS).subquery()
        named = select(recent.c.queue).where(recent.c.queue.is_not(None)).distinct().order_by(recent.c.queue)
        with self._engine.connect() as connection:
            return [each for each in connection.execute(named).scalars() if each]
