"""The browser extension's files: every sentence in three languages, and no right that its user has not given."""

import json
import re
from pathlib import Path

import pytest

EXTENSION = Path(__file__).parents[1] / "extension"
USED = re.compile(r'(?:getMessage|word)\((?:\w+ \? )?"(\w+)"(?: : "(\w+)")?|data-text="(\w+)"|__MSG_(\w+)__')
BY_TABLE = {"rings", "talks", "ended", "unknownNumber", "withheld"}


def messages(language: str) -> dict[str, dict[str, object]]:
    text = (EXTENSION / "_locales" / language / "messages.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, object]] = json.loads(text)
    return found


@pytest.mark.parametrize("language", ["en", "es", "pt_BR"])
def test_every_sentence_is_there_in_each_language_and_none_is_idle(language: str) -> None:
    files = [path for path in EXTENSION.iterdir() if path.suffix in (".js", ".html", ".json")]
    used = {
        name for path in files for found in USED.findall(path.read_text(encoding="utf-8")) for name in found if name
    }
    assert set(messages(language)) == used | BY_TABLE


def test_placeholders_are_the_same_in_each_language() -> None:
    def placeholders(language: str) -> dict[str, list[str]]:
        return {
            name: sorted(re.findall(r"\$(\w+)\$", str(each["message"]))) for name, each in messages(language).items()
        }

    assert placeholders("pt_BR") == placeholders("en") == placeholders("es")


def test_it_asks_for_no_page_beforehand_and_loads_nothing_from_elsewhere() -> None:
    manifest = json.loads((EXTENSION / "manifest.json").read_text())
    assert manifest["permissions"] == ["activeTab", "scripting", "storage"]
    assert not {"host_permissions", "content_scripts", "externally_connectable", "web_accessible_resources"} & set(
        manifest
    )
    for page in EXTENSION.glob("*.html"):
        addresses = re.findall(r'(?:src|href)="([^"]+)"', page.read_text())
        assert all(re.fullmatch(r"[\w.]+", address) for address in addresses), page
