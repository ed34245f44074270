"""The configuration: every error names its place, no secret is shown."""

import errno
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from gateway.cli.cautions import cautions
from gateway.config import dial_plans
from gateway.config import display as config_shown
from gateway.config import loader as config_file
from gateway.config import tables as config
from gateway.errors import ConfigError

URL = {"adapter": "url", "url": "http://192.0.2.1/?to={{ number }}", "success": "ok"}

URL_FORWARD = {"adapter": "url", "url": "http://192.0.2.1/?to={{ telefone }}", "success": "ok"}


def refused(raw: dict) -> str:
    with pytest.raises(ConfigError) as error:
        config_file.parse(raw, source="gateway.toml")
    return str(error.value)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"server": {"lissten": "x"}}, "gateway.toml: server.lissten: unknown key. Did you mean 'listen'?"),
        ({"sever": {}}, "gateway.toml: sever: unknown key. Did you mean 'server'?"),
        ({"server": {"workers": "2"}}, "gateway.toml: server.workers: came '2'; input should be a valid integer."),
        ({"server": {"listen": "8080"}}, "server.listen: came '8080'; expected ADDRESS:PORT such as 127.0.0.1:8080"),
        ({"tenants": {"a": {"area_code": "4"}}}, "tenants.a.area_code: came '4'; expected one of Brazil's 67 DDDs"),
        ({"tenants": {"a": {"area_code": "23"}}}, "tenants.a.area_code: came '23'; expected one of Brazil's 67 DDDs"),
        ({"tenants": {"a": {"events": {"tokn": "x"}}}}, "tenants.a.events.tokn: unknown key. Did you mean 'token'?"),
        ({"tenants": {"a": {"timezone": "Brasil"}}}, "tenants.a.timezone: came 'Brasil'; expected a time zone name"),
        ({"tenants": {"A B": {}}}, "tenant name 'A B': expected small letters, digits and '-'"),
        ({"tenants": {}}, "at least one [tenants.NAME] is needed"),
        ({"tenants": {"a": {"hosts": ["x"]}, "b": {"hosts": ["X"]}}}, "host 'x' is claimed by more than one tenant"),
        ({"tenants": {"a": {"appliances": {"p": {"adapter": "ulr"}}}}}, "p.adapter: there is no adapter 'ulr'"),
        ({"tenants": {"a": {"appliances": {"p": {}}}}}, "tenants.a.appliances.p.adapter: is required and missing."),
        (
            {"tenants": {"a": {"appliances": {"p": URL | {"sucess": "ok"}}}}},
            "tenants.a.appliances.p.sucess: unknown key. Did you mean 'success'?",
        ),
        (
            {"tenants": {"a": {"appliances": {"p": {"preset": "asterisk-am"}}}}},
            "p.preset: there is no preset 'asterisk-am'. Did",
        ),
        ({"tenants": {"a": {"forwards": {"f": {"adapter": "preset"}}}}}, "f.preset: is required and missing."),
        (
            {"tenants": {"a": {"forwards": {"f": {"preset": "generic-url"}}}}},
            "f.preset: the preset 'generic-url' is told of no events: it dials.",
        ),
        (
            {"tenants": {"a": {"forwards": {"f": {"preset": "hubsoft", "on": ["call_noted"]}}}}},
            "f.on: the preset 'hubsoft' has nothing to say of 'call_noted'; known: call_started, call_ended.",
        ),
        (
            {"tenants": {"a": {"appliances": {"p": {"preset": "bitrix24"}}}}},
            "p.preset: the preset 'bitrix24' dials nothing: it is for forwards or sources.",
        ),
        ({"tenants": {"a": {"forwards": {"f": {"adapter": "ami"}}}}}, "f.adapter: the adapter 'ami' dials; a forward"),
        (
            {"tenants": {"a": {"forwards": {"f": URL_FORWARD | {"only": "directon == 'incoming'"}}}}},
            "forwards.f.only: came \"directon == 'incoming'\"; unknown name 'directon'; did you mean 'direction'?",
        ),
        (
            {"tenants": {"a": {"forwards": {"f": URL_FORWARD | {"examples": [{"event": {"x": "1"}, "sent": True}]}}}}},
            "f.examples.0.event: unknown name 'x'; known: ",
        ),
        ({"tenants": {"a": {"default_appliance": "p"}}}, "default_appliance 'p' is not one of the appliances"),
        ({"tenants": {"a": {"events": {"token": "env:NOT_SET_HERE"}}}}, "variable NOT_SET_HERE is not set"),
        ({"tenants": {"a": {"listener": {"aliases": {"raml": ["dst"]}}}}}, "listener.aliases.raml"),
        ({"tenants": {"a": {"listener": {"aliases": {"ramal": ["Telefone"]}}}}}, "alias 'telefone' is a parameter"),
        ({"tenants": {"a": {"listener": {"aliases": {"ramal": ["x"], "telefone": ["X"]}}}}}, "alias 'x' is"),
        ({"tenants": {"a": {"listener": {"status_on_error": 20}}}}, "greater than or equal to 200"),
        ({"tenants": {"a": {"events": {"token": "file:no-such"}}}}, "the file no-such cannot be read"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_remedy(raw: dict, said: str) -> None:
    assert said in refused(raw)


def test_several_mistakes_are_told_at_once() -> None:
    assert len(refused({"server": {"lissten": "x", "workers": "2"}}).splitlines()) == 2


def test_a_wrong_value_of_a_secret_is_not_repeated() -> None:
    assert "12345" not in refused({"tenants": {"a": {"events": {"token": 12345}}}})


def test_a_file_that_is_missing_or_not_toml_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read .*cti-gateway init"):
        config_file.load(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[server\n")
    with pytest.raises(ConfigError, match="is not TOML"):
        config_file.load(tmp_path / "bad.toml")


def test_a_file_of_somebody_else_s_says_who_has_to_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(ConfigError, match=r"cannot be read \(Permission denied\)") as refused:
        config_file.load(tmp_path / "theirs.toml")
    assert "as the user whom the gateway's files belong to" in str(refused.value.hint)


def test_secrets_come_from_environment_and_files_and_are_masked_when_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", "s3cret-env")
    (tmp_path / "pw").write_text("s3cret-file\nsecond line\n")
    appliance = URL | {"url": "http://u:s3cret-u@192.0.2.1/?key=s3cret-k&to={{ number }}", "password": "file:pw"}
    appliance |= {"headers": {"X-Key": "s3cret-h"}}
    raw = {"tenants": {"a": {"events": {"token": ["env:A_TOKEN", "file:pw"]}, "appliances": {"p": appliance}}}}
    loaded = config_file.parse(raw, source="gateway.toml", base=tmp_path)
    tokens = loaded.tenants["a"].events.token
    assert [token.get_secret_value() for token in tokens] == ["s3cret-env", "s3cret-file"]
    assert loaded.tenants["a"].appliances["p"].settings.password.get_secret_value() == "s3cret-file"
    assert "s3cret" not in str(config_shown.shown(loaded)) + repr(loaded.tenants["a"].events)


def test_without_a_file_there_is_one_company_that_listens_on_this_machine_only() -> None:
    loaded = config_file.load(None)
    assert list(loaded.tenants) == ["default"]
    assert loaded.server.listen.startswith("127.0.0.1:")


def template() -> str:
    return files("gateway").joinpath("gateway.toml").read_text(encoding="utf-8")


def test_the_written_configuration_is_accepted_as_it_is() -> None:
    assert config_file.parse(tomllib.loads(template()), source="gateway.toml").tenants["acme"].area_code == "47"


def test_the_examples_in_the_written_configuration_are_accepted_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_WEBHOOK_SECRET", "whsec_" + "QUJD" * 8)
    monkeypatch.setenv("CTI_DATABASE", "postgresql://cti@db.example/cti")
    monkeypatch.setenv("CTI_DATABASE_DIRECT", "postgresql://cti@db.example/cti")
    for name in ("ACME_EVENTS_TOKEN", "ACME_CRM_TOKEN", "CLOUD_SECRET", "PABX_SECRET", "SMDR_PASSWORD", "CDR_PASSWORD"):
        monkeypatch.setenv(name, "x" * 8)
    (tmp_path / "pbx.password").write_text("x")
    (tmp_path / "db-password").write_text("x")
    (tmp_path / "zammad.token").write_text("x")
    (tmp_path / "presets").mkdir()
    uncommented = [re.sub(r"^# (?=\[|[a-z_]+ = )", "", line) for line in template().splitlines()]
    settings = [line for line in uncommented if not line.startswith("#")]
    loaded = config_file.parse(tomllib.loads("\n".join(settings)), source="gateway.toml", base=tmp_path)
    assert set(loaded.tenants["acme"].appliances) == {"asterisk", "manager", "pbx", "softswitch", "cloud", "filial"}


def test_a_former_name_of_a_table_is_taken_and_told() -> None:
    loaded = config_file.parse({"exchanges": {"keep_days": 3}}, source="gateway.toml")
    assert loaded.traffic.keep_days == 3
    assert [about for about, _ in cautions(loaded)] == ["[exchanges]", "default"]
    assert [about for about, _ in cautions(config_file.parse({"traffic": {}}, source="x"))] == ["default"]


@pytest.mark.parametrize("value", [True, False])
def test_a_setting_that_does_nothing_any_more_is_taken_and_told(value: bool) -> None:
    loaded = config_file.parse({"server": {"pin_workers": value}}, source="gateway.toml")
    told = dict(cautions(loaded))
    assert str(told["[server]"]).startswith("pin_workers does nothing any more")
    assert "[server]" not in dict(cautions(config_file.parse({"server": {"workers": 2}}, source="x")))


def test_a_table_under_both_its_names_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"gateway.toml: \[exchanges\] and \[traffic\] are the same table.*remove"):
        config_file.parse({"exchanges": {}, "traffic": {}}, source="gateway.toml")


def test_a_mistake_in_a_table_is_told_by_its_present_name() -> None:
    with pytest.raises(ConfigError, match=r"traffic\.keep_days"):
        config_file.parse({"exchanges": {"keep_days": 0}}, source="gateway.toml")


def settings_of(model: type[BaseModel]) -> set[str]:
    return {name for name, field in model.model_fields.items() if not field.exclude}


@pytest.mark.parametrize(
    "model",
    [
        config.BranchSettings,
        config.ServerSettings,
        config.Log,
        config.EventSettings,
        config.ListenerSettings,
        config.ClickToCall,
        dial_plans.DialPlanSettings,
        dial_plans.DialRule,
        dial_plans.DialTest,
        config.TenantSettings,
        config.TrafficSettings,
    ],
)
def test_every_setting_is_explained_in_the_written_configuration(model: type[BaseModel]) -> None:
    text = template()
    for name in settings_of(model):
        assert name in text, f"gateway.toml does not mention {name}"
        assert model.model_fields[name].description, f"{name} has no sentence"


def test_weak_and_shared_secrets_of_sources_are_cautioned_and_not_shown() -> None:
    def company(secret: list[str]) -> dict[str, Any]:
        source = {"kind": "webhook", "mapping": {"other": "ended"}, "secret": secret}
        return {"click_to_call": {"open_loopback": False}, "sources": {"cloud": source}}

    raw = {"tenants": {"a": company(["a-secret-of-a-machine", "sh0rt-0ne"]), "b": company(["a-secret-of-a-machine"])}}
    told = list(cautions(config_file.parse(raw, source="x")))
    assert [about for about, _ in told] == ["[tenants.a.sources.cloud]", "[tenants.b.sources.cloud]"]
    assert "fewer than 16" in str(told[0][1])
    assert "The company a" in str(told[1][1])
    assert all(secret not in str(told) for secret in ("a-secret-of-a-machine", "sh0rt-0ne"))


def test_a_wrong_kind_of_secret_is_told_without_it() -> None:
    for table in ({"events": {"token": ["x", 4711]}}, {"sources": {"a": {"kind": "webhook", "secret": ["x", 4711]}}}):
        with pytest.raises(ConfigError) as refused:
            config_file.parse({"tenants": {"a": table}}, source="x")
        assert "4711" not in str(refused.value)


def test_public_targets_only_is_for_every_forward_that_does_not_say_otherwise() -> None:
    raw = {
        "server": {"public_targets_only": True},
        "tenants": {
            "a": {
                "forwards": {"f": URL_FORWARD, "office": URL_FORWARD | {"public_only": False}},
                "appliances": {"p": URL},
            }
        },
    }
    tenant = config_file.parse(raw, source="gateway.toml").tenants["a"]
    assert tenant.forwards["f"].settings.public_only is True
    assert tenant.forwards["office"].settings.public_only is False
    assert tenant.appliances["p"].settings.public_only is False
    usual = config_file.parse({"tenants": raw["tenants"]}, source="gateway.toml").tenants["a"]
    assert usual.forwards["f"].settings.public_only is False


@pytest.mark.parametrize("tenants", [None, {"a": 1}, {"a": {"forwards": 1}}, {"a": {"forwards": {"f": 1}}}])
def test_a_wrong_table_is_told_of_where_targets_must_be_public_too(tenants: Any) -> None:
    assert "tenants" in refused({"server": {"public_targets_only": True}, "tenants": tenants})


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://crm.example", "https://crm.example"),
        ("https://CRM.Example/", "https://crm.example"),
        ("https://crm.example:443", "https://crm.example"),
        ("https://crm.example:8443", "https://crm.example:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_a_web_page_s_origin_is_kept_as_browsers_write_it(written: str, kept: str) -> None:
    loaded = config_file.parse({"tenants": {"a": {"crm": {"origins": [written]}}}}, source="x")
    assert loaded.tenants["a"].crm.origins == (kept,)


@pytest.mark.parametrize(
    "written",
    [
        "*",
        "null",
        "crm.example",
        "ftp://crm.example",
        "https://crm.example/app",
        "https://*.crm.example",
        "https://crm.example; script-src *",
        "https://a.example https://b.example",
        "https://crm.example:99999",
        "https://u:p@crm.example",
        "https://crm.example\n",
    ],
)
def test_what_is_no_origin_is_refused(written: str) -> None:
    said = refused({"tenants": {"a": {"crm": {"origins": [written]}}}})
    assert "expected scheme and host of a web page such as https://crm.example, without a path" in said


def test_a_panel_without_https_is_cautioned(tmp_path: Path) -> None:
    def told(**tenant: object) -> list[tuple[str, str]]:
        acme = {"click_to_call": {"open_loopback": False}} | tenant
        return [(about, str(said)) for about, said in cautions(config_file.parse({"tenants": {"a": acme}}, source="x"))]

    crm, https = {"crm": {"origins": ["https://crm.example"]}}, {"public_url": "https://cti.acme.com.br"}
    assert told(**crm, **https) == []
    assert told(crm={"origins": ["http://127.0.0.1:9000", "http://localhost"]}) == []
    ((about, said),) = told(**crm)
    assert about == "[tenants.a.crm]"
    assert "only over https" in said
    ((_, said),) = told(crm={"origins": ["http://crm.example"]}, **https)
    assert "http://crm.example is no https page" in said
