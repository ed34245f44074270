"""Differences that are known and justified: ``known.toml``, each with its reason."""

import re
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from tests.parity.compare import Compared, Verdict

LIST = Path(__file__).with_name("known.toml")
WRONG = ("different", "refused", "crashed")
"""What counts, unless it is known."""


@dataclass(frozen=True)
class Known:
    """Which verdicts are right as they are. ``file`` is a pattern of a path's end, ``why`` one of the reason."""

    reason: str
    kind: str
    file: str = "*"
    operation: str = "*"
    why: str = ""

    def covers(self, path: Path, verdict: Verdict) -> bool:
        """Whether it is about this verdict."""
        return (
            self.kind == verdict.kind
            and fnmatch(path.as_posix(), f"*/{self.file}")
            and fnmatch(verdict.operation, self.operation)
            and re.search(self.why, verdict.why) is not None
        )


def known(path: Path = LIST) -> list[Known]:
    """Read the list."""
    return [Known(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8"))["known"]]


def unjustified(compared: Compared, justified: list[Known]) -> list[Verdict]:
    """Return what is wrong in a file and not on the list."""
    found = (each for each in compared.verdicts if each.kind in WRONG)
    return [each for each in found if not any(entry.covers(compared.path, each) for entry in justified)]
