"""Machines are answered in their company's language, and click-to-call in its reader's."""

import xmlrpc.client
from collections.abc import Mapping

import pytest

from gateway.config.tables import Config
from gateway.server.worker import limits_of
from gateway.wire.lenient.port import PortLimits
from gateway.wire.soap.envelopes import SOAP_11, SOAP_12
from tests.wire.envelopes import CONTENT_TYPES, envelope, read_fault
from tests.wire.peers import Peer
from tests.wire.test_lenient_port import ask, lenient

COMPANIES: Mapping[str, object] = {
    "server": {"language": "en"},
    "tenants": {"acme": {"language": "es"}, "beta": {}, "gama": {"language": "pt-BR"}},
}
START = "/wconnect/WConnect_WSDL_ConsultaRamal.php"
MISSING = {
    "acme": "falta un parámetro obligatorio, o está vacío: ramal. Informe ramal=3501.",
    "beta": "required parameter missing or empty: ramal. Send ramal=3501.",
    "gama": "parâmetro obrigatório ausente ou vazio: ramal. Informe ramal=3501.",
}
SPANISH = {"Accept-Language": "es-AR,es;q=0.9"}


@pytest.fixture
def peer() -> Peer:
    return Peer(COMPANIES)


@pytest.mark.parametrize("company", MISSING)
def test_an_event_is_refused_in_the_company_s_language_whatever_a_client_s_library_asks_for(
    peer: Peer, company: str
) -> None:
    got = peer.get(f"/t/{company}{START}?telefone=1", headers={"Accept-Language": "de,pt,es,en"})
    assert got.text == f"ERRO 210: {MISSING[company]}\n"


@pytest.mark.parametrize(("company", "language"), [("acme", "es"), ("beta", "en"), ("gama", "pt-BR")])
def test_a_soap_fault_is_in_the_company_s_language_and_says_which(peer: Peer, company: str, language: str) -> None:
    for version in (SOAP_11, SOAP_12):
        body = envelope("ConsultaRamal", {"telefone": "1"}, version)
        got = peer.post(f"/t/{company}/soap", data=body, content_type=CONTENT_TYPES[version])
        assert read_fault(got.data, version).sentence == MISSING[company]
    assert f'xml:lang="{language}"' in got.text


@pytest.mark.parametrize("company", MISSING)
def test_an_xmlrpc_fault_and_the_help_are_in_the_company_s_language(peer: Peer, company: str) -> None:
    def call(name: str, *values: object) -> object:
        got = peer.post(f"/t/{company}/xmlrpc", data=xmlrpc.client.dumps(values, name).encode())
        return xmlrpc.client.loads(got.data)[0][0]

    with pytest.raises(xmlrpc.client.Fault) as fault:
        call("ConsultaRamal", {"telefone": "1"})
    assert fault.value.faultString == MISSING[company]
    many = call("system.multicall", [{"methodName": "ConsultaRamal", "params": [{"telefone": "1"}]}])
    assert many == [{"faultCode": 210, "faultString": MISSING[company]}]
    optional = {"acme": "opcional): dirección", "beta": "optional): address", "gama": "opcional): endereço"}
    assert optional[company] in str(call("system.methodHelp", "FinalizaLigacao"))


def test_an_unknown_company_is_told_in_the_gateway_s_language(peer: Peer) -> None:
    assert peer.get(f"/t/nobody{START}").text.startswith("ERRO 270: unknown company: 'nobody'.")


@pytest.mark.parametrize(
    ("header", "title"),
    [({}, "Company not found"), (SPANISH, "Empresa no encontrada"), ({"Accept-Language": "pt"}, "Empresa não")],
)
def test_the_page_of_no_company_is_in_the_browser_s_language(peer: Peer, header: dict[str, str], title: str) -> None:
    got = peer.get("/t/nobody/", headers={"Accept": "text/html"} | header)
    assert f"<h1>{title}" in got.text
    assert "Accept-Language" in got.headers["Vary"]


@pytest.mark.parametrize(("header", "sentence"), [({}, MISSING["gama"]), (SPANISH, MISSING["acme"])])
def test_click_to_call_answers_in_the_reader_s_language(header: dict[str, str], sentence: str) -> None:
    login = {"auth": ("ana", "segredo")}
    companies = Peer({"tenants": {"default": {}}})
    got = companies.get("/click-to-call?destino=1", headers=header, **login)
    assert got.text == f"ERRO 210: {sentence.replace('ramal', 'origem')}\n"
    told = companies.get("/click-to-call?destino=1", headers={"Accept": "application/json"} | header, **login)
    assert told.get_json()["mensagem"] == sentence.replace("ramal", "origem")


def test_what_is_refused_before_a_company_is_known_is_in_the_gateway_s_language() -> None:
    config = Config.model_validate(COMPANIES)
    assert limits_of(config).language == "en"
    with lenient(limits=PortLimits(max_body_bytes=1000, language="es")) as port:
        assert "ERRO 240: la primera línea no es una solicitud HTTP." in ask(port, b"?\n\n").decode()
