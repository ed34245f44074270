"""The samples of docs/clients.md and docs/clients/ run as they stand there, and do what they say."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live import compiled
from tests.live.calls import fresh_number
from tests.live.conftest import LiveGateway, free_port, start_gateway
from tests.peers import need, need_answer, need_php

DOCS = Path(__file__).parents[2] / "docs"
CODE = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
# nuSOAP's Debian package needs PHP 7; tests/clients/nusoap.php helps it to run, and the matrix runs that. Delphi
# cannot be had.
NOT_RUN = ("nusoap_client", "SOAPHTTPClient")
KINDS = ("php", "perl", "delphi", "csharp", "java", "python", "node", "ruby", "shell")
DIALS = re.compile("ClickToCall|click-to-call")
PRINTED = re.compile(r"(?:OK )?([1-9][0-9]*)(?:: .*)?")
RECORDING = "http://pbx/rec?id=10&fmt=wav"
CONFIG = """
[tenants.default]
extensions = ["3500-3599"]
[tenants.default.click_to_call]
open_loopback = false
[tenants.default.appliances.echo]
adapter = "url"
url = "http://127.0.0.1:{port}/healthz?from={{{{ extension }}}}&to={{{{ number }}}}"
success = "ok"
"""
Command = Callable[[str, Path], list[str]]


def php(code: str, folder: Path) -> list[str]:
    return [need_php("soap", package="php-soap"), "-d", "soap.wsdl_cache_enabled=0", "-r", code]


def perl(code: str, folder: Path) -> list[str]:
    need_answer(["perl", "-MSOAP::Lite", "-e", "1"], package="libsoap-lite-perl")
    return ["perl", "-e", code]


def node(code: str, folder: Path) -> list[str]:
    need_answer(["node", "-e", "require('soap')"], package="npm install soap, with NODE_PATH")
    return ["node", "-e", code]


def ruby(code: str, folder: Path) -> list[str]:
    need_answer(["ruby", "-rxmlrpc/client", "-e", "1"], package="ruby-xmlrpc")
    return ["ruby", "-e", code]


def shell(code: str, folder: Path) -> list[str]:
    need("curl", package="curl")
    if code.startswith("xmlrpc "):
        need("xmlrpc", package="libxmlrpc-core-c3-dev")
    return ["bash", "-c", code]


def built(compile_: Callable[[Path, Path], list[str]], name: Callable[[str], str]) -> Command:
    """Write the sample into a file of the name that ``name`` finds in it, and compile it."""

    def command(code: str, folder: Path) -> list[str]:
        source = folder / name(code)
        source.write_text(code, encoding="utf-8")
        return compile_(source, folder)

    return command


COMMANDS: dict[str, Command] = {
    "php": php,
    "perl": perl,
    "js": node,
    "ruby": ruby,
    "sh": shell,
    "python": lambda code, folder: [sys.executable, "-c", code],
    "java": built(compiled.java, lambda code: re.findall(r"^public class (\w+)", code, re.MULTILINE)[0] + ".java"),
    "csharp": built(compiled.csharp, lambda code: "Sample.cs"),
    "pascal": built(compiled.pascal, lambda code: "sample.pas"),
}


def samples(page: Path) -> list[tuple[str, str]]:
    """Language and text of the samples of ``page`` that can be run."""
    found = CODE.findall(page.read_text(encoding="utf-8"))
    return [(kind, code) for kind, code in found if not any(word in code for word in NOT_RUN)]


PAGES = [DOCS / "clients.md", *(DOCS / "clients" / f"{kind}.md" for kind in KINDS)]
SAMPLES = [(page.stem, n, kind, code) for page in PAGES for n, (kind, code) in enumerate(samples(page))]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A gateway whose appliance says yes, and which lets nobody dial without a login."""
    folder, port = tmp_path_factory.mktemp("documented"), free_port()
    config = folder / "gateway.toml"
    config.write_text(CONFIG.format(port=port))
    running = start_gateway(folder / "data", config=config, port=port)
    running.cli("agent", "add", "ana", "--extension", "3501", "--password-stdin", stdin="segredo-da-ana\n")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def told() -> dict[str, list[str]]:
    """By the number that a sample spoke of: the call ids that it printed."""
    return {}


@pytest.mark.parametrize(
    ("page", "n", "kind", "code"), SAMPLES, ids=[f"{page}-{n}-{kind}" for page, n, kind, _ in SAMPLES]
)
def test_a_sample_runs_as_it_is_documented(
    gateway: LiveGateway, tmp_path: Path, told: dict[str, list[str]], page: str, n: int, kind: str, code: str
) -> None:
    number = fresh_number()
    code = code.replace("127.0.0.1:8080", f"127.0.0.1:{gateway.port}").replace("4732100123", number)
    done = subprocess.run(COMMANDS[kind](code, tmp_path), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout.splitlines()
    if "Teste" in code:
        assert printed == ["OK"]
        return
    ids = [found[1] for line in printed if (found := PRINTED.fullmatch(line))]
    # A whole program begins a call, ends it and places one; the first of each page is one.
    assert len(ids) == len(printed) == (3 if n == 0 or DIALS.search(code) else 1), printed
    told[number] = ids


def test_the_log_holds_what_the_samples_told(gateway: LiveGateway, told: dict[str, list[str]]) -> None:
    logged = {str(call["id"]): call for call in map(json.loads, gateway.cli("calls", "--format", "json").splitlines())}
    assert told
    for number, ids in told.items():
        assert all(number in re.sub(r"\D", "", logged[call_id]["number"]) for call_id in ids), ids
        if len(ids) == 3:
            started, ended, ordered = ids
            assert started == ended != ordered
            assert (logged[ended]["status"], logged[ended]["recording_url"]) == ("ended", RECORDING)
            assert logged[ordered]["status"] == "accepted"


@pytest.mark.parametrize("kind", KINDS)
def test_each_page_begins_with_a_whole_program_and_is_listed(kind: str) -> None:
    _, first = samples(DOCS / "clients" / f"{kind}.md")[0]
    assert all(operation in first for operation in ("ConsultaRamal", "FinalizaLigacao"))
    assert DIALS.search(first)
    assert f"](clients/{kind}.md)" in (DOCS / "clients.md").read_text(encoding="utf-8")
