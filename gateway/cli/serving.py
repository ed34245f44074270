"""``serve``."""

import os
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.cautions import cautions
from gateway.cli.place import DataLocation, with_place
from gateway.cli.speech import _, said

if TYPE_CHECKING:
    from gateway.config.tables import Config

OWNER_ONLY = 0o077
"""The umask of everything that a gateway which serves may make, libraries' files too."""


@click.command("serve")
@click.option("--listen", metavar="ADDR:PORT", help="Address and port.  [default: 127.0.0.1:8080]")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes.  [default: 1]")
@with_place
def serve_command(place: DataLocation, listen: str | None, workers: int | None) -> None:
    """Run the gateway until SIGTERM or SIGINT (Ctrl-C).

    Without --config there is one tenant, 'default', on SQLite in the data folder; it accepts events from this
    machine and from private networks, and listens on this machine only.
    """
    from gateway.server.serve import Options, serve, split_address

    config = place.load()
    _warn(config)
    overrides: dict[str, Any] = {"listen": listen, "workers": workers}
    wanted = config.server.model_dump() | {key: value for key, value in overrides.items() if value is not None}
    # Only the table that the options change is replaced: a table that is named here is not forgotten by a new one.
    config = config.model_copy(update={"server": _checked(wanted)})
    address, port = split_address(config.server.listen)
    os.umask(OWNER_ONLY)
    serve(Options(config, place.folder(config), address, port), on_ready=_say)


def _warn(config: "Config") -> None:
    import structlog

    log = structlog.get_logger()
    for about, sentence in cautions(config):
        log.warning("caution", **{"table" if about.startswith("[") else "tenant": about}, advice=str(sentence))


def _checked(server: dict[str, Any]) -> Any:
    from pydantic import ValidationError

    from gateway.config.tables import ServerSettings
    from gateway.config.validation import problems

    try:
        return ServerSettings(**server)
    except ValidationError as error:
        raise click.UsageError(said(next(problems(error, ServerSettings)))) from None


def _say(url: str) -> None:
    click.echo(_("cti-gateway: listening on {url} (Ctrl-C stops)", url=url))
