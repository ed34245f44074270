"""An exchange that asks for the caller gets the account in its answer, and nobody else does."""

from collections.abc import Sequence
from typing import Any

import pytest

from gateway.config import loader as config_file
from gateway.domain.numbering.numbers import NumberPlan
from gateway.domain.tenant import Tenant
from gateway.errors import ConfigError
from gateway.store.directory import Owner
from gateway.wire.webhooks.lookups import NumberLookup
from tests.wire.peers import OUTSIDE, Peer

KEY = "a key of sixteen or more"
MAPPING = {
    "event": "@tail",
    "kinds": {"lookup": "ignore", "report": "ended"},
    "values": {"extension": "Agent", "number": "Number"},
    "authenticity": {"kind": "query", "parameter": "key"},
    "replies": {
        "lookup": {
            "lookup": "Number",
            "json": {"contacts": [{"id": "{@account_code}", "name": "{@contact} ({@account})", "phone": "{@number}"}]},
            "unknown": {"json": {"contacts": []}},
        }
    },
}


class FakeDirectory:
    """Knows one number."""

    def owners(self, tenant: str, numbers: Sequence[str]) -> Sequence[Owner]:
        known = tenant == "acme" and "4733334444" in numbers
        return [Owner('Padaria "Sol"', "17", "Zoé"), Owner("Other", "18", "")] if known else []


def look_up(tenant: str, number: str) -> Any:
    tenants = {name: Tenant(name, NumberPlan("47")) for name in ("acme", "beta")}
    return NumberLookup(tenants, FakeDirectory())(tenant, number)  # type: ignore[arg-type]


@pytest.fixture
def peer() -> Peer:
    source = {"kind": "webhook", "mapping": MAPPING, "secret": KEY}
    made = Peer(
        {"tenants": {"acme": {"sources": {"3cx": source}}, "beta": {"sources": {"3cx": source}}}}, address=OUTSIDE
    )
    made.front._webhooks._look_up = look_up
    return made


def ask(peer: Peer, number: str, *, tenant: str = "acme", key: str = KEY) -> Any:
    return peer.get(f"/t/{tenant}/in/3cx/lookup", query_string={"Number": number, "key": key})


@pytest.mark.parametrize("number", ["+55 47 3333-4444", "4733334444", "33334444", "0154733334444"])
def test_the_caller_is_told_in_whatever_form_the_number_came(peer: Peer, number: str) -> None:
    got = ask(peer, number)
    assert got.json == {"contacts": [{"id": "17", "name": 'Zoé (Padaria "Sol")', "phone": "+554733334444"}]}
    assert peer.core.messages == []


def test_a_number_that_nobody_has_has_an_answer_of_its_own(peer: Peer) -> None:
    for number in ("4733335555", "", "[Number]", "anonymous"):
        assert ask(peer, number).json == {"contacts": []}
    assert ask(peer, "4733334444", tenant="beta").json == {"contacts": []}


def test_a_stranger_learns_nothing(peer: Peer) -> None:
    assert ask(peer, "4733334444", key="wrong").status_code == 403


def test_a_source_without_a_secret_may_tell_nobodys_name() -> None:
    mapping = {name: value for name, value in MAPPING.items() if name != "authenticity"}
    raw = {"tenants": {"acme": {"sources": {"3cx": {"kind": "webhook", "mapping": mapping}}}}}
    with pytest.raises(ConfigError, match="whose a number is"):
        config_file.parse(raw, source="x")
    raw["tenants"]["acme"]["sources"]["3cx"]["secret"] = KEY
    assert config_file.parse(raw, source="x")
