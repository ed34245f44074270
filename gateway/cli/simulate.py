"""``simulate``: an appliance to try against when there is none at hand."""

import threading
from pathlib import Path
from typing import Any

import click

from gateway.cli.speech import _, said, translated
from gateway.cli.terminal import tell
from gateway.texts.paragraphs import paragraphs
from gateway.texts.text import problem_of

WIDTH = 112
"""Columns of what is said of a simulator."""
NAMES = """\b
soap, xmlrpc, url                 the demo's own, one for each protocol
asterisk-ami, asterisk-ari        Asterisk by its manager interface over HTTP and by its REST interface
asterisk-manager                  Asterisk by its manager interface over TCP (adapter "ami")
freeswitch                        FreeSWITCH by XML-RPC and by URL
kamailio, opensips, sems          Kamailio, OpenSIPS and SEMS by XML-RPC
cisco-webdialer, -15su5           Cisco WebDialer by SOAP: up to 15 SU4, and from 15 SU5
innovaphone                       innovaphone by SOAP, with its session
avaya-aes, parlayx                Avaya AES by SOAP with its session; Parlay X 2.0 by SOAP
sippy                             Sippy by XML-RPC with Digest
vicidial, grandstream-ucm         VICIdial by URL; Grandstream UCM by JSON with its challenge
yeastar-s, yeastar-p              Yeastar by JSON with its token
3cx-v20, wazo, broadworks         3CX V20, Wazo and BroadWorks by REST
3cx-v10, vodia, snep, openscape-business   by URL, the last with its session
bmtelecom, utech, evolux, totalvoice, nvoip, api4com, 3cplus, sipgate   providers
twilio, zadarma                   providers everywhere, by form and by signed URL
yealink, snom, grandstream, poly, cisco-phone, aastra, akuvox, htek   desk phones
panasonic-smdr, hipath, mitel-3300, ip-office   exchanges that write lines of their calls
crm-wconnect, crm-bitrix24, crm-zammad   CRMs that are told of calls"""


def _listed(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    """Print all simulators and end. The failures are told by those who have them, so nothing is told twice."""
    if not wanted or ctx.resilient_parsing:
        return
    from gateway.simulators import CRMS, FAMILIES, LINE_EXCHANGES

    every: dict[str, Any] = {**FAMILIES, **LINE_EXCHANGES, **CRMS}
    for name, cls in every.items():
        login = _shown(cls.login)
        click.echo(f"{click.style(name, bold=True)}\n{_described(cls.__doc__ or '')}")
        click.echo("  " + _("login: {login}", login=login))
        click.echo("  " + _("behaves as: {evidence}", evidence=cls.evidence))
        for failure, meaning in cls.failures.items():
            click.echo(f"  --fail {failure:14} {said(meaning)}")
        click.echo()
    ctx.exit()


def _described(text: str) -> str:
    """Return the docstring of a simulator for people, in the language of this run."""
    told = (translated(paragraph).replace("``", "") for paragraph in paragraphs(text))
    return "\n".join(click.wrap_text(each, WIDTH, "  ", "  ") for each in told)


class _Address(click.ParamType):  # type: ignore[type-arg] # older click has no parameter here
    name = "ADDR:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        host, _colon, port = str(value).rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            self.fail(
                _("{value!r} is not ADDR:PORT, such as 127.0.0.1:8088 or [::1]:8088", value=str(value)), param, ctx
            )
        return host.strip("[]"), int(port)


