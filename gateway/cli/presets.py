"""``presets``: which appliances are known, how each is set up, and whether a preset does what its tests say."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gateway import adapter as adapters
from gateway.cli.place import DataLocation, one_tenant, with_place, with_tenant
from gateway.config import loader as config_file
from gateway.config.tables import Config
from gateway.errors import ConfigError

DEFAULT = "default"
"""The tenant of a gateway that has no configuration."""


@click.command("presets")
@click.argument("name", required=False)
@click.option("--test", is_flag=True, help="Run the tests in the preset's file; NAME may be a file of yours.")
@click.option("--events", is_flag=True, help="What to paste at the appliance, so that it sends call events here.")
@click.option("--address", metavar="URL", help="... this gateway's address, as the appliance reaches it.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--markdown", is_flag=True, help="The list as a table for documents.")
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
    elif events:
        _show_events(chosen, _addresses(place, tenant, address))
    elif as_json:
        _show_json(chosen, whole=name is not None)
    elif markdown:
        click.echo("\n".join(table(chosen)))
    elif name:
        click.echo("\n".join(page(*chosen[0], *_tenant_of(place, tenant))))
    else:
        _show_list(chosen)


def _folder(place: DataLocation) -> Path | None:
    return config_file.presets_in(place.config_path) if place.config_path else None


def _tenant_of(place: DataLocation, asked: str | None) -> tuple[str, str]:
    """Whose table the example is (asked for, the only one, default or the first), and what there is to say of it."""
    names = config_file.tenants_in(place.config_path) if place.config_path else []
    if asked is not None:
        if names and asked not in names:
            raise ConfigError(f"there is no tenant {asked!r}.", hint=f"Configured: {', '.join(names)}.")
        return asked, ""
    if len(names) < 2:
        return next(iter(names), DEFAULT), ""
    name = DEFAULT if DEFAULT in names else names[0]
    return name, f"# {name} is one of the tenants {', '.join(names)}: --tenant chooses"


def _found(catalogue: Any, name: str) -> tuple[str, Any]:
    """A preset by its name, or by its file."""
    if name.endswith(".toml"):
        return Path(name).stem, catalogue.read(Path(name))
    return name, catalogue.preset(name)


def _show_list(chosen: list[tuple[str, Any]]) -> None:
    longest = max(len(name) for name, _ in chosen)
    for name, preset in chosen:
        click.echo(f"{name:{longest}}  {preset.protocols:7}  {_verified(preset):48}  {preset.title}")


def table(chosen: list[tuple[str, Any]]) -> Iterator[str]:
    """The list as a table of Markdown; that of docs/appliances.md is this one."""
    yield "| preset | for | speaks | verified |"
    yield "|---|---|---|---|"
    for name, preset in chosen:
        yield f"| `{name}` | {preset.title} | {preset.protocols} | {_verified(preset)} |"


def _verified(preset: Any) -> str:
    verified = preset.verified
    return f"{verified.how} {verified.version}" if verified.how == "run against" else str(verified.how)


def page(name: str, preset: Any, tenant: str = DEFAULT, note: str = "") -> Iterator[str]:
    """All that one needs to set the appliance up for ``tenant``; ``note`` stands above the table."""
    yield f"{name} - {preset.title}"
    yield from _fact("for", ", ".join(preset.products) + (f" ({preset.vendor})" if preset.vendor else ""))
    yield from _fact("speaks", preset.protocols)
    version = preset.verified.version
    yield from _fact("verified", f"{preset.verified.how}{f': {version}' if version else ''}")
    yield from _fact("source", "; ".join(preset.verified.sources))
    for unknown in preset.verified.unknown:
        yield from _fact("not known", unknown)
    yield from _fact("hangs up", "yes" if preset.hangup else "no")
    yield from _fact("events", f"cti-gateway presets {name} --events" if preset.events else "")
    for limit, value in preset.limits:
        if value is not None:
            yield from _fact("takes", f"{value:g} {limit.replace('_', ' ').replace('per s', 'a second')}")
    yield from _section("At the appliance", (f"- {line}" for line in preset.setup))
    yield from _section("Good to know", (f"- {line}" for line in preset.quirks))
    yield from _section("Parameters", _parameters(preset))
    yield from _section("What an extension is called there (origins)", _origins(preset))
    yield from ("", "Example", "", *([note] if note else ()), *example(name, preset, tenant))


def _fact(what: str, text: str) -> Iterator[str]:
    if text:
        yield f"  {what:9}  {text}"


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    inside = [f"  {line}" for line in lines]
    if inside:
        yield from ("", title, "", *inside)


def _parameters(preset: Any) -> Iterator[str]:
    for name, parameter in preset.parameters.items():
        default = "required" if parameter.default is None else written(parameter.default)
        choices = f" One of {', '.join(parameter.choices)}." if parameter.choices else ""
        yield f"{name:16} {parameter.type:8} {default:24} {parameter.help}{choices}"


def _origins(preset: Any) -> Iterator[str]:
    for name, field in preset.origin.items():
        yield f"{name:16} {field.rule or 'in origins':33} {field.help}"


def example(name: str, preset: Any, tenant: str = DEFAULT) -> Iterator[str]:
    """A table to paste into the configuration; what may be absent stands behind a #."""
    yield f"[tenants.{tenant}.appliances.pabx]"
    yield f"preset = {written(name)}"
    for key, parameter in preset.parameters.items():
        value = parameter.default if parameter.example is None else parameter.example
        optional = parameter.default is not None
        yield f"{'# ' if optional else ''}{key} = {written(value if value is not None else '...')}"
    rows = {key: field.example or "..." for key, field in preset.origin.items()}
    if rows:
        needed = any(field.rule is None for field in preset.origin.values())
        yield f"{'' if needed else '# '}origins = {{ 3501 = {written(rows)} }}"


