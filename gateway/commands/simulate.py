"""``simulate``: an appliance to try against when there is none at hand."""

import threading
from typing import Any

import click


@click.command("simulate")
@click.argument("name", type=click.Choice(["soap", "xmlrpc", "url"]))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1.  [default: a free one]")
@click.option("--events-to", metavar="URL", help="Report the calls it places to this gateway, as an exchange would.")
def simulate_command(name: str, port: int, events_to: str | None) -> None:
    """Run the simulated appliance NAME until Ctrl-C; its page shows every command it receives."""
    from gateway.simulators import SIMULATORS

    appliance = SIMULATORS[name](port=port, events_to=events_to or "", on_received=_show)
    appliance.start()
    click.echo(f"simulated {name} appliance on {appliance.address} (Ctrl-C stops)")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        appliance.stop()


def _show(command: Any) -> None:
    click.echo(f"{command.at:%H:%M:%S} {command.extension} calls {command.number}\n{command.raw}\n")
