"""``presets --events``: what is pasted at an appliance, or written at a provider, so that it sends its events here."""

import json
from collections.abc import Iterator
from typing import Any

import click

from gateway.cli.place import DataLocation, one_tenant
from gateway.cli.speech import _, translated
from gateway.config.tables import Config
from gateway.errors import ConfigError
from gateway.texts.text import Text


def addresses_of(place: DataLocation, tenant: str | None, asked: str | None) -> dict[str, str]:
    """Return the tenant's addresses as an appliance reaches them, by the names that texts have for them."""
    config = place.load()
    name = one_tenant(config, tenant)
    base = (asked or _guessed(config, name)).rstrip("/")
    host, _, port = base.partition("://")[2].partition("/")[0].partition(":")
    listeners = f"{base}/wconnect"
    return {
        "base_url": base,
        "start_url": f"{listeners}/WConnect_WSDL_ConsultaRamal.php",
        "answer_url": f"{listeners}/WConnect_WSDL_AtendeLigacao.php",
        "transfer_url": f"{listeners}/WConnect_WSDL_TransfereLigacao.php",
        "end_url": f"{listeners}/WConnect_WSDL_FinalizaLigacao.php",
        "soap_url": f"{base}/soap",
        "xmlrpc_url": f"{base}/xmlrpc",
        "host": host,
        "port": port or ("443" if base.startswith("https") else "80"),
        "tenant": name,
    }


def _guessed(config: Config, tenant: str) -> str:
    """Guess the tenant's address, from its hosts and from what the gateway listens on."""
    host, _, port = config.server.listen.rpartition(":")
    hosts = config.tenants[tenant].hosts
    path = "" if hosts or len(config.tenants) == 1 else f"/t/{tenant}"
    anywhere = host in ("0.0.0.0", "[::]")  # noqa: S104 - compared, not bound
    where = hosts[0] if hosts else "GATEWAY" if anywhere else host
    return f"http://{where}{'' if port == '80' else f':{port}'}{path}"


def show_events(chosen: list[tuple[str, Any]], addresses: dict[str, str]) -> None:
    """Print the texts of the presets and the tables of their sources. Raises ``ConfigError`` where there are none."""
    known = [(name, preset) for name, preset in chosen if preset.events or preset.webhook]
    if not known:
        hint = Text(
            "For any exchange that requests one address when a call begins and another when it ends: "
            "cti-gateway presets generic-url --events."
        )
        if len(chosen) == 1:
            raise ConfigError(Text("it is not known how {name} sends call events.", name=chosen[0][0]), hint=hint)
        raise ConfigError(Text("it is not known how these presets send call events."), hint=hint)
    for name, preset in known:
        own = addresses | {"source_url": f"{addresses['base_url']}/in/{name}"}
        if preset.webhook:
            title = _("gateway.toml: the source that takes its events")
            click.echo(f"=== {name}: {title} (toml)")
            click.echo("\n".join(source_example(name, preset, addresses["tenant"], addresses["base_url"])))
        for text in preset.events:
            click.echo(f"=== {name}: {translated(text.title)} ({text.language})")
            for note in text.notes:
                click.echo(f"--- {translated(note)}")
            click.echo(text.filled(own))
    if "GATEWAY" in addresses["base_url"] or addresses["host"] in ("127.0.0.1", "localhost", "[::1]"):
        warning = _("(An appliance may not reach {address}: give --address.)", address=addresses["base_url"])
        click.echo(warning, err=True)


def events_table(shelf: Any, chosen: list[tuple[str, Any]]) -> Iterator[str]:
    """Yield what each preset tells of a call, as a table of Markdown; that of docs/events.md is this one."""
    yield "| preset | for | by | start | answer | end | result | recording | requests proven by | how sure |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for name, preset in chosen:
        if preset.events or preset.webhook:
            told = " | ".join("yes" if known else "" for known in shelf.told(preset).values())
            evidence = preset.verified.events or preset.verified.how
            how = "webhook" if preset.webhook else "text to paste"
            proof = _proof(preset) or "address or secret"
            yield f"| `{name}` | {preset.title} | {how} | {told} | {proof} | {evidence} |"


def _proof(preset: Any) -> str:
    """Return how the sender's requests prove themselves; nothing where its makers have no way."""
    own = preset.webhook.authenticity if preset.webhook else None
    return "" if own is None or own.kind == "none" else str(own.kind)


def source_example(name: str, preset: Any, tenant: str, base_url: str = "https://gateway.example.com") -> Iterator[str]:
    """Yield the table of a source that takes what the preset ``name`` reads, at ``/in/NAME``."""
    yield from (f"[tenants.{tenant}.sources.{name}]", 'kind = "webhook"', f"preset = {written(name)}")
    secret = f"secret = {written(f'file:{name}.secret')}"
    optional = _("then the address ends with /SECRET")
    yield secret if _proof(preset) else f"# {secret}    # {optional}"
    yield f"# public_url = {written(f'{base_url}/in/{name}')}"
    yield '# extensions = { ana = "201" }'


def written(value: Any) -> str:
    """Return a value as TOML has it, on one line."""
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {written(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(written, value))}]"
    return json.dumps(value, ensure_ascii=False)
