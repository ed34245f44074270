"""The samples of docs/clients.md run as they stand there, and print a call id."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.conftest import LiveGateway
from tests.peers import need, need_answer, need_php

PAGE = (Path(__file__).parents[2] / "docs" / "clients.md").read_text(encoding="utf-8")
# nuSOAP's Debian package needs PHP 7; tests/clients/nusoap.php helps it to run, and the matrix runs that. Logging in
# has a test of its own.
NOT_RUN = ("nusoap_client", "segredo")
FOUND = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
SAMPLES = [(kind, code) for kind, code in FOUND if not any(word in code for word in NOT_RUN)]


def run(kind: str, code: str) -> list[str]:
    """The command that runs ``code``."""
    if kind == "php":
        return [need_php("soap", package="php-soap"), "-d", "soap.wsdl_cache_enabled=0", "-r", code]
    if kind == "perl":
        need_answer(["perl", "-MSOAP::Lite", "-e", "1"], package="libsoap-lite-perl")
    if kind == "ruby":
        need_answer(["ruby", "-rxmlrpc/client", "-e", "1"], package="ruby-xmlrpc")
    if kind == "js":
        need_answer(["node", "-e", "require('soap')"], package="npm install soap, with NODE_PATH")
    if kind == "sh":
        need("curl", package="curl")
    return {
        "perl": ["perl", "-e", code],
        "python": [sys.executable, "-c", code],
        "js": ["node", "-e", code],
        "ruby": ["ruby", "-e", code],
        "sh": ["bash", "-c", code],
    }[kind]


@pytest.mark.parametrize(("kind", "code"), SAMPLES, ids=[f"{kind}-{n}" for n, (kind, _) in enumerate(SAMPLES)])
def test_a_sample_runs_as_it_is_documented(gateway: LiveGateway, kind: str, code: str) -> None:
    command = run(kind, code.replace("127.0.0.1:8080", f"127.0.0.1:{gateway.port}"))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert re.fullmatch(r"(OK )?[1-9][0-9]*", done.stdout.strip()), done.stdout + done.stderr
