"""``calls``: the call log for people, spreadsheets and scripts."""

import csv
import io
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import click

from gateway.cli.place import DataLocation, one_tenant, with_place, with_tenant
from gateway.cli.speech import _, language, said
from gateway.cli.terminal import cell, tell, tell_data, tell_json
from gateway.desk.exports import as_xlsx, sheet_for_programs
from gateway.desk.filters import searched
from gateway.desk.search_box import SearchReader
from gateway.domain.calls.results import Result
from gateway.domain.spreadsheets import harmless
from gateway.errors import BadParameter
from gateway.server.gateway import Gateway
from gateway.store.call_fields import LOG_FIELDS
from gateway.store.calls import CallFilter, LoggedCall
from gateway.texts.text import Text, in_context

COLUMNS: Mapping[str, Text] = {
    "id": Text("id"),
    "tenant": Text("tenant"),
    "direction": Text("direction"),
    "extension": Text("extension"),
    "number": Text("number"),
    "account": Text("account"),
    "started_at": Text("started_at"),
    "duration_s": Text("duration_s"),
    "status": Text("status"),
    "result": Text("result"),
    "missed": in_context("of one call", "missed"),
    "ring_s": Text("ring_s"),
    "answered_by": Text("answered_by"),
}
"""Fields of the table, and what stands above them: in English their names, as scripts know them."""
ROW_ID = click.IntRange(1, 2**53)
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@click.command("calls", epilog=f"JSON, CSV: {', '.join(LOG_FIELDS)}")
@with_tenant
@click.option("--since", metavar="WHEN", help="2026-03-05, '2026-03-05 14:30', or an age: 30m, 2h, 7d.")
@click.option("--until", metavar="WHEN", help="The same forms; calls before it.")
@click.option("--extension", help="Only this extension.")
@click.option(
    "--result",
    "results",
    type=click.Choice([result.value for result in Result]),
    multiple=True,
    help="Only calls that ended so; may be given several times.",
)
@click.option(
    "--search", metavar="TEXT", help="Only calls in which this stands, as on the desk; the newest come first."
)
@click.option("--missed", is_flag=True, help="Only calls whose callers reached nobody.")
@click.option(
    "--consultations", is_flag=True, help="With consultations among extensions, which are a part of another call."
)
@click.option(
    "--why", "call_id", type=ROW_ID, metavar="ID", help="Explain this call: why it came up on a screen, or not."
)
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json", "xlsx"]), default="table", show_default=True
)
@with_place
def calls_command(
    place: DataLocation,
    tenant: str | None,
    since: str | None,
    until: str | None,
    extension: str | None,
    results: tuple[str, ...],
    search: str | None,
    missed: bool,
    consultations: bool,
    call_id: int | None,
    form: str,
) -> None:
    """Print the call log, oldest first; or, with --why, what happened to one call.

    JSON is one object per line, with the fields named below. Times are ISO 8601, UTC; direction is incoming, outgoing
    or internal; status is ringing, talking, ended, lost, elsewhere, over, or an order's outcome; result says how it
    ended as a code, result_text in the exchange's words; recording_url has http and https only; answered_by is an
    extension, ring_s the seconds until the answer and talk_s those from it on; missed: the caller reached nobody.
    """
    with place.open_existing() as gateway:
        if call_id is not None:
            explain(gateway, tenant, call_id, form)
            return
        chosen = one_tenant(gateway.config, tenant) if tenant else None
        zone = ZoneInfo(gateway.config.tenants[chosen or next(iter(gateway.config.tenants))].timezone)
        wanted = CallFilter(extension=extension, missed=missed or None, results=results, consultations=consultations)
        wanted = replace(wanted, since=moment(since, zone), until=moment(until, zone))
        found: Iterable[LoggedCall] = gateway.calls.pages(chosen, wanted)
        if search is not None:
            names = [chosen] if chosen else list(gateway.config.tenants)
            found = chain.from_iterable(_searched(gateway, name, wanted, search) for name in names)
        WRITERS[form](found, zone)


