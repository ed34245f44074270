"""How many numbers a second are read on one core, beside the library phonenumbers alone, in one run.

    python bench/numbers.py

Processor time is what counts, so that other work on the machine disturbs little.
Nothing is cached: ours is called behind its cache, as if every number were new.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import phonenumbers

# In place of this folder, where this file would hide the standard library's module numbers.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from gateway.domain.numbering.numbers import Extensions, NumberPlan, read_anew
from tests.domain.cases import table

PLAIN = ["11987654321", "1134567890", "47991234567", "4732100123", "3501", "3542", "85912345678", "204"]
MIX = [row[0] for row in table("numbers.tsv", columns=8)]
PLANS = {
    "extensions guessed": NumberPlan("11"),
    "extensions listed": NumberPlan("11", Extensions.parse(["3500-3599", "2xx", "/4[0-3][0-9]{2}/"])),
}
SECONDS = 1.0


def rate(read_one: Callable[[str], object], texts: Sequence[str]) -> float:
    """Readings a second of processor time, over at least `SECONDS` after one round to warm up."""
    for text in texts:
        read_one(text)
    done, begin = 0, time.process_time()
    while (elapsed := time.process_time() - begin) < SECONDS:
        for text in texts:
            read_one(text)
        done += len(texts)
    return done / elapsed


def library(text: str) -> bool:
    """What bare phonenumbers has to say: parsed for Brazil, and valid or not."""
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(text, "BR")))
    except phonenumbers.NumberParseException:
        return False


def main() -> None:
    print(f"{'readings/s':<48}{'ours':>12}{'phonenumbers':>14}{'ratio':>8}")
    for what, texts in (("plain numbers", PLAIN), ("all cases of numbers.tsv", MIX)):
        theirs = rate(library, texts)
        for name, plan in PLANS.items():
            ours = rate(lambda text, plan=plan: read_anew(text, plan), texts)
            print(f"{what + ', ' + name:<48}{ours:>12,.0f}{theirs:>14,.0f}{ours / theirs:>7.1f}x")


if __name__ == "__main__":
    main()
