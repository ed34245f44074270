"""Every client that can be installed, with every operation, against one running gateway; prints the table."""

import functools
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from gateway.wire.soap.contract_encoded import PATH
from tests.live import compiled
from tests.live.calls import fresh_number
from tests.live.conftest import LiveGateway, free_port, start_gateway
from tests.peers import need_answer

CLIENTS = Path(__file__).parents[1] / "clients"
OPERATIONS = ("ConsultaRamal", "FinalizaLigacao", "ClickToCall", "Teste")
Fields = Mapping[str, str]
Build = Callable[[Path, Path], list[str]]
CONFIG = """
[tenants.default]
extensions = ["3500-3599"]
[tenants.default.appliances.echo]
adapter = "url"
url = "http://127.0.0.1:{port}/healthz?from={{{{ extension }}}}&to={{{{ number }}}}"
success = "ok"
"""


def as_json(fields: Fields) -> list[str]:
    return [json.dumps(fields)]


def as_pairs(fields: Fields) -> list[str]:
    return [f"{name}={value}" for name, value in fields.items()]


def as_values(fields: Fields) -> list[str]:
    return list(fields.values())


def as_texts(fields: Fields) -> list[str]:
    """For the command xmlrpc, which guesses no types: it is told."""
    return [f"s/{value}" for value in fields.values()]


@dataclass(frozen=True)
class Client:
    """``command`` is followed by the address, ``mode``, the operation, and the fields as ``write`` writes them.

    With ``build`` it is a source, compiled first. ``id_in`` finds the call id in what is printed.
    """

    name: str
    command: tuple[str, ...]
    path: str
    mode: str = ""
    write: Callable[[Fields], list[str]] = as_json
    proof: tuple[str, ...] = ()
    package: str = ""
    build: Build | None = None
    id_in: str = r"(.*)"

    def call(self, url: str, operation: str, fields: Fields, folder: Path) -> str:
        """What the client printed: the call id that it read. ``folder`` keeps what was compiled."""
        arguments = [url + self.path, *([self.mode] if self.mode else []), operation, *self.write(fields)]
        command = program(self.build, Path(self.command[0]), folder) if self.build else self.command
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-500:]
        found = re.fullmatch(self.id_in, done.stdout.strip(), re.DOTALL)
        assert found, done.stdout
        return found[1]


@functools.cache
def program(build: Build, source: Path, folder: Path) -> list[str]:
    """The command of the program made of ``source``, once for all operations."""
    made = folder / source.stem
    made.mkdir(exist_ok=True)
    return build(source, made)


def script(name: str) -> str:
    return str(CLIENTS / name)


def php(file: str, extension: str, package: str) -> Callable[[str, str, str], Client]:
    proof = ("php", "-r", f"exit((int) !({extension}));")
    return lambda name, path, mode: Client(name, ("php", script(file)), path, mode, proof=proof, package=package)


def perl(file: str, module: str, package: str, write: Callable[[Fields], list[str]]) -> Callable[..., Client]:
    proof = ("perl", f"-M{module}", "-e", "1")

    def made(name: str, path: str, mode: str = "") -> Client:
        return Client(name, ("perl", script(file)), path, mode, write, proof, package)

    return made


def node(file: str, module: str) -> Callable[[str, str], Client]:
    proof = ("node", "-e", f"require('{module}')")
    package = f"npm install {module}, with NODE_PATH"
    return lambda name, path: Client(name, ("node", script(file)), path, proof=proof, package=package)


def python(file: str, module: str) -> Callable[..., Client]:
    proof = (sys.executable, "-c", f"import {module}")

    def made(name: str, path: str, mode: str = "") -> Client:
        return Client(name, (sys.executable, script(file)), path, mode, proof=proof, package=module)

    return made


def built(
    file: str, build: Build, write: Callable[[Fields], list[str]] = as_pairs
) -> Callable[[str, str, str], Client]:
    return lambda name, path, mode: Client(name, (script(file),), path, mode, write, build=build)


