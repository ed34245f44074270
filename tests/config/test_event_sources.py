"""Sources of events that the gateway goes and gets: their tables in the configuration."""

import tomllib
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gateway import event_source
from gateway.config import loader
from gateway.config.display import shown
from gateway.config.tables import Config
from gateway.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class TapeConfig:
    """The settings of a kind of source that only this test has."""

    __pydantic_config__ = event_source.CONFIG

    tape: str = event_source.path_setting(..., "The file that is read.")
    speed: int = event_source.setting(1, "How fast.")
    secret: SecretStr = field(default=SecretStr(""), metadata={"help": "Its secret."})


class TapeSource:
    Config = TapeConfig


@pytest.fixture(autouse=True)
def _tape(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("tape", f"{__name__}:TapeSource", event_source.GROUP)
    real = event_source.entry_points

    def entry_points(**wanted: str) -> list[EntryPoint]:
        found = [point] if wanted.get("name", "tape") == "tape" else []
        return [*found, *(each for each in real(**wanted) if each.name != "tape")]

    monkeypatch.setattr(event_source, "entry_points", entry_points)


def load(text: str) -> Config:
    return loader.parse(tomllib.loads(text), source="/etc/cti/gateway.toml")


TAPE = '[tenants.acme.sources.recorder]\nkind = "tape"\ntape = "calls.txt"\nsecret = "segredo"\n'


def test_a_source_s_own_keys_become_its_kind_s_settings() -> None:
    found = load(TAPE + 'title = "Gravador"\nsilent_after = "30m"\nspeed = 3').tenants["acme"].event_sources["recorder"]
    assert (found.title, found.silent_after_s) == ("Gravador", 1800)
    assert (found.settings.tape, found.settings.speed) == (str(Path("/etc/cti/calls.txt")), 3)


def test_webhooks_and_other_sources_stand_side_by_side() -> None:
    found = load(TAPE + '[tenants.acme.sources.cloud]\nkind = "webhook"').tenants["acme"]
    assert (list(found.webhooks), list(found.event_sources)) == (["cloud"], ["recorder"])


def test_a_source_may_tell_of_a_webhook_s_exchange() -> None:
    more = 'same_exchange_as = "cloud"\n[tenants.acme.sources.cloud]\nkind = "webhook"'
    assert load(TAPE + more).tenants["acme"].event_sources["recorder"].same_exchange_as == "cloud"
    with pytest.raises(ConfigError, match="is none of recorder, listeners"):
        load(TAPE + 'same_exchange_as = "nobody"')


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('kind = "tap"', r"recorder\.kind: there is no kind of source 'tap'; known: .*webhook.* Did you mean 'tape'\?"),
        ('kind = "tape"', r"recorder\.tape: is required and missing"),
        ('kind = "tape"\ntape = "x"\nsped = 1', r"recorder\.sped: unknown key\. Did you mean 'speed'\?"),
        ('kind = "tape"\ntape = "x"\nsilent_aft = "1m"', r"silent_aft: unknown key\. Did you mean 'silent_after'\?"),
        ('kind = "tape"\ntape = "x"\nsilent_after = "soon"', r"silent_after: came 'soon'; expected a time of at least"),
        ('kind = "tape"\ntape = "x"\ntimezone = "Marte"', r"recorder\.timezone: came 'Marte'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        load(f"[tenants.acme.sources.recorder]\n{text}")


def test_secrets_are_found_and_never_shown() -> None:
    config = load(TAPE)
    settings: Any = config.tenants["acme"].event_sources["recorder"].settings
    assert list(event_source.secrets_in({"all": [settings]})) == ["segredo"]
    made = shown(config)["tenants"]["acme"]["sources"]["recorder"]
    assert made == {"kind": "tape", "title": "", "tape": "/etc/cti/calls.txt", "secret": "****"}
