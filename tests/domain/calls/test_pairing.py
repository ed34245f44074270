"""Which calls come of what exchanges send: the cases of ``pairing.txt``, by the rule book alone."""

import pytest

from tests.domain.calls.ledger import Ledger
from tests.domain.calls.pairing_cases import CASES, Case, play, shown


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_calls_that_come_of_events(case: Case) -> None:
    ledger = Ledger()
    for line in case.events:
        play(ledger, line)
    assert [shown(call) for call in ledger.calls.values()] == case.calls
