"""``import``: the directory, from files by hand or from the sources in the configuration."""

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import click

from gateway.cli.place import DataLocation, one_tenant, with_place, with_tenant
from gateway.cli.speech import _, language, said
from gateway.cli.terminal import cell, tell
from gateway.directory.columns import check_mapping
from gateway.directory.run import Job
from gateway.directory.sheet import SheetConfig, Sheets, SheetSource
from gateway.directory.sources import job_of
from gateway.errors import ConfigError, GatewayError
from gateway.server.companies import tenants
from gateway.server.gateway import Gateway
from gateway.source import Reason, kept_fields
from gateway.store.imports.runs import ImportRun
from gateway.texts.text import Text, counted, problem_of

SHOWN_REFUSALS = 20
BY_HAND = "csv"
STEP_S = 0.1


@click.group("import")
def import_command() -> None:
    """Bring in the directory: accounts with their contacts and numbers."""


def _mapping(_context: Any, _parameter: Any, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.rpartition("=") for text in given]
    mapping = {column: field for column, _, field in pairs}
    try:
        check_mapping(mapping)
    except ValueError as error:
        raise click.BadParameter(_("{problem}. Expected COLUMN=FIELD.", problem=problem_of(error))) from None
    return mapping


def _fields(_context: Any, _parameter: Any, given: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(kept_fields(given))
    except ValueError as error:
        raise click.BadParameter(said(problem_of(error))) from None


@import_command.command("accounts")
@click.argument("files", type=click.Path(path_type=Path, dir_okay=False, exists=True), nargs=-1, required=True)
@click.option("--map", "columns", multiple=True, callback=_mapping, metavar="COLUMN=FIELD", help="What a column is.")
@click.option(
    "--identifier",
    "identifiers",
    multiple=True,
    metavar="COLUMN",
    help="A column that names accounts, such as matricula.  [default: cpf, cnpj, contrato]",
)
@click.option(
    "--field",
    "fields",
    multiple=True,
    callback=_fields,
    metavar="COLUMN",
    help="A column to keep and show, such as city.",
)
@click.option("--replace", is_flag=True, help="Remove accounts that came by hand before and are not in FILES.")
@click.option("--force", is_flag=True, help="With --replace: even when that is more than half of them.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write all refused lines here (CSV).")
@with_tenant
@with_place
def import_accounts(
    place: DataLocation,
    files: tuple[Path, ...],
    columns: dict[str, str],
    identifiers: tuple[str, ...],
    fields: tuple[str, ...],
    replace: bool,
    force: bool,
    report: Path | None,
    tenant: str | None,
) -> None:
    """Load accounts with their contacts and numbers from FILES, CSV with a header line.

    Columns by name, in any order: codigo (or code, id), nome (name), contato (contact), and any number of telefone,
    celular, fax, phone …, with their area codes in ddd …; other names by --map 'Fone Resid.=phone'. FIELD is code,
    name, surname, contact, phone, area (the DDD of phone), owner (who looks after it), cpf, cnpj, contrato, ignore, or
    contact1, phone1 and area1 (to 9) for a person and that person's numbers. Columns that were not used are named;
    --field keeps one to be shown with the account, whatever else it is.
    Lines with one code are one account, wherever they stand, also in several files. Separator ';', ',' or tab; UTF-8,
    UTF-16 or Windows-1252.

    Safe to repeat: what did not change is not written again. Nothing is removed without --replace. Refused lines are
    listed on standard error.
    """
    with place.open() as gateway:
        name = one_tenant(gateway.config, tenant)
        settings: dict[str, Any] = {"columns": columns, "identifiers": identifiers or None}
        settings["fields"] = kept_fields(fields)
        several = len(files) > 1
        sheets = [SheetSource(SheetConfig(path=file, **settings), name=BY_HAND, among=several) for file in files]
        job = Job(
            name, BY_HAND, Sheets(sheets, fields), tenants(gateway.config)[name].numbers, full=replace, force=force
        )
        _run(gateway, job, "csv", report)


@import_command.command("run")
@click.argument("name", required=False)
@click.option("--force", is_flag=True, help="Remove what is gone even when that is more than half of the accounts.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write all refused lines here (CSV).")
@with_tenant
@with_place
def import_run(place: DataLocation, name: str | None, force: bool, report: Path | None, tenant: str | None) -> None:
    """Import now from the source NAME of the configuration ([tenants.T.directory.NAME]), or from all of them."""
    with place.open() as gateway:
        company = one_tenant(gateway.config, tenant)
        configured = gateway.config.tenants[company].directory
        if name is not None and name not in configured:
            hint = Text("Configured: {known}.", known=", ".join(configured))
            raise ConfigError(Text("{company!r} has no source {name!r}.", company=company, name=name), hint=hint)
        if not configured:
            hint = Text("Write [tenants.{company}.directory.NAME].", company=company)
            raise ConfigError(Text("{company!r} has no sources.", company=company), hint=hint)
        failed = [one for one in ([name] if name else configured) if not _try(gateway, company, one, force, report)]
    sys.exit(1 if failed else 0)


def _try(gateway: Gateway, tenant: str, name: str, force: bool, report: Path | None) -> bool:
    try:
        table = gateway.config.tenants[tenant].directory[name]
        plan = tenants(gateway.config)[tenant].numbers
        job = job_of(tenant, name, table, plan, gateway.importer.imports, force=force)
        _run(gateway, job, table.source, report)
    except GatewayError as error:
        tell(f"{name}: {error.said(language())}", err=True)
        return False
    return True


@import_command.command("list")
@with_tenant
@with_place
def import_list(place: DataLocation, tenant: str | None) -> None:
    """List the last imports: when, source, state, what changed, and why one failed."""
    with place.open() as gateway:
        company = one_tenant(gateway.config, tenant)
        for run in gateway.importer.imports.last(company):
            began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.started_at / 1000))
            click.echo(cell(f"{began}  {run.source}  {run.state}  {_changes(run)}  {said(run.told)}".rstrip()))


