"""``traffic``: the traffic log in a terminal."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from gateway.cli.calls import ROW_ID, moment
from gateway.cli.place import DataLocation, one_tenant, with_place, with_tenant
from gateway.cli.speech import _, language
from gateway.cli.terminal import cell, tell, tell_data, tell_json
from gateway.store.shared.exchange_index import IndexedExchange
from gateway.store.traffic import IN, OUT, TrafficEntry, TrafficFilter
from gateway.traffic.remarks import said


@click.command("traffic")
@with_tenant
@click.option("--id", "entry_id", type=ROW_ID, help="Print this entry whole, request and answer as they went.")
@click.option("--call", "call_id", type=ROW_ID, help="Only those of this call.")
@click.option("--client", "peer", metavar="NAME", help="Only this client's address, appliance or forward.")
@click.option("--way", type=click.Choice([IN, OUT]), help="Only what came in, or only what was sent out.")
@click.option("--failed", is_flag=True, help="Only those that were not answered with success.")
@click.option("--since", metavar="WHEN", help="2026-03-05, '2026-03-05 14:30', or an age: 30m, 2h, 7d.")
@click.option("--until", metavar="WHEN", help="The same forms.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at most.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_place
def traffic_command(
    place: DataLocation,
    tenant: str | None,
    entry_id: int | None,
    call_id: int | None,
    peer: str | None,
    way: str | None,
    failed: bool,
    since: str | None,
    until: str | None,
    limit: int,
    form: str,
) -> None:
    """Print the traffic log, oldest first: what came in and was answered, what was sent and came back.

    Without --tenant also requests are shown whose company could not be told. Secrets are masked.
    """
    with place.open_existing() as gateway:
        if gateway.traffic is None:
            raise click.ClickException(_("The traffic log is off: set record = true under [traffic]."))
        chosen = one_tenant(gateway.config, tenant) if tenant else None
        zone = ZoneInfo(gateway.config.tenants[chosen or next(iter(gateway.config.tenants))].timezone)
        if entry_id is not None:
            _print_whole(gateway.traffic.get(chosen, entry_id), entry_id)
            return
        wanted = TrafficFilter(
            way=way,
            peer=peer,
            call_id=call_id,
            since=moment(since, zone),
            until=moment(until, zone),
            failed=failed,
        )
        found = list(reversed(gateway.traffic.search(chosen, wanted, limit=limit)))
        _print_json(found) if form == "json" else _print_table(found, zone)
        if call_id is not None:
            _tell_of_others(gateway.traffic.elsewhere(chosen, call_id))


def _tell_of_others(others: Sequence[IndexedExchange]) -> None:
    """Say which other nodes have requests of the call, beside the data."""
    for (node, url), count in Counter((item.node, item.url) for item in others).items():
        where = f"{node} ({url})" if url else node
        more = _("{count} more in the traffic log of node {node}", count=count, node=where)
        tell(f"# {more}", err=True)


def _print_whole(found: TrafficEntry | None, wanted: int) -> None:
    if found is None:
        raise click.ClickException(_("There is no entry {id} (any more).", id=wanted))
    if note := said(found, language()):
        tell(f"# {note}", err=True)
    tell_data(found.request + (b"" if found.request.endswith(b"\n") else b"\n"))
    tell_data(found.answer or found.status)


def _print_json(found: Sequence[TrafficEntry]) -> None:
    for item in found:
        plain = {name: getattr(item, name) for name in TrafficEntry.__dataclass_fields__}
        for side in ("request", "answer"):
            plain[side] = plain[side].decode("utf-8", "backslashreplace")
        plain["remarks"] = [remark._asdict() for remark in item.remarks or ()]
        tell_json(plain)


def _print_table(found: Sequence[TrafficEntry], zone: ZoneInfo) -> None:
    for item in found:
        at = datetime.fromtimestamp(item.at / 1000, zone).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        call = _("call {id}", id=item.call_id) if item.call_id else ""
        took = f"{item.took_us / 1000:.1f} ms"
        parts = (f"{item.id:>7}", at, f"{item.way:3}", f"{item.tenant or '-':10}", f"{item.peer:15}", f"{item.wire:7}")
        rest = (f"{item.operation or '-':15}", f"{item.status:26}", f"{took:>9}", call, said(item, language()))
        click.echo(cell("  ".join((*parts, *rest)).rstrip()))
