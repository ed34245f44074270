"""``presets``: which appliances are known, how each is set up, and whether a preset does what its tests say."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from gateway import adapter as adapters
from gateway.cli.place import DataLocation, with_place, with_tenant
from gateway.cli.preset_events import addresses_of, events_table, show_events, source_example, written
from gateway.cli.speech import _, said, translated
from gateway.config import loader as config_file
from gateway.errors import ConfigError
from gateway.texts.text import Text, in_context

FOR, SPEAKS, RANK, MISSING, VERIFIED, SOURCE, NOT_KNOWN, HANGS_UP, EVENTS, TAKES = (
    in_context("label", "for"),
    in_context("label", "speaks"),
    in_context("label", "rank"),
    in_context("label", "missing"),
    in_context("label", "verified"),
    in_context("label", "source"),
    in_context("label", "not known"),
    in_context("label", "hangs up"),
    in_context("label", "events"),
    in_context("label", "takes"),
)
TOLD_OF, ONLY = in_context("label", "told of"), in_context("label", "only")
RANKS = {
    "none": in_context("rank", "none"),
    "bronze": in_context("rank", "bronze"),
    "silver": in_context("rank", "silver"),
    "gold": in_context("rank", "gold"),
    "platinum": in_context("rank", "platinum"),
}
"""By what a preset's rank is called in its adapter; ``docs/presets.md`` has the scale."""
DEFAULT = "default"
"""The tenant of a gateway that has no configuration."""


@click.command("presets")
@click.argument("name", required=False)
@click.option("--test", is_flag=True, help="Run the tests in the preset's file; NAME may be a file of yours.")
@click.option("--events", is_flag=True, help="What to paste at the appliance, so that it sends call events here.")
@click.option("--address", metavar="URL", help="... this gateway's address, as the appliance reaches it.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option(
    "--markdown", is_flag=True, help="The list as a table for documents; with --events what each tells of a call."
)
@with_tenant
@with_place
def presets_command(
    place: DataLocation,
    name: str | None,
    test: bool,
    events: bool,
    address: str | None,
    as_json: bool,
    markdown: bool,
    tenant: str | None,
) -> None:
    """List the presets, or show how an appliance with the preset NAME is set up.

    Presets of your own (server.presets in the configuration) are among them. With --test the exit code is 1 when a
    test fails.
    """
    # The presets belong to an adapter, which is found by its entry point like any other.
    shelf: Any = adapters.load(adapters.PRESET)
    catalogue = shelf.catalogue(_folder(place))
    chosen = [_found(catalogue, one) for one in ([name] if name else catalogue.names())]
    if test:
        _run_tests(shelf, chosen)
    elif events and markdown:
        click.echo("\n".join(events_table(shelf, chosen)))
    elif events:
        show_events(chosen, addresses_of(place, tenant, address))
    elif as_json:
        _show_json(shelf, chosen, whole=name is not None)
    elif markdown:
        click.echo("\n".join(table(shelf, chosen)))
    elif name:
        click.echo("\n".join(page(*chosen[0], shelf.ranked(chosen[0][1]), *_tenant_of(place, tenant))))
    else:
        _show_list(shelf, chosen)


def _folder(place: DataLocation) -> Path | None:
    return config_file.presets_in(place.config_path) if place.config_path else None


def _tenant_of(place: DataLocation, asked: str | None) -> tuple[str, str]:
    """Return the tenant of the example (asked for, the only one, default or the first), and what there is to say of the
    choice. Raises ``ConfigError``.
    """
    names = config_file.tenants_in(place.config_path) if place.config_path else []
    if asked is not None:
        if names and asked not in names:
            hint = Text("Configured: {known}.", known=", ".join(names))
            raise ConfigError(Text("there is no tenant {name!r}.", name=asked), hint=hint)
        return asked, ""
    if len(names) < 2:
        return next(iter(names), DEFAULT), ""
    name = DEFAULT if DEFAULT in names else names[0]
    note = _("# {name} is one of the tenants {names}: --tenant chooses", name=name, names=", ".join(names))
    return name, note


def _found(catalogue: Any, name: str) -> tuple[str, Any]:
    """Return a preset by its name, or by its file."""
    if name.endswith(".toml"):
        return Path(name).stem, catalogue.read(Path(name))
    return name, catalogue.preset(name)


def _show_list(shelf: Any, chosen: list[tuple[str, Any]]) -> None:
    longest = max(len(name) for name, _preset in chosen)
    widest = max(len(preset.protocols) for _name, preset in chosen)
    for name, preset in chosen:
        title, rank = translated(preset.title), said(RANKS[shelf.ranked(preset).reached])
        how = f"{preset.protocols:{widest}}  {rank:8}  {_verified(preset, translated):37}"
        click.echo(f"{name:{longest}}  {how}  {title}")


def table(shelf: Any, chosen: list[tuple[str, Any]]) -> Iterator[str]:
    """Yield the list as a table of Markdown; that of docs/appliances.md is this one, in English."""
    yield "| preset | for | speaks | rank | verified |"
    yield "|---|---|---|---|---|"
    for name, preset in chosen:
        rank = shelf.ranked(preset).reached
        yield f"| `{name}` | {preset.title} | {preset.protocols} | {rank} | {_verified(preset)} |"


def _verified(preset: Any, say: Callable[[str], str] = str) -> str:
    how, version = preset.verified.how, preset.verified.version
    return f"{say(how)} {version}" if how == "run against" else say(how)


