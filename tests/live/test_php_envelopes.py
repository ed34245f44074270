"""Envelopes that our SOAP adapter makes, held against those of PHP's SoapClient by what they mean."""

import json
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.dialects import DIAL
from tests.adapters.envelopes import body_of
from tests.adapters.field import WCONNECT
from tests.adapters.test_soap_field import dialer
from tests.peers import need_php

MAKER = Path(__file__).with_name("servers") / "envelope.php"
FIELD = Path(__file__).parents[1] / "adapters" / "field_wsdl"
PAIR = {"from": "3501", "to": "4732100123"}
DOCUMENTS = (
    *("boolean-answer", "message-leading-space", "one-way", "other-complextype-missing", "output-without-parts"),
    *("type-space", "undeclared-prefix-attr", "xmlmime-no-location"),
)
LOGIN = {"UsuarioLogin": "gw", "UsuarioSenha": "s3nha", "ContasId": 7, "ContasTelefones": ["4732100123", "3501"]}
CASES: dict[str, tuple[str, dict[str, Any], list[Any]]] = {
    # name: operation, our arguments, PHP's (a list, one for each part)
    **{name: ("Dial", PAIR, [PAIR]) for name in DOCUMENTS},
    **{name: ("Dial", PAIR, list(PAIR.values())) for name in ("mime-multipart", "document-encoded")},
    "out-type-unknown-xsd": ("Dial", PAIR, list(PAIR.values())),
    "integer-part": ("Dial", {"from": 3501, "to": "190"}, [3501, "190"]),
    "rpc-encoded-qualified": ("Dial", {"call": PAIR}, [PAIR]),
    "list-of-numbers": ("Dial", {"from": "1", "numbers": ["4799", "190"]}, ["1", ["4799", "190"]]),
    "document-encoded-one-part": ("Dial", {"to": "190"}, ["190"]),
    "rpc-input-without-body": ("Dial", {}, []),
    "rpc-encoded-attributes": (
        "Dial",
        {"call": {"to": "190", "line": 3, "mode": "manual"}, "note": {"_value_1": "olá", "lang": "pt"}},
        [{"to": "190", "line": 3, "mode": "manual"}, {"_": "olá", "lang": "pt"}],
    ),
    "array-of-texts": ("Dial", {"numbers": ["4799", "190"]}, [["4799", "190"]]),
    "bare-text": ("Dial", {"parameters": "190"}, ["190"]),
    "wconnect": ("getContas", {"Parametros": LOGIN}, [LOGIN]),
}

NO_NAMESPACE = ("mime-multipart", "rpc-input-without-body")
"""Where PHP knows no namespace for the operation (it reads none in a MIME part): libxml2 then writes the envelope's."""


def wsdl_of(name: str) -> Path:
    return WCONNECT if name == "wconnect" else FIELD / f"{name}.wsdl"


@pytest.fixture(scope="module")
def phps() -> dict[str, str]:
    """The envelope of each case as PHP makes it; one PHP for all."""
    php = need_php("soap", package="php-soap")
    jobs = [[str(wsdl_of(name)), operation, given] for name, (operation, _, given) in CASES.items()]
    done = subprocess.run(
        [php, "-d", "allow_url_fopen=0", str(MAKER)],
        input=json.dumps(jobs).encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    made = json.loads(done.stdout)
    assert [reason for _, reason in made if reason] == []
    return {name: envelope for name, (envelope, _) in zip(CASES, made, strict=True)}


@pytest.mark.parametrize("name", CASES)
def test_our_envelope_means_what_phps_does(phps: dict[str, str], name: str) -> None:
    operation, arguments, _ = CASES[name]
    with closing(dialer("", arguments, operation=operation, wsdl=str(wsdl_of(name)))) as speaking:
        ours = speaking.preview(DIAL)[0].data.partition(b"\r\n\r\n")[2]
    php = phps[name]
    if name in NO_NAMESPACE:
        php = php.replace("<SOAP-ENV:Dial", "<Dial").replace("</SOAP-ENV:Dial", "</Dial")
        ours = ours.replace(b"ns0:Dial", b"Dial")
    assert body_of(ours) == body_of(php)
