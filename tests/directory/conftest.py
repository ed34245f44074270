"""A directory in a temporary folder, and ways to fill it as sources would."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.adapter import Probe
from gateway.directory.importer import Importer
from gateway.directory.run import Job
from gateway.directory.sheet import SheetConfig, Sheets, SheetSource
from gateway.domain.numbering.numbers import Extensions, NumberPlan
from gateway.source import Entry, Refused
from gateway.store import tables
from gateway.store.imports.loading import Loader
from gateway.store.imports.runs import ImportRun, Imports
from gateway.store.imports.stored_accounts import StoredAccounts
from tests.store.conftest import T0, Store, open_store, store

__all__ = ["open_store", "store"]

PLAN = NumberPlan("47", Extensions.parse(["3500-3599"]))


@dataclass
class Said:
    """A source that says what it is told to, and fails at its end if it is to."""

    entries_: Sequence[Entry | Refused]
    error: Exception | None = None
    incremental: bool = False
    since: int | None = None
    closed: bool = False

    def probe(self) -> Probe:
        return Probe(True, "ok")

    def entries(self, since: int | None) -> Iterator[Entry | Refused]:
        self.since = since
        yield from self.entries_
        if self.error:
            raise self.error

    def share(self) -> float | None:
        return None

    def close(self) -> None:
        self.closed = True


@dataclass
class Office:
    """A directory and its importer."""

    folder: Path
    store: Store
    importer: Importer
    now: int = T0

    def sheet(self, *contents: bytes | str, **more: Any) -> ImportRun:
        """Import files by hand, as ``import accounts`` does."""
        paths = []
        for number, content in enumerate(contents):
            paths.append(self.folder / f"{number or ''}accounts.csv")
            paths[-1].write_bytes(content if isinstance(content, bytes) else content.encode())
        settings = {key: more.pop(key) for key in ("columns", "identifiers", "fields") if key in more}
        several = len(paths) > 1
        sheets = Sheets(
            [SheetSource(SheetConfig(path=path, **settings), name="csv", among=several) for path in paths],
            settings.get("fields", ()),
        )
        return self.take(sheets, **more)

    def take(self, source: Any, name: str = "csv", *, report: Path | None = None, **more: Any) -> ImportRun:
        self.now += 1000
        job = Job(more.pop("tenant", "acme"), name, source, more.pop("plan", PLAN), **more)
        return self.importer.run(job, "csv", report=report)

    def accounts(self, tenant: str = "acme") -> dict[str, tuple[str, dict[str | None, str]]]:
        """Code to name and numbers with their contacts."""
        accounts, phones = tables.accounts, tables.phones
        query = select(accounts.c.code, accounts.c.name, phones.c.number, phones.c.contact)
        query = query.join_from(accounts, phones, phones.c.account_id == accounts.c.id, isouter=True)
        found: dict[str, tuple[str, dict[str | None, str]]] = {}
        with self.store.engine.connect() as connection:
            for code, name, number, contact in connection.execute(query.where(accounts.c.tenant == tenant)):
                numbers = found.setdefault(code, (name, {}))[1]
                if number or contact is not None:
                    numbers[number] = contact
        return found

    def phones(self) -> list[Any]:
        with self.store.engine.connect() as connection:
            return list(connection.execute(select(tables.phones).order_by(tables.phones.c.id)))


@pytest.fixture
def office(tmp_path: Path, store: Store) -> Office:
    imports, stored = Imports(store.engine, store.journal), StoredAccounts(store.engine)
    office = Office(tmp_path, store, None)  # type: ignore[arg-type]
    office.importer = Importer(imports, stored, partial(Loader, store.database), clock=lambda: office.now)
    return office
