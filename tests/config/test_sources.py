"""Sources in the configuration: by preset, by a mapping of their own, or by both; mistakes with their place."""

from pathlib import Path

import pytest

from gateway.config import loader as config_file
from gateway.config.display import shown
from gateway.config.webhook_sources import WebhookSource, sources_of
from gateway.errors import ConfigError
from gateway.mapping.bodies import WebhookRequest

HANGUP = b'{"event": "hangup", "callId": "c-1", "cause": "busy", "did": "4730000000"}'


def source(**table: object) -> WebhookSource:
    raw = {"tenants": {"acme": {"sources": {"cloud": {"kind": "webhook", **table}}}}}
    config = config_file.parse(raw, source="gateway.toml")
    return sources_of(config.tenants["acme"])["cloud"]


def test_a_preset_s_mapping_is_used() -> None:
    (event,) = source(preset="zammad").read(WebhookRequest(HANGUP)).events
    assert (event.kind, event.id, event.result) == ("ended", "c-1", "busy")


def test_a_mapping_of_one_s_own_lies_over_the_preset_s() -> None:
    own = {"kinds": {"hangup": "noted"}, "values": {"line": "did"}, "fields": {"why": "cause"}}
    (event,) = source(preset="zammad", mapping=own).read(WebhookRequest(HANGUP)).events
    assert (event.kind, event.id, event.line, event.fields) == ("noted", "c-1", "4730000000", {"why": "busy"})


def test_rules_of_one_s_own_are_looked_at_first() -> None:
    own = {"events": [{"name": "hangup", "when": {"equals": {"cause": "busy"}}, "kind": "ignore"}]}
    assert source(preset="zammad", mapping=own).read(WebhookRequest(HANGUP)).ignored == 1


def test_tests_of_the_preset_are_not_those_of_a_changed_mapping() -> None:
    assert source(preset="zammad", mapping={"timezone": "UTC"}).mapping.tests == ()  # type: ignore[union-attr]


def test_the_zone_is_the_source_s_else_the_company_s() -> None:
    assert str(source(timezone="America/Belem").facts.zone) == "America/Belem"
    assert str(source().facts.zone) == "America/Sao_Paulo"


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"kind": "webhok"}, "tenants.acme.sources.cloud.kind: there is no kind of source 'webhok'; known: "),
        ({"preset": "zamad"}, "tenants.acme.sources.cloud.preset: there is no preset 'zamad'. Did you mean 'zammad'?"),
        ({"preset": "yealink"}, "tenants.acme.sources.cloud.preset: the preset 'yealink' reads no webhooks."),
        ({"presset": "zammad"}, "tenants.acme.sources.cloud.presset: unknown key. Did you mean 'preset'?"),
        ({"preset": "zammad", "mapping": {"values": {"nunber": "a"}}},
         "tenants.acme.sources.cloud.mapping.values.nunber: unknown key. Did you mean 'number'?"),
        ({"mapping": {"event": "a..b", "kinds": {"x": "ended"}}},
         "tenants.acme.sources.cloud.mapping.event.path.0: came 'a..b'; 'a..b' is no path"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(table: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        source(**table)
    assert told in str(wrong.value)


def test_a_preset_that_only_reads_events_is_no_appliance(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as wrong:
        config_file.parse({"tenants": {"acme": {"appliances": {"pabx": {"preset": "zammad"}}}}}, source="gateway.toml")
    assert (
        "tenants.acme.appliances.pabx.preset: the preset 'zammad' dials nothing: it is for forwards or sources."
        in str(wrong.value)
    )


def test_a_name_that_is_no_part_of_an_address_is_refused() -> None:
    with pytest.raises(ConfigError, match="small letters, digits and '-'"):
        config_file.parse({"tenants": {"acme": {"sources": {"A B": {"kind": "webhook"}}}}}, source="gateway.toml")


def test_a_preset_of_one_s_own_may_read_events_only(tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "mine.toml").write_text(
        'title = "Mine"\n[verified]\nhow = "template"\nsources = ["me"]\n'
        '[webhook]\nother = "noted"\nvalues = { id = "i" }'
    )
    (tmp_path / "gateway.toml").write_text(
        '[server]\npresets = "presets"\n[tenants.acme.sources.cloud]\nkind = "webhook"\npreset = "mine"'
    )
    config = config_file.load(tmp_path / "gateway.toml")
    found = sources_of(config.tenants["acme"])["cloud"]
    assert [event.kind for event in found.read(WebhookRequest(b'{"i": 1}')).events] == ["noted"]
    assert shown(config)["tenants"]["acme"]["sources"]["cloud"]["preset"] == "mine"


def test_the_ids_of_calls_are_a_source_s_own_or_those_of_the_exchange_that_it_shares() -> None:
    names = {"cloud": None, "queue": "cloud", "cdr": "queue", "pbx": "listeners"}
    sources = {
        name: {"kind": "webhook"} | ({"same_exchange_as": other} if other else {}) for name, other in names.items()
    }
    config = config_file.parse({"tenants": {"acme": {"sources": sources}}}, source="gateway.toml")
    found = {name: each.exchange for name, each in sources_of(config.tenants["acme"]).items()}
    assert found == {"cloud": "cloud", "queue": "cloud", "cdr": "cloud", "pbx": ""}


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ("clod", "sources.cloud.same_exchange_as 'clod' is none of cloud, listeners"),
        ("cloud", "sources.cloud.same_exchange_as leads back to 'cloud'"),
    ],
)
def test_an_exchange_that_is_none_is_told(other: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        source(same_exchange_as=other)
    assert told in str(refused.value)
