"""Try changes of one module, each in a child of a process that has loaded what takes long.

Where only bodies of functions change, the child takes over a process that has collected the tests, gives the functions
their new code, and runs the tests that run the changed statement. All other changes (constants, defaults, classes)
need a child that loads the gateway anew; so does what survives but was run, or kept, while tests were collected.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from resource import RLIMIT_AS, RLIMIT_CPU, setrlimit
from types import CodeType, FunctionType
from typing import Any

import pytest
from hypothesis import Phase, is_hypothesis_test, settings

from tests.mutation.mutants import Mutant
from tests.mutation.selection import Run, cached_properties, clear_caches, functions_in_memory, tests_of, traced
from tests.mutation.source import changed_functions, statement_lines

PYTEST = ("-s", "-x", "-q", "-p", "no:cacheprovider", "--assert=plain", "--hypothesis-profile=mutation")
settings.register_profile(
    "mutation", database=None, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate)
)
"""The same examples for every mutant, and none made smaller: only whether a test fails is asked."""
FEW = 25
"""Examples of a property at first; what survives them is tried with all."""
MOST_KILLERS = 30
"""Tests that noticed the latest changes; they probably notice the next."""
LONGEST_MEMORY = 4 << 30
KILLED, SURVIVED, UNREACHED, ANEW = range(4)
"""What became of a mutant. ``UNREACHED``: no test runs its line. ``ANEW``: it can only be tried by loading it anew."""


def cpu_limit_s(plain_s: float, properties_s: float) -> int:
    """Return after how many seconds of the processor a child ends: one that waits on a busy machine is not killed.

    What tests took while they were traced is more than they take; properties have been tried with few examples only.
    """
    return round(3 + 2 * plain_s + 10 * properties_s)


def limit_resources(cpu_s: int) -> None:
    setrlimit(RLIMIT_CPU, (cpu_s, cpu_s))
    setrlimit(RLIMIT_AS, (LONGEST_MEMORY, LONGEST_MEMORY))


def try_in_place(module: Path, mutants: Sequence[Mutant], log: Path) -> Iterator[int]:
    """Yield for each mutant what became of it. Raises ``SystemExit`` where the tests fail without a change."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        with _last_deed(log):
            plugin = InPlace(module, mutants, write_end, log)
            sys.dont_write_bytecode = False  # nothing is changed yet: those that load all anew find it compiled
            with traced(plugin.path) as plugin.while_loading:
                pytest.main([*PYTEST, *tests_of(module)], plugins=[plugin])
    os.close(write_end)
    told = 0
    with os.fdopen(read_end, "rb", buffering=0) as pipe:
        while verdict := pipe.read(1):
            told += 1
            yield verdict[0]
    os.waitpid(child, 0)
    if told < len(mutants):
        raise SystemExit(f"The tests of {module} fail without a change:\n{log.read_text(encoding='utf-8')[-3000:]}")


def survives_anew(mutant: Mutant, log: Path) -> bool:
    """Return whether all tests of a module pass with the mutant's code, in a child that loads the gateway anew.

    Properties are tried with few examples only. Raises ``SystemExit`` where they fail without it.
    """
    _check_control(mutant.module, log)
    mutant.module.write_text(mutant.changed, encoding="utf-8")
    try:
        return _passes_anew(mutant.module, log)
    finally:
        mutant.module.write_text(mutant.code, encoding="utf-8")


@cache
def _check_control(module: Path, log: Path) -> None:
    if not _passes_anew(module, log):
        raise SystemExit(f"The tests of {module} fail without a change, when all is loaded anew.")


def _passes_anew(module: Path, log: Path) -> bool:
    child = os.fork()
    if child == 0:
        with _last_deed(log):
            limit_resources(60)
            limit_examples(FEW)
            os._exit(int(pytest.main([*PYTEST, *tests_of(module)], plugins=[Killers(log)])))
    return _succeeds(child)


def _succeeds(child: int) -> bool:
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


@contextmanager
def _last_deed(log: Path) -> Iterator[None]:
    """Write all output into ``log`` and end this process, with code 1 where it has not ended itself."""
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(output, stream)
        sys.dont_write_bytecode = True
        sys.path.insert(0, os.getcwd())
        for name in [name for name in sys.modules if name.split(".")[0] in ("gateway", "adapters", "tests")]:
            del sys.modules[name]
        yield
    finally:
        os._exit(1)