soap_php = php("soap.php", "extension_loaded('soap')", "php-soap")
nusoap = php("nusoap.php", "is_file('/usr/share/php/nusoap/nusoap.php')", "libnusoap-php")
xmlrpc_php = php("xmlrpc_php.php", "extension_loaded('xmlrpc')", "php-xmlrpc")
soap_lite = perl("soaplite.pl", "SOAP::Lite", "libsoap-lite-perl", as_pairs)
rpc_xml = perl("rpc_xml.pl", "RPC::XML::Client", "librpc-xml-perl", as_values)
xmlrpc_lite = perl("xmlrpc_lite.pl", "XMLRPC::Lite", "libxmlrpc-lite-perl", as_values)
zeep, suds = python("zeep_soap.py", "zeep"), python("suds_soap.py", "suds.client")
xmlrpc_python = python("xmlrpc_python.py", "xmlrpc.client")
axis, soap_java = built("SoapAxis.java", compiled.java), built("SoapHttp.java", compiled.java)
web_reference, soap_pascal = built("SoapCsharp.cs", compiled.csharp), built("soap_pascal.pas", compiled.pascal)
gsoap = built("soap_gsoap.c", compiled.gsoap, as_values)
XMLRPC_C = {
    # Without an address it says how it is used: it is there.
    "proof": ("sh", "-c", "command -v xmlrpc"),
    "package": "libxmlrpc-core-c3-dev",
    "id_in": r".*'id'\n *Value: Integer: ([0-9]+)",
}
RUBY = {"proof": ("ruby", "-rxmlrpc/client", "-e", "1"), "package": "ruby-xmlrpc"}

MATRIX = [
    soap_php("PHP, literal WSDL", "/soap", "wsdl"),
    soap_php("PHP, literal WSDL, SOAP 1.2", "/soap", "wsdl12"),
    soap_php("PHP, encoded WSDL", PATH, "wsdl"),
    soap_php("PHP, encoded WSDL, gzip", PATH, "gzip"),
    soap_php("PHP, no WSDL, encoded", PATH, "encoded"),
    soap_php("PHP, no WSDL, encoded, SOAP 1.2", PATH, "encoded12"),
    soap_php("PHP, no WSDL, named", PATH, "named"),
    soap_php("PHP, no WSDL, literal", "/soap", "literal"),
    soap_php("PHP, no WSDL, a map", PATH, "map"),
    soap_php("PHP, no WSDL, an array", PATH, "array"),
    soap_php("PHP, no WSDL, HTTP/1.0", PATH, "http10"),
    nusoap("nuSOAP, WSDL", PATH, "wsdl"),
    nusoap("nuSOAP, ISO-8859-1", PATH, "latin1"),
    nusoap("nuSOAP, UTF-8", PATH, "utf8"),
    nusoap("nuSOAP, by position", PATH, "position"),
    soap_lite("SOAP::Lite, WSDL", PATH, "wsdl"),
    soap_lite("SOAP::Lite, by position", PATH, "position"),
    soap_lite("SOAP::Lite, named", PATH, "named"),
    soap_lite("SOAP::Lite, literal", "/soap", "tempuri"),
    zeep("zeep, literal", "/soap"),
    zeep("zeep, encoded", PATH),
    suds("suds, literal", "/soap"),
    suds("suds, encoded", PATH),
    node("soap_node.js", "soap")("node soap, literal", "/soap"),
    node("soap_node.js", "soap")("node soap, encoded", PATH),
    xmlrpc_python("Python XML-RPC, by position", "/xmlrpc", "position"),
    xmlrpc_python("Python XML-RPC, a struct", "/xmlrpc", "struct"),
    Client("Ruby XML-RPC, by position", ("ruby", script("xmlrpc_ruby.rb")), "/RPC2", "position", **RUBY),
    Client("Ruby XML-RPC, a struct", ("ruby", script("xmlrpc_ruby.rb")), "/RPC2", "struct", **RUBY),
    rpc_xml("Perl RPC::XML", "/xmlrpc"),
    xmlrpc_lite("Perl XMLRPC::Lite", "/xmlrpc"),
    node("xmlrpc_node.js", "xmlrpc")("node XML-RPC", "/xmlrpc"),
    xmlrpc_php("PHP XML-RPC", "/xmlrpc", ""),
    axis("Axis 1, by position", PATH, "position"),
    axis("Axis 1, named", PATH, "named"),
    axis("Axis 1, a structure", PATH, "multiref"),
    soap_java("Java HttpClient, literal", "/soap", ""),
    web_reference("C# Web Reference, literal", "/soap", "literal"),
    web_reference("C# Web Reference, encoded", PATH, "encoded"),
    soap_pascal("Free Pascal, encoded", PATH, ""),
    gsoap("gSOAP, encoded", PATH, ""),
    Client("xmlrpc-c's xmlrpc", ("xmlrpc",), "/xmlrpc", write=as_texts, **XMLRPC_C),
]

