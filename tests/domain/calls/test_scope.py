"""Who may see which call."""

from collections.abc import Callable

import pytest

from gateway.domain.calls.scope import EVERYTHING, CallSides, Team, scope_of
from gateway.domain.numbering.extensions import Extensions
from gateway.domain.roles import Role

SALES = Team(
    "sales", "", Extensions.parse(["3500-3509"]), frozenset({"vendas"}), frozenset({"caio"}), frozenset({"rita"})
)
SUPPORT = Team("support", "", Extensions.parse(["36xx"]), frozenset({"suporte"}), frozenset(), frozenset({"rui"}))
TEAMS = (SALES, SUPPORT)


def call(*extensions: str, logins: tuple[str, ...] = (), queue: str | None = None, missed: bool = False) -> CallSides:
    return CallSides(frozenset(extensions), frozenset(logins), queue, missed, at=100)


Admits = Callable[[Role, str, str, CallSides], bool]


@pytest.fixture
def admits() -> Admits:
    return lambda role, login, extension, sides: scope_of(role, login, extension, TEAMS).admits(sides)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR, Role.PROGRAM])
def test_who_looks_after_all_of_it_sees_every_call(role: Role) -> None:
    assert scope_of(role, "x", "", TEAMS) is EVERYTHING


@pytest.mark.parametrize(
    ("sides", "seen"),
    [
        (call("3501"), True),
        (call("3502"), False),
        (call("3502", "3501"), True),
        (call("3599", logins=("ana",)), True),
        (call("3502", logins=("bia",)), False),
        (call(queue="vendas"), False),
        (call(queue="vendas", missed=True), True),
        (call("3502", missed=True), True),
        (call("3509", logins=("caio",), missed=True), True),
        (call("3600", missed=True), False),
        (call(queue="suporte", missed=True), False),
        (call(missed=True), False),
    ],
)
def test_an_agent_sees_own_calls_and_what_the_own_team_missed(admits: Admits, sides: CallSides, seen: bool) -> None:
    assert admits(Role.AGENT, "ana", "3501", sides) is seen


@pytest.mark.parametrize(
    ("sides", "seen"),
    [
        (call("3502"), True),
        (call("3599", logins=("caio",)), True),
        (call(queue="vendas"), True),
        (call("3600"), False),
        (call(queue="suporte", missed=True), False),
        (call("3700"), True),
    ],
)
def test_a_supervisor_sees_the_teams_that_are_led_and_own_calls(admits: Admits, sides: CallSides, seen: bool) -> None:
    assert admits(Role.SUPERVISOR, "rita", "3700", sides) is seen


def test_to_lead_a_team_takes_the_role(admits: Admits) -> None:
    assert not admits(Role.AGENT, "rita", "3700", call("3502"))


def test_who_sits_nowhere_sees_no_call_that_is_nowhere(admits: Admits) -> None:
    assert not admits(Role.AGENT, "ana", "", call())
    assert not admits(Role.AGENT, "ana", "", call(""))


def test_without_teams_everybody_is_of_one() -> None:
    ana = scope_of(Role.AGENT, "ana", "3501", ())
    assert ana.admits(call("3600", missed=True))
    assert not ana.admits(call("3600"))
    assert scope_of(Role.SUPERVISOR, "rita", "3700", ()) is EVERYTHING


def test_who_came_to_a_seat_later_does_not_see_what_was_there_before() -> None:
    ana = scope_of(Role.AGENT, "ana", "3501", TEAMS, seated_at=101)
    assert not ana.admits(call("3501"))
    assert ana.admits(CallSides(frozenset({"3501"}), at=101))
    assert ana.admits(call("3501", logins=("ana",)))
