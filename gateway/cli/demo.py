"""``demo``: everything at once, to look at."""

import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from gateway.cli.speech import _, said
from gateway.domain.roles import NAMES, Role
from gateway.texts.text import Text

NAME = "cti-gateway"
GUIDE = """
{running}

  {desk:16}  {url}/
{people}
  {crm:16}  {crm_url}/    {crm_advice}
{appliances}

{played_already}
{played}

{next}
  1. {comes_in:19}  curl '{url}/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=3501&telefone=4799998888'
  2. {ends:19}  curl '{url}/wconnect/WConnect_WSDL_FinalizaLigacao.php?ramal=3501&telefone=4799998888\
&url_audio={recording}'
  3. {find}
     {choose}
  4. click-to-call        curl '{url}/click-to-call?origem=3501&destino=47999998888'
  5. {sent:19}  {program} dial 3501 47999998888 --appliance soap --dry-run --config {config}
  6. {log:19}  {program} calls --config {config}
  7. {contracts:19}  {url}/soap?wsdl   {url}/wconnect/wsdl/WConnect_WSDL.php?wsdl   {url}/xmlrpc
                          {wsdl}
"""
WORDS = {
    "running": Text("The demo is running. Everything below is thrown away when it stops (Ctrl-C)."),
    "desk": Text("desk"),
    "crm": Text("CRM"),
    "crm_advice": Text("with the panel in it: log in there as ana, click a number"),
    "played_already": Text("Already played:"),
    "next": Text("Try next, with the desk open as ana:"),
    "comes_in": Text("a call comes in"),
    "ends": Text("it ends, recorded"),
    "find": Text("find it under 'Calls', play its recording, click the number: the appliance receives the command"),
    "choose": Text("(choose the appliance above the page; each one's page, listed above, shows what it received)"),
    "sent": Text("what would be sent"),
    "log": Text("the call log"),
    "contracts": Text("contracts"),
    "wsdl": Text("(or: cti-gateway wsdl)"),
}


@click.command("demo")
@click.option("--listen", metavar="ADDR:PORT", help="Address and port.  [default: 127.0.0.1:8080, or a free port]")
def demo_command(listen: str | None) -> None:
    """Run everything at once in a throw-away folder: a gateway with sample accounts and agents, three simulated
    appliances (SOAP, XML-RPC, URL) beside it, and a few calls played. Prints the address, the login and what to try.
    """
    from gateway.server import logs
    from gateway.server.serve import Options, serve, split_address, url_of

    address, port = split_address(listen) if listen else ("127.0.0.1", _usual_or_free_port())
    url = url_of(address, port)
    folder = Path(tempfile.mkdtemp(prefix="cti-gateway-demo-"))
    appliances, crm = _start_appliances(url), _start_crm(url)
    try:
        config, config_path = _furnish(folder, f"{address}:{port}", appliances, crm.address)
        logs.set_up(config.log)
        options = Options(config, folder / "data", address, port)
        serve(options, on_ready=lambda ready_url: _guide(ready_url, appliances, config_path, crm.address))
    finally:
        crm.stop()
        for appliance in appliances.values():
            appliance.stop()
        shutil.rmtree(folder, ignore_errors=True)


def program() -> str:
    """Return how a shell finds this program, which may have been started by a path (``.venv/bin/cti-gateway``)."""
    if shutil.which(NAME):
        return NAME
    return sys.argv[0] if Path(sys.argv[0]).name == NAME else f"{sys.executable} -m gateway"


def _usual_or_free_port() -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8080))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _start_appliances(url: str) -> dict[str, Any]:
    from gateway.simulators import SIMULATORS

    appliances = {name: simulator(events_to=url) for name, simulator in SIMULATORS.items()}
    for appliance in appliances.values():
        appliance.start()
    return appliances


def _start_crm(url: str) -> Any:
    from gateway.demo.crm import SampleCrm

    crm = SampleCrm(url)
    crm.start()
    return crm


def _furnish(folder: Path, listen: str, appliances: dict[str, Any], crm: str) -> tuple[Any, Path]:
    from gateway.demo.company import furnish, write_config
    from gateway.simulators import demo_settings

    peers = {name: demo_settings(name, appliance.address) for name, appliance in appliances.items()}
    config_path = write_config(folder, listen, peers, crm)
    return furnish(config_path), config_path


def _guide(url: str, appliances: dict[str, Any], config_path: Path, crm: str) -> None:
    from urllib.parse import quote

    from gateway.demo.company import AGENTS, PASSWORD, TITLES
    from gateway.demo.play import PLAYED, play

    recording = f"{appliances['url'].address}/gravacoes/demo.wav"
    play(url, recording)
    listed = [f"  {TITLES[name]:16}  {appliance.address}/" for name, appliance in appliances.items()]
    click.echo(
        GUIDE.format(
            url=url,
            crm_url=crm,
            people="\n".join(_seat(PASSWORD, *agent) for agent in AGENTS),
            appliances="\n".join(listed),
            played="\n".join(_played(wire, line) for wire, line in PLAYED),
            recording=quote(recording, safe=""),
            config=config_path,
            program=program(),
            **{name: said(text) for name, text in WORDS.items()},
        )
    )


def _seat(secret: str, login: str, name: str, extension: str, role: Role) -> str:
    """Return the line of one who can log in, and as what."""
    facts: dict[str, Any] = {
        "login": f"{login:5}",
        "secret": secret,
        "extension": extension,
        "name": name,
        "role": NAMES[role],
    }
    told = Text("login: {login}  password: {secret}  extension {extension}  {name}, {role}", **facts)
    return f"{'':18}{said(told)}"


def _played(wire: str, line: Text) -> str:
    by = _("by {wire}", wire=wire)
    return f"  {by:11} {said(line)}"