@click.command("simulate", epilog=NAMES)
@click.argument("name")
@click.option(
    "--list",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_listed,
    help="All simulators: what each takes, its login, its failures.",
)
@click.option(
    "--listen", type=_Address(), metavar="ADDR:PORT", help="Where to listen.  [default: 127.0.0.1, a free port]"
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1, shorter than --listen.")
@click.option(
    "--certificate",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Speak https with this PEM file, which holds the key too.",
)
@click.option("--login", metavar="USER:PASSWORD", help="The login it accepts.  [default: its usual one, see --list]")
@click.option(
    "--auth", metavar="KIND", default="", help="basic, digest or wsse, of an appliance that can be set to either."
)
@click.option(
    "--fail", metavar="FAILURE", default="", help="Fail as this appliance fails: auth, busy, fault … (see --list)."
)
@click.option(
    "--fail-every", type=click.IntRange(1), default=1, metavar="N", help="A CRM fails at every N-th event only."
)
@click.option("--delay-s", type=click.FloatRange(0), default=0.0, help="Seconds before every answer.")
@click.option("--ring-s", type=click.FloatRange(0), default=0.0, help="Seconds the extension rings before it answers.")
@click.option("--drop", is_flag=True, help="Take the order to dial, then close the connection without an answer.")
@click.option(
    "--events-to", metavar="URL", default="", help="Report the calls it places to this gateway, as an exchange would."
)
def simulate_command(
    name: str,
    listen: tuple[str, int] | None,
    port: int,
    certificate: Path | None,
    login: str | None,
    auth: str,
    fail: str,
    fail_every: int,
    delay_s: float,
    ring_s: float,
    drop: bool,
    events_to: str,
) -> None:
    """Run the simulated appliance or CRM NAME until Ctrl-C; its page shows every request it receives."""
    from gateway.simulators import LINE_EXCHANGES, Behaviour

    username, _colon, password = (login or "").partition(":")
    behaviour = Behaviour(
        fail=fail,
        fail_every=fail_every,
        auth=auth,
        delay_s=delay_s,
        ring_s=ring_s,
        drop=drop,
        username=username,
        password=password,
    )
    host, port = listen or ("127.0.0.1", port)
    try:
        appliance = _chosen(name)(
            host=host,
            port=port,
            certificate=certificate,
            behaviour=behaviour,
            events_to=events_to,
            on_received=_show,
            **({"calls_every_s": 10.0} if name in LINE_EXCHANGES else {}),
        ).start()
    except (ValueError, OSError) as error:
        raise click.ClickException(said(problem_of(error))) from None
    facts = {"name": name, "address": appliance.address, "login": _shown(appliance.credentials)}
    click.echo(_("simulated {name} on {address} (login {login}; Ctrl-C stops)", **facts) + "\n")
    click.echo(_to_paste(appliance))
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        appliance.stop()


def _chosen(name: str) -> Any:
    """Return the simulator's class. Raises ``UsageError`` with the nearest name."""
    from difflib import get_close_matches

    from gateway.simulators import CRMS, FAMILIES, LINE_EXCHANGES

    known = {**FAMILIES, **LINE_EXCHANGES, **CRMS}
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    hint = " " + _("Did you mean {name!r}?", name=near[0]) if near else ""
    problem = _("there is no simulator {name!r}; there are: {known}.", name=name, known=", ".join(known))
    raise click.UsageError(problem + hint)


def _to_paste(appliance: Any) -> str:
    """Return the tables that let a gateway dial on it."""
    import tomli_w

    from gateway.simulators.crms import SimulatedCrm
    from gateway.simulators.line_exchanges import SimulatedLineExchange

    if isinstance(appliance, SimulatedCrm):
        return _forward_to_paste(appliance)
    if isinstance(appliance, SimulatedLineExchange):
        return _source_to_paste(appliance)
    tables = {name: {"extensions": ["3501"], **table} for name, table in appliance.tables().items()}
    if not tables:
        return _https_only(appliance)
    example = tomli_w.dumps({"tenants": {"default": {"appliances": tables}}})
    return _("To dial on it, in gateway.toml:") + f"\n\n{example}"


def _forward_to_paste(crm: Any) -> str:
    """Return the table that lets a gateway tell a CRM of calls."""
    import tomli_w

    if not (table := crm.forward()):
        return _https_only(crm)
    example = tomli_w.dumps({"tenants": {"default": {"forwards": {crm.name: table}}}})
    return _("To tell it of calls, in gateway.toml:") + f"\n\n{example}"


def _source_to_paste(exchange: Any) -> str:
    """Return the table that lets a gateway read an exchange's lines."""
    import tomli_w

    example = tomli_w.dumps({"tenants": {"default": {"sources": {exchange.name: exchange.source()}}}})
    return _("To read its lines, in gateway.toml; it plays a call each ten seconds:") + f"\n\n{example}"


def _https_only(simulated: Any) -> str:
    told = _("The preset of {name} speaks https only: give --certificate to dial on it.", name=simulated.name)
    return told + "\n"


def _shown(login: tuple[str, str]) -> str:
    """Return ``USER:PASSWORD``, as ``--login`` takes it; only ``:TOKEN`` where there is no user."""
    return ":".join(login) if any(login) else _("no login")


def _show(received: Any) -> None:
    sides = {"extension": received.extension, "number": received.number}
    call = _("{extension} calls {number}", **sides) if any(sides.values()) else ""
    tell(f"{received.at:%H:%M:%S} {' - '.join(filter(None, [call, received.step]))}\n{received.raw}\n")
