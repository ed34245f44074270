"""docs/webhooks-out.md as a receiver follows it: what a real gateway sends, verified as the page shows."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from standardwebhooks.webhooks import Webhook

from gateway.domain.webhook_documents import schema
from tests.adapters.bad_peers import answer, serving
from tests.live.conftest import start_gateway
from tests.live.processes import until
from tests.peers import need_php

SECRET = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "webhooks-out.md").read_text(encoding="utf-8")
CONFIG = """
[tenants.default]
area_code = "47"
extensions = ["3500-3599"]

[tenants.default.forwards.erp]
adapter = "webhook"
on = ["call_started", "call_ended", "call_noted", "agent_state_changed"]
only = "direction != 'internal'"
url = "{address}/hooks/calls"
secret = "{secret}"
"""


@dataclass(frozen=True)
class ReceivedWebhook:
    """One request as a receiver has it."""

    headers: dict[str, str]
    body: bytes


def parsed(request: bytes) -> ReceivedWebhook:
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
    return ReceivedWebhook({name.lower(): value for name, value in lines}, body)


@pytest.fixture(scope="module")
def webhooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ReceivedWebhook]]:
    folder = tmp_path_factory.mktemp("webhooks")
    with serving(answer("204 No Content")) as erp:
        config = folder / "gateway.toml"
        config.write_text(CONFIG.format(address=erp.address, secret=SECRET))
        gateway = start_gateway(folder / "data", config=config)
        for path in (
            "ConsultaRamal.php?ramal=3501&telefone=%2B55+47+3210-0123&id_ligacao=a-1&campos=cpf%3D1",
            "ConsultaRamal.php?ramal=3502&telefone=3501",
            "FinalizaLigacao.php?ramal=3501&telefone=4732100123&id_ligacao=a-1&resultado=BUSY",
            "AnotaLigacao.php?ramal=3501&telefone=4732100123&id_ligacao=a-1&custo=0,32&transcricao=Al%C3%B4",
            "EstadoAgente.php?ramal=3501&agente=Ana&estado=pause&motivo=almo%C3%A7o",
        ):
            with urllib.request.urlopen(f"{gateway.url}/wconnect/WConnect_WSDL_{path}", timeout=10) as taken:
                assert taken.status == 200
        until(lambda: len(erp.requests) == 4, "four events")
        gateway.stop()
        yield [parsed(request) for request in erp.requests]


def test_each_event_comes_once_as_its_schema_says_and_the_official_library_takes_it(webhooks) -> None:
    validator = Draft202012Validator(schema(), format_checker=FormatChecker())
    told = [Webhook(SECRET).verify(each.body, each.headers) for each in webhooks]
    for event in told:
        validator.validate(event)
    by_type = {event["type"]: event["data"] for event in told}
    assert set(by_type) == {"call_started", "call_ended", "call_noted", "agent_state_changed"}
    assert by_type["call_started"]["number_e164"] == "+554732100123"
    assert by_type["call_ended"]["result"] == "busy"
    assert by_type["call_noted"]["transcript"] == "Alô"
    assert by_type["agent_state_changed"]["reason"] == "almoço"
    assert len({each.headers["webhook-id"] for each in webhooks}) == 4


def code(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_receiver_in_python_takes_what_comes_and_nothing_else(webhooks) -> None:
    known: dict = {}
    exec(code("python"), known)
    for each in webhooks:
        assert known["verified"](each.body, each.headers, SECRET) == json.loads(each.body)
    first = webhooks[0]
    with pytest.raises(ValueError, match="wrong signature"):
        known["verified"](first.body + b" ", first.headers, SECRET)
    with pytest.raises(ValueError, match="too old"):
        known["verified"](first.body, first.headers | {"webhook-timestamp": "1"}, SECRET)


def test_the_receiver_in_php_takes_what_comes_and_nothing_else(webhooks) -> None:
    php = need_php("json", package="php-cli")
    given = [{"body": each.body.decode(), "headers": each.headers} for each in webhooks]
    first = given[0]
    given += [
        {**first, "body": first["body"] + " "},
        {**first, "headers": first["headers"] | {"webhook-timestamp": "1"}},
    ]
    program = (
        code("php")
        + f"""
        foreach (json_decode(stream_get_contents(STDIN), true) as $each) {{
            try {{
                echo verified($each['body'], $each['headers'], '{SECRET}')['type'], "\\n";
            }} catch (Exception $error) {{
                echo $error->getMessage(), "\\n";
            }}
        }}"""
    )
    done = subprocess.run([php, "-r", program], input=json.dumps(given), capture_output=True, text=True, timeout=30)
    types = [json.loads(each.body)["type"] for each in webhooks]
    assert done.stdout.splitlines() == [*types, "wrong signature", "too old, or a wrong clock"], done.stderr


def test_the_published_schema_is_the_one_that_is_served() -> None:
    written = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    assert (DOCS / "webhooks-out.schema.json").read_text(encoding="utf-8") == written
