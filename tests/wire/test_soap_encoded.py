"""SOAP in the style of the classic WConnect: its contract, typed answers, charsets, the login in the body."""

from pathlib import Path

import pytest
from lxml import etree

from gateway import __version__
from gateway.domain.messages import ATTACHED, CallStarted, PlaceCall
from gateway.wire.operations import OPERATIONS
from gateway.wire.soap.contract_encoded import CLASSIC, PATH, PLACEHOLDER_ADDRESS, wsdl
from gateway.wire.soap.envelopes import SOAP_11, SOAP_12
from tests.wire.envelopes import encoded, read_any_fault, read_encoded
from tests.wire.peers import OUTSIDE, Peer

FIELDS = {"ramal": "3501", "telefone": "4732100123"}
PUBLISHED = Path(__file__).parents[2] / "wsdl" / "wconnect.wsdl"
ENCODING_STYLE = "{http://schemas.xmlsoap.org/soap/envelope/}encodingStyle"


@pytest.fixture
def peer() -> Peer:
    return Peer()


def test_the_published_wsdl_is_what_the_gateway_generates() -> None:
    assert wsdl() == PUBLISHED.read_bytes()


def test_a_gateway_shows_the_published_wsdl_with_the_address_that_was_asked(peer: Peer) -> None:
    for base, address in (("http://pbx:8080", PATH), ("https://acme.example.com", "/t/default" + PATH)):
        got = peer.get(address, query_string="wsdl", base_url=base)
        assert (got.status_code, got.content_type) == (200, "text/xml; charset=utf-8")
        own = PUBLISHED.read_bytes().replace(PLACEHOLDER_ADDRESS.encode(), f"{base}{address}".encode())
        assert got.data == own


def test_no_name_in_the_wsdl_has_a_space_and_nothing_is_imported() -> None:
    root = etree.fromstring(wsdl())
    assert [name for name in root.xpath("//@name") if " " in name] == []
    assert root.findall(".//{*}import") == []


def test_every_operation_is_rpc_encoded_with_its_soap_action() -> None:
    root = etree.fromstring(wsdl())
    actions = root.xpath("//*[local-name()='binding']/*/*[local-name()='operation']/@soapAction")
    assert actions == [f"urn:WConnect#{name}" for name in (*OPERATIONS, "setTeste")]
    assert set(root.xpath("//*[local-name()='body']/@use")) == {"encoded"}


def test_the_login_is_published_where_an_operation_asks_for_it() -> None:
    root = etree.fromstring(wsdl())
    parts = {message.get("name"): [part.get("name") for part in message] for message in root.findall("{*}message")}
    # What came later stands last: clients made of an older WSDL send by its order.
    assert parts["ClickToCallRequest"] == ["ramal", "telefone", "central", "UsuarioLogin", "UsuarioSenha", "id_pedido"]
    # A message without parts is refused by the importer of node's "soap".
    assert parts["TesteRequest"] == ["UsuarioLogin", "UsuarioSenha"]
    events = ["ramal", "telefone", "id_ligacao", "data_hora", "direcao"]
    assert parts["ConsultaRamalRequest"] == [*events, *ATTACHED.values(), "campos", "ramais"]


def test_an_answer_is_typed_and_names_its_encoding_style(peer: Peer) -> None:
    got = peer.post(PATH, data=encoded("ConsultaRamal", FIELDS).encode(), content_type="text/xml")
    assert read_encoded(got.data) == {"status": "OK", "mensagem": "chamada registrada", "id": "1"}
    root = etree.fromstring(got.data)
    assert root.get(ENCODING_STYLE) == "http://schemas.xmlsoap.org/soap/encoding/"
    assert root[0][0].tag == "{urn:WConnect}ConsultaRamalResponse"


def test_in_soap_1_2_the_encoding_style_stands_on_the_response(peer: Peer) -> None:
    got = peer.post(PATH, data=encoded("Teste", {}, SOAP_12).encode(), content_type="application/soap+xml")
    assert got.content_type == "application/soap+xml; charset=utf-8"
    assert read_encoded(got.data, SOAP_12)["status"] == "OK"
    root = etree.fromstring(got.data)
    assert not root.attrib
    assert root[0][0].get(f"{{{SOAP_12}}}encodingStyle") == "http://www.w3.org/2003/05/soap-encoding"


LATIN = '<?xml version="1.0" encoding="ISO-8859-1"?>'


