"""One import from its beginning to its end: hear all that a source says, bring it together, write what changed."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from gateway.directory.accounts import account_of, digest_of, name_of, of_one_person, salt_of
from gateway.directory.unused import sentence, unused_columns
from gateway.domain.numbering.numbers import NumberPlan
from gateway.source import Entry, Reason, Refused, Source
from gateway.store.imports.loading import Known, LoadedAccount, Loader
from gateway.store.imports.runs import Counts
from gateway.store.imports.staging import Staging
from gateway.store.imports.stored_accounts import StoredAccounts
from gateway.texts.text import Quantity, Text, counted, verbatim

AT_ONCE = 500
"""Entries and accounts worked on together: what is in memory."""
AHEAD = 2
"""Such batches that may wait to be written."""
FEW = 20
MOST_REMOVED = 0.5
"""The share of a source's accounts that a run removes without being told twice."""

T = TypeVar("T")
Progress = Callable[[str, int, float | None], None]
"""Called with what is being done (``reading``, ``writing``), how many so far, and which share that is."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be imported for whom. ``full``: accounts that the source no longer has are removed."""

    tenant: str
    name: str
    source: Source
    plan: NumberPlan
    full: bool = False
    force: bool = False
    since: int | None = None


@dataclass(slots=True)
class Tally:
    """What has become of the entries so far."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    message: Text | None = None
    waiting: list[LoadedAccount] = field(default_factory=list)

    def counts(self, staging: Staging) -> Counts:
        return Counts(staging.entries, self.added, self.changed, self.unchanged, self.removed, staging.refusals)


class RunningImport:
    """Does one ``Job``. Progress goes to ``progress``, which may raise to end it."""

    def __init__(self, job: Job, stored: StoredAccounts, loader: Loader, at: int, *, progress: Progress) -> None:
        self._job = job
        self._stored = stored
        self._loader = loader
        self._at = at
        self._progress = progress
        self._salt = salt_of(job.plan)
        self._staging = Staging()
        self._tally = Tally()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="import-writer")
        self._underway: deque[Future[None]] = deque()

    def __enter__(self) -> "RunningImport":
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.shutdown(cancel_futures=True)
        self._staging.close()

    @property
    def message(self) -> Text:
        """What was left undone on purpose, in a sentence or two for people; empty where nothing was."""
        done, unused = self._tally.message, sentence(self.unused)
        if done and unused:
            return Text("{first} {second}", first=done, second=unused)
        return done or unused or verbatim("")

    @property
    def unused(self) -> Sequence[tuple[str, str]]:
        """The columns that were not understood: (place, column)."""
        return unused_columns(self._job.source)

    def counts(self) -> Counts:
        """Return how much was done so far."""
        return self._tally.counts(self._staging)

    def refused(self, limit: int = -1) -> Iterator[Refused]:
        """Return what was not taken, at most ``limit``."""
        return self._staging.refused(limit)

    def do(self) -> None:
        """Read it all, write what changed, remove what is gone. Raises ``SourceError``: then nothing was written."""
        self._read()
        self._write()
        if self._job.full:
            self._remove()

    def _read(self) -> None:
        for batch in _batches(self._job.source.entries(self._job.since)):
            self._staging.add([said for said in batch if isinstance(said, Entry)])
            if refused := [said for said in batch if isinstance(said, Refused)]:
                self._staging.refuse(refused)
            self._progress("reading", self._staging.entries, self._job.source.share())

    def _write(self) -> None:
        total = max(1, self._staging.entries)
        done = 0
        for batch in _batches(self._staging.accounts()):
            self._compare(batch)
            done += sum(map(len, batch))
            self._progress("writing", done, done / total)
        self._flush(left=0)

    def _compare(self, batch: Sequence[Sequence[Entry]]) -> None:
        known = self._stored.known(self._job.tenant, [entries[0].code for entries in batch])
        for entries in batch:
            self._judge(entries, known.get(entries[0].code))
        if len(self._tally.waiting) >= AT_ONCE:
            self._flush()

    def _judge(self, told: Sequence[Entry], known: Known | None) -> None:
        entries, others = of_one_person(told)
        if others:
            self._staging.refuse(others)
        name = name_of(entries) or (known.name if known else "")
        if not name:
            self._staging.refuse([Refused(entry.place, Reason.NO_NAME, entry.code) for entry in entries])
            return
        digest = digest_of(name, entries, self._salt)
        same = known is not None and known.digest == digest and known.source == self._job.name
        if not same or (known and known.refused):
            account, refused = account_of(name, entries, digest, self._job.plan)
            if refused:
                self._staging.refuse(refused)
            if not same:
                self._tally.waiting.append(account)
        self._count(known, same)

    def _count(self, known: Known | None, same: bool) -> None:
        if known is None:
            self._tally.added += 1
        elif same:
            self._tally.unchanged += 1
        else:
            self._tally.changed += 1

    def _flush(self, *, left: int = AHEAD) -> None:
        """Hand on what waits, to be written while the next accounts are read; wait until only ``left`` remain."""
        written = self._writer.submit(
            self._loader.write, self._job.tenant, self._job.name, self._tally.waiting, self._at
        )
        self._tally.waiting = []
        self._underway.append(written)
        while len(self._underway) > left:
            self._underway.popleft().result()

    def _remove(self) -> None:
        """Remove the source's own accounts of which it no longer speaks; unless that would be most of them."""
        if (lost := self._staging.count_lost()) and not self._job.force:
            self._tally.message = counted(
                "{count} line could not be read, and it is not known of which account it is; no account was removed. "
                "Correct that line, or import by hand with --force.",
                "{count} lines could not be read, and it is not known of which accounts they are; no account was "
                "removed. Correct these lines, or import by hand with --force.",
                lost,
            )
            return
        self._staging.index_codes()
        total = 0
        for page in self._stored.codes_of(self._job.tenant, self._job.name):
            total += len(page)
            lacking = self._staging.lacks(list(page))
            self._staging.mark_gone(page[code] for code in lacking)
        gone = self._staging.count_gone()
        if gone > FEW and gone > MOST_REMOVED * total and not self._job.force:
            self._tally.message = Text(
                "{gone} of {total} accounts are no longer in the source; none was removed. If that is right, import by "
                "hand with --force.",
                gone=Quantity(gone),
                total=Quantity(total),
            )
            return
        for ids in self._staging.gone(AT_ONCE):
            self._tally.removed += self._loader.remove(self._job.tenant, ids)
            self._progress("removing", self._tally.removed, self._tally.removed / gone)


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, AT_ONCE)):
        yield batch
