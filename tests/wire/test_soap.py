"""SOAP 1.1 and 1.2: the published contract, what clients may send, and what nobody gets past the guard."""

import encodings
import gzip
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from structlog.testing import capture_logs
from zeep import Client, Settings, Transport
from zeep.exceptions import Fault as ZeepFault

from gateway.domain.messages import ATTACHED, CallEnded, CallStarted
from gateway.errors import QueueFull
from gateway.texts.text import verbatim
from gateway.wire.soap.contract import NAMESPACE, PLACEHOLDER_ADDRESS, wsdl, wsdl_at
from gateway.wire.soap.envelopes import SOAP_11, SOAP_12
from tests.loops import cpu_s, loops
from tests.wire.envelopes import CONTENT_TYPES, envelope, read_answer, read_fault, wrap
from tests.wire.peers import OUTSIDE, Peer

FIELDS = {"ramal": "3501", "telefone": "4732100123"}
PUBLISHED = Path(__file__).parents[2] / "wsdl" / "cti-gateway.wsdl"
VERSIONS = pytest.mark.parametrize("version", [SOAP_11, SOAP_12], ids=["soap11", "soap12"])


@pytest.fixture
def peer() -> Peer:
    return Peer()


def the_message(peer: Peer) -> tuple[str, str]:
    (message,) = peer.core.messages
    assert isinstance(message, CallStarted | CallEnded)
    return message.ramal, message.telefone


# --- the contract -----------------------------------------------------------------------------------------


def test_the_published_wsdl_is_what_the_gateway_generates() -> None:
    assert wsdl() == PUBLISHED.read_bytes()


def test_a_gateway_shows_the_published_wsdl_with_its_own_address(peer: Peer) -> None:
    for query in ("wsdl", "WSDL", "wsdl=1"):
        got = peer.get("/soap", query_string=query, base_url="http://pbx.example.com:8080")
        assert got.status_code == 200
        assert got.content_type == "text/xml; charset=utf-8"
        own = PUBLISHED.read_bytes().replace(PLACEHOLDER_ADDRESS.encode(), b"http://pbx.example.com:8080/soap")
        assert got.data == own


def test_an_address_is_escaped_in_the_wsdl() -> None:
    root = etree.fromstring(wsdl_at('http://pbx/soap?a=1&b="<'))
    assert root.find(".//{*}port")[0].get("location") == 'http://pbx/soap?a=1&b="<'


def test_head_on_the_wsdl_has_the_headers_only(peer: Peer) -> None:
    got = peer.send("HEAD", "/soap", query_string="wsdl")
    assert (got.status_code, got.data) == (200, b"")
    assert int(got.headers["Content-Length"]) > 1000


TWO = {"tenants": {"acme": {"hosts": ["pbx.acme.com"]}, "beta": {}}}


def test_each_tenant_sees_its_own_address_however_the_requests_interleave() -> None:
    peer = Peer(TWO)
    places = [
        ("http://pbx.acme.com", "/soap", "http://pbx.acme.com/soap"),
        ("https://beta.example.com", "/soap", "https://beta.example.com/soap"),
        ("http://gw:8080", "/t/acme/soap", "http://gw:8080/t/acme/soap"),
        ("http://gw:8080", "/t/beta/soap", "http://gw:8080/t/beta/soap"),
    ]

    def addresses(place: tuple[str, str, str]) -> set[str]:
        got = peer.get(place[1], query_string="wsdl", base_url=place[0])
        return {str(found) for found in etree.fromstring(got.data).xpath("//*[local-name()='address']/@location")}

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(addresses, places * 10))
    assert found == [{place[2]} for place in places * 10]


@pytest.mark.parametrize("host", ['x"><evil/>', "a b", "a/b", "ç.com", "a" * 300, "[::1", "a:b:c"])
def test_a_host_that_is_none_does_not_get_into_the_wsdl(peer: Peer, host: str) -> None:
    got = peer.get("/soap", query_string="wsdl", environ={"HTTP_HOST": host})
    assert got.status_code == 400
    assert got.text == "ERRO 240: o cabeçalho Host não é um nome de host.\n"