def page(name: str, preset: Any, rank: Any, tenant: str = DEFAULT, note: str = "") -> Iterator[str]:
    """Yield the lines of what is needed to set the appliance up for ``tenant``; ``note`` stands above the table."""
    yield f"{name} - {translated(preset.title)}"
    yield from _facts([*_known(name, preset), *_ranked(rank)])
    yield from _section(_("At the appliance"), (f"- {translated(line)}" for line in preset.setup))
    yield from _section(_("Good to know"), (f"- {translated(line)}" for line in preset.quirks))
    yield from _section(_("Parameters"), _parameters(preset))
    yield from _section(_("What an extension is called there (origins)"), _origins(preset))
    yield from ("", _("Example"), "", *([note] if note else ()), *example(name, preset, tenant))


def _facts(known: list[tuple[Text, str]]) -> Iterator[str]:
    """Yield a line for each thing known of the appliance, labels of one width."""
    facts = [(said(label), text) for label, text in known if text]
    width = max(9, *(len(label) for label, _text in facts))
    yield from (f"  {label:{width}}  {text}" for label, text in facts)


def _known(name: str, preset: Any) -> Iterator[tuple[Text, str]]:
    version = preset.verified.version
    yield FOR, ", ".join(preset.products) + (f" ({preset.vendor})" if preset.vendor else "")
    yield SPEAKS, preset.protocols
    yield VERIFIED, f"{translated(preset.verified.how)}{f': {version}' if version else ''}"
    if preset.verified.events:
        yield VERIFIED, _("call events: {how}", how=translated(preset.verified.events))
    yield SOURCE, "; ".join(preset.verified.sources)
    yield from ((NOT_KNOWN, translated(unknown)) for unknown in preset.verified.unknown)
    yield HANGS_UP, (_("yes") if preset.hangup else _("no")) if preset.dial else ""
    yield TOLD_OF, ", ".join(preset.forward.kinds) if preset.forward else ""
    yield ONLY, preset.forward.only if preset.forward else ""
    yield EVENTS, f"cti-gateway presets {name} --events" if preset.events or preset.webhook else ""
    if (rate := preset.limits.orders_per_s) is not None:
        shortest = f"{rate:g}"
        yield TAKES, _("{rate} orders a second", rate=shortest)
    if (most := preset.limits.max_orders) is not None:
        yield TAKES, _("{most} max orders", most=most)


def _ranked(rank: Any) -> Iterator[tuple[Text, str]]:
    yield RANK, said(RANKS[rank.reached])
    if rank.above:
        missing = ", ".join(map(said, rank.missing))
        yield MISSING, _("for {rank}: {missing}", rank=said(RANKS[rank.above]), missing=missing)


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    inside = [f"  {line}" for line in lines]
    if inside:
        yield from ("", title, "", *inside)


def _parameters(preset: Any) -> Iterator[str]:
    for name, parameter in preset.parameters.items():
        default = _("required") if parameter.default is None else written(parameter.default)
        choices = " " + _("One of {choices}.", choices=", ".join(parameter.choices)) if parameter.choices else ""
        yield f"{name:16} {parameter.type:8} {default:24} {translated(parameter.help)}{choices}"


def _origins(preset: Any) -> Iterator[str]:
    for name, field in preset.origin.items():
        rule = field.rule or _("in origins")
        yield f"{name:16} {rule:33} {translated(field.help)}"


def example(name: str, preset: Any, tenant: str = DEFAULT) -> Iterator[str]:
    """Yield tables to paste into the configuration; what may be absent stands behind a #."""
    if preset.dial:
        yield from _appliance_example(name, preset, tenant)
    if preset.forward:
        yield from ("",) if preset.dial else ()
        yield from _appliance_example(name, preset, tenant, "forwards.crm")
    if preset.webhook:
        yield from ("",) if preset.dial or preset.forward else ()
        yield from source_example(name, preset, tenant)


def _appliance_example(name: str, preset: Any, tenant: str, table: str = "appliances.pabx") -> Iterator[str]:
    yield f"[tenants.{tenant}.{table}]"
    yield f"preset = {written(name)}"
    for key, parameter in preset.parameters.items():
        value = parameter.default if parameter.example is None else parameter.example
        optional = parameter.default is not None
        yield f"{'# ' if optional else ''}{key} = {written(value if value is not None else '...')}"
    rows = {key: field.example or "..." for key, field in preset.origin.items()}
    if rows:
        needed = any(field.rule is None for field in preset.origin.values())
        yield f"{'' if needed else '# '}origins = {{ 3501 = {written(rows)} }}"


def _show_json(shelf: Any, chosen: list[tuple[str, Any]], *, whole: bool) -> None:
    few = {"title", "vendor", "products", "verified"}
    for name, preset in chosen:
        plain = preset.model_dump(mode="json", by_alias=True, exclude_unset=True, include=None if whole else few)
        rank = str(shelf.ranked(preset).reached)
        told = {"name": name, "protocols": preset.protocols, "rank": rank, **plain}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2 if whole else None))


def _run_tests(shelf: Any, chosen: list[tuple[str, Any]]) -> None:
    bad = 0
    for name, preset in chosen:
        told: dict[str, str] = {}
        for test, failures in shelf.trials(preset):
            bad += bool(failures)
            click.echo(f"{'FAILED' if failures else 'ok'}  {name}: {test}")
            for failure in failures:
                # One mistake in the file fails every test; it is told once.
                problem = _("as in {test!r}", test=told[failure]) if failure in told else said(failure)
                click.echo(f"        {problem}")
                told.setdefault(failure, test)
        others = [part.tests for part in (preset.webhook, preset.forward) if part]
        if not preset.tests and not any(others):
            click.echo(_("--  {name}: has no tests", name=name))
    sys.exit(1 if bad else 0)
