"""The source of events that reads a table of finished calls again and again."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from gateway.adapter import Probe
from gateway.config.values import seconds_of
from gateway.errors import EventSourceError, SourceError
from gateway.event_source import Report, SourcePlace, SourceStopped, Stop
from gateway.events.cdr import position
from gateway.events.cdr.reading import TableReading
from gateway.events.cdr.settings import TableSourceConfig
from gateway.store.imports.foreign import ForeignDatabase, shown_address
from gateway.texts.text import Text, problem_of

ROWS = 2_000
MOST_ROWS = 200_000
"""Rows that may have the same value in the column that grows."""
QUICK = timedelta(minutes=10)
QUICK_ROWS = 100
"""How far most looks go back; each ``FULL_EVERY_MS`` one goes back as far as a row may be late."""
FULL_EVERY_MS = 300_000
LOOK_S = 0.1
FROM_THE_BEGINNING = ""
PROBLEMS_AT_ONCE, PROBLEMS_EACH_MS = 20, 60_000
BEGUN_ANEW = Text("the table was emptied or begun anew: it is read from its beginning")
T = TypeVar("T")


class TableSource:
    """Reads one table."""

    Config: ClassVar[type[Any]] = TableSourceConfig
    tells_at_once = False

    def __init__(self, config: TableSourceConfig, place: SourcePlace) -> None:
        self._config, self._place = config, place

    @property
    def peer(self) -> str:
        """Which table of which database it reads, without the password."""
        return f"{shown_address(self._config.address)} {self._config.table_name}"

    def probe(self) -> Probe:
        """Look at the table's column that grows, and at one row. Never raises for what the database does."""
        config = self._config
        try:
            database = self._opened()
            newest = database.greatest(config.table_name, config.growing_column)
            if newest is not None:
                position.checked(newest, config.growing_column)
            names, _ = database.grown(config.table_name, config.growing_column, newest, most=1)
            self._check_columns(names)
        except SourceError as error:
            return Probe(False, error.whole)
        except ValueError as error:
            return Probe(False, problem_of(error))
        if newest is None:
            return Probe(True, Text("the table {table} can be read; it is empty", table=config.table_name))
        facts = {"table": config.table_name, "column": config.growing_column, "value": position.written(newest)}
        return Probe(True, Text("the table {table} can be read, up to {column} {value}", **facts))

    def run(self, report: Report, stop: Stop) -> None:
        """Look at the table until ``stop``. Raises ``EventSourceError`` where it cannot be read."""
        watch = TableWatch(self._config, self._place, self._opened_or_failed(), self.peer, report, stop)
        try:
            watch.look()
            report.connected(nothing_missed=True)
            while not stop.is_set():
                watch.wait()
                watch.look()
        except SourceError as error:
            raise EventSourceError(error.text, hint=error.hint) from None
        except ValueError as error:
            raise EventSourceError(problem_of(error)) from None

    def _opened(self) -> ForeignDatabase:
        """Return the database. Raises ``SourceError``."""
        config = self._config
        return ForeignDatabase(config.address, connect_timeout_s=config.connect_timeout_s, timeout_s=config.timeout_s)

    def _opened_or_failed(self) -> ForeignDatabase:
        try:
            return self._opened()
        except SourceError as error:
            raise EventSourceError(error.text, hint=error.hint) from None

    def _check_columns(self, names: Sequence[str]) -> None:
        """Check that the columns that the settings name are there. Raises ``ValueError``."""
        there = [name.lower() for name in names]
        for field, column in self._config.column_of.items():
            if column not in there:
                facts = {"field": field, "column": column, "known": ", ".join(there)}
                raise ValueError(Text("columns.{field}: there is no column {column}; there are: {known}", **facts))