def test_without_a_host_header_the_wsdl_has_the_servers_name(peer: Peer) -> None:
    environ = {"HTTP_HOST": "", "SERVER_NAME": "10.0.0.1", "SERVER_PORT": "8080"}
    assert b"http://10.0.0.1:8080/soap" in peer.get("/soap", query_string="wsdl", environ=environ).data


def test_the_soap_1_1_port_comes_first_and_the_1_2_port_second() -> None:
    ports = etree.fromstring(wsdl()).findall(".//{*}service/{*}port")
    assert [port[0].tag.partition("}")[0] for port in ports] == [
        "{http://schemas.xmlsoap.org/wsdl/soap/",
        "{http://schemas.xmlsoap.org/wsdl/soap12/",
    ]


def test_required_parameters_are_required_in_the_schema_and_extras_are_not() -> None:
    root = etree.fromstring(wsdl())
    path = ".//{*}complexType[@name='FinalizaLigacao']//{*}element"
    occurs = {element.get("name"): element.get("minOccurs", "1") for element in root.findall(path)}
    assert [name for name, least in occurs.items() if least == "1"] == ["ramal", "telefone"]
    assert list(occurs) == [
        "ramal",
        "telefone",
        "url_audio",
        "id_ligacao",
        "data_hora",
        "direcao",
        "duracao",
        "resultado",
        *ATTACHED.values(),
        "campos",
        "espera",
        "atendida_em",
        "causa",
    ]


def test_every_operation_is_documented_in_the_wsdl() -> None:
    operations = etree.fromstring(wsdl()).findall(".//{*}portType/{*}operation")
    assert [operation.get("name") for operation in operations] == [
        "ConsultaRamal",
        "FinalizaLigacao",
        "ClickToCall",
        "Teste",
        "AtendeLigacao",
        "TransfereLigacao",
        "EsperaLigacao",
        "RetomaLigacao",
        "EntraFila",
        "SaiFila",
        "AnotaLigacao",
        "EstadoAgente",
    ]
    assert all(len(operation.findtext("{*}documentation") or "") > 20 for operation in operations)


# --- zeep, strict, without a socket -----------------------------------------------------------------------


class InProcess(Transport):
    """Zeep's transport on top of a peer."""

    def __init__(self, peer: Peer) -> None:
        super().__init__()
        self.peer = peer

    def _load_remote_data(self, url: str) -> bytes:
        return self.peer.get(url).data

    def post(self, address: str, message: bytes, headers: dict[str, str]) -> Any:
        got = self.peer.post("/soap", data=message, headers=headers)

        class Response:
            status_code = got.status_code
            content = got.data
            headers = got.headers
            encoding = "utf-8"

        return Response()


@pytest.mark.parametrize("port", ["CtiGateway", "CtiGateway12"])
def test_zeep_in_strict_mode_reads_every_answer_on_both_ports(peer: Peer, port: str) -> None:
    client = Client("http://localhost/soap?wsdl", transport=InProcess(peer), settings=Settings(strict=True))
    service = client.bind("CtiGateway", port)
    started = service.ConsultaRamal(ramal="3501", telefone="4732100123", direcao="entrada")
    assert (started.status, started.mensagem, started.id) == ("OK", "chamada registrada", 1)
    assert service.FinalizaLigacao("3501", "4732100123", "http://pbx/a.wav").id == 2
    assert service.Teste().mensagem.startswith("cti-gateway ")
    with pytest.raises(ZeepFault) as raised:
        service.ConsultaRamal(ramal="3501", telefone="")
    assert "telefone" in raised.value.message
    assert raised.value.detail.findtext(f".//{{{NAMESPACE}}}codigo") == "210"


# --- what clients may send --------------------------------------------------------------------------------

