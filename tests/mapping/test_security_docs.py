"""docs/webhooks-security.md names every setting, and its examples are what they say."""

import re
import tomllib
from pathlib import Path

import pytest

from gateway.mapping.authenticity import KEYS, Authenticity
from gateway.mapping.handshakes import Handshake
from gateway.mapping.replies import LOOKED_UP, OWN, WebhookReply
from gateway.mapping.signed_texts import WORDS

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks-security.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|`]+) \| (`kind = .*`.*) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("model", [Authenticity, WebhookReply, Handshake])
def test_every_setting_is_named(model: type) -> None:
    told = set(re.findall(r"`(\w+)`", PAGE)) | {"equals", "present"}
    names = {field.alias or name for name, field in model.model_fields.items()}
    assert names <= told


def test_every_kind_has_its_row_with_its_settings() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| .*? \|(.*?)\|$", PAGE, re.MULTILINE))
    for kind, keys in KEYS.items():
        named = set(re.findall(r"`(\w+)`", rows[kind])) - {"Bearer"}
        assert named <= set(keys)
        assert named == set(keys) or "below" in rows[kind]


def test_every_word_of_what_is_signed_is_named() -> None:
    for word in (*WORDS, *OWN, *LOOKED_UP, "timestamp", "secret"):
        assert f"{{{word}}}" in PAGE


@pytest.mark.parametrize(("provider", "settings"), ROWS)
def test_what_is_said_of_each_provider_can_be_used(provider: str, settings: str) -> None:
    text = "\n".join(re.findall(r"`(\w+ = .*?)`", settings)).replace("\\|", "|").replace(", ... }", " }")
    assert Authenticity.model_validate(tomllib.loads(text)).kind != "none"


def test_there_are_providers_to_look_up() -> None:
    assert len(ROWS) >= 13


def test_examples_are_what_they_say() -> None:
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE, re.MULTILINE)
    tables = [tomllib.loads(re.sub(r"(?m)^    ", "", block)) for block in blocks if "[webhook" in block]
    handshakes = [one for table in tables for one in table["webhook"].get("handshakes", [])]
    replies = [table["webhook"] for table in tables if "reply" in table["webhook"]]
    assert len(handshakes) == 3
    assert all(Handshake.model_validate(one) for one in handshakes)
    assert WebhookReply.model_validate(replies[0]["reply"])
    lookups = [
        one["replies"]["lookup"] for one in (table["webhook"] for table in tables) if "lookup" in one.get("replies", {})
    ]
    assert WebhookReply.model_validate(lookups[0]).unknown is not None
    assert "onAnswer" in WebhookReply.model_validate(replies[0]["replies"]["newCall"]).body
