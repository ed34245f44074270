"""What an operation reads as a password is checked and masked, however it came."""

import base64
import gzip
import xmlrpc.client
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.messages import CallStarted, PlaceCall
from gateway.errors import NotReplayable
from tests.wire.envelopes import envelope, wrap
from tests.wire.peers import OUTSIDE, Peer
from tests.wire.test_traffic import Kept

PW = "segr\u00e9do-8"
WRONG = "err\u00e1da-77"
NUMBER = "4732100123"
START = "/wconnect/WConnect_WSDL_ConsultaRamal.php"


@pytest.fixture
def kept() -> Kept:
    return Kept()


def methodcall(name: str, params: str) -> str:
    return f"<methodCall><methodName>{name}</methodName><params>{params}</params></methodCall>"


def values(*texts: str) -> str:
    return "".join(f"<param><value><string>{text}</string></value></param>" for text in texts)


def referred(text: str) -> str:
    return "".join(f"&#{ord(letter)};" for letter in text)


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def member(name: str, text: str) -> str:
    return f"<member><name>{name}</name><value>{text}</value></member>"


def in_xml_rpc(pw: str) -> dict[str, str]:
    teste = [
        values("ana", pw),
        values("ana", referred(pw)),
        values("ana", f"<![CDATA[{pw}]]>"),
        values("ana", f"{pw[:3]}<!-- - -->{pw[3:]}"),
        f"<param><value>ana</value></param><param><value><base64>{packed(pw)}</base64></value></param>",
        f"<param><value>ana</value></param><param><value><base64>{packed(pw)[:5]}\n "
        f"{packed(pw)[5:]}</base64></value></param>",
        f"<param><value><struct>{member('usuariologin', 'ana')}{member('USUARIOSENHA', pw)}</struct></value></param>",
        f"<param><value><struct>{member('Usuario&#76;ogin', 'ana')}"
        f"{member('U&#115;uarioSenha', referred(pw))}</struct></value></param>",
        f"<param><value><struct>{member('quem', 'ana')}{member('oque', pw)}</struct></value></param>",
        f"<param><name>UsuarioLogin</name><value>ana</value></param><param><name>UsuarioSenha</name><value>{pw}</value></param>",
    ]
    called = {f"Teste {number}": methodcall("Teste", params) for number, params in enumerate(teste)}
    dial = {
        "four": values("3501", NUMBER, "ana", pw),
        "five": values("3501", NUMBER, "", "ana", pw),
        "six": values("3501", NUMBER, "", "ana", pw, "pedido-1"),
        "one value too many": values("3501", NUMBER, "", "ana", pw, "", pw),
    }
    return called | {name: methodcall("ClickToCall", params) for name, params in dial.items()}


def in_soap(pw: str) -> dict[str, str]:
    teste = [
        f"<a>ana</a><b>{pw}</b>",
        f"<quem>ana</quem><oque>{referred(pw)}</oque>",
        f"<arg0>ana</arg0><arg1><![CDATA[{pw}]]></arg1>",
        f'<x xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="b:base64">{packed("ana")}</x>'
        f'<y xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="b:base64">{packed(pw)}</y>',
        f"<m><item><key>UsuarioLogin</key><value>ana</value></item><item><key>UsuarioSenha</key><value>{pw}</value></item></m>",
        f"<UsuarioLogin>ana</UsuarioLogin><UsuarioSenha>{pw[:2]}<![CDATA[{pw[2:]}]]></UsuarioSenha>",
        f"<UsuarioLogin>ana</UsuarioLogin><Senha>{pw}</Senha>",
    ]
    called = {f"Teste {number}": wrap(f"<Teste>{inside}</Teste>") for number, inside in enumerate(teste)}
    dial = {
        "letters": f"<a>3501</a><b>{NUMBER}</b><c/><d>ana</d><e>{pw}</e>",
        "four": f"<param0>3501</param0><param1>{NUMBER}</param1><param2>ana</param2><param3>{pw}</param3>",
        "references": f"<ramal>3501</ramal><telefone>{NUMBER}</telefone><UsuarioLogin>ana</UsuarioLogin>"
        f"<UsuarioSenha>{referred(pw)}</UsuarioSenha>",
        "a name of its own": f"<ramal>3501</ramal><telefone>{NUMBER}</telefone><UsuarioLogin>ana</UsuarioLogin>"
        f"<UsuarioSenha>x</UsuarioSenha><senha2><a>{pw}</a></senha2>",
    }
    return called | {name: wrap(f"<ClickToCall>{inside}</ClickToCall>") for name, inside in dial.items()}


