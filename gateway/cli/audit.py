"""``audit``: who did what, in a terminal."""

import csv
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from gateway.cli.calls import moment
from gateway.cli.place import DataLocation, one_tenant, with_place, with_tenant
from gateway.cli.speech import language
from gateway.cli.terminal import cell, tell_json
from gateway.domain.audit import NAMES, AuditAction, AuditEntry
from gateway.domain.spreadsheets import harmless
from gateway.store.audit import AuditFilter
from gateway.store.calls import iso
from gateway.texts.rendering import render

FIELDS = ("id", "tenant", "at", "login", "client", "action", "subject", "detail")


@click.command("audit")
@with_tenant
@click.option("--login", help="Only what this login did.")
@click.option("--action", type=click.Choice([action.value for action in AuditAction]), help="Only this action.")
@click.option("--subject", help="Only what was done with this: a call's id, a login.")
@click.option("--since", metavar="WHEN", help="2026-03-05, '2026-03-05 14:30', or an age: 30m, 2h, 7d.")
@click.option("--until", metavar="WHEN", help="The same forms.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many at most.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@with_place
def audit_command(
    place: DataLocation,
    tenant: str | None,
    login: str | None,
    action: str | None,
    subject: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    form: str,
) -> None:
    """Print the audit log, oldest first: who logged in, listened, exported, corrected and changed what."""
    with place.open_existing() as gateway:
        chosen = one_tenant(gateway.config, tenant) if tenant else None
        zone = ZoneInfo(gateway.config.tenants[chosen or next(iter(gateway.config.tenants))].timezone)
        wanted = AuditFilter(login, action, subject, moment(since, zone), moment(until, zone))
        found = reversed(gateway.audit.newest(chosen, wanted, limit=limit))
        if form == "csv":
            click.echo(";".join(FIELDS))
        for entry in found:
            _print(entry, form, zone)


def _print(entry: AuditEntry, form: str, zone: ZoneInfo) -> None:
    plain = {name: getattr(entry, name) for name in FIELDS} | {"at": iso(entry.at)}
    if form == "json":
        tell_json(plain)
    elif form == "csv":
        _print_csv([str(value) for value in plain.values()])
    else:
        at = datetime.fromtimestamp(entry.at / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")
        words = render(NAMES[entry.action], language()) if entry.action in NAMES else entry.action
        parts = (f"{entry.id:>7}", at, f"{entry.tenant:10}", f"{entry.login:15}", f"{entry.client:15}", words)
        click.echo(cell("  ".join((*parts, entry.subject, entry.detail)).rstrip()))


def _print_csv(cells: list[str]) -> None:
    csv.writer(sys.stdout, delimiter=";", lineterminator="\n").writerow([harmless(each) for each in cells])
