"""The command finds what no test notices, leaves out what is explained, and says what is explained in vain."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray", reason="cosmic-ray is not installed (pip install 'cti-gateway[mutation]')")

from tests.mutation import __main__ as command
from tests.mutation.explained import Explanation
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.trials import KILLED, SURVIVED

ROOT = Path(__file__).parents[2]
MUTANT = Mutant(Path("gateway/domain/ring.py"), "Lt_Is", "a < b", "a is b", "ring", 1, "a < b", "a is b")
ENTRY = Explanation("ring.py", "ring", "a < b", ("a is b",), "Both are the same.")


def test_types_and_what_python_warns_of_are_no_changes() -> None:
    code = "def ring(at: int | None, *, sure: bool = True) -> bool:\n    return at == 3\n"
    made = [mutant.after for mutant in mutants(Path("ring.py"), code)]
    assert "def ring(at: int | None, *, sure: bool = False) -> bool:" in made
    assert "return at != 3" in made
    assert "return at is 3" not in made
    assert not [after for after in made if "int |" not in after and "return" not in after]


@pytest.mark.parametrize(
    ("verdict", "entries", "killed", "explained", "survivors", "problems"),
    [
        (KILLED, [], 1, 0, 0, 0),
        (SURVIVED, [], 0, 0, 1, 0),
        (SURVIVED, [ENTRY], 0, 1, 0, 0),
        (KILLED, [ENTRY], 1, 0, 0, 1),
    ],
)
def test_a_mutant_is_killed_explained_or_a_survivor(
    verdict: int, entries: list[Explanation], killed: int, explained: int, survivors: int, problems: int
) -> None:
    count, report = command.Count(1), command.Report()
    command.note(MUTANT, verdict, entries, count, report)
    assert (count.killed, count.explained) == (killed, explained)
    assert (len(report.survivors), len(report.problems)) == (survivors, problems)


def test_what_is_explained_is_no_part_of_the_share() -> None:
    assert command.Count(drawn=10, killed=6, explained=2).share == 0.75
    assert command.Count(drawn=2, killed=0, explained=2).share == 1


@pytest.mark.slow
def test_the_command_tries_each_change_of_a_module() -> None:
    tried = subprocess.run(
        [sys.executable, "-m", "tests.mutation", "links.py"], cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "All: 4 drawn, 0 explained, 4 killed (100.0% of the others)" in tried.stdout
