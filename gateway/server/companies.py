"""The companies of a configuration, as the domain knows them: numbers, branches, teams, appliances, what is told."""

from collections.abc import Mapping
from functools import partial

from gateway.config import tables as settings
from gateway.config.dial_plans import DialPlanSettings
from gateway.config.people import TeamSettings
from gateway.config.tables import Config
from gateway.desk.crm_links import event_link
from gateway.domain.calls.scope import Team
from gateway.domain.conditions import condition
from gateway.domain.numbering.numbers import Extensions, NumberPlan, read
from gateway.domain.telling import TellingRules, no_link
from gateway.domain.tenant import Appliance, Branch, Tenant
from gateway.errors import ConfigError
from gateway.texts.text import Text, problem_of


def tenants(config: Config) -> Mapping[str, Tenant]:
    """Return the domain's view of the configured tenants. Raises ``ConfigError`` for extensions that do not read."""
    return {name: _tenant(name, table) for name, table in config.tenants.items()}


def telling_rules(table: settings.TenantSettings, plan: NumberPlan) -> TellingRules:
    """Return what the company's forwards want to be told of."""
    only = {name: condition(forward.only) for name, forward in table.forwards.items() if forward.only}
    return TellingRules(table.timezone, plan, only, partial(event_link, table.crm.link) if table.crm.link else no_link)


def _tenant(name: str, table: settings.TenantSettings) -> Tenant:
    place = f"tenants.{name}"
    appliances = tuple(_appliance(place, key, peer, table.dial_plan) for key, peer in table.appliances.items())
    forwards: dict[str, tuple[str, ...]] = {
        kind: tuple(key for key, forward in table.forwards.items() if kind in forward.on)
        for kind in settings.EVENT_KINDS
    }
    plan = _numbers(place, table)
    branches = tuple(_branch(place, key, branch, plan) for key, branch in table.branches.items())
    repeat_within_ms = round(table.click_to_call.repeat_within_s * 1000)
    lines = _lines(table.lines, plan)
    teams = tuple(_team(key, team) for key, team in table.teams.items())
    rules = telling_rules(table, plan)
    return Tenant(
        name,
        plan,
        appliances,
        table.default_appliance,
        forwards,
        repeat_within_ms,
        branches,
        lines,
        teams=teams,
        telling_rules=rules,
    )


def _team(name: str, team: TeamSettings) -> Team:
    extensions = Extensions.parse(team.extensions) if team.extensions else Extensions()
    logins = (frozenset(team.agents), frozenset(team.supervisors))
    return Team(name, team.title or name, extensions, frozenset(team.queues), *logins)


def _lines(named: Mapping[str, str], plan: NumberPlan) -> Mapping[str, str]:
    """Return the names of the company's lines, by their numbers as written and as they are read."""
    return {read(line, plan).national: name for line, name in named.items()} | dict(named)


def _numbers(place: str, table: settings.TenantSettings) -> NumberPlan:
    """Return the tenant's number plan; an extension of a branch is one of the tenant's as well."""
    listed = _extensions(f"{place}.extensions", table.extensions) or Extensions.guess()
    for key, branch in table.branches.items():
        more = _extensions(f"{place}.branches.{key}.extensions", branch.extensions)
        listed = listed.joined(more) if more else listed
    return NumberPlan(table.area_code, listed)


def _branch(place: str, name: str, branch: settings.BranchSettings, plan: NumberPlan) -> Branch:
    return Branch(name, Extensions.parse(branch.extensions), NumberPlan(branch.area_code, plan.extensions))


def _appliance(place: str, name: str, peer: settings.ApplianceSettings, usual: DialPlanSettings) -> Appliance:
    # What the company never dials, no appliance dials.
    plan = (peer.dial_plan or usual).plan(blocked=usual.blocked)
    extensions = _extensions(f"{place}.appliances.{name}.extensions", peer.extensions)
    return Appliance(name, peer.title or name, plan, extensions, peer.fallback)


def _extensions(place: str, patterns: tuple[str, ...]) -> Extensions | None:
    try:
        return Extensions.parse(patterns) if patterns else None
    except ValueError as error:
        raise ConfigError(Text("{place}: {problem}", place=place, problem=problem_of(error))) from None