PHP_WITHOUT_WSDL = (
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ns1="{ns}" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/" '
    'SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><SOAP-ENV:Body><ns1:ConsultaRamal>'
    '<param0 xsi:type="xsd:int">3501</param0><param1 xsi:type="xsd:long">4732100123</param1>'
    "</ns1:ConsultaRamal></SOAP-ENV:Body></SOAP-ENV:Envelope>"
)
BOTH = "<ramal>3501</ramal><telefone>4732100123</telefone>"
BODIES = {
    "qualified": '<m:ConsultaRamal xmlns:m="{ns}"><m:ramal>3501</m:ramal><m:telefone>4732100123</m:telefone>'
    "</m:ConsultaRamal>",
    "unqualified": f'<m:ConsultaRamal xmlns:m="{{ns}}">{BOTH}</m:ConsultaRamal>',
    "default namespace": f'<ConsultaRamal xmlns="{{ns}}">{BOTH}</ConsultaRamal>',
    "foreign namespace": f'<ConsultaRamal xmlns="http://tempuri.org/">{BOTH}</ConsultaRamal>',
    "no namespace": f"<ConsultaRamal>{BOTH}</ConsultaRamal>",
    "other letter case": "<consultaRamal><RAMAL>3501</RAMAL><Telefone>4732100123</Telefone></consultaRamal>",
    "other order": "<ConsultaRamal><telefone>4732100123</telefone><ramal>3501</ramal></ConsultaRamal>",
    "unknown extra": f"<ConsultaRamal><x><y/></x>{BOTH}</ConsultaRamal>",
    "by position": "<ConsultaRamal><arg0>3501</arg0><arg1>4732100123</arg1></ConsultaRamal>",
    "SOAP::Lite": "<ConsultaRamal><c-gensym3>3501</c-gensym3><c-gensym5>4732100123</c-gensym5></ConsultaRamal>",
    "comments": "<!-- a --><ConsultaRamal><!-- b --><ramal>35<!-- c -->01</ramal>"
    "<telefone>4732100123</telefone></ConsultaRamal>",
    "CDATA": "<ConsultaRamal><ramal><![CDATA[3501]]></ramal><telefone> 4732100123\n</telefone></ConsultaRamal>",
    "base64": '<ConsultaRamal xmlns:i="http://www.w3.org/2001/XMLSchema-instance">'
    '<ramal i:type="x:base64Binary">MzUwMQ==</ramal><telefone>4732100123</telefone></ConsultaRamal>',
}


@VERSIONS
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_an_operation_is_understood_by_local_names(peer: Peer, body: str, version: str) -> None:
    got = peer.post("/soap", data=wrap(body.format(ns=NAMESPACE), version).encode(), content_type="text/xml")
    assert read_answer(got.data, version)["status"] == "OK"
    assert the_message(peer) == ("3501", "4732100123")


def test_php_without_wsdl_is_understood(peer: Peer) -> None:
    peer.post("/soap", data=PHP_WITHOUT_WSDL.format(ns=NAMESPACE).encode(), content_type="text/xml")
    assert the_message(peer) == ("3501", "4732100123")


@pytest.mark.parametrize(
    "action",
    [
        "urn:WConnect#ConsultaRamal",
        '"urn:WConnect#ConsultaRamal"',
        "http://tempuri.org/ConsultaRamal",
        "ConsultaRamal",
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        "<ramal>3501</ramal><telefone>4732100123</telefone>",
        "<param0>3501</param0><param1>4732100123</param1>",
        "<Pedido><ramal>3501</ramal><telefone>4732100123</telefone></Pedido>",
    ],
)
def test_where_the_body_names_no_operation_the_soap_action_does(peer: Peer, action: str, body: str) -> None:
    peer.post("/soap", data=wrap(body).encode(), content_type="text/xml", headers={"SOAPAction": action})
    assert the_message(peer) == ("3501", "4732100123")


def test_soap_1_2_names_the_action_in_the_content_type(peer: Peer) -> None:
    body = wrap("<ramal>3501</ramal><telefone>4732100123</telefone>", SOAP_12).encode()
    kind = 'application/soap+xml; charset=utf-8; action="urn:WConnect#ConsultaRamal"'
    assert read_answer(peer.post("/soap", data=body, content_type=kind).data, SOAP_12)["id"] == "1"


