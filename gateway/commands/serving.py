"""``serve``."""

import os
from typing import Any

import click

from gateway.commands.place import Place, with_place

OWNER_ONLY = 0o077
"""The umask of everything that a gateway which serves may make, libraries' files too."""


@click.command("serve")
@click.option("--listen", metavar="ADDR:PORT", help="Address and port.  [default: 127.0.0.1:8080]")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes.  [default: 1]")
@with_place
def serve_command(place: Place, listen: str | None, workers: int | None) -> None:
    """Run the gateway until SIGTERM or SIGINT (Ctrl-C).

    Without --config there is one tenant, 'default', on SQLite in the data folder; it accepts events from this
    machine and from private networks, and listens on this machine only.
    """
    from gateway.config import Config
    from gateway.passwords import shared_key
    from gateway.serve import Options, serve, split_address

    config = place.load()
    overrides: dict[str, Any] = {"listen": listen, "workers": workers}
    wanted = config.server.model_dump() | {key: value for key, value in overrides.items() if value is not None}
    config = Config(server=_checked(wanted), log=config.log, tenants=config.tenants)
    address, port = split_address(config.server.listen)
    os.umask(OWNER_ONLY)
    shared_key()  # made here, so that all workers have the same
    serve(Options(config, place.folder(config), address, port), on_ready=_say)


def _checked(server: dict[str, Any]) -> Any:
    from pydantic import ValidationError

    from gateway.config import Server

    try:
        return Server(**server)
    except ValidationError as error:
        raise click.UsageError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None


def _say(url: str) -> None:
    click.echo(f"cti-gateway: listening on {url} (Ctrl-C stops)")