CASES = [("/xmlrpc", name) for name in in_xml_rpc("")] + [("/soap", name) for name in in_soap("")]
BODIES: dict[str, Callable[[str], dict[str, str]]] = {"/xmlrpc": in_xml_rpc, "/soap": in_soap}
CHARSETS = ("utf-8", "iso-8859-1", "utf-16")


def spelled(text: str) -> list[bytes]:
    raw = [text.encode(charset) for charset in ("utf-8", "latin-1", "utf-16-le", "utf-16-be")]
    return [*raw, referred(text).encode(), packed(text).encode(), packed(text)[5:].encode(), text[3:].encode()]


def post(kept: Kept, path: str, body: str, charset: str = "utf-8", *, zipped: bool = False) -> bytes:
    data = f'<?xml version="1.0" encoding="{charset}"?>{body}'.encode(charset)
    headers = {"Content-Encoding": "gzip"} if zipped else {}
    data = gzip.compress(data) if zipped else data
    return kept.peer.post(path, data=data, content_type=f"text/xml; charset={charset}", headers=headers).data


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize(("path", "name"), CASES)
def test_a_wrong_password_is_refused_and_masked_however_it_came(kept: Kept, path: str, name: str, charset: str) -> None:
    answer = post(kept, path, BODIES[path](WRONG)[name], charset, zipped=name == "four")
    assert b"<int>330</int>" in answer or b"330</codigo>" in answer or b"330<" in answer, answer
    assert kept.peer.core.messages == []
    found = kept.last()
    for text in spelled(WRONG):
        assert text not in found.request + found.answer
    assert b"****" in found.request


@pytest.mark.parametrize(("path", "name"), [case for case in CASES if not case[1].endswith(("own", "6"))])
def test_a_good_password_does_what_was_asked_and_is_masked(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, path: str, name: str
) -> None:
    monkeypatch.setitem(__import__("tests.wire.peers", fromlist=["AGENTS"]).AGENTS, ("acme", "ana", PW), "ana")
    answer = post(kept, path, BODIES[path](PW)[name])
    if name.startswith("Teste"):
        assert b"OK" in answer
        assert kept.peer.core.messages == []
    else:
        (order,) = kept.peer.core.messages
        assert isinstance(order, PlaceCall)
        assert (order.extension, order.number, order.appliance) == ("3501", NUMBER, None)
        assert order.requested_by == "ana"
        assert order.request_key == ("pedido-1" if name == "six" else None)
    for text in spelled(PW):
        assert text not in kept.last().request


def test_the_first_reading_of_four_values_stays_where_the_appliance_exists() -> None:
    peer = Peer({"tenants": {"default": {"appliances": {"pbx": {"adapter": "url"}}}}})
    login = {"Authorization": "Basic " + base64.b64encode(b"ana:segredo").decode()}
    for third in ("pbx", "", "outra"):
        body = xmlrpc.client.dumps(("3501", NUMBER, third, f"pedido {third}"), "ClickToCall").encode()
        peer.post("/xmlrpc", data=body, headers=login)
    orders = [(each.appliance, each.request_key) for each in peer.core.messages]  # type: ignore[union-attr]
    assert orders == [("pbx", "pedido pbx"), (None, "pedido"), ("outra", "pedido outra")]


def test_a_test_without_a_login_is_still_well(kept: Kept) -> None:
    for body in (methodcall("Teste", ""), methodcall("Teste", values("")), methodcall("Teste", values("", ""))):
        assert b"OK" in post(kept, "/xmlrpc", body)
    assert b"OK" in post(kept, "/soap", wrap("<Teste><versao>1</versao></Teste>"))


@pytest.mark.parametrize("inside", [member("UsuarioSenha", WRONG), member("usuariologin", "ana")])
def test_half_a_login_is_a_wrong_one(kept: Kept, inside: str) -> None:
    body = methodcall("Teste", f"<param><value><struct>{inside}</struct></value></param>")
    assert b"330" in post(kept, "/xmlrpc", body)
    assert WRONG.encode() not in kept.last().request


