"""Looks into the call log of a running gateway by its command line."""

import itertools
import json
from typing import Any

from tests.live.conftest import LiveGateway

NUMBERS = itertools.count(10_000)


def fresh_number() -> str:
    """A fixed line that no other test has used: DDD 47 and eight digits from 32."""
    return f"4732{next(NUMBERS):06d}"


def the_call(gateway: LiveGateway, number: str) -> dict[str, Any]:
    """The one call of ``number`` in the log."""
    calls = [json.loads(line) for line in gateway.cli("calls", "--format", "json").splitlines()]
    found = [call for call in calls if number in "".join(filter(str.isdigit, str(call["number"])))]
    assert len(found) == 1, (number, calls)
    call: dict[str, Any] = found[0]
    return call
