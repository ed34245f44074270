"""``cti-gateway presets``: what an administrator and the writer of a preset read."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import cli

PRESET = """
title = "A PBX"
address = "http://h"
[verified]
how = "template"
sources = ["this test"]
[dial]
get = "/{{ number | md_5 }}"
success = "yes"
"""
TEST = """
[[tests]]
name = "order {}"
order = {{ number = "{}" }}
outcome = "accepted"
exchange = [{{ sent = "GET /{}", answer = "200 OK\\n\\nyes" }}]
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["presets", *arguments])


def test_one_mistake_in_a_template_is_told_once_for_all_tests(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(PRESET + "".join(TEST.format(place, place, place) for place in range(3)))
    result = run(str(file), "--test")
    assert result.exit_code == 1
    assert result.stdout.count("FAILED") == 3
    assert result.stdout.count("dial: get: the template") == 1
    assert "No filter named 'md_5'. Did you mean 'md5'?" in result.stdout
    assert result.stdout.count("as in 'order 0'") == 2


@pytest.mark.parametrize(
    ("tenants", "asked", "shown", "note"),
    [
        ("", [], "default", ""),
        ("[tenants.acme]", [], "acme", ""),
        ("[tenants.acme]\n[tenants.beta]", [], "acme", "# acme is one of the tenants acme, beta: --tenant chooses"),
        ("[tenants.acme]\n[tenants.default]", [], "default", "# default is one of the tenants acme, default: --tenant"),
        ("[tenants.acme]\n[tenants.beta]", ["--tenant", "beta"], "beta", ""),
        ("[tenants.acme.appliances.pabx]\npreset = 'mine'\nwrong = 1", [], "acme", ""),
    ],
)
def test_the_example_is_the_table_of_a_tenant_of_the_configuration(
    tenants: str, asked: list[str], shown: str, note: str, tmp_path: Path
) -> None:
    (tmp_path / "gateway.toml").write_text(tenants)
    result = run("asterisk-ami", "--config", str(tmp_path / "gateway.toml"), *asked)
    assert result.exit_code == 0, result.output
    assert f"[tenants.{shown}.appliances.pabx]" in result.stdout
    assert note in result.stdout
    assert note or "--tenant" not in result.stdout


def test_a_tenant_that_is_not_configured_has_no_example(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text("[tenants.acme]")
    result = run("asterisk-ami", "--config", str(tmp_path / "gateway.toml"), "--tenant", "acne")
    assert result.exit_code != 0
    assert "there is no tenant 'acne'. Configured: acme." in str(result.output) + str(result.exception)


def test_what_any_exchange_can_send_is_pointed_out_where_a_preset_knows_no_better(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(PRESET)
    result = run(str(file), "--events")
    assert result.exit_code == 1
    said = str(result.output) + str(result.exception)
    assert "it is not known how mine sends call events" in said
    shown = run("generic-url", "--events")
    assert "FinalizaLigacao.php?ramal=<destination>&telefone=<origin>&url_audio=<recording>" in shown.stdout


def test_a_webhook_s_source_and_its_address_are_printed_together() -> None:
    shown = run("zadarma", "--events", "--address", "https://gw.example.com").stdout
    assert (
        '[tenants.default.sources.zadarma]\nkind = "webhook"\npreset = "zadarma"\nsecret = "file:zadarma.secret"'
        in shown
    )
    assert '# public_url = "https://gw.example.com/in/zadarma"' in shown
    assert "PBX call notifications:   https://gw.example.com/in/zadarma\n" in shown


@pytest.mark.parametrize("name", ["twilio", "telnyx", "plivo", "vonage"])
def test_a_provider_that_asks_how_to_route_a_call_is_not_pointed_here_for_that(name: str) -> None:
    shown = run(name, "--events").stdout
    assert "Never write this address where the provider asks what to do with a call" in shown


def test_the_crm_template_that_3cx_imports_is_xml_with_the_source_s_addresses() -> None:
    shown = run("3cx", "--events", "--address", "https://gw.example.com").stdout
    crm = ElementTree.fromstring(shown[shown.index("<?xml") :].strip())
    requests = {each.get("Id"): each.find("Request") for each in crm.iter("Scenario")}
    lookup, report = requests[""], requests["ReportCall"]
    assert lookup is not None
    assert report is not None
    assert (
        lookup.get("Url")
        == "https://gw.example.com/in/3cx/lookup?token=TOKEN&number=[Number]&direction=[CallDirection]"
    )
    assert report.get("Url") == "https://gw.example.com/in/3cx/report?token=TOKEN"


def test_a_preset_s_page_says_its_rank_and_what_is_missing_for_the_next() -> None:
    assert "rank       gold" in run("asterisk-ami").stdout
    assert "for gold: who answered" in run("freepbx").stdout
