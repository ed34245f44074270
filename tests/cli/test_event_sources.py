"""What ``check`` says of the sources of events."""

from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from gateway.cli.event_sources import source_line
from gateway.cli.main import cli
from gateway.clock import milliseconds
from gateway.store.event_sources import SourceStanding, SourceState
from gateway.texts.text import Text

KEY = ("acme", "pabx")
T0 = 1_796_137_200_000
HEARD = SourceStanding(SourceState.CONNECTED, T0, holder="pbx-pc/4711", told_at=T0)


def test_a_source_that_a_gateway_hears_is_noted_with_its_last_event() -> None:
    heard = replace(HEARD, seen_at=milliseconds())
    good, about, text = source_line(KEY, heard)
    assert (good, about) == ("note", "acme/pabx")
    assert "pbx-pc/4711" in text
    assert text.count("2026-12-01T15:00:00Z") == 2


def test_a_source_that_cannot_be_heard_is_warned_of() -> None:
    good, _, text = source_line(KEY, replace(HEARD, state=SourceState.WAITING, problem=Text("no route")))
    assert good is None
    assert "no route" in text


def test_a_clock_that_is_off_is_told() -> None:
    heard = replace(HEARD, seen_at=milliseconds())
    assert "clock" not in source_line(KEY, replace(heard, clock_ahead_ms=29_000))[2]
    assert "its clock is 420 s ahead of the gateway's" in source_line(KEY, replace(heard, clock_ahead_ms=420_000))[2]
    assert "its clock is 60 s behind the gateway's" in source_line(KEY, replace(heard, clock_ahead_ms=-60_000))[2]


def test_a_source_that_nobody_runs_is_noted() -> None:
    for standing in (SourceStanding(), HEARD):
        assert source_line(KEY, standing)[0] == "note"


def test_sources_lists_it_with_its_kind(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(
        '[tenants.acme.sources.pabx]\nkind = "ami"\ntitle = "Matriz"\nhost = "pbx"\nusername = "cti"\nsecret = "s"\n'
    )
    listed = CliRunner().invoke(cli, ["sources", "--config", str(config)])
    assert listed.exit_code == 0, listed.output
    assert listed.output.split() == ["acme", "pabx", "ami", "Matriz"]
