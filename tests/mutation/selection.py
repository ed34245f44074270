"""Which tests belong to a module of the domain, and which of them run a line of it."""

import gc
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import _lru_cache_wrapper, cached_property
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

from tests.mutation.source import FunctionKey

DOMAIN = Path("gateway/domain")
CALLS = ("tests/domain/calls",)
DIALPLAN = ("tests/domain/test_dialplan.py", "tests/domain/test_dial_rules.py", "tests/domain/test_undialling.py")
VALUES = "tests/domain/test_values.py"
NUMBERING = ("tests/domain/test_numbers.py", "tests/domain/test_several.py")
TESTS = {
    "calls": CALLS,
    "calls/matching.py": ("tests/domain/test_matching.py",),
    "calls/results.py": ("tests/domain/test_results.py",),
    "calls/free_fields.py": ("tests/domain/calls/test_free_fields.py",),
    "calls/queueing.py": ("tests/domain/calls/test_queueing.py",),
    "calls/legs.py": ("tests/domain/calls/test_legs.py",),
    "calls/about.py": ("tests/domain/calls/test_decisions.py",),
    "calls/book.py": ("tests/domain/calls/test_decisions.py",),
    "calls/decision.py": ("tests/domain/calls/test_decisions.py",),
    "calls/opening.py": ("tests/domain/calls/test_decisions.py",),
    "calls/told.py": ("tests/domain/calls/test_decisions.py",),
    "calls/heard.py": ("tests/domain/calls/test_heard.py",),
    "calls/leg_events.py": ("tests/domain/calls/test_leg_events.py",),
    "calls/effects.py": ("tests/domain/calls/test_effects.py",),
    "calls/finding.py": ("tests/domain/calls/test_finding.py",),
    "calls/groups.py": ("tests/domain/calls/test_finding.py",),
    "calls/pairing.py": ("tests/domain/calls/test_finding.py",),
    "dialplan": DIALPLAN,
    "dialplan/forms.py": ("tests/domain/test_forms.py",),
    "dialplan/rules.py": ("tests/domain/test_rules.py",),
    "dialplan/plan.py": ("tests/domain/test_plan.py",),
    "dialplan/trials.py": ("tests/domain/test_rules.py",),
    "numbering": NUMBERING,
    "numbering/abroad.py": ("tests/domain/test_subscriber.py",),
    "numbering/spreadsheet.py": ("tests/domain/test_spreadsheet.py",),
    "numbering/channels.py": ("tests/domain/test_channels.py",),
    "numbering/number_text.py": ("tests/domain/test_number_text.py",),
    "numbering/extensions.py": ("tests/domain/test_extensions.py",),
    "numbering/subscriber.py": ("tests/domain/test_subscriber.py",),
    "links.py": ("tests/domain/test_links.py",),
    "identifiers.py": ("tests/domain/test_identifiers.py",),
    "patterns.py": ("tests/domain/test_patterns.py",),
    "messages.py": (VALUES,),
    "calls/call.py": (VALUES,),
    "spreadsheets.py": ("tests/domain/test_links.py",),
    "tenant.py": ("tests/domain/test_tenant.py",),
    "shown_text.py": ("tests/domain/test_shown_text.py",),
}
"""The tests of rooms, and before them those of single modules; all of the domain for a module not named."""
Tracer = Callable[[FrameType, str, Any], Any]


def tests_of(module: Path) -> list[str]:
    """Return the test files and folders of ``module``."""
    below = module.relative_to(DOMAIN)
    found = [*TESTS.get(str(below), ()), *TESTS.get(below.parts[0], ())] or ["tests/domain"]
    return list(dict.fromkeys([*found, VALUES]))


@dataclass
class Run:
    """What of a file was run: the numbers of its lines, and its functions."""

    lines: set[int] = field(default_factory=set)
    functions: set[FunctionKey] = field(default_factory=set)
    cpu_s: float = 0


@contextmanager
def traced(path: str) -> Iterator[Run]:
    """Note what this thread runs of the file ``path`` meanwhile."""
    run = Run()

    def note(frame: FrameType, event: str, _: object) -> Tracer:
        run.lines.add(frame.f_lineno)
        return note

    def enter(frame: FrameType, event: str, argument: object) -> Tracer | None:
        if frame.f_code.co_filename != path:
            return None
        run.functions.add(key_of(frame.f_code))
        return note(frame, event, argument)

    before, began = sys.gettrace(), time.process_time()
    sys.settrace(enter)
    try:
        yield run
    finally:
        sys.settrace(before)
        run.cpu_s = time.process_time() - began


def functions_in_memory(path: str) -> dict[FunctionKey, list[FunctionType]]:
    """Return all functions of the file ``path``, also those that are wrapped or stand in more than one class."""
    found: dict[FunctionKey, list[FunctionType]] = defaultdict(list)
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__code__.co_filename == path:
            found[key_of(thing.__code__)].append(thing)
    return found


def cached_properties(path: str) -> set[FunctionKey]:
    """Return the functions of the file ``path`` whose results an object keeps."""
    kept = [thing.func.__code__ for thing in gc.get_objects() if isinstance(thing, cached_property)]
    return {key_of(code) for code in kept if code.co_filename == path}


def key_of(code: CodeType) -> FunctionKey:
    return code.co_qualname, code.co_firstlineno


def clear_caches() -> None:
    """Forget what functions of the gateway and of its tests have remembered, so that a change in them is noticed."""
    for thing in gc.get_objects():
        if isinstance(thing, _lru_cache_wrapper) and str(thing.__module__).split(".")[0] in ("gateway", "tests"):
            thing.cache_clear()
