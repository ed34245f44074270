"""``init``, ``check``, ``config``, ``version``: setting a gateway up and looking at how it is set up."""

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version as installed
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click

from gateway import __version__
from gateway.adapter import Adapter, Outgoing, Probe, defect_of
from gateway.cli.cautions import cautions
from gateway.cli.check_lines import print_line
from gateway.cli.place import DataLocation, with_place
from gateway.cli.speech import _, language, said
from gateway.domain.event_fields import SAMPLE
from gateway.errors import GatewayError
from gateway.event_source import EventSource
from gateway.source import Source
from gateway.texts.text import Text, counted

if TYPE_CHECKING:
    from gateway.config.tables import Config
    from gateway.server.gateway import Gateway


Probed = Adapter | Source | EventSource


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
def init_command(folder: Path) -> None:
    """Write a commented gateway.toml into FOLDER (default: here). An existing file is never overwritten."""
    target = folder / "gateway.toml"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(files("gateway").joinpath("gateway.toml").read_text(encoding="utf-8"))
    except FileExistsError:
        raise click.ClickException(_("{file} exists already; nothing was written.", file=str(target))) from None
    click.echo(_("{file} written. Edit it, then: cti-gateway check --config {file}", file=str(target)))


@click.command("config")
@with_place
def config_command(place: DataLocation) -> None:
    """Print the configuration in force as JSON, every default filled in and every secret masked."""
    from gateway.config.display import shown

    config = place.load()
    plain = shown(config)
    plain["server"]["data"] = str(place.folder(config))
    click.echo(json.dumps(plain, indent=2, ensure_ascii=False))


@click.command("check")
@click.option("-v", "--verbose", is_flag=True, help="Show in detail what is noted, such as each repair of a WSDL.")
@with_place
def check_command(place: DataLocation, verbose: bool) -> None:
    """Validate the configuration, open the database, run the tests in it, probe every appliance; ring nobody.

    Prints one line for each, and a warning where a setting is better changed; exit code 0 when all are well, 1
    otherwise. With the configuration of a gateway on site it checks that one.
    """
    from gateway.onsite.settings import is_of_site

    if is_of_site(place.config_path):
        from gateway.cli.onsite_checks import check

        check(cast("Path", place.config_path))
    try:
        with place.open() as gateway:
            print_line(True, _("configuration"), str(place.config_path or _("defaults")))
            health = gateway.health()
            print_line(all(health.values()), _("database"), _database(gateway.database.shown, health))
            safe = _try_database(gateway)
            for about, sentence in cautions(gateway.config):
                print_line(None, about, said(sentence))
            cases = _try_dial_plans(gateway) & _try_mappings(gateway.config) & _try_forwards(gateway.config)
            cases &= _try_links(gateway)
            good = _probe_all(_peers(gateway), verbose=verbose) and cases
            _tell_sources(gateway)
    except GatewayError as error:
        for line in error.said(language()).splitlines():
            print_line(False, _("configuration"), line)
        sys.exit(1)
    sys.exit(0 if good and safe and all(health.values()) else 1)


def _database(shown: str, health: Mapping[str, bool]) -> str:
    failed = ", ".join(name for name, good in health.items() if not good)
    return _("{data} (failed: {names})", data=shown, names=failed) if failed else shown


def _try_database(gateway: "Gateway") -> bool:
    """Look whether a PostgreSQL database may be relied on; one line for each thing."""
    from gateway.cli.database_checks import database_checks

    checks = list(database_checks(gateway))
    for check in checks:
        print_line(check.good, _("database"), said(check.text))
    return all(check.good is not False for check in checks)


def _try_dial_plans(gateway: "Gateway") -> bool:
    """Run the test cases of every dial plan; one line for each plan, and one for each case that does not hold."""
    from gateway.server.trials import dial_plan_trials

    good = True
    for place, trials, plan, tenant in dial_plan_trials(gateway.config):
        failures = [failure for trial in trials if (failure := trial.failure(plan, tenant))]
        for failure in failures:
            print_line(False, place, said(failure.text))
        if not failures:
            print_line(
                True, place, said(counted("{count} dial plan tests hold", "{count} dial plan tests hold", len(trials)))
            )
        good = good and not failures
    return good


