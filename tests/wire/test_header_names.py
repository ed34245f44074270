"""A header's name is what its sender wrote: an underscore never passes for a dash."""

import pytest

from gateway.wire.header_names import environ_key, header_environ
from gateway.wire.lenient.repair import environ_of

FORGED = [
    "X_Forwarded_For",
    "x_forwarded_proto",
    "X_Forwarded_Host",
    "X_Real_IP",
    "X-Forwarded_For",
    "_",
    "Content_Length",
]


@pytest.mark.parametrize("name", FORGED)
def test_a_name_with_an_underscore_becomes_no_header_on_either_port(name: str) -> None:
    assert environ_key(name) is None
    assert header_environ([(name, "127.0.0.2"), ("Host", "a")]) == {"HTTP_HOST": "a"}
    head = f"GET / HTTP/1.1\r\nHost: a\r\n{name}: 127.0.0.2\r\n\r\n".encode()
    assert [key for key in environ_of(head) if key.startswith(("HTTP_", "CONTENT_"))] == ["HTTP_HOST"]


def test_a_proxys_own_header_is_untouched_by_a_forged_one() -> None:
    headers = [("x_forwarded_for", "127.0.0.2"), ("x-forwarded-for", "203.0.113.7"), ("x_forwarded_for", "127.0.0.3")]
    assert header_environ(headers) == {"HTTP_X_FORWARDED_FOR": "203.0.113.7"}


@pytest.mark.parametrize("name", ["token_auth", "TOKEN_AUTH", "Token_Auth", "token-auth"])
def test_the_header_of_the_crm_is_taken_although_it_has_an_underscore(name: str) -> None:
    assert header_environ([(name, "s")]) == {"HTTP_TOKEN_AUTH": "s"}


def test_a_repeated_header_is_one_list_and_cookies_are_kept_apart() -> None:
    headers = [("A-B", "1"), ("a-b", "2"), ("cookie", "a=1"), ("Cookie", "b=2")]
    assert header_environ(headers) == {"HTTP_A_B": "1,2", "HTTP_COOKIE": "a=1; b=2"}


def test_type_and_length_of_a_body_have_no_prefix() -> None:
    headers = [("content-type", "text/xml"), ("Content-Length", "3")]
    assert header_environ(headers) == {"CONTENT_TYPE": "text/xml", "CONTENT_LENGTH": "3"}