CELLS = [
    (client, operation)
    for client in MATRIX
    for operation in OPERATIONS
    # Teste has nothing to put into a structure.
    if operation != "Teste" or client.mode not in ("map", "array", "struct", "multiref")
]


@functools.cache
def is_there(proof: tuple[str, ...], package: str) -> None:
    need_answer(list(proof), package=package)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A gateway whose appliance says yes to every order."""
    folder, port = tmp_path_factory.mktemp("matrix"), free_port()
    config = folder / "gateway.toml"
    config.write_text(CONFIG.format(port=port))
    running = start_gateway(folder / "data", config=config, port=port)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def told() -> dict[tuple[str, str], tuple[str, str]]:
    """By client and operation: the number it spoke of and the call id it read."""
    return {}


def fields_of(operation: str, number: str) -> Fields:
    if operation == "Teste":
        return {}
    fields = {"ramal": "3501", "telefone": number}
    return fields | {"url_audio": "http://pbx/rec?id=10&fmt=wav"} if operation == "FinalizaLigacao" else fields


@pytest.mark.parametrize(("client", "operation"), CELLS, ids=[f"{client.name}-{one}" for client, one in CELLS])
def test_a_client_calls_an_operation_and_reads_the_call_id(
    gateway: LiveGateway, told: dict[tuple[str, str], tuple[str, str]], client: Client, operation: str
) -> None:
    if client.proof:
        is_there(client.proof, client.package)
    number = fresh_number()
    printed = client.call(gateway.url, operation, fields_of(operation, number), gateway.data.parent)
    assert printed == "0" if operation == "Teste" else int(printed) > 0
    told[client.name, operation] = (number, printed)


@pytest.mark.parametrize(
    "command", [("curl", "-sS"), ("curl", "-sS", "--http1.0", "-H", "Host:"), ("wget", "-qO-")], ids=" ".join
)
@pytest.mark.parametrize("operation", OPERATIONS[:3])
def test_a_get_client_reads_the_call_id(
    gateway: LiveGateway, told: dict[tuple[str, str], tuple[str, str]], command: tuple[str, ...], operation: str
) -> None:
    need_answer([command[0], "--version"], package=command[0])
    number = fresh_number()
    path = "/click-to-call" if operation == "ClickToCall" else f"/wconnect/WConnect_WSDL_{operation}.php"
    address = f"{gateway.url}{path}?{urlencode(fields_of(operation, number))}"
    done = subprocess.run([*command, address], capture_output=True, text=True, timeout=60, check=True)
    word, call_id, *_ = done.stdout.replace(":", " ").split()
    assert word == "OK"
    told[" ".join(command), operation] = (number, call_id)


def test_every_id_that_a_client_read_is_that_of_its_call(
    gateway: LiveGateway, told: dict[tuple[str, str], tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print("\n" + table(told))
    logged = {str(call["id"]): call for call in map(json.loads, gateway.cli("calls", "--format", "json").splitlines())}
    for (client, operation), (number, call_id) in told.items():
        if operation != "Teste":
            assert number in "".join(filter(str.isdigit, logged[call_id]["number"])), (client, operation)


def table(told: Mapping[tuple[str, str], object]) -> str:
    """Client by operation: ok, or - for what did not run or did not work (its own test says which)."""
    names = list(dict.fromkeys(name for name, _ in told))
    width = max((len(name) for name in names), default=6)
    lines = [" ".join(["client".ljust(width), *OPERATIONS])]
    for name in names:
        cells = [("ok" if (name, one) in told else "-").ljust(len(one)) for one in OPERATIONS]
        lines.append(" ".join([name.ljust(width), *cells]).rstrip())
    return "\n".join(lines)