def multicall(*calls: tuple[str, tuple[Any, ...]]) -> str:
    listed = [{"methodName": name, "params": list(params)} for name, params in calls]
    return xmlrpc.client.dumps((listed,), "system.multicall")


def test_in_a_multicall_each_call_s_password_is_checked_and_masked(kept: Kept) -> None:
    body = multicall(("Teste", ("ana", "outra-1")), ("ConsultaRamal", ("3501", NUMBER)), ("Teste", ("ana", "outra-2")))
    assert post(kept, "/xmlrpc", body).count(b"330") == 2
    request = kept.last().request
    assert b"outra-1" not in request
    assert b"outra-2" not in request
    assert NUMBER.encode() in request


def test_in_a_multicall_a_call_that_nobody_reads_hides_the_texts(kept: Kept) -> None:
    post(kept, "/xmlrpc", multicall(("Tste", ("ana", WRONG)), ("ConsultaRamal", ("3501", NUMBER))))
    assert WRONG.encode() not in kept.last().request
    assert "mascarados" in kept.last().note
    with pytest.raises(NotReplayable):
        kept.peer.front.replay(kept.last(), "ana")


UNREAD = {
    "an operation that we have not": methodcall("Login", values("ana", WRONG)),
    "broken XML": methodcall("Teste", values("ana", WRONG))[:-20],
    "broken XML with CDATA": methodcall("Teste", values("ana", f"<![CDATA[{WRONG}]]>"))[:-20],
    "a structure where a text stands": methodcall(
        "Teste", f"<param><value><array><data><value>{WRONG}</value></data></array></value></param>"
    ),
    "another root": f"<chamada><quem>ana</quem><oque>{WRONG}</oque></chamada>",
}  # fmt: skip


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("path", ["/xmlrpc", "/soap"])
@pytest.mark.parametrize("name", UNREAD)
def test_of_a_body_that_nobody_could_read_only_the_structure_is_kept(
    kept: Kept, path: str, name: str, charset: str
) -> None:
    post(kept, path, UNREAD[name], charset)
    found = kept.last()
    for text in spelled(WRONG):
        assert text not in found.request + found.answer
    assert b"<" in found.request
    assert "mascarados" in found.note


def test_a_broken_event_is_kept_for_who_looks_for_its_error(kept: Kept) -> None:
    post(kept, "/soap", f"<Envelope><ConsultaRamal><ramal>3501</ramal><telefone>{NUMBER}")
    assert NUMBER.encode() in kept.last().request


def test_a_body_whose_password_is_not_found_in_its_bytes_is_not_kept(kept: Kept) -> None:
    odd = "!".join(packed(WRONG))
    body = methodcall("Teste", f"<param><value>ana</value></param><param><value><base64>{odd}</base64></value></param>")
    assert b"330" in post(kept, "/xmlrpc", body)
    found = kept.last()
    assert odd.encode() not in found.request
    assert found.request.endswith(b"\r\n\r\n****")
    assert "não guardados" in found.note


def test_a_password_behind_what_is_kept_leaves_nothing_of_itself(kept: Kept) -> None:
    long = "x" * (4096 - 160)
    body = methodcall("Teste", f"<!-- {long} -->" + values("ana", "segredo-" + "y" * 240))
    post(kept, "/xmlrpc", body)
    assert b"segredo-" not in kept.last().request


def test_a_login_in_an_event_is_masked_and_the_event_can_be_sent_again(kept: Kept) -> None:
    login = {"UsuarioLogin": "ana", "UsuarioSenha": "1234"}
    body = envelope("ConsultaRamal", {"ramal": "3501", "telefone": "4712345678"} | login)
    kept.peer.post("/soap", data=body, content_type="text/xml")
    assert b">1234<" not in kept.last().request
    kept.peer.front.replay(kept.last(), "bia")
    first, second = kept.peer.core.messages
    assert isinstance(second, CallStarted)
    assert second == replace(first, origin=second.origin)  # type: ignore[type-var]


def test_values_behind_those_that_an_event_has_are_masked(kept: Kept) -> None:
    post(kept, "/xmlrpc", methodcall("ConsultaRamal", values("3501", NUMBER, "", "", "", "ana", WRONG)))
    assert len(kept.peer.core.messages) == 1
    assert WRONG.encode() not in kept.last().request


