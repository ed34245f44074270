"""What several nodes are held to: 18 claims, each with the tests that prove it and the controls that must fail.

A test says ``@pytest.mark.acceptance(8)``. A control breaks the product on purpose and passes when the claim is then
found to be broken: ``@pytest.mark.control(8)``. Figures come by ``record_property("figure", "slowest 1.6 s")``.
``python -m tests.cluster.proof`` runs all of them, wherever they lie, and prints a table.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench.report import table

TESTS = Path(__file__).parents[1]
CLAIMS: Mapping[int, str] = {
    1: "the store's tests pass on SQLite and on PostgreSQL",
    2: "numbers have no gap when writers are killed",
    3: "nothing acknowledged is lost with the primary",
    4: "without a standby nothing is acknowledged or shown",
    5: "a COMMIT without an answer is cleared up",
    6: "screens see each event once and in order",
    7: "nothing is dialled twice or without a row",
    8: "a node that hangs in a transaction holds up no other",
    9: "a commit is on another node's screens at once",
    10: "the doorbell costs writers little",
    11: "lanes write side by side",
    12: "128 companies take at most 12 statements",
    13: "limits and breakers bind all nodes together",
    14: "the spool is drained once and in order",
    15: "one node imports, and a superseded one stops",
    16: "the oldest months are dropped under load",
    17: "a node whose clock is wrong is not ready",
    18: "check refuses what may lose events",
}
MARK = re.compile(r"\bmark\.(acceptance|control)\(([\d, ]+)\)")
STORE = 1
"""The claim for which each test that runs on both kinds of database counts."""


@dataclass(slots=True)
class Came:
    """What came of a claim's tests, or of its controls."""

    passed: int = 0
    not_passed: list[str] = field(default_factory=list)
    """Ids of those that failed, or could not run."""
    figures: list[str] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def is_good(self) -> bool:
        return self.passed > 0 and not self.not_passed

    def shown(self) -> str:
        if not self.passed and not self.not_passed:
            return "none"
        return f"{self.passed} passed" + (f", {len(self.not_passed)} NOT" if self.not_passed else "")


class Proof:
    """A pytest plugin: runs what proves the claims ``wanted``, and keeps what came of it."""

    def __init__(self, wanted: Iterable[int] = CLAIMS) -> None:
        self.wanted = frozenset(wanted)
        self.tests = {number: Came() for number in CLAIMS}
        self.controls = {number: Came() for number in CLAIMS}
        self._counts_for: dict[str, list[Came]] = {}

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        for item in items:
            self._counts_for[item.nodeid] = [
                *self._of(item, "acceptance", self.tests),
                *self._of(item, "control", self.controls),
            ]
        left_out = [item for item in items if not self._counts_for[item.nodeid]]
        items[:] = [item for item in items if self._counts_for[item.nodeid]]
        config.hook.pytest_deselected(items=left_out)

    def _of(self, item: pytest.Item, mark: str, all_of: Mapping[int, Came]) -> Iterator[Came]:
        numbers = {int(number) for found in item.iter_markers(mark) for number in found.args}
        if mark == "acceptance" and item.path.parent.name == "store" and "open_store" in parameters(item):
            numbers.add(STORE)
        return (all_of[number] for number in sorted(numbers & self.wanted))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for came in self._counts_for.get(report.nodeid, ()):
            came.took_s += report.duration
            if not report.passed:
                came.not_passed.append(report.nodeid)
            elif report.when == "call":
                came.passed += 1
                came.figures += [str(value) for name, value in report.user_properties if name == "figure"]

    def is_good(self) -> bool:
        """Return whether each claim was proven and each of its controls failed as it must."""
        return all(self.tests[number].is_good and self.controls[number].is_good for number in self.wanted)

    def shown(self) -> str:
        """Return a table of the claims, and below it the figures that were measured."""
        head = ["claim", "tests", "controls", "seconds"]
        return "\n".join([table(head, [self._row(n) for n in sorted(self.wanted)]), "", *self._figures()])

    def _row(self, number: int) -> list[str]:
        tests, controls = self.tests[number], self.controls[number]
        took = f"{tests.took_s + controls.took_s:.0f}"
        return [f"{number:2} {CLAIMS[number]}", tests.shown(), controls.shown(), took]

    def _figures(self) -> Iterator[str]:
        for number in sorted(self.wanted):
            controls = [f"control: {figure}" for figure in self.controls[number].figures]
            if figures := [*self.tests[number].figures, *controls]:
                yield f"{number:2} {'; '.join(figures)}"


def parameters(item: pytest.Item) -> Mapping[str, object]:
    return getattr(getattr(item, "callspec", None), "params", {})


def marked(folder: Path = TESTS) -> dict[tuple[str, int], list[str]]:
    """Return the modules, below ``folder``, with marks of each kind and number, as they are written."""
    found: dict[tuple[str, int], list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for kind, numbers in MARK.findall(path.read_text(encoding="utf-8")):
            for number in re.findall(r"\d+", numbers):
                names = found.setdefault((kind, int(number)), [])
                if (name := path.relative_to(folder).as_posix()) not in names:
                    names.append(name)
    return found


def modules() -> Sequence[Path]:
    """Return what has to be looked through."""
    names = {name for each in marked().values() for name in each}
    return [TESTS / "store", *(TESTS / name for name in sorted(names) if not name.startswith("store/"))]


def main() -> int:
    """Exit code 0 when each claim was proven and each control failed as it must."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.proof", description=__doc__)
    parser.add_argument("--only", type=int, nargs="+", choices=CLAIMS, metavar="NUMBER", help="only these claims")
    parser.add_argument("--fast", action="store_true", help="leave out what is slow, such as some of the controls")
    wanted = parser.parse_args()
    proof = Proof(wanted.only or CLAIMS)
    options = ["-q", "-p", "no:cacheprovider", "-m", "not slow" if wanted.fast else ""]
    code = pytest.main([*options, *map(str, modules())], plugins=[proof])
    print("\n" + proof.shown(), flush=True)
    return int(not (proof.is_good() and code == pytest.ExitCode.OK))


if __name__ == "__main__":
    sys.exit(main())
