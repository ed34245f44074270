"""``sources``: the webhooks of cloud exchanges, and what their mappings make of a request."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import tomli_w
from pydantic import TypeAdapter, ValidationError

from gateway.cli.place import DataLocation, one_tenant, with_place, with_tenant
from gateway.cli.speech import _, said, translated
from gateway.cli.terminal import cell, tell, tell_json
from gateway.errors import ConfigError
from gateway.mapping.bodies import WebhookRequest
from gateway.mapping.events import Interpretation, MappedEvent, iso
from gateway.mapping.explained import rows
from gateway.mapping.guessing import guess, written
from gateway.mapping.requests import parsed_request
from gateway.texts.text import Text

LAST = 10
"""Requests that are looked at where no file is given."""

if TYPE_CHECKING:
    from gateway.config.webhook_sources import WebhookSource
    from gateway.events.lines.learning import Column


@click.group("sources", invoke_without_command=True)
@with_tenant
@with_place
@click.pass_context
def sources_command(context: click.Context, place: DataLocation, tenant: str | None) -> None:
    """List the sources of call events: webhooks with their addresses, others with their kind.

    'sources test' shows what a source's mapping makes of a saved request.
    """
    context.obj = place, tenant
    if context.invoked_subcommand is None:
        _list(place, tenant)


def _list(place: DataLocation, tenant: str | None) -> None:
    from gateway.config.webhook_sources import sources_of

    config = place.load()
    chosen = [one_tenant(config, tenant)] if tenant else list(config.tenants)
    found = [(name, source) for name in chosen for source in sources_of(config.tenants[name]).values()]
    if not any(config.tenants[name].sources for name in chosen):
        hint = Text('Add one: [tenants.{name}.sources.cloud] with kind = "webhook"; docs/webhooks.md.', name=chosen[0])
        raise ConfigError(Text("there are no sources of events."), hint=hint)
    for name in chosen:
        for key, other in config.tenants[name].event_sources.items():
            click.echo(cell("  ".join((f"{name:12}", f"{key:16}", f"{other.kind:26}", other.title)).rstrip()))
    for name, source in found:
        settings = config.tenants[name].webhooks[source.name]
        read_by = settings.preset or ("mapping" if settings.mapping else _("no mapping yet"))
        title = source.title if source.title != source.name else ""
        click.echo(
            cell(
                "  ".join(
                    (f"{name:12}", f"{source.name:16}", f"/t/{name}/in/{source.name:20}", read_by, title)
                ).rstrip()
            )
        )


@sources_command.command("test")
@click.argument("name")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--raw", is_flag=True, help="FILE holds a whole request: its first line, headers, empty line, body.")
@click.option("--query", default="", metavar="TEXT", help="What stands behind the ? of the address.")
@click.option("--tail", default="", metavar="PATH", help="What stands behind /in/NAME/ in the address.")
@click.option("--guess", "guesses", is_flag=True, help="Print a mapping to start from, though the source has one.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@with_tenant
@with_place
@click.pass_context
def sources_test(
    context: click.Context,
    place: DataLocation,
    name: str,
    files: tuple[str, ...],
    raw: bool,
    query: str,
    tail: str,
    guesses: bool,
    as_json: bool,
    tenant: str | None,
) -> None:
    """Show what the source NAME makes of the requests in FILE ('-' is standard input); nothing is stored.

    Without FILE: of the last requests in the traffic log. A source without a mapping gets one to start from. The exit
    code is 1 where no event was made.
    """
    above, tenant_above = context.obj
    place = place if place.config_path or place.data else above
    tenant, source = _source(place, tenant or tenant_above, name)
    requests = {file: _request(file, raw=raw, query=query, tail=tail) for file in files} or _last(place, tenant, source)
    if guesses or source.mapping is None:
        tell(_("# A mapping to start from, guessed: look at each line."), err=True)
        tell(written(guess(list(requests.values())), tenant, source.name))
        return
    made = {title: source.read(request) for title, request in requests.items()}
    _show_json(made.values()) if as_json else _show(made)
    sys.exit(0 if all(each.events or each.ignored for each in made.values()) else 1)


def _last(place: DataLocation, tenant: str, source: "WebhookSource") -> dict[str, WebhookRequest]:
    """Return the last requests of a source that were kept whole, the oldest first."""
    from gateway.store.traffic import IN, TrafficFilter

    with place.open_existing() as gateway:
        wanted = TrafficFilter(way=IN, operation=source.operation)
        found = gateway.traffic.search(tenant, wanted, limit=LAST) if gateway.traffic else ()
    requests = {f"{each.id} {iso(each.at)}": parsed_request(each.request) for each in reversed(found) if each.whole}
    if not requests:
        raise click.ClickException(_("The traffic log has no request to {name!r}: give a FILE.", name=source.name))
    return requests


def _source(place: DataLocation, asked: str | None, name: str) -> "tuple[str, WebhookSource]":
    from gateway.config.webhook_sources import sources_of

    config = place.load()
    tenant = one_tenant(config, asked)
    found = sources_of(config.tenants[tenant])
    if name not in found:
        known = ", ".join(found) or "-"
        raise ConfigError(Text("there is no source {name!r} of events; configured: {known}.", name=name, known=known))
    return tenant, found[name]


def _request(file: str, *, raw: bool, query: str, tail: str) -> WebhookRequest:
    data = sys.stdin.buffer.read() if file == "-" else _read(Path(file))
    if raw:
        return parsed_request(data)
    return WebhookRequest(body=data, query=query, tail=tail, method="POST" if data else "GET")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise click.ClickException(
            _("{path}: cannot be read ({reason}).", path=str(path), reason=error.strerror)
        ) from None


def _show(made: Mapping[str, Interpretation]) -> None:
    for title, each in made.items():
        if len(made) > 1:
            tell(f"=== {title}")
        tell("\n".join(lines(each)))


def lines(made: Interpretation) -> Iterator[str]:
    """Yield what was made of a request: each event with its values, then what was not understood or found."""
    for event in made.events:
        yield from _event(event)
    if made.ignored:
        yield _("ignored: nothing is wanted of this event")
    yield from (f"! {said(problem)}" for problem in made.problems)
    yield from (f"? {said(note)}" for note in made.notes)


def _event(event: MappedEvent) -> Iterator[str]:
    found = list(rows(event))
    name, value = (max((len(row[at]) for row in found), default=0) for at in (0, 1))
    yield event.kind
    for row in found:
        yield cell(f"  {row.name:{name}} {row.value:{min(value, 40)}}  {row.origin}".rstrip())
    if event.missing:
        yield "  " + _("not found: {names}", names=", ".join(event.missing))


def _show_json(made: Iterable[Interpretation]) -> None:
    for each in made:
        tell_json(
            {
                "events": [event.shown() | {"missing": list(event.missing)} for event in each.events],
                "ignored": each.ignored,
                "problems": [str(problem) for problem in each.problems],
                "notes": [str(note) for note in each.notes],
            }
        )


@sources_command.command("learn")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--timezone", default="America/Sao_Paulo", help="Zone of the times in the lines.", show_default=True)
def sources_learn(file: str, timezone: str) -> None:
    """Show captured lines of an exchange (SMDR, CDR) below a ruler, the presets that read them, and a guess.

    What is printed last is a description to start from: docs/lines.md.
    """
    from zoneinfo import ZoneInfo

    from gateway.clock import milliseconds
    from gateway.config.values import Timezone
    from gateway.events.lines.learning import description_of, learn, ruler

    try:
        zone = ZoneInfo(TypeAdapter(Timezone).validate_python(timezone))
    except ValidationError:
        raise click.UsageError(_("{zone!r} is no time zone, such as America/Sao_Paulo.", zone=timezone)) from None
    learnt = learn(sys.stdin.buffer.read() if file == "-" else _read(Path(file)), milliseconds(), zone)
    if not learnt.lines:
        raise click.ClickException(_("There are no lines in {path}.", path=file))
    tell("\n".join(ruler(learnt.lines)) + "\n")
    for fit in learnt.fits:
        tell(_("preset {name}: {events} events, {unread} lines not understood", **fit._asdict()))
    tell("\n" + "\n".join(_columns(learnt.columns)) + "\n")
    tell(_("# A description to start from, guessed: look at each line."), err=True)
    table = {"tenants": {"default": {"sources": {"pabx": {"kind": "lines", "description": description_of(learnt)}}}}}
    tell(tomli_w.dumps(table))


def _columns(columns: "Sequence[Column]") -> Iterator[str]:
    """Yield the columns as they were found, each with what it may be and some of what stands in it."""
    for column in columns:
        some = ", ".join(dict.fromkeys(value for value in column.values if value))[:60]
        yield cell(f"  {column.where:9} {column.field or '?':12} {some}")


@sources_command.command("lines")
@click.argument("name", required=False)
@click.option("--test", "tests", is_flag=True, help="Run the tests that stand in them.")
@with_place
def sources_lines(place: DataLocation, name: str | None, tests: bool) -> None:
    """List the presets of lines (kind = "lines"), or show the one called NAME."""
    from gateway.config.loader import presets_in
    from gateway.events.lines import catalogue
    from gateway.events.lines.trials import trials

    folder = presets_in(Path(place.config_path)) if place.config_path else None
    names = [name] if name else catalogue.names(folder)
    failed = False
    for each in names:
        found = catalogue.description(each, folder)
        evidence = translated(found.verified.how) if found.verified else ""
        click.echo(cell(f"  {each:24} {evidence:30} {translated(found.title)}"))
        for line in (*found.setup, *(found.verified.unknown if found.verified else ())) if name else ():
            click.echo(f"    - {translated(line)}")
        for title, problems in trials(found) if tests else ():
            failed = failed or bool(problems)
            click.echo(f"    {'FAIL' if problems else 'ok'}  {title}")
            for problem in problems:
                click.echo(f"          {said(problem)}")
    sys.exit(1 if failed else 0)