@pytest.mark.parametrize("kind", ["text/xml", "application/soap+xml", "application/xml", "text/plain", None])
@VERSIONS
def test_the_answer_speaks_the_version_of_the_envelope(peer: Peer, kind: str | None, version: str) -> None:
    got = peer.post("/soap", data=envelope("Teste", {}, version), content_type=kind)
    assert got.content_type == CONTENT_TYPES[version]
    assert read_answer(got.data, version)["status"] == "OK"


NAME = "recepção ação"
TEXT = wrap(f"<ConsultaRamal><ramal>{NAME}</ramal><telefone>47</telefone></ConsultaRamal>")


def declared(charset: str) -> str:
    return f'<?xml version="1.0" encoding="{charset}"?>\n'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (TEXT.encode(), "text/xml"),
        (TEXT.encode(), "text/xml; charset=utf-8"),
        (TEXT.encode(), "text/xml; charset=bogus"),
        (TEXT.encode("latin-1"), "text/xml"),
        (TEXT.encode("latin-1"), "text/xml; charset=utf-8"),
        (TEXT.encode("latin-1"), 'text/xml; charset="ISO-8859-1"'),
        ((declared("ISO-8859-1") + TEXT).encode("latin-1"), "text/xml"),
        ((declared("ISO-8859-1") + TEXT).encode("latin-1"), "text/xml; charset=utf-8"),
        ((declared("UTF-8") + TEXT).encode("latin-1"), "text/xml; charset=utf-8"),
        ((declared("windows-1252") + TEXT).encode("cp1252"), "text/xml"),
        ((declared("ISO-8859-1") + TEXT).encode(), "text/xml; charset=utf-8"),
        ((declared("UTF-8") + TEXT).encode(), "text/xml; charset=iso-8859-1"),
        (b"\xef\xbb\xbf" + (declared("UTF-8") + TEXT).encode(), "text/xml"),
        (b"\r\n \xef\xbb\xbf" + (declared("UTF-8") + TEXT).encode(), "text/xml"),
        (TEXT.encode("utf-16"), "text/xml"),
        ((declared("UTF-16") + TEXT).encode("utf-16"), "text/xml; charset=utf-16"),
    ],
)
def test_accents_arrive_whatever_header_and_declaration_claim(peer: Peer, body: bytes, kind: str) -> None:
    assert peer.post("/soap", data=body, content_type=kind).status_code == 200
    assert the_message(peer) == (NAME, "47")


def deflated(body: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(body) + squeeze.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", deflated)],
)
def test_a_compressed_body_is_read(peer: Peer, encoding: str, pack: Any) -> None:
    body = pack(envelope("ConsultaRamal", FIELDS))
    got = peer.post("/soap", data=body, content_type="text/xml", headers={"Content-Encoding": encoding})
    assert read_answer(got.data)["status"] == "OK"


