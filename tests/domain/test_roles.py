"""Which role has which rights."""

import pytest

from gateway.domain.roles import RIGHTS, Right, Role, may, role_of

CHANGES = {right for right in Right if right.startswith("change_")}


def test_every_role_is_in_the_table() -> None:
    assert set(RIGHTS) == set(Role)


def test_an_administrator_may_all_that_a_person_may() -> None:
    assert RIGHTS[Role.ADMINISTRATOR] == set(Right) - {Right.OPEN, Right.DIAL_FOR_OTHERS}


def test_an_auditor_reads_everything_and_changes_nothing() -> None:
    reads = {right for right in Right if right.startswith(("read_", "see_"))}
    assert reads < RIGHTS[Role.AUDITOR]
    assert not RIGHTS[Role.AUDITOR] & {*CHANGES, Right.WORK_CALLS, Right.WORK_MISSED, Right.DIAL}


@pytest.mark.parametrize("role", [each for each in Role if each is not Role.ADMINISTRATOR])
def test_only_an_administrator_changes_how_the_gateway_works(role: Role) -> None:
    assert not RIGHTS[role] & CHANGES


def test_a_supervisor_may_what_an_agent_may_and_more() -> None:
    assert RIGHTS[Role.AGENT] < RIGHTS[Role.SUPERVISOR]


def test_a_program_reads_calls_and_dials_for_everybody() -> None:
    assert {Right.SEE_CALLS, Right.DIAL, Right.DIAL_FOR_OTHERS} <= RIGHTS[Role.PROGRAM]
    assert Right.SEE_SCREEN not in RIGHTS[Role.PROGRAM]


def test_who_is_not_logged_in_may_what_is_open_only() -> None:
    assert [right for right in Right if may(None, right)] == [Right.OPEN]


@pytest.mark.parametrize(
    ("stored", "role"), [("auditor", Role.AUDITOR), ("", Role.AGENT), (None, Role.AGENT), ("owner", Role.AGENT)]
)
def test_a_role_that_nobody_knows_has_an_agents_rights(stored: str | None, role: Role) -> None:
    assert role_of(stored) is role