def _try_mappings(config: "Config") -> bool:
    """Run the tests of every source's mapping."""
    from gateway.cli.mapping_tests import mapping_checks

    good = True
    for check in mapping_checks(config):
        for text in check.lines:
            print_line(check.good, check.place, said(text))
        good = good and check.good
    return good


def _try_links(gateway: "Gateway") -> bool:
    """Make each link into a CRM of an example, and look whether the card's fields are any that accounts have."""
    from gateway.cli.crm_checks import field_checks, link_checks

    checks = list(link_checks(gateway))
    for check in checks:
        print_line(check.good, check.place, said(check.text))
    for place, text in field_checks(gateway):
        print_line(None, place, said(text))
    return all(check.good for check in checks)


def _try_forwards(config: "Config") -> bool:
    """Hold the condition of every forward against its examples; one line for each forward that has some."""
    good = True
    for tenant, table in config.tenants.items():
        for name, forward in table.forwards.items():
            failures = [each.problem(forward.only or "") for each in forward.examples if not forward.sends_as(each)]
            for failure in failures:
                print_line(False, f"{tenant}/{name}", said(failure))
            if forward.examples and not failures:
                count = len(forward.examples)
                print_line(
                    True, f"{tenant}/{name}", said(counted("{count} example holds", "{count} examples hold", count))
                )
            good = good and not failures
    return good


def _tell_sources(gateway: "Gateway") -> None:
    """Say of each source that is gone and got whether a gateway that runs hears it."""

    from gateway.cli.event_sources import source_line

    for key in gateway.event_sources.configured:
        print_line(*source_line(key, gateway.event_sources.book.of(*key)))


class ProbedPeer(NamedTuple):
    """Who is probed, under which name, and the kinds of events that it is told of."""

    key: tuple[str, str]
    peer: Probed
    kinds: Sequence[str] = ()


def _peers(gateway: "Gateway") -> Sequence[ProbedPeer]:
    """Return all who are probed: an appliance and a source of one exchange may have the same name."""
    tenants = gateway.config.tenants
    groups: Sequence[Mapping[tuple[str, str], Probed]] = (
        gateway.sources(),
        {key: each.source for key, each in gateway.event_sources.configured.items()},
    )
    dialling = [ProbedPeer(key, peer) for key, peer in gateway.appliances.items()]
    told = [ProbedPeer(key, peer, tenants[key[0]].forwards[key[1]].on) for key, peer in gateway.forwards.items()]
    return [*dialling, *told, *(ProbedPeer(key, peer) for group in groups for key, peer in group.items())]


def _probe_all(peers: Sequence[ProbedPeer], *, verbose: bool) -> bool:
    """Probe side by side, so that ten dead appliances and sources take no longer than one."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        probes = list(zip(peers, pool.map(_probe, peers), strict=True))
    for ((tenant, name), _peer, _kinds), probe in probes:
        print_line(probe.ok, f"{tenant}/{name}", said(probe.text))
        notes: Sequence[Text | str] = probe.notes if verbose else [probe.note]
        for note in notes:
            if note:
                print_line("note", f"{tenant}/{name}", said(note))
    return all(probe.ok for _, probe in probes)


def _probe(probed: ProbedPeer) -> Probe:
    """Return how a peer is, and whether the events of its kinds can be written for it; nothing of them is sent.

    A defect of one appliance's adapter is its own: the others are probed all the same.
    """
    try:
        for kind in probed.kinds:
            cast("Adapter", probed.peer).preview(Outgoing(kind, "1", SAMPLE))
        return probed.peer.probe()
    except GatewayError as error:
        return Probe(False, error.whole)
    except Exception as error:
        return Probe(False, _("The probe failed by a defect of the adapter: {defect}.", defect=defect_of(error)))


@click.command("version")
def version_command() -> None:
    """Print the version of the gateway and of what it stands on."""
    parts: list[Any] = [f"cti-gateway {__version__}", f"Python {platform.python_version()}"]
    parts += [f"{name} {installed(name)}" for name in ("spyne", "zeep", "lxml", "sqlalchemy", "granian")]
    click.echo(", ".join(parts))