@pytest.mark.parametrize(
    ("declaration", "kind", "charset"),
    [
        (LATIN, "text/xml; charset=ISO-8859-1", "ISO-8859-1"),
        ("", "text/xml; charset=iso-8859-1", "ISO-8859-1"),
        (LATIN, "text/xml", "ISO-8859-1"),
        ("\n" + LATIN.replace("ISO-8859-1", "windows-1252"), "text/xml", "ISO-8859-1"),
        (LATIN, "text/xml; charset=utf-8", "utf-8"),
        ("", "text/xml", "utf-8"),
        ("", "text/xml; charset=bogus", "utf-8"),
    ],
)
def test_the_answer_and_the_fault_have_the_charset_the_client_speaks(
    peer: Peer, declaration: str, kind: str, charset: str
) -> None:
    for fields, marker in ((FIELDS, "OK"), ({"ramal": "1"}, "parâmetro obrigatório")):
        body = declaration + encoded("ConsultaRamal", fields)
        got = peer.post(PATH, data=body.encode(), content_type=kind)
        assert got.content_type == f"text/xml; charset={charset}"
        assert marker.encode(charset) in got.data
        assert f'encoding="{charset.upper()}"'.encode() in got.data.splitlines()[0]


def test_what_latin_1_does_not_hold_is_written_as_a_reference(peer: Peer) -> None:
    body = encoded("ClickToCall", FIELDS | {"central": "\u20ac" * 300}).replace("\u20ac", "&#8364;")
    got = peer.post(PATH, data=(LATIN + body).encode(), content_type="text/xml", address="127.0.0.1")
    assert "\u20ac" in read_any_fault(got.data).sentence


def test_a_fault_names_its_detail_in_the_namespace_of_the_service(peer: Peer) -> None:
    got = peer.post(PATH, data=encoded("ConsultaRamal", {}).encode(), content_type="text/xml")
    fault = read_any_fault(got.data)
    assert (got.status_code, fault.code, fault.number) == (500, "soap:Client", 210)
    assert b'<erro xmlns="urn:WConnect">' in got.data


@pytest.mark.parametrize("path", [PATH, "/soap"])
def test_the_login_in_the_body_lets_an_agent_dial(peer: Peer, path: str) -> None:
    login = {"UsuarioLogin": "ana", "UsuarioSenha": "segredo"}
    peer.post(path, data=encoded("ClickToCall", FIELDS | login).encode(), address=OUTSIDE)
    (message,) = peer.core.messages
    assert isinstance(message, PlaceCall)
    assert (message.extension, message.requested_by) == ("3501", "ana")


def test_the_login_may_stand_in_a_structure_of_its_own(peer: Peer) -> None:
    inner = "<Auth><UsuarioLogin>ana</UsuarioLogin><UsuarioSenha>segredo</UsuarioSenha></Auth>"
    body = encoded("ClickToCall", FIELDS).replace("</n:ClickToCall>", f"{inner}</n:ClickToCall>")
    assert read_encoded(peer.post(PATH, data=body.encode(), address=OUTSIDE).data)["status"] == "OK"


def test_a_login_behind_the_last_position_is_nothing_that_an_exchange_attached(peer: Peer) -> None:
    given = ("3501", "4732100123", "17.1", "", "entrada", "ana", "segredo")
    peer.post(PATH, data=encoded("ConsultaRamal", {f"arg{n}": text for n, text in enumerate(given)}).encode())
    (message,) = peer.core.messages
    assert isinstance(message, CallStarted)
    assert (message.call_ref, message.attached) == ("17.1", {})


def test_the_login_may_come_by_position_as_axis_sends_it_without_the_wsdl(peer: Peer) -> None:
    given = ("3501", "4732100123", "", "ana", "segredo")
    values = {f"arg{position}": value for position, value in enumerate(given)}
    peer.post(PATH, data=encoded("ClickToCall", values).encode(), address=OUTSIDE)
    (message,) = peer.core.messages
    assert isinstance(message, PlaceCall)
    assert (message.appliance, message.requested_by) == (None, "ana")
    wrong = encoded("Teste", {"arg0": "ana", "arg1": "outra"})
    assert read_any_fault(peer.post(PATH, data=wrong.encode()).data).number == 330


def test_a_wrong_or_missing_login_does_not_dial(peer: Peer) -> None:
    wrong = FIELDS | {"UsuarioLogin": "ana", "UsuarioSenha": "outra"}
    got = peer.post(PATH, data=encoded("ClickToCall", wrong).encode(), address=OUTSIDE)
    assert (got.status_code, read_any_fault(got.data).number) == (401, 330)
    got = peer.post(PATH, data=encoded("ClickToCall", FIELDS).encode(), address=OUTSIDE)
    assert (got.status_code, read_any_fault(got.data).number) == (401, 320)
    assert not peer.core.messages


