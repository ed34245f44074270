"""Change the domain's code in small ways, one at a time, and see which changes no test notices.

``python -m tests.mutation [MODULE...]`` (extra ``mutation``), such as ``calls/book.py`` or ``calls``; without a name
all of ``gateway/domain``. Changes are made in a copy of the source tree. Each survivor is printed as file:line,
operator and lines; what explained.toml says about does not count. Exit code 0 where at least nine of ten of the others
are killed in each module, and every explanation still explains a survivor. docs/how-we-test.md has the figures.
"""

import argparse
import importlib
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory

from tests.mutation.explained import Explanation, of_module, stale
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.selection import DOMAIN
from tests.mutation.trials import ANEW, KILLED, SURVIVED, UNREACHED, survives_anew, try_in_place

ROOT = Path(__file__).parents[2]
COPIED = ("gateway", "tests", "docs", "adapters", "pyproject.toml")
SLOW = (
    *("pytest", "hypothesis.stateful", "phonenumbers", "regex", "structlog", "xml.etree.ElementTree", "pydantic"),
    *("prometheus_client", "sqlalchemy", "werkzeug", "lxml.etree", "zeep", "requests"),
)
"""Libraries that the tests load."""
GOAL = 0.9


@dataclass
class Count:
    """What became of the mutants of a module."""

    drawn: int = 0
    killed: int = 0
    explained: int = 0

    def __str__(self) -> str:
        return f"{self.drawn} drawn, {self.explained} explained, {self.killed} killed ({self.share:.1%} of the others)"

    @property
    def share(self) -> float:
        return self.killed / max(1, self.drawn - self.explained) if self.drawn > self.explained else 1.0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.drawn + other.drawn, self.killed + other.killed, self.explained + other.explained)


class Report:
    """Prints survivors while they come, and keeps them for ``--survivors FILE``."""

    def __init__(self) -> None:
        self.survivors: list[dict[str, str]] = []
        self.problems: list[str] = []

    def survived(self, mutant: Mutant, verdict: int) -> None:
        print(f"survived{' (no test runs it)' if verdict == UNREACHED else ''} {mutant}", flush=True)
        self.survivors.append(
            {"module": _name(mutant.module), "in": mutant.scope, "before": mutant.before, "after": mutant.after}
        )

    def problem(self, sentence: str) -> None:
        print(sentence, flush=True)
        self.problems.append(sentence)


def main() -> int:
    """Return 0 when each module has reached the goal and every explanation holds."""
    options = read_arguments()
    for name in SLOW:
        importlib.import_module(name)
    report, here = Report(), Path.cwd()
    with TemporaryDirectory(prefix="cti-mutation-") as folder:
        make_copy(Path(folder))
        os.chdir(folder)
        log = Path(folder, "log")
        counted = [try_module(module, options.every, report, log) for module in modules(options.modules)]
        os.chdir(here)
    print(f"All: {sum(counted, Count())}")
    if options.survivors:
        options.survivors.write_text(json.dumps(report.survivors, indent=1), encoding="utf-8")
    return 0 if not report.problems and all(count.share >= GOAL for count in counted) else 1


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="below gateway/domain: a file or a folder")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="try one of N only")
    parser.add_argument("--survivors", type=Path, metavar="FILE", help="write the survivors here, as JSON")
    return parser.parse_args()


def make_copy(folder: Path) -> None:
    """Copy what the tests of the domain need, with what Python has compiled of it."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            copytree(source, folder / name, ignore=ignore_patterns("*-pytest-*.pyc"))
        else:
            (folder / name).write_bytes(source.read_bytes())


def modules(named: Sequence[str]) -> list[Path]:
    """Return the files of the domain that were named. Raises ``SystemExit`` for a name that is none."""
    found: list[Path] = []
    for name in named or [""]:
        path = DOMAIN / name
        if not path.exists():
            raise SystemExit(f"{path} is neither a file nor a folder.")
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return found


def try_module(module: Path, every: int, report: Report, log: Path) -> Count:
    """Try one of ``every`` mutants of ``module``, and tell of survivors. Raises ``SystemExit``."""
    began = time.monotonic()
    drawn = list(mutants(module, module.read_text(encoding="utf-8"), every))
    entries = of_module(_name(module))
    for sentence in stale(entries, drawn) if every == 1 else ():
        report.problem(sentence)
    count = Count(len(drawn))
    if drawn:
        for mutant, verdict in zip(drawn, try_in_place(module, drawn, log), strict=True):
            note(mutant, _anew(mutant, log) if verdict == ANEW else verdict, entries, count, report)
        print(f"{module}: {count} in {time.monotonic() - began:.0f} s", flush=True)
    return count


def _anew(mutant: Mutant, log: Path) -> int:
    return SURVIVED if survives_anew(mutant, log) else KILLED


def note(mutant: Mutant, verdict: int, entries: Sequence[Explanation], count: Count, report: Report) -> None:
    entry = next((entry for entry in entries if entry.covers(mutant)), None)
    if verdict == KILLED:
        count.killed += 1
        if entry is not None:
            report.problem(f"A test notices what is explained to change nothing: {entry} => {mutant.after}")
    elif entry is not None:
        count.explained += 1
    else:
        report.survived(mutant, verdict)


def _name(module: Path) -> str:
    return str(module.relative_to(DOMAIN))


if __name__ == "__main__":
    sys.exit(main())
