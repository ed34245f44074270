"""``forwards``: what CRMs and programs were told, what waits for them, and what was given up."""

from collections.abc import Callable, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from gateway.cli.calls import ROW_ID, moment
from gateway.cli.place import DataLocation, one_tenant, with_place, with_tenant
from gateway.cli.speech import _, said
from gateway.cli.terminal import cell, tell, tell_json
from gateway.clock import milliseconds
from gateway.errors import ConfigError
from gateway.store.letters.kept import KeptLetter, LetterFilter, LetterStanding
from gateway.store.letters.log import LetterLog
from gateway.texts.text import Text, counted

if TYPE_CHECKING:
    from gateway.server.gateway import Gateway

UNDELIVERED = (LetterStanding.WAITING, LetterStanding.SENDING, LetterStanding.DEAD)
"""What ``list`` shows that is not asked for more."""
WHO = "cti-gateway"


@click.group("forwards")
def forwards_command() -> None:
    """Look at what forwards were told, what waits and what was given up; send it again, or give it up."""


def _with_choice(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which letters are meant."""
    options = (
        click.option("--id", "ids", type=ROW_ID, multiple=True, help="This one; may be given several times."),
        click.option("--target", metavar="NAME", help="Only those of this forward."),
        click.option("--since", metavar="WHEN", help="2026-03-05, '2026-03-05 14:30', or an age: 30m, 2h, 7d."),
        click.option("--until", metavar="WHEN", help="The same forms."),
        click.option(
            "--state",
            "states",
            type=click.Choice([standing.value for standing in LetterStanding]),
            multiple=True,
            help="Only those that stand so; may be given several times.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return with_tenant(command)


@forwards_command.command("status")
@with_tenant
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_place
def forwards_status(place: DataLocation, tenant: str | None, form: str) -> None:
    """Print what each forward has: how many events wait, since when, and how many were given up."""
    with place.open_existing() as gateway:
        company = one_tenant(gateway.config, tenant)
        now = milliseconds()
        for (of, target), found in sorted(gateway.letters.counts().items()):
            if of == company:
                known = gateway.letters.is_known((of, target))
                waits_s = (now - found.oldest_at) // 1000 if found.oldest_at is not None else 0
                plain = {"waiting": found.waiting, "oldest_s": waits_s, "dead": found.dead}
                _print_status({"target": target, **plain, "known": known}, form)


def _print_status(plain: dict[str, Any], form: str) -> None:
    if form == "json":
        tell_json(plain)
        return
    line = _("{waiting} waiting, the oldest for {oldest_s} s; {dead} given up", **plain)
    orphaned = "" if plain["known"] else "  " + _("there is no forward of this name any more")
    click.echo(cell(f"{plain['target']:16}  {line}{orphaned}"))


@forwards_command.command("list")
@_with_choice
@click.option("--call", "call_id", type=ROW_ID, help="Only those of this call.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many at most.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_place
def forwards_list(
    place: DataLocation,
    tenant: str | None,
    ids: tuple[int, ...],
    target: str | None,
    since: str | None,
    until: str | None,
    states: tuple[str, ...],
    call_id: int | None,
    limit: int,
    form: str,
) -> None:
    """Print events for forwards, newest first; without --state those that were not delivered.

    JSON is one object a line, with the request and the answer of the last attempt that failed, secrets masked.
    """
    with place.open_existing() as gateway:
        company = one_tenant(gateway.config, tenant)
        zone = _zone(gateway, company)
        standings = tuple(map(LetterStanding, states)) or (() if ids or call_id else UNDELIVERED)
        wanted = LetterFilter(ids or None, target, standings, call_id, moment(since, zone), moment(until, zone))
        found = gateway.letters.search(company, wanted, limit=limit)
        for letter in found:
            tell_json(letter.as_json()) if form == "json" else tell(_line(letter, zone))


def _line(letter: KeptLetter, zone: ZoneInfo) -> str:
    at = datetime.fromtimestamp(letter.created_at / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")
    who = (f"{letter.fields.get('ramal', ''):6}", f"{letter.fields.get('telefone', ''):14}")
    state = f"{letter.standing.value}{f' ({letter.reason})' if letter.reason else ''}"
    parts = (f"{letter.id:>8}", at, f"{letter.target:12}", f"{letter.kind:16}", *who, f"{state:22}", said(letter.told))
    return cell("  ".join(parts).rstrip())


@forwards_command.command("retry")
@_with_choice
@click.option("--all", "everything", is_flag=True, help="All that were given up.")
@with_place
def forwards_retry(
    place: DataLocation,
    tenant: str | None,
    ids: tuple[int, ...],
    target: str | None,
    since: str | None,
    until: str | None,
    states: tuple[str, ...],
    everything: bool,
) -> None:
    """Send events again that were given up: one, all of a forward, or those of a window of time.

    Those of one call keep their order. Starts that are no news any more are sent again only by --id.
    """
    with place.open_existing() as gateway:
        company = one_tenant(gateway.config, tenant)
        wanted = _chosen(gateway, company, (ids, target, since, until, states), everything=everything)
        done = gateway.letters.send_again(company, wanted, milliseconds())
        click.echo(said(counted("{count} event is sent again", "{count} events are sent again", done.count)))
        if done.stale:
            left = counted(
                "{count} that is no news any more was left alone",
                "{count} that are no news any more were left alone",
                done.stale,
            )
            click.echo(said(left))


@forwards_command.command("drop")
@_with_choice
@click.option("--all", "everything", is_flag=True, help="All that wait or were given up.")
@with_place
def forwards_drop(
    place: DataLocation,
    tenant: str | None,
    ids: tuple[int, ...],
    target: str | None,
    since: str | None,
    until: str | None,
    states: tuple[str, ...],
    everything: bool,
) -> None:
    """Give up events that wait or were not delivered. They stay in the list as dropped, until they are let go of by
    age.
    """
    with place.open_existing() as gateway:
        company = one_tenant(gateway.config, tenant)
        wanted = _chosen(gateway, company, (ids, target, since, until, states), everything=everything)
        count = gateway.letters.drop(company, wanted, milliseconds(), WHO)
        click.echo(said(counted("{count} event was given up", "{count} events were given up", count)))


@forwards_command.command("move")
@click.argument("source")
@click.argument("target")
@with_tenant
@with_place
def forwards_move(place: DataLocation, source: str, target: str, tenant: str | None) -> None:
    """Hand the events that wait for the forward SOURCE, or were given up there, to the forward TARGET: it was renamed,
    or took the other's place.
    """
    with place.open_existing() as gateway:
        company = one_tenant(gateway.config, tenant)
        _check_target(gateway, company, target)
        if source == target:
            raise click.UsageError(_("SOURCE and TARGET are the same forward."))
        _check_source(gateway.letters, company, source)
        count = gateway.letters.move(company, source, target, milliseconds())
        moved = counted("{count} event was moved", "{count} events were moved", count)
        click.echo(said(moved))


def _check_target(gateway: "Gateway", company: str, target: str) -> None:
    configured = gateway.config.tenants[company].forwards
    if target not in configured:
        near = get_close_matches(target, configured, n=1)
        hint = Text("Did you mean {name!r}?", name=near[0]) if near else _known(configured)
        raise ConfigError(Text("{company!r} has no forward {name!r}.", company=company, name=target), hint=hint)


def _check_source(letters: LetterLog, company: str, source: str) -> None:
    having = [target for of, target in letters.counts() if of == company]
    if source not in having:
        near = get_close_matches(source, having, n=1)
        hint = Text("Did you mean {name!r}?", name=near[0]) if near else _known(having)
        raise ConfigError(Text("no events wait for {name!r}, and it is no forward.", name=source), hint=hint)


def _known(names: Any) -> Text:
    return Text("Known: {known}.", known=", ".join(names) or "-")


def _chosen(gateway: "Gateway", company: str, asked: Sequence[Any], *, everything: bool) -> LetterFilter:
    """Return the letters that are meant. Raises ``UsageError`` where nothing is said, since all would be meant then."""
    ids, target, since, until, states = asked
    if not (everything or any(asked)):
        raise click.UsageError(_("Say which: --id, --target, --since, --until, --state, or --all."))
    zone = _zone(gateway, company)
    standings = tuple(map(LetterStanding, states))
    return LetterFilter(ids or None, target, standings, None, moment(since, zone), moment(until, zone))


def _zone(gateway: "Gateway", company: str) -> ZoneInfo:
    return ZoneInfo(gateway.config.tenants[company].timezone)
