"""``cti-gateway presets``: what an administrator and the writer of a preset read."""

from pathlib import Path

from click.testing import CliRunner, Result

from gateway.cli import cli

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