def written(value: Any) -> str:
    """A value as TOML has it, on one line."""
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {written(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(written, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _show_json(chosen: list[tuple[str, Any]], *, whole: bool) -> None:
    few = {"title", "vendor", "products", "verified"}
    for name, preset in chosen:
        plain = preset.model_dump(mode="json", by_alias=True, exclude_unset=True, include=None if whole else few)
        told = {"name": name, "protocols": preset.protocols, **plain}
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
                click.echo(f"        {f'as in {told[failure]!r}' if failure in told else failure}")
                told.setdefault(failure, test)
        if not preset.tests:
            click.echo(f"--  {name}: has no tests")
    sys.exit(1 if bad else 0)


def _addresses(place: DataLocation, tenant: str | None, asked: str | None) -> dict[str, str]:
    """The tenant's addresses as an appliance reaches them, by the names that texts have for them."""
    config = place.load()
    name = one_tenant(config, tenant)
    base = (asked or _guessed(config, name)).rstrip("/")
    host, _, port = base.partition("://")[2].partition("/")[0].partition(":")
    listeners = f"{base}/wconnect"
    return {
        "base_url": base,
        "start_url": f"{listeners}/WConnect_WSDL_ConsultaRamal.php",
        "end_url": f"{listeners}/WConnect_WSDL_FinalizaLigacao.php",
        "soap_url": f"{base}/soap",
        "xmlrpc_url": f"{base}/xmlrpc",
        "host": host,
        "port": port or ("443" if base.startswith("https") else "80"),
        "tenant": name,
    }


def _guessed(config: Config, tenant: str) -> str:
    """Where the tenant is, going by its hosts and by what the gateway listens on."""
    host, _, port = config.server.listen.rpartition(":")
    hosts = config.tenants[tenant].hosts
    path = "" if hosts or len(config.tenants) == 1 else f"/t/{tenant}"
    anywhere = host in ("0.0.0.0", "[::]")  # noqa: S104 - compared, not bound
    where = hosts[0] if hosts else "GATEWAY" if anywhere else host
    return f"http://{where}{'' if port == '80' else f':{port}'}{path}"


def _show_events(chosen: list[tuple[str, Any]], addresses: dict[str, str]) -> None:
    known = [(name, preset) for name, preset in chosen if preset.events]
    if not known:
        named = ", ".join(name for name, _ in chosen) if len(chosen) == 1 else "these presets"
        raise ConfigError(
            f"it is not known how {named} sends call events.",
            hint="For any exchange that requests one address when a call begins and another when it ends: "
            "cti-gateway presets generic-url --events.",
        )
    for name, preset in known:
        for text in preset.events:
            click.echo(f"=== {name}: {text.title} ({text.language})")
            for note in text.notes:
                click.echo(f"--- {note}")
            click.echo(text.filled(addresses))
    if "GATEWAY" in addresses["base_url"] or addresses["host"] in ("127.0.0.1", "localhost", "[::1]"):
        click.echo(f"(An appliance may not reach {addresses['base_url']}: give --address.)", err=True)
