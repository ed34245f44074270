"""Hold our SOAP envelopes against PHP's: ``python -m tests.parity [--server] [-v] FOLDER...``.

Prints a line for each file, what differs and is not in known.toml, and the sums. Exit code 1 for a new difference,
refusal or crash.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.parity.compare import Compared, compare
from tests.parity.known import WRONG, known, unjustified
from tests.parity.php import Php
from tests.parity.serving import arrival

KINDS = ("equal", "different", "refused", "crashed", "only ours", "neither")


def files(places: Iterable[str]) -> Iterator[Path]:
    """The WSDLs in folders, and files that are named."""
    for place in map(Path, places):
        yield from sorted(place.rglob("*.wsdl")) if place.is_dir() else [place]


def main(arguments: list[str] | None = None) -> int:
    """Run it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("places", nargs="+", help="folders with WSDLs, or WSDLs")
    parser.add_argument("--server", action="store_true", help="send our envelopes to PHP's SoapServer as well")
    parser.add_argument("-v", "--verbose", action="store_true", help="print known differences too")
    given = parser.parse_args(arguments)
    with Php() as php:
        return _run(given, php)


def _run(given: argparse.Namespace, php: Php) -> int:
    sums: Counter[str] = Counter()
    justified = known()
    for path in files(given.places):
        compared = compare(path, php)
        wrong = unjustified(compared, justified)
        _print_file(compared, sums)
        for verdict in compared.verdicts if given.verbose else wrong:
            if verdict.kind != "equal":
                print(f"    {verdict.kind}: {verdict.operation}: {verdict.why[:400]}")
        sums["new"] += len(wrong)
        sums["known"] += sum(each.kind in WRONG for each in compared.verdicts) - len(wrong)
        if given.server and not compared.php_refuses:
            _serve(compared, php, sums)
    _print_sums(sums)
    return 1 if sums["new"] else 0


def _print_file(compared: Compared, sums: Counter[str]) -> None:
    found = Counter(each.kind for each in compared.verdicts if each.operation)
    sums.update(found)
    sums.update({"files": 1, "PHP loads": not compared.php_refuses, "we load": not compared.we_refuse})
    sums["we refuse what PHP loads"] += bool(compared.we_refuse and not compared.php_refuses)
    sums["we crash"] += any(each.kind == "crashed" for each in compared.verdicts)
    loads = f"PHP {'refuses' if compared.php_refuses else 'loads'}, we {'refuse' if compared.we_refuse else 'load'}"
    print(f"{compared.path}: {loads}; " + ", ".join(f"{found[kind]} {kind}" for kind in KINDS if found[kind]))


def _serve(compared: Compared, php: Php, sums: Counter[str]) -> None:
    for verdict in compared.verdicts:
        if verdict.envelope:
            came = arrival(compared.path, verdict, php)
            sums[f"server: {came.kind}"] += 1
            if came.kind in ("otherwise", "refused"):
                print(f"    server: {came.kind}: {came.operation}: {came.why[:400]}")


def _print_sums(sums: Counter[str]) -> None:
    print("\nfiles: " + ", ".join(f"{sums[name]} {name}" for name in _FILES))
    print("operations: " + ", ".join(f"{sums[name]} {name}" for name in KINDS))
    print(f"wrong: {sums['new']} new, {sums['known']} known and justified")
    for name in sorted(name for name in sums if name.startswith("server")):
        print(f"{name}: {sums[name]}")


_FILES = ("files", "PHP loads", "we load", "we refuse what PHP loads", "we crash")

if __name__ == "__main__":
    sys.exit(main())