def test_where_the_tenant_wants_tokens_only_the_login_in_the_body_is_none() -> None:
    peer = Peer({"tenants": {"default": {"click_to_call": {"auth": ["header"]}}}}, address=OUTSIDE)
    login = {"UsuarioLogin": "ana", "UsuarioSenha": "segredo"}
    got = peer.post(PATH, data=encoded("ClickToCall", FIELDS | login).encode())
    assert read_any_fault(got.data, SOAP_11).number == 320


@pytest.mark.parametrize(("password", "number"), [("segredo", None), ("outra", 330)])
def test_the_connection_test_checks_a_login_where_one_is_given(peer: Peer, password: str, number: int | None) -> None:
    login = {"UsuarioLogin": "ana", "UsuarioSenha": password}
    got = peer.post(PATH, data=encoded("Teste", login).encode())
    assert (read_any_fault(got.data).number if b"Fault" in got.data else None) == number
    assert peer.post(PATH, data=encoded("Teste", {}).encode()).status_code == 200


AUTH = "<Auth><UsuarioLogin>ana</UsuarioLogin><UsuarioSenha>{0}</UsuarioSenha></Auth>"
SET_TESTE = encoded("setTeste", {}).replace("</n:setTeste>", AUTH + "</n:setTeste>")


def test_the_classic_test_of_the_connection_answers_in_its_own_structure(peer: Peer) -> None:
    answered = etree.fromstring(peer.post(PATH, data=SET_TESTE.format("segredo").encode()).data)
    returned = answered.find(".//{urn:WConnect}setTesteResponse/return")
    assert returned.get("{http://www.w3.org/2001/XMLSchema-instance}type") == "tns:TautenticacaoRetornoDados"
    assert {member.tag: member.text for member in returned} == {
        "status": "OK",
        "mensagem": f"cti-gateway {__version__}",
    }


@pytest.mark.parametrize(
    ("body", "status", "number"),
    [
        (SET_TESTE.format("outra"), 401, 330),
        (SET_TESTE.format(""), 500, 210),
        (encoded("setTeste", {}), 500, 210),
        (encoded("setTeste", {"arg0": "ana", "arg1": "outra"}), 401, 330),
    ],
)
def test_the_classic_test_needs_a_right_login(peer: Peer, body: str, status: int, number: int) -> None:
    got = peer.post(PATH, data=body.encode())
    assert (got.status_code, read_any_fault(got.data).number) == (status, number)


CLASSIC_NAMES = {"tenants": {"default": {"listener": {"wsdl_names": "classic"}}}}


def test_the_wsdl_may_have_the_classic_names_and_charset() -> None:
    got = Peer(CLASSIC_NAMES).get(PATH, query_string="wsdl", base_url="http://pbx:8080")
    assert got.content_type == "text/xml; charset=ISO-8859-1"
    assert got.data.startswith(b'<?xml version="1.0" encoding="ISO-8859-1"?>')
    assert "ligação".encode("latin-1") in got.data
    root = etree.fromstring(got.data)
    service, binding, port_type = (root.find(f"{{*}}{kind}") for kind in ("service", "binding", "portType"))
    names = [service.get("name"), service[0].get("name"), binding.get("name"), port_type.get("name")]
    assert names == ["WConnect CRM Senior" + part for part in ("", "Port", "Binding", "PortType")]
    assert (service[0].get("binding"), binding.get("type")) == (f"tns:{names[2]}", f"tns:{names[3]}")
    assert service[0][0].get("location") == f"http://pbx:8080{PATH}"
    assert wsdl(CLASSIC).count(b"urn:WConnect#") == len(OPERATIONS) + 1


@pytest.mark.parametrize(
    ("kind", "charset"), [("text/xml", "ISO-8859-1"), ("text/xml; charset=utf-8", "utf-8"), ("", "ISO-8859-1")]
)
def test_with_the_classic_names_who_says_no_charset_is_answered_in_latin_1(kind: str, charset: str) -> None:
    got = Peer(CLASSIC_NAMES).post(PATH, data=encoded("ConsultaRamal", FIELDS).encode(), content_type=kind)
    assert got.content_type == f"text/xml; charset={charset}"


def test_an_event_that_carries_a_login_needs_none(peer: Peer) -> None:
    login = {"UsuarioLogin": "quem", "UsuarioSenha": "seja"}
    peer.post(PATH, data=encoded("ConsultaRamal", login | FIELDS).encode())
    (message,) = peer.core.messages
    assert isinstance(message, CallStarted)
    assert (message.ramal, message.telefone) == ("3501", "4732100123")