def _searched(gateway: Gateway, tenant: str, wanted: CallFilter, search: str) -> Iterable[LoggedCall]:
    """Return the calls of ``tenant`` in which ``search`` stands. Raises ``ClickException`` where a part of it says
    nothing.
    """
    zone = ZoneInfo(gateway.config.tenants[tenant].timezone)
    reader = SearchReader(zone, datetime.now(zone).date(), language())
    try:
        return gateway.finder.every(tenant, searched(wanted, search, reader))
    except BadParameter as error:
        raise click.ClickException(error.said(reader.language)) from None


def explain(gateway: Gateway, tenant: str | None, call_id: int, form: str) -> None:
    """Print why a call did or did not come up. Raises ``ClickException`` when there is no such call."""
    names = [one_tenant(gateway.config, tenant)] if tenant else list(gateway.config.tenants)
    found = next((why for name in names if (why := gateway.explainer.explain(name, call_id))), None)
    if found is None:
        raise click.ClickException(_("There is no call {call}.", call=call_id))
    if form == "json":
        tell_json(found.as_json())
        return
    tell(_("call {id}: {verdict}", id=call_id, verdict=found.verdict))
    for link in found.links:
        mark = {True: click.style("ok  ", fg="green"), False: click.style("NO  ", fg="red"), None: "-   "}[link.ok]
        click.echo(f"  {mark}{link.name:10} {cell(said(link.said))}")


def moment(text: str | None, zone: ZoneInfo) -> int | None:
    """Return the milliseconds of a date, of a date with time (in ``zone`` unless it has its own), or of an age such as
    ``2h``. Raises ``click.BadParameter``.
    """
    if text is None:
        return None
    age = re.fullmatch(r"(\d+)([mhd])", text)
    try:
        at = datetime.now(zone) - timedelta(**{UNITS[age[2]]: int(age[1])}) if age else datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        problem = _("came {text!r}; expected 2026-03-05, '2026-03-05 14:30' or 2h", text=text)
        raise click.BadParameter(problem) from None
    return int((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp() * 1000)


def _as_json(calls: Iterable[LoggedCall], _zone: ZoneInfo) -> None:
    for call in calls:
        tell_json(call.as_json())


def _as_csv(calls: Iterable[LoggedCall], _zone: ZoneInfo) -> None:
    header = True
    for call in calls:
        plain = call.as_json()
        line = io.StringIO()
        writer = csv.writer(line, lineterminator="")
        if header:
            click.echo(",".join(plain))
        writer.writerow([_in_csv(value) for value in plain.values()])
        tell_data(line.getvalue())
        header = False


def _in_csv(value: Any) -> Any:
    """Return a field for a spreadsheet: extensions with spaces between, structures as JSON, empty ones as nothing."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return harmless(" ".join(value))
    if isinstance(value, dict | list):
        return harmless(json.dumps(value, ensure_ascii=False)) if value else ""
    return harmless(value) if isinstance(value, str) else value


def _as_table(calls: Iterable[LoggedCall], zone: ZoneInfo) -> None:
    rows = [[said(head) for head in COLUMNS.values()]]
    rows += [[_cell(call, column, zone) for column in COLUMNS] for call in calls]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _cell(call: LoggedCall, column: str, zone: ZoneInfo) -> str:
    value = getattr(call, column)
    if column == "started_at" and value is not None:
        return datetime.fromtimestamp(value / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")
    if column == "missed":
        return said(COLUMNS[column]) if value else "-"
    return "-" if value is None else cell(value)


def _as_xlsx(calls: Iterable[LoggedCall], zone: ZoneInfo) -> None:
    """Write a spreadsheet; a terminal would show nothing of use."""
    if sys.stdout.isatty():
        raise click.UsageError(_("An XLSX is no text: send it into a file (> calls.xlsx)."))
    with as_xlsx(calls, sheet_for_programs(zone, language())) as file:
        shutil.copyfileobj(file, sys.stdout.buffer)


WRITERS: Mapping[str, Callable[[Iterable[LoggedCall], ZoneInfo], None]] = {
    "xlsx": _as_xlsx,
    "json": _as_json,
    "csv": _as_csv,
    "table": _as_table,
}
