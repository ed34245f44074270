"""``wsdl``: the published contracts, for integrators who cannot reach a running gateway."""

import click

NAMES = ("cti-gateway", "wconnect")


@click.command("wsdl")
@click.argument("name", default="cti-gateway", type=click.Choice(NAMES))
@click.option("--address", help="Address to put into the document.")
def wsdl_command(name: str, address: str | None) -> None:
    """Print the WSDL called NAME.

    cti-gateway: document/literal, SOAP 1.1 and 1.2. wconnect: rpc/encoded, as the classic WConnect.
    """
    from gateway.wire.soap import contract, contract_encoded

    published = contract_encoded if name == "wconnect" else contract
    click.echo(published.wsdl_at(address or published.PLACEHOLDER_ADDRESS), nl=False)