def _run(gateway: Gateway, job: Job, kind: str, report: Path | None) -> None:
    with _Bars() as progress:
        run = gateway.importer.run(job, kind, report=report, progress=progress)
    total = gateway.directory.count_accounts(job.tenant)
    read = counted("{count} lines read", "{count} lines read", run.counts.entries)
    has = counted(
        "{tenant!r} now has {count} accounts", "{tenant!r} now has {count} accounts", total, tenant=job.tenant
    )
    click.echo(f"{job.name}: {said(read)}; {_changes(run)}; {said(has)}")
    if run.message:
        tell(said(run.told), err=True)
    for refused in run.refusals[:SHOWN_REFUSALS]:
        reason = Reason(refused["reason"]).text
        quoted = f"{refused['text']!r} " if refused["text"] else ""
        tell(f"{refused['place']}: {quoted}{said(reason)}", err=True)
    if run.counts.refused:
        all_of_them = counted("{count} refused in all", "{count} refused in all", run.counts.refused)
        there = Text("{refused}, all of them in {report}", refused=all_of_them, report=str(report))
        click.echo(said(there if report else all_of_them), err=True)


def _changes(run: ImportRun) -> str:
    """Return what an import did; its English is alike for one and for several, as scripts know it."""
    counts = run.counts
    parts = (
        counted("{count} accounts added", "{count} accounts added", counts.added),
        counted("{count} changed", "{count} changed", counts.changed),
        counted("{count} unchanged", "{count} unchanged", counts.unchanged),
        counted("{count} removed", "{count} removed", counts.removed),
        counted("{count} lines refused", "{count} lines refused", counts.refused),
    )
    return ", ".join(map(said, parts))


class _Bars:
    """A progress bar for each thing that is done; lengths are known in thousandths only."""

    WORDS: ClassVar[dict[str, Text]] = {
        "reading": Text("reading"),
        "writing": Text("writing"),
        "removing": Text("removing"),
    }

    def __init__(self) -> None:
        self._what = ""
        self._bar: Any = None
        self._next_at = 0.0

    def __enter__(self) -> "_Bars":
        return self

    def __call__(self, what: str, done: int, share: float | None) -> None:
        if what != self._what:
            self._close()
            self._what = what
            self._bar = click.progressbar(length=1000, label=f"{said(self.WORDS[what]):8}", file=sys.stderr, width=30)
            self._bar.__enter__()
        if share is not None and (time.monotonic() > self._next_at or share >= 1):
            self._next_at = time.monotonic() + STEP_S
            self._bar.update(max(0, round(share * 1000) - self._bar.pos))

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.update(1000 - self._bar.pos)
            self._bar.__exit__(None, None, None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._close()
        elif self._bar is not None:
            click.echo(err=True)
