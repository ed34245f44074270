"""The rank of a preset: computed from its file and its tests, never written down."""

import re
from pathlib import Path

import pytest

from adapters.presets import rank
from adapters.presets.files import Catalogue
from adapters.presets.rank import Rank, rank_of
from adapters.presets.schema import Preset

ROOT = Path(__file__).parents[2]
CATALOGUE = Catalogue()
PRESETS = {name: CATALOGUE.preset(name) for name in CATALOGUE.names()}
EXCHANGE = [{"sent": "GET /", "answer": "200 OK\n\nyes"}]
ACCEPTED = {"name": "yes", "exchange": EXCHANGE, "outcome": "accepted"}
REFUSED = {"name": "no", "exchange": EXCHANGE, "outcome": "refused"}
WHOLE_LIFE = (
    "{start_url}?ramal=1 {answer_url}?ramal=1 {end_url}?ramal=1&resultado=x&url_audio=y"  # what an exchange pastes
)


def preset(**keys: object) -> Preset:
    """A preset that does nothing but what ``keys`` say."""
    verified = {"how": "run against", "version": "1", "sources": ["this test"], "events": "run against"}
    return Preset.model_validate(
        {"title": "A PBX", "verified": verified, "dial": {"get": "http://h/", "success": "yes"}} | keys
    )


def telling(text: str) -> list[dict[str, str]]:
    return [{"title": "to paste", "text": text}]


@pytest.mark.parametrize(
    ("keys", "reached"),
    [
        ({}, Rank.NONE),
        ({"tests": [ACCEPTED]}, Rank.NONE),
        ({"tests": [ACCEPTED, ACCEPTED | {"name": "again"}]}, Rank.NONE),
        ({"tests": [ACCEPTED, REFUSED | {"hang_up": "1"}]}, Rank.NONE),
        ({"tests": [ACCEPTED, REFUSED]}, Rank.BRONZE),
        ({"tests": [ACCEPTED, REFUSED], "events": telling("{start_url}?ramal=1")}, Rank.BRONZE),
        ({"tests": [ACCEPTED, REFUSED], "events": telling("{start_url} {end_url}")}, Rank.SILVER),
        ({"events": telling(WHOLE_LIFE)}, Rank.BRONZE),
        ({"tests": [ACCEPTED, REFUSED], "events": telling(WHOLE_LIFE.replace("answer", "x"))}, Rank.SILVER),
        ({"tests": [ACCEPTED, REFUSED], "events": telling(WHOLE_LIFE.replace("resultado", "x"))}, Rank.SILVER),
        ({"tests": [ACCEPTED, REFUSED], "events": telling(WHOLE_LIFE.replace("url_audio", "x"))}, Rank.SILVER),
        ({"tests": [ACCEPTED, REFUSED], "events": telling(WHOLE_LIFE)}, Rank.GOLD),
    ],
)
def test_each_rank_wants_all_of_the_ones_below_and_something_more(keys: dict[str, object], reached: Rank) -> None:
    found = rank_of(preset(**keys))
    assert found.reached is reached
    assert list(Rank).index(found.above or Rank.NONE) == list(Rank).index(reached) + 1
    assert found.missing


@pytest.mark.parametrize(
    ("evidence", "reached"),
    [
        ({"how": "vendor documentation"}, Rank.SILVER),
        ({"events": "vendor documentation"}, Rank.SILVER),
        ({"events": None}, Rank.SILVER),
        ({}, Rank.GOLD),
        ({"in_ci": ["tests/live/test_it.py"]}, Rank.PLATINUM),
    ],
)
def test_what_was_not_seen_on_the_real_thing_is_no_gold(evidence: dict[str, object], reached: Rank) -> None:
    verified = {"how": "run against", "version": "1", "sources": ["this test"], "events": "run against"} | evidence
    found = rank_of(preset(tests=[ACCEPTED, REFUSED], events=telling(WHOLE_LIFE), verified=verified))
    assert found.reached is reached
    assert (found.above is None) == (reached is Rank.PLATINUM)


def test_a_test_in_ci_alone_is_no_platinum() -> None:
    verified = {"how": "run against", "version": "1", "sources": ["x"], "in_ci": ["tests/live/test_it.py"]}
    assert rank_of(preset(tests=[ACCEPTED, REFUSED], verified=verified)).reached is Rank.BRONZE


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_that_is_shipped_has_a_rank(name: str) -> None:
    assert rank_of(PRESETS[name]).reached is not Rank.NONE


@pytest.mark.parametrize("name", [name for name in PRESETS if PRESETS[name].verified.in_ci])
def test_what_is_said_to_run_in_ci_runs_there(name: str) -> None:
    """Its tests exist, speak of this preset, and CI installs the exchange that they need."""
    installed = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for test in PRESETS[name].verified.in_ci:
        source = (ROOT / test).read_text(encoding="utf-8")
        assert f'"{name}"' in source, test
        assert re.search(rf"\b{name}\b", installed), f"{name} is not installed by .ci/run"


def test_the_scale_is_published_with_all_that_each_rank_wants() -> None:
    page = (ROOT / "docs" / "presets.md").read_text(encoding="utf-8")
    scale = page.partition("## Ranks\n")[2].partition("\n## ")[0]
    for wanted, demands in rank.DEMANDS.items():
        row = next(line for line in scale.splitlines() if line.startswith(f"| *{wanted}* |"))
        for _holds, text in demands:
            assert str(text) in row, f"{wanted}: {text}"
