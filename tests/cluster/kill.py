"""The kill test: a node killed, another frozen, the primary killed and the standby promoted, all under load.

``python -m tests.cluster.kill --runs 20`` runs it again and again, with other moments each time, and ends with 1 when
anything acknowledged is lost or told wrongly; ``--control`` runs the set-ups that must fail.
"""

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.cluster.cell import Cell, cell, wait_for
from tests.cluster.checker import Findings

CONTROLS = Path(__file__).parent / "controls"
BELIEVED_CANCEL = {"PYTHONPATH": str(CONTROLS / "cancelled_commit")}


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. ``cut_before_s``: the standby is cut off so long before the primary dies; None: it is not."""

    events: int = 3000
    nodes: int = 3
    tenants: int = 12
    screens: int = 12
    clickers: int = 3
    per_s: float = 30.0
    synchronous: bool = True
    cut_before_s: float | None = None
    promote_after_s: float = 1.0
    freeze_s: float = 3.0
    database_away_s: float = 0.0
    server: str = ""
    environment: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run."""

    findings: Findings
    acknowledged: int
    orders: int
    dialled: int
    nodes: set[str]
    screens_on: set[str]
    resets: Sequence[int]
    slowest_s: float
    took_s: float

    def line(self) -> str:
        counts = ", ".join(f"{name} {count}" for name, count in self.findings.counts().items())
        return (
            f"{self.acknowledged} acknowledged, {self.orders} orders, {self.dialled} dialled, "
            f"slowest {self.slowest_s:.1f} s, {self.took_s:.0f} s in all: {counts}"
        )


def run(folder: Path, plan: Plan) -> Report:
    """Run ``plan`` once in ``folder``, where all logs stay. Raises ``AssertionError`` when a node took no part."""
    began = time.monotonic()
    with cell(
        folder,
        nodes=plan.nodes,
        tenants=plan.tenants,
        synchronous=plan.synchronous,
        server=plan.server,
        environment=plan.environment,
    ) as found:
        found.open_screens(plan.screens)
        found.send(per_s=plan.per_s, clickers=plan.clickers)
        found.until_acknowledged(plan.events // 4)
        _all_take_part(found)
        found.nodes[0].restart()
        found.until_acknowledged(plan.events // 3)
        _lose_primary(found, plan)
        if plan.freeze_s:
            found.nodes[1].freeze()
            time.sleep(plan.freeze_s)
            found.nodes[1].thaw()
        found.until_acknowledged(plan.events, within_s=120)
        wait_for(lambda: found.nodes[0].readiness()[0] == 200, 60)
        findings = found.finish()
        history = found.history
        return Report(
            findings,
            len(history.acknowledged()),
            len(history.orders),
            len(history.dialled),
            history.nodes(),
            set().union(*(screen.nodes for screen in history.screens)),
            [screen.resets for screen in history.screens],
            history.slowest_s(),
            time.monotonic() - began,
        )


def _all_take_part(found: Cell) -> None:
    """Raise where a node has acknowledged nothing: then it was not tested at all."""
    wanted = {node.name for node in found.nodes}
    assert wait_for(lambda: found.history.nodes() == wanted, 20), f"only {found.history.nodes()}\n{found.logs()}"


def _lose_primary(found: Cell, plan: Plan) -> None:
    if plan.cut_before_s is not None:
        found.database.link.cut()
        time.sleep(plan.cut_before_s)
    found.database.fail_over(after_s=max(plan.promote_after_s, plan.database_away_s))


def right(seed: int) -> Plan:
    """Return a plan whose moments depend on ``seed``; nothing may be lost in it."""
    chosen = random.Random(seed)
    cut = chosen.choice([None, None, 0.5, 2.0])
    return Plan(cut_before_s=cut, promote_after_s=chosen.uniform(0.3, 4.0), freeze_s=chosen.choice([1.0, 3.0]))


def wrong() -> dict[str, Plan]:
    """Return the controls, which must lose something: by name."""
    plan = Plan(events=2500, cut_before_s=0.5, promote_after_s=0.3, freeze_s=0)
    return {
        "asynchronous standby, cut off 0.5 s before": replace(plan, synchronous=False),
        "cancelled COMMIT believed, standby cut off 2 s before": replace(
            plan, cut_before_s=2.0, environment=BELIEVED_CANCEL
        ),
    }


def main() -> int:
    """Exit code 0 when every run was right; with ``--control`` when every control was found wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.kill", description=__doc__)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; each later one has the next")
    parser.add_argument("--spool", action="store_true", help="with [server] spool = true, the database away for 4 s")
    parser.add_argument("--control", action="store_true", help="run the controls, which must fail, instead")
    parser.add_argument("--logs", type=Path, help="folder in which the logs of all runs stay, of right ones as well")
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are stopped, too
    if wanted.control:
        controls = [_found(name, plan, wanted.logs) for name, plan in wrong().items()]
        losing = [found for found in controls if found is not None and found.lost]
        print(f"{len(losing)} of {len(controls)} controls have lost events, as they must")
        return int(len(losing) < len(controls))
    good = []
    for seed in range(wanted.seed, wanted.seed + wanted.runs):
        plan = right(seed)
        if wanted.spool:
            plan = replace(plan, server="spool = true", database_away_s=4.0)
        name = f"run {seed} (cut {plan.cut_before_s} s before, promoted after {plan.promote_after_s:.1f} s)"
        found = _found(name, plan, wanted.logs)
        good.append(found is not None and not found)
    print(f"{sum(good)} of {len(good)} runs were right")
    return int(not all(good))


def _found(name: str, plan: Plan, logs: Path | None) -> Findings | None:
    """Run ``plan``, print what came of it, and return what was wrong; None where it could not be run. The logs of a
    wrong run stay.
    """
    if logs:
        logs.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="cti-kill-", dir=logs))
    try:
        report = run(folder, plan)
    except AssertionError as error:
        print(f"{name}: NOT RUN: {error}\nlogs: {folder}", flush=True)
        return None
    print(f"{name}: {report.line()}", flush=True)
    if report.findings:
        print(f"{report.findings}\nlogs: {folder}", flush=True)
    elif not logs:
        shutil.rmtree(folder, ignore_errors=True)
    return report.findings


if __name__ == "__main__":
    sys.exit(main())
