"""Change the domain's code in small ways, one at a time, and see which changes no test notices.

``python -m tests.mutation [MODULE...]`` (extra ``mutation``), such as ``calls/book.py`` or ``calls``; without a name
all of ``gateway/domain``. The changes are cosmic-ray's. Each is made in a copy of the source tree and tried by a child
of this process, which has loaded what takes long: so one takes about a second. docs/how-we-test.md has the figures.
"""

import argparse
import importlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from resource import RLIMIT_CPU, setrlimit
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from hypothesis import Phase, settings
from parso.tree import NodeOrLeaf as Node

ROOT = Path(__file__).parents[1]
DOMAIN = Path("gateway/domain")
COPIED = ("gateway", "tests", "docs", "adapters", "pyproject.toml")
SLOW = (
    *("pytest", "hypothesis.stateful", "phonenumbers", "regex", "structlog", "xml.etree.ElementTree", "pydantic"),
    *("prometheus_client", "sqlalchemy", "werkzeug", "lxml.etree", "zeep", "requests"),
)
"""Libraries that the tests load."""
TESTS = {
    "calls": ("calls", "test_matching.py", "test_results.py"),
    "dialplan": ("test_dialplan.py", "test_dial_rules.py", "test_undialling.py"),
    "numbering": ("test_numbers.py", "test_several.py", "test_branches.py"),
}
"""The tests of each room of the domain, under tests/domain; of what lies in none, all of them."""
ONLY_TYPES = "ReplaceBinaryOperator_BitOr_"
"""These change what stands between two types nearly everywhere, which is no behaviour."""
LONGEST_CPU_S = 60
"""Of the processor, so that a busy machine kills nothing that only had to wait."""
PROFILE = "mutation"
settings.register_profile(
    PROFILE, database=None, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate)
)
"""The same examples for every mutant, and none made smaller: only whether a test fails is asked."""
FEW = 25
"""Examples of a property at first; what survives them is tried with all."""


@dataclass(frozen=True)
class Mutant:
    """A module of the domain with one small change."""

    module: Path
    operator: str
    before: str
    after: str

    def __str__(self) -> str:
        lines = unified_diff(self.before.splitlines(), self.after.splitlines(), str(self.module), "", "", "", 0, "")
        return "\n".join(list(lines)[2:])


def main() -> int:
    """Return 0 when at least nine of ten mutants were killed."""
    options = read_arguments()
    for name in SLOW:
        importlib.import_module(name)
    with TemporaryDirectory(prefix="cti-mutation-") as folder:
        make_copy(Path(folder))
        os.chdir(folder)
        counted = [try_all(module, options.every) for module in modules(options.modules)]
    killed, total = sum(killed for killed, _ in counted), sum(total for _, total in counted)
    print(f"All: {killed} of {total} killed ({killed / max(1, total):.1%})")
    return 0 if killed >= 0.9 * total else 1


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="below gateway/domain: a file or a folder")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="try one of N only")
    return parser.parse_args()


def make_copy(folder: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            copytree(source, folder / name, ignore=ignore_patterns("__pycache__"))
        else:
            (folder / name).write_bytes(source.read_bytes())


def modules(named: Sequence[str]) -> list[Path]:
    """The files of the domain that were named. Raises ``SystemExit`` for a name that is none."""
    found: list[Path] = []
    for name in named or [""]:
        path = DOMAIN / name
        if not path.exists():
            raise SystemExit(f"{path} is neither a file nor a folder.")
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return found


def try_all(module: Path, every: int) -> tuple[int, int]:
    """Try mutants of ``module``: how many were killed, and how many they were. Raises ``SystemExit``."""
    began = time.monotonic()
    code = module.read_text(encoding="utf-8")
    if not passes(module, FEW):
        raise SystemExit(f"The tests of {module} fail without a change.")
    tried = list(mutants(module, code, every))
    killed = sum(1 for mutant in tried if is_killed(mutant))
    module.write_text(code, encoding="utf-8")
    print(f"{module}: {killed} of {len(tried)} killed in {time.monotonic() - began:.0f} s", flush=True)
    return killed, len(tried)


def is_killed(mutant: Mutant) -> bool:
    mutant.module.write_text(mutant.after, encoding="utf-8")
    survived = passes(mutant.module, FEW) and passes(mutant.module)
    if survived:
        print(f"survived {mutant.operator}\n{mutant}", flush=True)
    return not survived


def mutants(module: Path, code: str, every: int = 1) -> Iterator[Mutant]:
    """One of ``every`` mutants of ``module``, beginning with the first."""
    for name, occurrence in list(_places(get_ast(code)))[::every]:
        changed = mutate_code(code, get_operator(name)(), occurrence)
        if changed is not None:
            yield Mutant(module, name.rpartition("/")[2], code, changed)


def _places(tree: Node) -> Iterator[tuple[str, int]]:
    """The operators, and how often before each of them found something to change."""
    for name in operator_names():
        operator = get_operator(name)
        if ONLY_TYPES not in name and not operator.arguments():
            places = sum(1 for node in ast_nodes(tree) for _ in operator().mutation_positions(node))
            yield from ((name, occurrence) for occurrence in range(places))


def passes(module: Path, examples: int | None = None) -> bool:
    """Whether the tests of ``module`` pass, in a child that loads the gateway anew; with at most so many examples."""
    child = os.fork()
    if child == 0:
        run_tests(module, examples)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def limit_examples(examples: int) -> None:
    """Let no test of this process try more than ``examples``, whatever its own settings say."""
    plain = settings.__init__

    def limited(self: settings, *parents: settings, **named: Any) -> None:
        if "max_examples" in named:
            named["max_examples"] = min(examples, named["max_examples"])
        plain(self, *parents, **named)

    settings.__init__ = limited  # type: ignore[method-assign,assignment]


def run_tests(module: Path, examples: int | None) -> None:
    """Run the tests and end this process with their exit code."""
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        for output in (1, 2):
            os.dup2(nothing, output)
        setrlimit(RLIMIT_CPU, (LONGEST_CPU_S, LONGEST_CPU_S))
        sys.dont_write_bytecode = True
        if examples:
            limit_examples(examples)
        sys.path.insert(0, os.getcwd())
        for name in [name for name in sys.modules if name.split(".")[0] in ("gateway", "tests", "adapters")]:
            del sys.modules[name]
        room = module.relative_to(DOMAIN).parts[0]
        tests = [f"tests/domain/{name}" for name in TESTS.get(room, ("",))]
        code = int(
            sys.modules["pytest"].main(
                ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", f"--hypothesis-profile={PROFILE}", *tests]
            )
        )
    finally:
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
