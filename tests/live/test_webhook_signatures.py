"""Requests signed by PHP's own functions, as the providers' examples sign them, against a real gateway."""

import base64
import fcntl
import http.client
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.live.conftest import LiveGateway, start_gateway
from tests.mapping.test_authenticity import (
    DIDWW,
    MANGO,
    PLACETEL,
    PLIVO,
    STANDARD,
    STANDARD_KEY,
    TELNYX,
    TWILIO,
    VONAGE,
    ZADARMA,
    ZOOM,
)
from tests.peers import need_php

CLIENT = Path(__file__).parents[1] / "clients" / "webhook_signatures.php"
KEY, PUBLIC = "a key of sixteen or more", "https://cti.example.com"
PUBLIC_KEY = base64.b64encode(
    Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
).decode()
SCHEMES: dict[str, tuple[dict[str, Any], str]] = {
    "twilio": (TWILIO, KEY),
    "didww": (DIDWW, KEY),
    "zadarma": (ZADARMA | {"event": "type", "signed": {"ring": "{from}{ext}"}}, KEY),
    "mango": (MANGO, KEY),
    "plivo": (PLIVO, KEY),
    "placetel": (PLACETEL, KEY),
    "zoom": (ZOOM, KEY),
    "telnyx": (TELNYX, PUBLIC_KEY),
    "vonage": (VONAGE, KEY),
    "standard": (STANDARD, STANDARD_KEY),
}
VALUES = {"id": "id", "extension": "ext", "number": "from"}


def source(rules: dict[str, Any], secret: str) -> dict[str, Any]:
    mapping = {"event": "type", "kinds": {"ring": "started"}, "values": VALUES, "authenticity": rules}
    if rules is MANGO:
        below = {name: f"json.{path}" for name, path in VALUES.items()}
        mapping |= {"event": "json.type", "json_in": "json", "values": below}
    return {"kind": "webhook", "secret": ["an older key, not used", secret][rules is TELNYX :], "mapping": mapping}


@pytest.fixture(scope="module")
def signed_for(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    folder = tmp_path_factory.mktemp("signatures")
    sources = {name: source(*scheme) for name, scheme in SCHEMES.items()}
    sources["telnyx"]["secret"] = PUBLIC_KEY
    sources["standard"]["secret"] = [STANDARD_KEY]
    hasty = {"kind": "webhook", "answer_within_s": 0.5, "mapping": {"other": "started", "values": VALUES}}
    asking = {"other": "ignore", "reply": {"lookup": "n", "json": {"who": "{@account}", "number": "{@number}"}}}
    more = {"hasty": hasty | {"secret": KEY}, "asking": {"kind": "webhook", "secret": KEY, "mapping": asking}}
    tenant = {"public_url": PUBLIC, "events": {"allow": []}, "sources": sources | more}
    (folder / "gateway.toml").write_text(tomli_w.dumps({"tenants": {"default": tenant}}))
    running = start_gateway(folder / "data", config=folder / "gateway.toml")
    yield running
    running.stop()


def test_each_scheme_takes_what_php_signed_and_nothing_else(signed_for: LiveGateway) -> None:
    php = need_php("sodium", package="php-cli")
    done = subprocess.run(
        [php, str(CLIENT), signed_for.url, PUBLIC, KEY], capture_output=True, text=True, timeout=60, check=True
    )
    told = {name: (int(right), int(wrong)) for name, right, wrong in map(str.split, done.stdout.splitlines())}
    assert told == dict.fromkeys(SCHEMES, (200, 403))
    assert KEY not in signed_for.log.read_text()
    kept = signed_for.cli("traffic", "--format", "json", "--limit", "100")
    assert KEY not in kept
    calls = [json.loads(line) for line in signed_for.cli("calls", "--format", "json").splitlines()]
    assert {call["extension"] for call in calls} == {"201"}


def test_a_busy_disk_is_answered_in_time_and_never_with_success(signed_for: LiveGateway) -> None:
    """Another process holds the lock for writing: the provider is told to send it again, and then it is taken."""
    with (signed_for.data / "gateway.lock").open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        began = time.monotonic()
        answers = [send(signed_for), send(signed_for)]
        took_s = time.monotonic() - began
    assert [status for status, _ in answers] == [503, 503]
    assert all(int(retry) > 0 for _, retry in answers)
    assert took_s < 2.5
    assert send(signed_for)[0] == 200
    calls = [json.loads(line) for line in signed_for.cli("calls", "--format", "json").splitlines()]
    assert [call["extension"] for call in calls].count("209") == 1


def test_an_exchange_that_asks_is_told_whose_a_number_is(signed_for: LiveGateway, tmp_path: Path) -> None:
    sheet = tmp_path / "contas.csv"
    sheet.write_text("codigo;nome;telefone\n17;Padaria Sol;4733334444\n")
    signed_for.cli("import", "accounts", str(sheet))
    connection = http.client.HTTPConnection("127.0.0.1", signed_for.port, timeout=10)
    connection.request("GET", "/in/asking?n=%2B55+47+3333-4444", headers={"X-Token-Auth": KEY})
    assert json.loads(connection.getresponse().read()) == {"who": "Padaria Sol", "number": "+554733334444"}
    connection.close()


def send(gateway: LiveGateway) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    body = json.dumps({"id": "busy-1", "ext": "209", "from": "4733339999"})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    connection.request("POST", "/in/hasty", body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.getheader("Retry-After", "0")
