"""Each claim of several nodes has tests and controls, and the command that runs them misses no failure."""

import re
from pathlib import Path

import pytest

from tests.cluster.proof import CLAIMS, TESTS, Proof, marked

PAGE = TESTS.parent / "docs" / "how-we-test.md"
MARKED = """
import pytest
@pytest.mark.{proves}(3)
def test_proof(record_property):
    record_property("figure", "0 of 3000 lost")
@pytest.mark.{breaks}(3)
def test_control():
    {control}
@pytest.mark.{proves}(4)
def test_other(): ...
def test_unmarked(): assert False
"""
SKIPPED = 'pytest.skip("no PostgreSQL")'


def run(folder: Path, control: str = "pass") -> Proof:
    text = MARKED.format(control=control, proves="acceptance", breaks="control")
    (folder / f"test_{folder.name}.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n acceptance(number)\n control(number)\n")
    proof = Proof([3])
    pytest.main(["-q", "-p", "no:cacheprovider", "-c", str(folder / "pytest.ini"), str(folder)], plugins=[proof])
    return proof


def test_what_is_marked_is_run_and_counted_with_its_figures(tmp_path: Path) -> None:
    proof = run(tmp_path)
    assert proof.is_good()
    assert (proof.tests[3].passed, proof.controls[3].passed, proof.tests[4].passed) == (1, 1, 0)
    assert "0 of 3000 lost" in proof.shown()


@pytest.mark.parametrize("control", ["assert False", SKIPPED], ids=["failed", "skipped"])
def test_a_claim_is_not_proven_without_its_control(tmp_path: Path, control: str) -> None:
    proof = run(tmp_path, control)
    assert not proof.is_good()
    assert "1 NOT" in proof.shown()


@pytest.mark.parametrize("number", sorted(CLAIMS))
def test_each_claim_has_tests_and_controls_which_the_page_names(number: int) -> None:
    (row,) = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {number} |")]
    found = marked()
    for kind in ("acceptance", "control"):
        names = found.get((kind, number), [])
        assert names, f"no test is marked {kind}({number})"
        assert [name for name in names if f"`{name}`" not in row] == []


@pytest.mark.parametrize("number", sorted(CLAIMS))
def test_each_module_that_the_page_names_for_a_claim_has_tests_or_controls_of_it(number: int) -> None:
    """A module that was written over by another of its name would leave a claim without its proof."""
    (row,) = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {number} |")]
    _, _, _, tests, controls, _ = row.split("|")
    found = marked()
    for kind, cell in (("acceptance", tests), ("control", controls)):
        named = re.findall(r"`(\w+/test_\w+\.py)`", cell)
        assert [name for name in named if name not in found[kind, number]] == []


def test_marks_name_claims_that_there_are() -> None:
    assert {number for _, number in marked()} <= set(CLAIMS)
