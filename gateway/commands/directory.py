"""``import`` and ``agent``: who owns a number, and who sits at an extension."""

import sys
from pathlib import Path

import click

from gateway.bootstrap import Gateway, tenants
from gateway.commands.place import Place, one_tenant, with_place, with_tenant
from gateway.delivery import milliseconds
from gateway.importing import Sheet, chunks, read_sheet
from gateway.passwords import hash_password
from gateway.store.directory import Agent

SHOWN_REFUSALS = 20


@click.group("import")
def import_command() -> None:
    """Load accounts with their numbers."""


@import_command.command("accounts")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@with_tenant
@with_place
def import_accounts(place: Place, file: Path, tenant: str | None) -> None:
    """Load accounts with their numbers from FILE, a CSV with a header line.

    Columns by name, in any order: codigo (or code, id), nome (name), contato (contact), and any number of telefone,
    celular, fax, phone … Separator ';', ',' or tab; UTF-8 or Windows-1252. An account that is there already (same code)
    is replaced, so the command can be repeated. Refused lines are listed on standard error.
    """
    with place.open() as gateway:
        name = one_tenant(gateway.config, tenant)
        sheet = read_sheet(file, tenants(gateway.config)[name].numbers)
        _load(gateway, name, sheet)
        _report(gateway, name, sheet)


def _load(gateway: Gateway, tenant: str, sheet: Sheet) -> None:
    now = milliseconds()
    with click.progressbar(length=len(sheet.accounts), label="accounts", file=sys.stderr) as bar:
        for chunk in chunks(sheet.accounts):
            gateway.directory.load_accounts(tenant, chunk, now)
            bar.update(len(chunk))


def _report(gateway: Gateway, tenant: str, sheet: Sheet) -> None:
    numbers = sum(len(account.phones) for account in sheet.accounts)
    total = gateway.directory.count_accounts(tenant)
    click.echo(f"{len(sheet.accounts)} accounts with {numbers} numbers loaded into {tenant!r}, which now has {total}")
    for refused in sheet.refused[:SHOWN_REFUSALS]:
        click.echo(f"line {refused.line}: {refused.reason}", err=True)
    if sheet.refused:
        click.echo(f"{len(sheet.refused)} refused in all", err=True)


@click.group("agent")
def agent_command() -> None:
    """Add, list and remove agents: the people who log in to the desk."""


@agent_command.command("add")
@click.argument("login")
@click.option("--extension", required=True, help="The extension the agent sits at.")
@click.option("--name", help="Name shown to people.  [default: the login]")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@with_tenant
@with_place
def agent_add(
    place: Place, login: str, extension: str, name: str | None, password_stdin: bool, tenant: str | None
) -> None:
    """Add the agent LOGIN, or give an existing one a new name, extension and password."""
    with place.open() as gateway:
        company = one_tenant(gateway.config, tenant)
        try:
            hashed = hash_password(_password(password_stdin))
        except ValueError as error:
            raise click.ClickException(str(error)) from None
        agent = Agent(0, company, login.strip(), (name or login).strip(), extension.strip())
        gateway.directory.save_agent(agent, hashed, milliseconds())
    click.echo(f"agent {login!r} of {company!r} sits at extension {extension}")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer


@agent_command.command("list")
@with_tenant
@with_place
def agent_list(place: Place, tenant: str | None) -> None:
    """List the agents: tenant, login, extension, name."""
    with place.open() as gateway:
        for agent in gateway.directory.agents(tenant):
            click.echo(f"{agent.tenant}\t{agent.login}\t{agent.extension}\t{agent.name}")


@agent_command.command("remove")
@click.argument("login")
@with_tenant
@with_place
def agent_remove(place: Place, login: str, tenant: str | None) -> None:
    """Remove the agent LOGIN and log it out everywhere."""
    with place.open() as gateway:
        company = one_tenant(gateway.config, tenant)
        if not gateway.directory.remove_agent(company, login):
            raise click.ClickException(f"{company!r} has no agent {login!r}")
    click.echo(f"agent {login!r} of {company!r} removed")
