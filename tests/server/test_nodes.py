"""Whole gateways on one PostgreSQL: what one of them heard, the others can explain."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.clock import milliseconds
from gateway.config.tables import Config, ServerSettings, TenantSettings
from gateway.domain.messages import CallStarted, Origin
from gateway.server.bootstrap import build
from gateway.server.gateway import Gateway
from gateway.store.delivery_receipts import DeliveryReceipt
from tests.postgresql import FreshDatabase
from tests.store.test_traffic import made
from tests.waiting import until

pytestmark = pytest.mark.postgresql


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Gateway]]:
    fresh = FreshDatabase()
    with ExitStack() as opened:
        opened.callback(fresh.give_back)
        yield [_node(opened, fresh.url, tmp_path / name) for name in ("n1", "n2")]


def _node(opened: ExitStack, url: str, data: Path) -> Gateway:
    server = ServerSettings(database=SecretStr(url), node=data.name, node_url=f"http://{data.name}:8080")
    gateway = opened.enter_context(build(Config(server=server, tenants={"acme": TenantSettings()}), data))
    gateway.start()
    return gateway


def told(node: Gateway, call_id: int) -> dict[str, Any]:
    """The diagnosis of a call at ``node``, without where its raw request lies."""
    found = node.explainer.explain("acme", call_id)
    assert found
    plain = found.as_json()
    for link in plain["chain"]:
        for place in ("exchange", "node", "node_url"):
            link.pop(place, None)
    return plain


def raw_request(node: Gateway, call_id: int) -> tuple[Any, ...]:
    found = node.explainer.explain("acme", call_id)
    assert found
    facts = next(link.facts for link in found.links if link.name == "received")
    return facts["exchange"], facts.get("node"), facts.get("node_url")


def test_each_node_says_the_same_of_a_call_and_who_has_its_request(nodes: list[Gateway]) -> None:
    here, there = nodes
    at = milliseconds()
    call_id = here.core.handle(CallStarted("acme", "3501", "4732100123", Origin("get", "10.0.0.7"), at)).call_id
    assert call_id
    assert here.receipts
    assert here.traffic
    for kind, when, call in (("opened", at - 1000, None), ("delivered", at + 3, call_id), ("shown", at + 5, call_id)):
        here.receipts.add(DeliveryReceipt(when, "acme", "3501", "ana", "s1", kind, call))
    here.traffic.add(lambda: replace(made(), at=at, call_id=call_id), 10)
    until(lambda: told(there, call_id)["popped"] and raw_request(there, call_id)[1])
    assert told(here, call_id) == told(there, call_id)
    assert raw_request(here, call_id) == (1, None, None)
    assert raw_request(there, call_id) == (None, "n1", f"http://n1:8080/trafego?ligacao={call_id}")


def test_one_node_maintains_and_the_other_goes_on_when_it_ends(nodes: list[Gateway]) -> None:
    until(lambda: any(node.maintenance._lease for node in nodes))
    (first,) = [node for node in nodes if node.maintenance._lease]
    (second,) = [node for node in nodes if node is not first]
    assert not second.maintenance._is_ours()
    first.close()
    assert second.maintenance._is_ours()
