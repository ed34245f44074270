"""The traffic log keeps each request of a source, says what was not understood, and an agent may send it again."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gateway.store.traffic import Draft, Remark, RemarkCode, TrafficEntry
from gateway.texts.languages import DEFAULT
from gateway.traffic.remarks import said
from gateway.wire.traffic import Recorder
from tests.wire.peers import OUTSIDE, Peer
from tests.wire.webhooks.test_endpoint import CONFIG, RING


@dataclass
class Kept:
    """The traffic log as a list."""

    drafts: list[Draft] = field(default_factory=list)
    peer: Peer = field(init=False)

    def __post_init__(self) -> None:
        recorder = Recorder(lambda draft, _size: self.drafts.append(draft), lambda _tenant: (b"s3nh4-l0nga",), 4096)
        self.peer = Peer(CONFIG, recorder=recorder)

    def send(self, body: Any, *, method: str = "POST", query: str = "") -> TrafficEntry:
        data, kind = json.dumps(body), "application/json"
        self.peer.send(method, "/t/acme/in/cloud", data=data, content_type=kind, query_string=query)
        return replace(self.drafts[-1](), id=77)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_request_is_kept_with_its_body(kept: Kept, method: str) -> None:
    found = kept.send(RING, method=method)
    assert found.request.endswith(json.dumps(RING).encode())
    assert (found.wire, found.operation, found.tenant, found.call_id, found.note) == (
        "webhook", "in/cloud", "acme", 1, "",
    )  # fmt: skip


def test_the_token_in_the_address_is_masked(kept: Kept) -> None:
    found = kept.send(RING, query="token=s3nh4-l0nga")
    assert b"s3nh4" not in found.request


def test_why_a_request_was_not_understood_stands_with_it(kept: Kept) -> None:
    found = kept.send({"type": "fax"})
    assert found.remarks == (Remark(RemarkCode.NOT_MAPPED, {"problem": "o mapeamento não conhece o evento 'fax'"}),)
    assert said(found, DEFAULT) == "não compreendido: o mapeamento não conhece o evento 'fax'"


def test_what_came_before_there_is_a_mapping_is_taken_and_kept(kept: Kept) -> None:
    got = kept.peer.post("/t/acme/in/new", data=json.dumps(RING), content_type="application/json")
    assert (got.status_code, kept.drafts[-1]().request.endswith(json.dumps(RING).encode())) == (200, True)


def test_an_agent_sends_a_request_again_though_its_sender_may_not_be_let_in(kept: Kept) -> None:
    found = replace(kept.send(RING), peer=OUTSIDE)
    answer = kept.peer.front.replay(found, "ana")
    assert answer.status == "200 OK"
    first, again = kept.peer.core.messages
    assert again.origin.replay_of == 77  # type: ignore[union-attr]
    assert first.call_ref == again.call_ref  # type: ignore[union-attr]
