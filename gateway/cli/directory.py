"""``agent``: who sits at an extension."""

import sys

import click

from gateway.cli.place import DataLocation, one_tenant, with_place, with_tenant
from gateway.cli.speech import _, said
from gateway.cli.terminal import cell
from gateway.clock import milliseconds
from gateway.domain.roles import Role, role_of
from gateway.logins.passwords import WeakPassword, hash_password
from gateway.store.directory import Agent, Directory
from gateway.texts.languages import LANGUAGES
from gateway.texts.text import Text


@click.group("agent")
def agent_command() -> None:
    """Add, list and remove agents: the people who log in to the desk."""


@agent_command.command("add")
@click.argument("login")
@click.option("--extension", required=True, help="The extension the agent sits at.")
@click.option("--name", help="Name shown to people.  [default: the login]")
@click.option(
    "--language", type=click.Choice(LANGUAGES), help="Language of the agent's pages.  [default: the browser's]"
)
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    help="What the agent may do.  [default: agent; an existing one keeps its role]",
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@with_tenant
@with_place
def agent_add(
    place: DataLocation,
    login: str,
    extension: str,
    name: str | None,
    language: str | None,
    role: str | None,
    password_stdin: bool,
    tenant: str | None,
) -> None:
    """Add the agent LOGIN, or give an existing one a new name, extension and password."""
    with place.open() as gateway:
        company = one_tenant(gateway.config, tenant)
        try:
            hashed = hash_password(_password(password_stdin), login=login)
        except WeakPassword as error:
            raise click.ClickException(said(error.text)) from None
        wanted = _role(gateway.directory, company, login.strip(), role)
        agent = Agent(0, company, login.strip(), (name or login).strip(), extension.strip(), language or "", wanted)
        gateway.directory.save_agent(agent, hashed, milliseconds())
    seat = Text(
        "agent {login!r} of {company!r} sits at extension {extension}",
        login=login,
        company=company,
        extension=extension,
    )
    click.echo(said(seat))


def _role(directory: Directory, company: str, login: str, asked: str | None) -> Role:
    """Return the role asked for; else the one that the agent has, or an agent's."""
    found = directory.agent(company, login)
    return role_of(asked) if asked or not found else found.role


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    answer: str = click.prompt(_("Password"), hide_input=True, confirmation_prompt=True)
    return answer


@agent_command.command("list")
@with_tenant
@with_place
def agent_list(place: DataLocation, tenant: str | None) -> None:
    """List the agents: tenant, login, extension, name, role."""
    with place.open() as gateway:
        for agent in gateway.directory.agents(tenant):
            click.echo("\t".join(map(cell, (agent.tenant, agent.login, agent.extension, agent.name, agent.role))))


@agent_command.command("role")
@click.argument("login")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@with_tenant
@with_place
def agent_role(place: DataLocation, login: str, role: str, tenant: str | None) -> None:
    """Give the agent LOGIN the role ROLE; its password and sessions stay."""
    with place.open() as gateway:
        company = one_tenant(gateway.config, tenant)
        if not gateway.directory.give_role(company, login, Role(role)):
            raise click.ClickException(_("{company!r} has no agent {login!r}", company=company, login=login))
    click.echo(_("agent {login!r} of {company!r} has the role {role} now", login=login, company=company, role=role))


@agent_command.command("remove")
@click.argument("login")
@with_tenant
@with_place
def agent_remove(place: DataLocation, login: str, tenant: str | None) -> None:
    """Remove the agent LOGIN and log it out everywhere."""
    with place.open() as gateway:
        company = one_tenant(gateway.config, tenant)
        if not gateway.directory.remove_agent(company, login):
            raise click.ClickException(_("{company!r} has no agent {login!r}", company=company, login=login))
    click.echo(_("agent {login!r} of {company!r} removed", login=login, company=company))
