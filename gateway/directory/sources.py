"""The sources that a configuration names, ready to be imported."""

from gateway import source as sources
from gateway.config.tables import DirectorySettings
from gateway.directory.run import Job
from gateway.domain.numbering.numbers import NumberPlan
from gateway.source import Source
from gateway.store.imports.runs import Imports

OVERLAP_MS = 60_000
"""Sources' clocks are not ours: what changed up to a minute before the last run began is asked for again."""


def open_source(name: str, table: DirectorySettings) -> Source:
    """Return the source of ``[tenants.T.directory.NAME]``. Raises ``ConfigError`` when its settings do not fit
    together.
    """
    return sources.load(table.source)(table.settings, name=name)


def job_of(
    tenant: str, name: str, table: DirectorySettings, plan: NumberPlan, imports: Imports, *, force: bool = False
) -> Job:
    """Return what importing that source now means: everything, or what changed since the last run that
    came to its end.
    """
    source = open_source(name, table)
    last = imports.last_success(tenant, name) if source.incremental else None
    since = last - OVERLAP_MS if last is not None else None
    return Job(tenant, name, source, plan, full=table.full and not source.incremental, force=force, since=since)
