"""Agents as somebody types them."""

import re

import pytest

from gateway.domain.roles import Role
from gateway.logins.agent_lists import MOST, of_sheet, typed

HEADINGS = "login;nome;ramal;papel"


def test_a_sheet_is_read_with_its_headings_in_any_order_and_language() -> None:
    text = "\ufeffRol,Usuário,Nombre,Extension\nSupervisor,ana,Ana  Souza,3501\n\n,bruno,,*\n"
    ana, bruno = of_sheet(text, ())
    assert (ana.login, ana.name, ana.extension, ana.role, ana.problem) == (
        "ana",
        "Ana Souza",
        "3501",
        Role.SUPERVISOR,
        None,
    )
    assert (bruno.login, bruno.name, bruno.extension, bruno.role) == ("bruno", "bruno", "", Role.AGENT)
    assert (bruno.chooses_extension, bruno.line, bruno.problem) == (True, 4, None)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("ana;Ana;3501;agent", "there is an agent 'ana' already."),
        ("bia;Bia;3501;chef", "the role 'chef' will not do: agent, supervisor, administrator, auditor or program."),
        ("bi a;Bia;3501;", "the login 'bi a' will not do: 1 to 64 signs without blanks and colons."),
        ("b:a;Bia;3501;", "the login 'b:a' will not do: 1 to 64 signs without blanks and colons."),
        (";Bia;3501;", "the login '' will not do: 1 to 64 signs without blanks and colons."),
        ("bia;Bia;;", "an extension is missing; * to choose it at each login."),
        ("bia;Bia;35 01;", "the extension '35 01' will not do: digits, or * to choose it at each login."),
        (f"bia;{'B' * 256};3501;", "the name will not do: at most 255 signs."),
    ],
)
def test_a_line_that_will_not_do_says_why(line: str, says: str) -> None:
    found = of_sheet(f"{HEADINGS}\n{line}", ("ana",))[0]
    assert (found.line, str(found.problem)) == (2, says)


def test_a_login_that_stands_there_twice_is_added_once() -> None:
    found = of_sheet(f"{HEADINGS}\nana;A;1;\nana;B;2;", ())
    assert [bool(each.problem) for each in found] == [False, True]


@pytest.mark.parametrize("role", ["auditor", "programa", "administrador"])
def test_who_needs_no_extension_may_have_none(role: str) -> None:
    assert typed("crm", "", "", role).problem is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the list is empty."),
        ("ana;3501", "the first line must name the columns"),
        (HEADINGS + "\nx;x;1;" * (MOST + 1), "the list has 201 lines; at most 200 at once."),
    ],
)
def test_a_list_that_cannot_be_read_says_why(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        of_sheet(text, ())