def test_an_event_of_which_a_value_was_masked_is_not_sent_again_without_it(kept: Kept) -> None:
    url = "http%3A%2F%2Fana%3Asegredo-9%40pbx%2Frec.wav"
    kept.peer.get(f"/wconnect/WConnect_WSDL_FinalizaLigacao.php?ramal=3501&telefone={NUMBER}&url_audio={url}")
    assert b"segredo-9" not in kept.last().request
    assert kept.peer.front.replay(kept.last(), "ana").status == "409 Conflict"
    assert len(kept.peer.core.messages) == 1


QUERIES = ["token={}", "t%6Fken={}", "%74%6f%6b%65%6e={}", "TOKEN={}", "amp;token={}", "t%256Fken={}&token={}"]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("value", [WRONG.encode().hex("%"), "outro-token", "outr%6F-token", "%6Futro%2Dtoken"])
def test_a_token_in_a_query_is_masked_however_it_is_written(kept: Kept, query: str, value: str) -> None:
    value = "%" + value if value[2] == "%" and value[0] != "%" else value
    got = kept.peer.get(f"{START}?ramal=3501&telefone={NUMBER}&" + query.format(value, value), address=OUTSIDE)
    assert got.status_code == 403
    assert value.encode() not in kept.last().request
    assert NUMBER.encode() in kept.last().request


@pytest.mark.parametrize("path", [START, "/click-to-call"])
@pytest.mark.parametrize("field", ["token", "Token", "senha", '"token'])
def test_a_token_in_a_form_of_parts_is_masked(kept: Kept, path: str, field: str) -> None:
    quoted = field.strip('"')
    body = (
        f'--b\r\nContent-Disposition: form-data; name="ramal"\r\n\r\n3501\r\n--b\r\n'
        f'Content-Disposition: form-data; name="{quoted}"\r\nContent-Type: text/plain\r\n\r\noutro-token\r\n--b--\r\n'
    )
    kept.peer.post(path, data=body.encode(), content_type="multipart/form-data; boundary=b", address=OUTSIDE)
    assert b"outro-token" not in kept.last().request
    assert b"\r\n\r\n3501\r\n" in kept.last().request


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic " + packed("ana:outro-token")},
        {"Authorization": "Bearer outro-token"},
        {"Authorization": "outro-token"},
        {"token_auth": "outro-token"},
        {"Token-Auth": "outro-token"},
        {"X-Token-Auth": "outro-token"},
        {"X-Auth": "outro-token"},
        {"Referer": "http://ana:outro-token@crm/"},
    ],
)
def test_a_secret_in_a_header_is_masked(kept: Kept, headers: dict[str, str]) -> None:
    kept.peer.get(f"/click-to-call?origem=3501&destino={NUMBER}", headers=headers)
    request = kept.last().request
    assert b"outro-token" not in request
    assert packed("ana:outro-token").encode() not in request
    assert next(iter(headers)).title().replace("_", "-").encode() in request


@pytest.mark.parametrize(
    "body", ['{"senha": "outra-senha"}', '{"\\u0073enha": "outra\\u002dsenha"}', '{"usuario": 1, "senha": 99887766}']
)
def test_a_secret_in_json_is_masked_although_nobody_reads_it(kept: Kept, body: str) -> None:
    assert kept.peer.post(START, data=body, content_type="application/json").status_code == 400
    for text in (b"outra", b"99887766"):
        assert text not in kept.last().request
    assert b"senha" in kept.last().request or b"0073" in kept.last().request


@pytest.mark.parametrize("written", ['"outra-chave"', '"outra\\u002dchave"', "9988776655", "9.988e7"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_a_token_that_was_read_in_json_is_masked(kept: Kept, written: str, charset: str) -> None:
    body = f'{{"ramal": "3501", "telefone": "47", "token": {written}}}'.encode(charset)
    kept.peer.post(START, data=body, content_type="application/json")
    request = kept.last().request
    for text in (b"outra", b"chave", b"99887766", b"9.988"):
        assert text not in request
    assert b"3501" in request


def test_a_secret_deep_in_json_is_masked(kept: Kept) -> None:
    body = b'{"ramal": "3501", "telefone": "47", "de": {"quem": [{"api_key": "outra-chave"}]}}'
    assert kept.peer.post(START, data=body, content_type="application/json").status_code == 200
    assert b"outra-chave" not in kept.last().request
