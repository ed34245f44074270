"""A probe rings nobody and says in words what an administrator has to do."""

import socket
from contextlib import closing, contextmanager
from threading import Thread

import pytest

from gateway.adapter import Probe
from tests.adapters.bad_peers import LOGIN_PAGE, answer, free_port, hang, hang_up, serving
from tests.adapters.dialects import make

ADAPTERS = ["soap", "url", "xmlrpc"]
LOGIN = {"auth": "basic", "username": "crm", "password": "s3nha"}


def probed(name: str, address: str, **settings) -> Probe:
    with closing(make(name, address, **{"timeout_s": 3, **settings})) as adapter:
        return adapter.probe()


@contextmanager
def speaking_ssh():
    """Something else on the port: it speaks first, and not HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                    connection.recv(4096)

        Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://pabx.invalid", "confira o nome, ou o DNS desta máquina"),
        ("http://127.0.0.1:{free}", "nada escuta neste endereço e porta"),
        ("http://{ssh}", "outra coisa escuta nesta porta"),
        ("https://{ssh}", "a porta não fala TLS; confira a porta, ou escreva http em vez de https"),
    ],
)
def test_an_address_that_is_wrong_is_told_with_what_to_do(name: str, address: str, said: str) -> None:
    with speaking_ssh() as ssh:
        found = probed(name, address.format(free=free_port(), ssh=ssh))
    assert (found.ok, said in found.detail) == (False, True), found.detail


@pytest.mark.parametrize("name", ["url", "xmlrpc"])
def test_an_appliance_that_hangs_or_hangs_up_is_not_ready(name: str) -> None:
    for behave, said in ((hang, "está travada, ou outra coisa"), (hang_up, "outra coisa pode escutar")):
        with serving(behave) as peer:
            found = probed(name, peer.address, timeout_s=0.5)
        assert (found.ok, said in found.detail) == (False, True), found.detail


@pytest.mark.parametrize("name", ["url", "xmlrpc"])
def test_a_login_that_is_refused_is_told(name: str) -> None:
    with serving(answer("401 Unauthorized", LOGIN_PAGE)) as peer:
        found = probed(name, peer.address, **LOGIN)
    assert not found.ok
    assert "login" in found.detail
    assert "s3nha" not in found.detail


def test_an_appliance_without_login_may_show_its_login_page() -> None:
    with serving(answer("401 Unauthorized", LOGIN_PAGE)) as peer:
        assert probed("url", peer.address).ok


def test_a_wsdl_that_is_not_there_is_told_with_its_path() -> None:
    with serving(answer("404 Not Found", b"no")) as peer:
        found = probed("soap", peer.address, wsdl=f"{peer.address}/pabx?wsdl")
    assert not found.ok
    assert "O WSDL não foi carregado" in found.detail
    assert "HTTP 404" in found.detail


def test_an_xmlrpc_address_that_is_a_web_page_is_told_and_no_known_method_is_called() -> None:
    with serving(answer("200 OK", b"<html>hello</html>")) as peer:
        found = probed("xmlrpc", peer.address)
        assert b"<methodName>cti_gateway.probe</methodName>" in peer.requests[0]
    assert not found.ok
    assert "resposta que não é XML-RPC" in found.detail


def test_https_asked_by_http_is_told() -> None:
    page = b"You're speaking plain HTTP to an SSL-enabled server port."
    with serving(answer("400 Bad Request", page)) as peer:
        found = probed("url", peer.address)
    assert (found.ok, "escreva https" in found.detail) == (False, True)
