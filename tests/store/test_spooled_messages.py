"""Messages as texts in a node's spool."""

import json

import pytest

from gateway.domain.messages import (
    AgentState,
    AgentStateChanged,
    CallEnded,
    CallNoted,
    CallStarted,
    CallTransferred,
    Direction,
    Origin,
    QueueLeft,
    SourceMark,
)
from gateway.store.spool.messages import ADAPTERS, Told, packed, unpacked

HERE = Origin("get", "127.0.0.1")
MARKED = Origin("webhook", "10.0.0.7", 12, SourceMark("cloud", "e-1", 4, "leg", ("a", "b")))
MESSAGES: list[Told] = [
    CallStarted("acme", "3501", "(47) 3210-0123", HERE, 5, fields={"plano": "ouro é"}, also_rings=("3502", "3503")),
    CallStarted("acme", "3501", "", MARKED, 5, call_ref="c-1", direction=Direction.OUTGOING, rings_anew=True),
    CallTransferred("acme", "3501", "4732100123", "3502", HERE, 6, attended=True),
    QueueLeft("acme", "600", "4732100123", HERE, 6, abandoned=True),
    CallEnded("acme", "3501", "4732100123", HERE, 7, "https://pbx/r?a=1", duration_s=3, goes_on=False),
    CallNoted("acme", "3501", "4732100123", HERE, 8, cost="R$ 0,32", transcript="Alô"),
    AgentStateChanged("acme", "3501", "ana", AgentState.PAUSE, HERE, 9, reason="almoço"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_is_the_same_afterwards(message: Told) -> None:
    again = unpacked(packed(message))
    assert again == message
    assert type(again) is type(message)


def test_all_that_exchanges_tell_can_be_kept() -> None:
    assert len(ADAPTERS) == 10


@pytest.mark.parametrize("text", ["", "[]", '["Unheard", {}]', '["CallStarted", {"ramal": 3}]', "7", "null"])
def test_what_cannot_be_read_is_said_to_be_so(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        unpacked(text)


def test_fields_of_a_newer_version_do_not_stop_this_one() -> None:
    kind, fields = json.loads(packed(MESSAGES[0]))
    assert unpacked(json.dumps([kind, fields | {"mood": "good"}])) == MESSAGES[0]
