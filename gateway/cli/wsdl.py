"""``wsdl``: the published contracts, for integrators who cannot reach a running gateway."""

import click

NAMES = ("cti-gateway", "wconnect", "wconnect-classic")


@click.command("wsdl")
@click.argument("name", default="cti-gateway", type=click.Choice(NAMES))
@click.option("--address", help="Address to put into the document.")
def wsdl_command(name: str, address: str | None) -> None:
    """Print the WSDL called NAME.

    cti-gateway: document/literal, SOAP 1.1 and 1.2. wconnect: rpc/encoded, as the classic WConnect;
    wconnect-classic: the same with that service's own names and charset (listener.wsdl_names).
    """
    from gateway.wire.soap import contract, contract_encoded

    if name == "cti-gateway":
        document = contract.wsdl_at(address or contract.PLACEHOLDER_ADDRESS)
    else:
        names = contract_encoded.CLASSIC if name == "wconnect-classic" else contract_encoded.PLAIN
        document = contract_encoded.wsdl_at(address or contract_encoded.PLACEHOLDER_ADDRESS, names)
    click.echo(document, nl=False)