class TableWatch:
    """One attempt: where it is in the table, and what it told."""

    def __init__(
        self,
        config: TableSourceConfig,
        place: SourcePlace,
        database: ForeignDatabase,
        peer: str,
        report: Report,
        stop: Stop,
    ) -> None:
        self._config, self._place, self._database, self._report, self._stop = config, place, database, report, stop
        self._reading = TableReading(
            config.described,
            place,
            peer,
            column_of=config.column_of,
            settle_ms=round(config.settle_s * 1000),
        )
        known = report.memory.get("position")
        self._position: str | None = known if isinstance(known, str) else None
        self._passed = self._position
        self._problems: list[int] = []
        self._full_at: int | None = None

    def look(self) -> None:
        """Read what is new, and tell what is complete. Raises ``SourceError``, ``ValueError``, ``SourceStopped``."""
        config = self._config
        newest = self._ask(lambda: self._database.greatest(config.table_name, config.growing_column))
        if newest is None:
            self._was_emptied()
        else:
            self._read(position.checked(newest, config.growing_column))
        self.tell()

    def wait(self) -> None:
        """Wait until it is time to look again; tell meanwhile what has become complete."""
        waited_s, every_s = 0.0, self._config.every_s
        while waited_s < every_s and not self._stop.wait(LOOK_S):
            waited_s += LOOK_S
            self.tell()

    def tell(self) -> None:
        """Tell the calls of which all rows came."""
        for call in self._reading.due():
            self._report.heard(f"{call.text}\n".encode())
            self._report.message(call.message)
        self._remember()

    def _was_emptied(self) -> None:
        """Have a table that is empty read from its beginning when rows come."""
        self._position = FROM_THE_BEGINNING

    def _read(self, newest: Any) -> None:
        since = self._since(newest)
        for names, rows in self._pages(since):
            place = [name.lower() for name in names].index(self._config.growing_column.lower())
            for row in rows:
                problems = self._reading.take(names, row, row[place], was_passed=self._was_passed(row[place]))
                self._tell_problems(problems)
            self.tell()
        self._position = self._passed = position.written(self._not_ahead(newest))
        self._remember()

    def _not_ahead(self, value: Any) -> Any:
        now = self._place.clock() + (self._place.clock_ahead_ms or 0)
        return position.not_ahead(value, now, self._place.zone)

    def _was_passed(self, grown: Any) -> bool:
        """Return whether a row was looked at before, in this attempt or in another one."""
        if self._passed in (None, FROM_THE_BEGINNING) or grown is None:
            return False
        passed = position.read_like(self._passed or "", grown)
        return passed is not None and bool(grown <= passed)

    def _tell_problems(self, problems: Iterable[tuple[Text, str]]) -> None:
        for problem, text in problems:
            self._problems = [at for at in self._problems if self._place.clock() - at < PROBLEMS_EACH_MS]
            if len(self._problems) < PROBLEMS_AT_ONCE:
                self._problems.append(self._place.clock())
                self._report.problem(problem, text.encode())

    def _since(self, newest: Any) -> Any:
        """Return from which value of the column on rows are looked at; None: all."""
        config = self._config
        late, rows = timedelta(seconds=seconds_of(config.late_within)), config.late_rows
        newest = self._not_ahead(newest)
        if self._position is None and not config.from_start:
            return position.earlier(newest, late, rows)
        if self._position in (None, FROM_THE_BEGINNING):
            return None
        known = position.read_like(self._position or "", newest)
        if known is None:  # the column holds something else than it did
            return position.earlier(newest, late, rows)
        if known > newest and position.is_number(newest):
            self._report.problem(BEGUN_ANEW)
            self._passed = None
            return None
        now = self._place.clock()
        if self._full_at is not None and 0 <= now - self._full_at < FULL_EVERY_MS:
            return position.earlier(min(known, newest), min(late, QUICK), min(rows, QUICK_ROWS))
        self._full_at = now
        return position.earlier(min(known, newest), late, rows)

    def _pages(self, since: Any) -> Iterator[tuple[Sequence[str], Sequence[Sequence[Any]]]]:
        """Yield the rows from ``since`` on, some at once; a page begins where the last one ended."""
        config, most = self._config, ROWS
        while True:
            names, rows = self._ask(
                lambda since=since, most=most: self._database.grown(  # type: ignore[misc]
                    config.table_name, config.growing_column, since, most=most
                )
            )
            yield names, rows
            if len(rows) < most:
                return
            last = rows[-1][[name.lower() for name in names].index(config.growing_column.lower())]
            most = most * 2 if last == since else ROWS
            since = last
            if most > MOST_ROWS:
                told = Text(
                    "more than {count} rows have the same {column}", count=MOST_ROWS, column=config.growing_column
                )
                raise ValueError(told)

    def _remember(self) -> None:
        """Keep from where rows are not told yet; the rows before are read again anyway as late ones are."""
        if self._position is None:
            return
        held = self._reading.held_from()
        if held is None or self._position == FROM_THE_BEGINNING:
            self._report.remember({"position": self._position})
            return
        known = position.read_like(self._position, held)
        self._report.remember({"position": position.written(held if known is None else min(known, held))})

    def _ask(self, question: Callable[[], T]) -> T:
        """Ask the database on a thread of its own, so that nobody waits for it who is to stop. Raises
        ``SourceStopped``, and what the database says.
        """
        answers: list[T] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                answers.append(question())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=work, name="table", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(LOOK_S)
            if self._stop.is_set():
                raise SourceStopped
        if errors:
            raise errors[0]
        return answers[0]
