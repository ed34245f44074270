"""Appliances that presets describe, protected and hung up like any other."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.adapter import Outcome
from gateway.config import loader as config_file
from gateway.domain.messages import HangUp, Origin, PlaceCall
from gateway.server import bootstrap
from gateway.server.gateway import Gateway
from gateway.simulators import FAMILIES
from tests.waiting import until

HERE = Origin("desk", "127.0.0.1")


@contextmanager
def gateway(tmp_path: Path, preset: str, address: str = "http://127.0.0.1:9", **parameters: Any) -> Iterator[Gateway]:
    host, _, port = address.removeprefix("http://").partition(":")
    pbx = {"adapter": "preset", "preset": preset, "host": host, "port": int(port), **parameters}
    tenant = {"area_code": "47", "extensions": ["3500-3599"], "appliances": {"pbx": pbx}}
    with bootstrap.build(config_file.parse({"tenants": {"acme": tenant}}, source="gateway.toml"), tmp_path) as built:
        yield built


def test_a_call_that_asterisk_placed_is_ended_by_the_channel_that_it_named(tmp_path: Path) -> None:
    asterisk = FAMILIES["asterisk-ari"]().start()
    login = {"username": "ariuser", "password": "aripass", "context": "from-internal"}
    try:
        with gateway(tmp_path, "asterisk-ari", asterisk.address, **login) as built:
            order = PlaceCall("acme", "3501", "47999998888", HERE, time.time_ns() // 1_000_000)
            call_id = built.core.handle(order).call_id
            until(lambda: (placed := built.order_log.of_call("acme", call_id)) and placed.peer_ref)
            assert built.core.handle(HangUp("acme", call_id, HERE)).outcome is Outcome.ACCEPTED
            until(lambda: [made.kind for made in built.order_log.history("acme", 1)] == ["dial", "hangup"])
    finally:
        asterisk.stop()


def test_an_appliance_gets_no_more_orders_than_its_preset_knows_it_stands_unless_told_otherwise(
    tmp_path: Path,
) -> None:
    login = {"username": "crm", "password": "x"}
    with gateway(tmp_path, "cisco-webdialer", **login) as built:
        assert built.orders.rules("acme", "pbx").orders_per_s == 3
    with gateway(tmp_path, "cisco-webdialer", **login, orders_per_s=1) as built:
        assert built.orders.rules("acme", "pbx").orders_per_s == 1
