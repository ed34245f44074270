"""The environ is the one that Granian's WSGI face made, by raw header names."""

from gateway.server.environ import UNREADABLE, environ_of, split_address, with_body
from tests.server.fakes import Scope


def test_a_request_is_told_as_pep_3333_asks() -> None:
    environ = environ_of(
        Scope(path="/t/acmé/a b", method="POST", query_string="x=%E9&y=1+2", client="[::1]:4711", server="[::1]:8080")
    )
    # Paths are bytes written as Latin-1; queries stay as they came.
    assert environ["PATH_INFO"] == "/t/acmé/a b".encode().decode("latin-1")
    assert (environ["QUERY_STRING"], environ["REMOTE_ADDR"]) == ("x=%E9&y=1+2", "::1")
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("::1", "8080")
    assert (environ["REQUEST_METHOD"], environ["SERVER_PROTOCOL"], environ["HTTP_HOST"]) == ("POST", "HTTP/1.1", "a")
    assert with_body(environ, b"abc")["wsgi.input"].read() == b"abc"


def test_a_forged_header_name_is_no_proxys_header() -> None:
    pairs = [("Host", "a"), ("X_Forwarded_For", "127.0.0.1"), ("X-Forwarded-For", "203.0.113.7"), ("token_auth", "s")]
    environ = environ_of(Scope(pairs=pairs))
    assert environ["HTTP_X_FORWARDED_FOR"] == "203.0.113.7"
    assert environ["HTTP_TOKEN_AUTH"] == "s"


def test_a_header_that_granian_cannot_read_is_not_taken_for_missing() -> None:
    """nginx appends the real address to what a stranger sent: such a list must not become no list."""
    environ = environ_of(Scope(pairs=[("Host", "a"), ("X-Forwarded-For", "é, 203.0.113.7")]))
    assert environ["HTTP_X_FORWARDED_FOR"] == UNREADABLE


def test_the_host_of_an_absolute_address_is_the_host() -> None:
    assert environ_of(Scope(authority="abs.host", pairs=[]))["HTTP_HOST"] == "abs.host"


def test_no_environment_variable_passes_for_a_header(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("HTTP_X_FORWARDED_FOR", "127.0.0.1")
    assert "HTTP_X_FORWARDED_FOR" not in environ_of(Scope())


def test_addresses_are_split_at_their_port() -> None:
    assert split_address("127.0.0.1:80") == ("127.0.0.1", "80")
    assert split_address("[::ffff:1.2.3.4]:80") == ("::ffff:1.2.3.4", "80")
