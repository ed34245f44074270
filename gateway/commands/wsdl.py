"""``wsdl``: the published contract, for integrators who cannot reach a running gateway."""

import click

DEFAULT_ADDRESS = "http://EMPRESA.example.com/soap"


@click.command("wsdl")
@click.argument("name", default="cti-gateway", type=click.Choice(["cti-gateway"]))
@click.option("--address", default=DEFAULT_ADDRESS, show_default=True, help="Address to put into the document.")
def wsdl_command(name: str, address: str) -> None:
    """Print the WSDL called NAME (document/literal, SOAP 1.1 and 1.2)."""
    from gateway.wire.contract import wsdl_at

    click.echo(wsdl_at(address), nl=False)
