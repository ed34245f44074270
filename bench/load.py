"""The load generator: wrk on one thread, with ``load.lua``, which makes the requests and judges the answers."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.processes import find_program

SCRIPT = Path(__file__).with_name("load.lua")
DRAIN_S = 20
"""How long answers still under way may take when no more requests are sent; wrk ends as soon as all are there."""


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: by which wire (``get``, ``soap``, ``xmlrpc``), how long, on how many kept-alive connections."""

    wire: str
    seconds: float
    connections: int
    mix: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one load; latencies in milliseconds. ``example`` is the first answer that was an error."""

    sent: int
    answered: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float
    example: str

    @property
    def acknowledged(self) -> int:
        """Answers that promise that the event is stored."""
        return self.answered - self.failed

    @property
    def errors(self) -> int:
        """Requests without a good answer, whether refused or never answered."""
        return self.sent - self.acknowledged

    @property
    def per_second(self) -> float:
        """Acknowledged events in each second."""
        return self.acknowledged / self.seconds if self.seconds else 0.0


def find_wrk() -> str:
    """Raises ``Missing``."""
    return find_program(["wrk"], "It makes the load. Debian, Ubuntu, Fedora, Homebrew: package wrk.")


def apply(load: Load, url: str, seed: int) -> Outcome:
    """Send ``load`` to the server at ``url``; numbers follow from ``seed``."""
    whole_s = load.seconds + DRAIN_S
    command = [find_wrk(), "--threads", "1", "--connections", str(load.connections)]
    command += ["--duration", f"{whole_s:.0f}s", "--timeout", "60s", "--script", str(SCRIPT), url, "--"]
    command += [load.wire, str(load.seconds), str(seed), "mix" if load.mix else "starts"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=whole_s + 60, check=False)
    return read_outcome(done.stdout + done.stderr)


def read_outcome(printed: str) -> Outcome:
    """The outcome in what wrk and ``load.lua`` printed. Raises ``ValueError`` when there is none."""
    lines = dict(line.partition(" ")[::2] for line in printed.splitlines())
    figures = [float(figure) for figure in lines.get("RESULT", "").split()]
    if len(figures) != 6:
        raise ValueError(f"wrk gave no result:\n{printed}")
    sent, answered, failed, seconds, p50_us, p99_us = figures
    return Outcome(
        int(sent), int(answered), int(failed), seconds, p50_us / 1000, p99_us / 1000, lines.get("EXAMPLE", "")
    )
