"""A forward names an address, or settings of its own, for each kind of event."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.http.answers import AnswerRule
from gateway.adapter import Outcome
from gateway.config import loader
from gateway.config.display import shown
from gateway.config.forwards import Forward
from gateway.errors import ConfigError

START = "http://127.0.0.1/start?r={{ ramal }}"
END = "http://127.0.0.1/end?r={{ ramal }}"
HEAD = '[tenants.acme.forwards.crm]\nadapter = "url"\nsuccess = "^OK"\n'


def forward(folder: Path, text: str, head: str = HEAD) -> Forward:
    path = folder / "gateway.toml"
    path.write_text(head + text, encoding="utf-8")
    return loader.load(path).tenants["acme"].forwards["crm"]


def test_a_list_of_kinds_goes_on_working(tmp_path: Path) -> None:
    found = forward(tmp_path, f'on = ["call_ended"]\nurl = "{END}"\n')
    assert (found.on, found.settings.url, dict(found.settings_by_kind)) == (("call_ended",), END, {})
    assert forward(tmp_path, f'url = "{END}"\n').on == ("call_started", "call_ended")


def test_each_kind_has_an_address_of_its_own_and_the_rest_in_common(tmp_path: Path) -> None:
    text = f'on = {{ call_started = "{START}", call_ended = "{END}" }}\nsecrets = {{ key = "k" }}\n'
    found = forward(tmp_path, text)
    assert found.on == ("call_started", "call_ended")
    assert found.settings is None, "no address is everybody's"
    urls = {kind: own.url for kind, own in found.settings_by_kind.items()}
    assert urls == {"call_started": START, "call_ended": END}
    assert all(own.secrets == {"key": SecretStr("k")} for own in found.settings_by_kind.values())


def test_a_kind_may_differ_in_any_setting_or_in_none(tmp_path: Path) -> None:
    own = '{ method = "POST", body = "{{ ramal }}" }'
    found = forward(tmp_path, f'url = "{START}"\non = {{ call_started = true, call_ended = {own} }}\n')
    assert (found.settings.method, found.settings_by_kind["call_ended"].method) == ("GET", "POST")
    assert found.settings_by_kind.keys() == {"call_ended"}


def test_late_events_have_the_address_of_their_kind_unless_they_have_their_own(tmp_path: Path) -> None:
    text = f'url = "{START}"\non = {{ call_started = {{ method = "POST" }} }}\nlate = {{ call_started = "{END}" }}\n'
    late = forward(tmp_path, text).late_settings["call_started"]
    assert (late.url, late.method) == (END, "POST")
    assert forward(tmp_path, f'url = "{START}"\nlate = ["call_started"]\n').late == ("call_started",)


def test_patience_is_how_long_an_answer_is_waited_for(tmp_path: Path) -> None:
    text = f'url = "{START}"\n'
    assert forward(tmp_path, text).settings.timeout_s == 60
    assert forward(tmp_path, text + "patience = 90\n").settings.timeout_s == 90
    assert forward(tmp_path, text + "patience = 90\ntimeout_s = 5\n").settings.timeout_s == 5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("on = { call_started = 1 }", "forwards.crm.on.call_started: came 1; expected an address, a table"),
        ("on = { call_strated = 'http://127.0.0.1/' }", "call_strated"),
        ("on = { call_started = { urll = 'http://127.0.0.1/' } }", "forwards.crm.on.call_started.urll"),
        ("url = 'http://127.0.0.1/'\non = {}", "forwards.crm.on"),
        ("url = 'http://127.0.0.1/'\nexpires = { call_started = '20' }", "expected a time such as '20s'"),
        ("url = 'http://127.0.0.1/'\nparallel = 0", "forwards.crm.parallel"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        forward(tmp_path, text)
    assert told in str(refused.value)


def test_an_adapter_without_an_address_takes_tables_only(tmp_path: Path) -> None:
    head = '[tenants.acme.forwards.crm]\nadapter = "soap"\naddress = "http://127.0.0.1/"\noperation = "x"\n'
    with pytest.raises(ConfigError, match="expected a table of the settings that differ, or true"):
        forward(tmp_path, "on = { call_started = 'http://127.0.0.1/' }\n", head)


@pytest.mark.parametrize(
    ("expires", "kind", "has_time", "milliseconds"),
    [
        ("{}", "call_started", False, 20_000),
        ("{}", "call_started", True, None),
        ("{}", "call_ended", False, 3 * 86_400_000),
        ("{ call_started = '2m' }", "call_started", True, 120_000),
        ("{ call_ended = 'never' }", "call_ended", False, None),
    ],
)
def test_how_long_an_event_is_worth_delivering(
    tmp_path: Path, expires: str, kind: str, has_time: bool, milliseconds: int | None
) -> None:
    found = forward(tmp_path, f'url = "{START}"\nexpires = {expires}\n')
    assert found.expires_ms(kind, carries_time=has_time) == milliseconds


def test_the_configuration_is_shown_with_each_kind_s_settings_and_without_secrets(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(HEAD + f'on = {{ call_started = "{START}&key=abcdef", call_ended = {{ url = "{END}" }} }}\n')
    plain = shown(loader.load(path))["tenants"]["acme"]["forwards"]["crm"]
    assert plain["on"]["call_started"]["url"] == f"{START}&key=****"
    assert plain["on"]["call_ended"]["url"] == END


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("OK 4711", Outcome.ACCEPTED),
        ("1", Outcome.ACCEPTED),
        ("<!DOCTYPE html><html><body>Service unavailable</body></html>", Outcome.UNKNOWN),
        ("<br />\n<b>Fatal error</b>:  Uncaught PDOException in consulta.php", Outcome.UNKNOWN),
    ],
)
def test_what_init_writes_knows_an_error_page_that_comes_with_200(answer: str, outcome: Outcome) -> None:
    lines = files("gateway").joinpath("gateway.toml").read_text(encoding="utf-8").splitlines()
    (rule,) = [line.removeprefix("# ") for line in lines if line.startswith("# success = '(?is)")]
    assert AnswerRule(tomllib.loads(rule)["success"]).judge(answer).outcome is outcome