def limit_examples(examples: int | None) -> None:
    """Let no test of this process try more than ``examples``, whatever its own settings say; None: what they say."""

    def limited(self: Any) -> int:
        own: int = self._max_examples
        return min(own, examples) if examples else own

    type.__setattr__(settings, "max_examples", property(limited))


class Killers:
    """A plugin of pytest that keeps which tests fail, in a file beside ``log``, and runs these first the next time."""

    def __init__(self, log: Path) -> None:
        self.file = log.with_suffix(".killers")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.file.write_text("\n".join([report.nodeid, *self.known()][:MOST_KILLERS]), encoding="utf-8")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = self.first(items)

    def known(self) -> list[str]:
        return self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []

    def first(self, items: Iterable[pytest.Item]) -> list[pytest.Item]:
        """Return the tests in the order in which to run them; properties last, for they take longest."""
        known = set(self.known())
        return sorted(items, key=lambda item: (item.nodeid not in known, _is_property(item)))


class InPlace(Killers):
    """A plugin of pytest that runs the collected tests once for each change of a module."""

    def __init__(self, module: Path, mutants: Sequence[Mutant], results: int, log: Path) -> None:
        super().__init__(log)
        self.path, self.mutants, self.results = os.path.abspath(module), mutants, results
        self.code = module.read_text(encoding="utf-8")
        self.while_loading = Run()
        self.runs: dict[pytest.Item, Run] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        sys.settrace(None)
        sys.dont_write_bytecode = True
        limit_examples(FEW)
        for item, following in zip(session.items, [*session.items[1:], None], strict=True):
            with traced(self.path) as self.runs[item]:
                item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        clear_caches()
        if session.items and not session.testsfailed and self._try(session, (), session.items) == SURVIVED:
            self._try_all(session)
        return True

    def _try_all(self, session: pytest.Session) -> None:
        before = compile(self.code, self.path, "exec")
        in_memory, statements = functions_in_memory(self.path), statement_lines(self.code)
        fixed = self.while_loading.functions | cached_properties(self.path)
        for mutant in self.mutants:
            changed = changed_functions(before, compile(mutant.changed, self.path, "exec"))
            tests = self._tests(statements.get(mutant.line, range(mutant.line, mutant.line + 1)))
            verdict = ANEW
            if changed is not None and changed.keys() <= in_memory.keys():
                new = [(function, code) for key, code in changed.items() for function in in_memory[key]]
                verdict = self._try(session, new, tests)
                if verdict != KILLED and changed.keys() & fixed:
                    verdict = ANEW
            os.write(self.results, bytes([verdict]))

    def _tests(self, lines: Iterable[int]) -> list[pytest.Item]:
        """Return the tests that run one of ``lines``."""
        return self.first(item for item, run in self.runs.items() if not run.lines.isdisjoint(lines))

    def _try(
        self, session: pytest.Session, changed: Sequence[tuple[FunctionType, CodeType]], tests: Sequence[pytest.Item]
    ) -> int:
        if not tests:
            return UNREACHED
        seconds = dict.fromkeys((False, True), 0.0)
        for test in tests:
            seconds[_is_property(test)] += self.runs[test].cpu_s
        limit_s = cpu_limit_s(seconds[False], seconds[True])
        child = os.fork()
        if child == 0:
            try:
                limit_resources(limit_s)
                for function, code in changed:
                    function.__code__ = code
                _run(session, tests, FEW)
                _run(session, [test for test in tests if _is_property(test)], None)
                os._exit(0)
            finally:
                os._exit(1)
        return SURVIVED if _succeeds(child) else KILLED


def _is_property(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and is_hypothesis_test(item.obj)


def _run(session: pytest.Session, tests: Sequence[pytest.Item], examples: int | None) -> None:
    """Run tests and end this process at the first that fails."""
    limit_examples(examples)
    for item, following in zip(tests, [*tests[1:], *[None][: len(tests)]], strict=True):
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            os._exit(1)
