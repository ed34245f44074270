"""The command ``cti-gateway``. Each subcommand lives in this folder and is imported only when it is called."""

import importlib
import sys

import click

from gateway import __version__
from gateway.cli.click_words import speak
from gateway.cli.speech import _, language, said, translate_help
from gateway.cli.terminal import tell
from gateway.errors import GatewayError
from gateway.texts.text import Text

COMMANDS = {
    "agent": ("directory", Text("Add, list and remove agents.")),
    "audit": ("audit", Text("Print the audit log: who did what.")),
    "calls": ("calls", Text("Print the call log.")),
    "check": ("setup", Text("Validate the configuration; probe database and appliances without ringing anyone.")),
    "config": ("setup", Text("Print the configuration in force, secrets masked.")),
    "db": ("db", Text("Look after the database; move it between SQLite and PostgreSQL.")),
    "demo": ("demo", Text("Run everything at once in a throw-away folder.")),
    "dial": ("dialling", Text("Let an extension call a number (click-to-call from the shell).")),
    "forwards": ("forwards", Text("Look at what forwards were told; send events again, or give them up.")),
    "import": ("importing", Text("Bring in the directory: accounts with their numbers.")),
    "init": ("setup", Text("Write a commented gateway.toml.")),
    "number": ("numbers", Text("Explain how a number is read, matched and dialled.")),
    "onsite": ("onsite", Text("Connect gateways on site, and run one: exchanges in networks that let nobody in.")),
    "presets": ("presets", Text("List the appliances that are known, and how each is set up.")),
    "serve": ("serving", Text("Run the gateway.")),
    "simulate": ("simulate", Text("Run a simulated appliance.")),
    "sources": ("sources", Text("List the sources of call events; read saved requests and lines.")),
    "traffic": ("traffic", Text("Print the traffic log: raw requests and answers.")),
    "version": ("setup", Text("Print the version.")),
    "wsdl": ("wsdl", Text("Print a published WSDL.")),
}
FORMER_NAMES = {"exchanges": "traffic"}
"""Commands by the names that they had: they go on working, and say what they are called now."""


class LazyGroup(click.Group):
    """Knows its commands by name; imports one only when it is run, so that ``version`` does not load a SOAP stack."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in FORMER_NAMES:
            present = FORMER_NAMES[cmd_name]
            tell(_("'{old}' is called '{new}' now; the old name goes on working.", old=cmd_name, new=present), err=True)
            cmd_name = FORMER_NAMES[cmd_name]
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"gateway.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        translate_help(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, said(COMMANDS[name][1])) for name in sorted(COMMANDS)])

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        translate_help(self)
        super().format_help(ctx, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = " " + _("Did you mean {name!r}?", name=near[0]) if near else ""
            raise click.UsageError(f"{error.message}{hint}", ctx) from None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cti-gateway")
def cli() -> None:
    """The gateway between CRMs and telephone exchanges.

    Try it with 'cti-gateway demo'. Set it up with 'cti-gateway init', 'cti-gateway check' and 'cti-gateway serve'.
    """


def main() -> None:
    """Run the command; an error of ours is one clear line on standard error and exit code 1, never a traceback."""
    try:
        speak(language())
        cli(prog_name="cti-gateway")
    except GatewayError as error:
        tell(f"cti-gateway: {error.said(language())}", err=True)
        sys.exit(1)