def test_a_chunked_body_is_read(peer: Peer) -> None:
    body = envelope("ConsultaRamal", FIELDS)
    environ = {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    assert read_answer(peer.post("/soap", environ=environ).data)["status"] == "OK"


# --- what nobody gets past the guard ----------------------------------------------------------------------

BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
CALL = wrap("<ConsultaRamal><ramal>{0}</ramal><telefone>47</telefone></ConsultaRamal>")
HOSTILE = {
    "empty": b"",
    "blank": b" \r\n",
    "not XML": b"ramal=3501",
    "HTML": b"<html><body>Login</body></html>",
    "cut short": TEXT.encode()[:-20],
    "null bytes": b"\0" * 100,
    "DOCTYPE": b"<!DOCTYPE x>" + CALL.format("3501").encode(),
    "entity bomb": (BOMB + CALL.format("&i;")).encode(),
    "entity bomb in an attribute": (BOMB + CALL.format('<x y="&i;"/>')).encode(),
    "external entity": ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + CALL.format("&e;")).encode(),
    "external DTD": b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">' + CALL.format("3501").encode(),
    "DOCTYPE in UTF-16": ("<!DOCTYPE x>" + CALL.format("3501")).encode("utf-16"),
    "unknown entity": CALL.format("&nada;").encode(),
    "deep nesting": wrap("<a>" * 20000 + "</a>" * 20000).encode(),
    "same attribute twice": CALL.format('<x y="" y=""/>').encode(),
    "wrong root": b"<methodCall><methodName>ConsultaRamal</methodName></methodCall>",
    "envelope of no namespace": b"<Envelope><Body><Teste/></Body></Envelope>",
    "no Body": f'<e:Envelope xmlns:e="{SOAP_11}"/>'.encode(),
    "empty Body": wrap("").encode(),
    "text in Body": wrap("ConsultaRamal").encode(),
    "unknown operation": wrap("<Transfere/>").encode(),
    "cyclic href": wrap('<ConsultaRamal><ramal href="#a"/></ConsultaRamal><m id="a" href="#a"/>').encode(),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("kind", list(CONTENT_TYPES.values()), ids=["soap11", "soap12"])
def test_a_body_that_is_no_call_gets_a_client_fault_and_is_not_logged(peer: Peer, body: bytes, kind: str) -> None:
    with capture_logs() as logs:
        got = peer.post("/soap", data=body, content_type=kind)
    version = SOAP_12 if b"2003/05/soap-envelope" in got.data else SOAP_11
    fault = read_fault(got.data, version)
    assert fault.code == ("soap:Client" if version == SOAP_11 else "soap:Sender")
    assert got.status_code == (500 if version == SOAP_11 else 400)
    assert fault.number in (210, 230, 240)
    assert b"Traceback" not in got.data
    assert b"root:" not in got.data
    assert [entry["event"] for entry in logs] == ["request_refused"]
    assert not peer.core.messages


@pytest.mark.parametrize("much", ["<x/>", "&lt;", "<x>", "\n", 'a=""'])
def test_a_body_of_very_many_parts_is_refused_before_it_is_parsed(peer: Peer, much: str) -> None:
    got = peer.post("/soap", data=CALL.format(much * 20_000).encode(), content_type="text/xml")
    assert read_fault(got.data).sentence == "o corpo tem mais de 16384 elementos, atributos e linhas."


def test_a_large_body_of_few_parts_is_read(peer: Peer) -> None:
    body = CALL.format("3501</ramal><extra>" + "x" * 900_000 + "</extra><ramal>")
    got = peer.post("/soap", data=body.encode(), content_type="text/xml")
    assert read_answer(got.data)["status"] == "OK"


def test_a_fault_for_a_body_that_is_not_xml_speaks_the_version_of_the_content_type(peer: Peer) -> None:
    got = peer.post("/soap", data=b"?", content_type="application/soap+xml")
    assert got.content_type == CONTENT_TYPES[SOAP_12]
    assert got.status_code == 400


@VERSIONS
def test_an_oversized_body_is_refused_before_it_is_read(version: str) -> None:
    peer = Peer({"server": {"max_body_bytes": 1024}})
    body = envelope("ConsultaRamal", FIELDS | {"ramal": "3" * 2000}, version)
    got = peer.post("/soap", data=body, content_type=CONTENT_TYPES[version])
    assert got.status_code == 413
    assert read_fault(got.data, version).number == 250


def test_a_chunked_body_beyond_the_limit_is_refused() -> None:
    peer = Peer({"server": {"max_body_bytes": 1024}})
    environ = {"wsgi.input": BytesIO(b" " * 5000), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    assert peer.post("/soap", environ=environ).status_code == 413


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", deflated)])
def test_a_body_that_inflates_beyond_the_limit_is_refused(peer: Peer, encoding: str, pack: Any) -> None:
    body = pack(b" " * 50_000_000)
    got = peer.post("/soap", data=body, headers={"Content-Encoding": encoding})
    assert got.status_code == 413


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_body_that_is_not_compressed_as_it_claims_is_refused(peer: Peer, encoding: str) -> None:
    got = peer.post("/soap", data=b"<x/>", headers={"Content-Encoding": encoding})
    assert read_fault(got.data).number == 240


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
def test_other_methods_are_told_which_is_served(peer: Peer, method: str) -> None:
    got = peer.send(method, "/soap")
    assert (got.status_code, got.headers["Allow"]) == (405, "POST")
    assert got.text.startswith("ERRO 260: ")


# --- how faults are told ----------------------------------------------------------------------------------


@VERSIONS
def test_a_busy_gateway_is_the_servers_fault_and_says_when_to_come_back(peer: Peer, version: str) -> None:
    peer.core.fail_with = QueueFull(10)
    got = peer.post("/soap", data=envelope("ConsultaRamal", FIELDS, version))
    assert (got.status_code, got.headers["Retry-After"]) == (500, "1")
    assert read_fault(got.data, version).code == ("soap:Server" if version == SOAP_11 else "soap:Receiver")


@VERSIONS
def test_access_is_http_s_own_matter_with_a_fault_as_body(peer: Peer, version: str) -> None:
    got = peer.post("/soap", data=envelope("ConsultaRamal", FIELDS, version), address=OUTSIDE)
    assert (got.status_code, read_fault(got.data, version).number) == (403, 310)
    got = peer.post("/soap", data=envelope("ClickToCall", FIELDS, version), address=OUTSIDE)
    assert (got.status_code, read_fault(got.data, version).number) == (401, 320)
    assert got.headers["WWW-Authenticate"].startswith("Basic ")


def test_what_xml_cannot_hold_is_replaced_in_sentences(peer: Peer) -> None:
    fields = FIELDS | {"central": "x" * 300}
    got = peer.post("/soap", data=envelope("ClickToCall", fields), address="127.0.0.1")
    assert read_fault(got.data).number == 220
    peer.core.fail_with = QueueFull(10)
    peer.core.fail_with.text = verbatim("\x00fila\ud800")
    got = peer.post("/soap", data=envelope("ConsultaRamal", FIELDS))
    assert read_fault(got.data).sentence.startswith("?fila?")


@pytest.mark.parametrize(("levels", "status"), [(240, 200), (300, 500), (140_000, 500)])
def test_elements_may_nest_like_in_any_real_message_but_not_without_end(peer: Peer, levels: int, status: int) -> None:
    nested = f"<ConsultaRamal>{BOTH}{'<a>' * levels}{'</a>' * levels}</ConsultaRamal>"
    got = peer.post("/soap", data=wrap(nested).encode(), content_type="text/xml")
    assert got.status_code == status


def test_the_names_in_strange_bodies_are_forgotten_again(peer: Peer) -> None:
    def megabytes() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) / 256

    def strange(seed: int) -> bytes:
        return wrap("".join(f"<n{seed}_{n}/>" for n in range(40_000))).encode()

    peer.post("/soap", data=strange(0))
    before = megabytes()
    for seed in range(1, 25):
        peer.post("/soap", data=strange(seed))
    assert megabytes() - before < 15


@pytest.mark.parametrize(
    ("length", "status"), [("9" * 5000, 413), ("9" * 19, 413), ("-1", 500), ("²", 500), ("1e3", 500)]
)
def test_a_length_that_is_none_or_beyond_all_measure_is_refused(peer: Peer, length: str, status: int) -> None:
    got = peer.post("/soap", data=b"<x/>", environ={"CONTENT_LENGTH": length})
    assert (got.status_code, read_fault(got.data).number) == (status, 250 if status == 413 else 240)


@pytest.mark.parametrize("charset", ["punycode", "idna", "utf-7", "unicode_escape", "made-up", "undefined"])
def test_a_charset_that_no_client_speaks_is_not_looked_up(peer: Peer, charset: str) -> None:
    body = TEXT.encode("latin-1")
    assert peer.post("/soap", data=body, content_type=f"text/xml; charset={charset}").status_code == 200
    assert the_message(peer) == (NAME, "47")


def test_a_body_in_a_charset_that_is_slow_to_read_costs_no_time(peer: Peer) -> None:
    def post() -> None:
        peer.post("/soap", data=b"\0-" + b"b" * 300_000, content_type="text/xml; charset=punycode")

    assert loops(lambda: cpu_s(post), most=20) < 20


def test_names_of_charsets_that_strangers_make_up_are_not_remembered(peer: Peer) -> None:
    before = len(encodings._cache)
    for number in range(50):
        peer.post("/soap", data=b"<\xe7/>", content_type=f"text/xml; charset=strange-{number}")
    assert len(encodings._cache) == before


LEAVES = f'<m id="a">{"<x/>" * 50_000}</m>'
CHAIN = "".join(f'<m id="a{n or ""}" href="#a{n + 1}"/>' for n in range(10_000)) + '<m id="a10000"/>'


@pytest.mark.parametrize("parameter", ["ramal", "param0", "x"])
@pytest.mark.parametrize("behind", [LEAVES, CHAIN], ids=["wide", "chain"])
def test_thousands_of_references_to_something_large_cost_no_time(peer: Peer, parameter: str, behind: str) -> None:
    reference = f'<{parameter} href="#a"/>' * 2000
    body = wrap(f"<ConsultaRamal>{reference}</ConsultaRamal>{behind}").encode()

    def post() -> None:
        assert read_fault(peer.post("/soap", data=body).data).number == 240

    assert loops(lambda: cpu_s(post), most=20) < 20


# --- attachments, and envelopes of other versions --------------------------------------------------------------------


def with_attachment(document: bytes, kind: str) -> bytes:
    root = f'--b\r\nContent-Type: application/xop+xml; charset=UTF-8; type="{kind}"\r\nContent-ID: <root>\r\n\r\n'
    return root.encode() + document + b"\r\n--b\r\nContent-ID: <x>\r\n\r\n\x00\x01\r\n--b--\r\n"


@VERSIONS
def test_the_root_part_of_a_multipart_request_is_the_request(peer: Peer, version: str) -> None:
    """CXF and JAX-WS send every call so once MTOM is on."""
    kind = CONTENT_TYPES[version].partition(";")[0]
    said = f'multipart/related; type="application/xop+xml"; start="<root>"; start-info="{kind}"; boundary="b"'
    got = peer.post("/soap", data=with_attachment(envelope("ConsultaRamal", FIELDS, version), kind), content_type=said)
    assert got.status_code == 200
    assert read_answer(got.data, version)["status"] == "OK"
    assert the_message(peer) == ("3501", "4732100123")


def test_a_multipart_body_without_parts_is_refused_as_such(peer: Peer) -> None:
    got = peer.post("/soap", data=envelope("ConsultaRamal", FIELDS), content_type="multipart/related; boundary=b")
    assert (got.status_code, read_fault(got.data).number) == (500, 240)
    assert "multipart" in read_fault(got.data).sentence
    assert peer.core.messages == []


@pytest.mark.parametrize("kind", ["text/xml", "application/soap+xml"])
def test_an_envelope_of_another_version_is_answered_by_version_mismatch(peer: Peer, kind: str) -> None:
    """SOAP 1.1, 4.4.1; SOAP 1.2 part 1, 5.4.6 and 5.4.7."""
    version = SOAP_12 if "soap+xml" in kind else SOAP_11
    body = envelope("ConsultaRamal", FIELDS).replace(SOAP_11.encode(), b"http://www.w3.org/2001/12/soap-envelope")
    got = peer.post("/soap", data=body, content_type=kind)
    fault = read_fault(got.data, version)
    assert (got.status_code, fault.code.rpartition(":")[2], fault.number) == (500, "VersionMismatch", 245)
    assert "'http://www.w3.org/2001/12/soap-envelope'" in fault.sentence
    assert SOAP_11 in fault.sentence
    supported = etree.fromstring(got.data).findall(".//{*}Upgrade/{*}SupportedEnvelope")
    named = [each.nsmap[each.get("qname").removesuffix(":Envelope")] for each in supported]
    assert named == ([SOAP_12, SOAP_11] if version == SOAP_12 else [])
    assert peer.core.messages == []


def test_what_is_no_envelope_at_all_is_no_version_mismatch(peer: Peer) -> None:
    got = peer.post("/soap", data=b"<Pedido/>", content_type="text/xml")
    fault = read_fault(got.data)
    assert (fault.code.rpartition(":")[2], fault.number) == ("Client", 240)
