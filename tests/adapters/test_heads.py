"""Heads of requests, and of answers as peers really write them."""

import io
import re
from contextlib import suppress
from http.client import BadStatusLine, HTTPException, InvalidURL, LineTooLong, RemoteDisconnected
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.connection import body_of
from adapters.http.head import MAX_HEADERS, MAX_LINE, Response, address_of, request_head


class Socket:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: object) -> io.BufferedReader:
        raw: Any = io.BytesIO(self._data)
        return io.BufferedReader(raw)


def received(data: bytes) -> Response:
    response = Response(Socket(data))
    response.begin()
    return response


# what goes out


def test_a_request_says_its_host_first_and_nothing_by_itself():
    head = request_head("POST", "http://pabx:8080", "/dial&n=%2b1", {"Accept": "*/*"})
    assert head == b"POST /dial&n=%2b1 HTTP/1.1\r\nHost: pabx:8080\r\nAccept: */*\r\n\r\n"


def test_a_host_that_the_headers_bring_stands_alone():
    written = request_head("GET", "http://pabx", "/", {"HOST": "other"})
    assert written == b"GET / HTTP/1.1\r\nHOST: other\r\n\r\n"


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: y", "/a\n", "/\x00", "/\u00e9", "/\x7f"])
def test_no_target_can_end_the_first_line(target):
    with pytest.raises(InvalidURL):
        request_head("GET", "http://pabx", target, {})


@pytest.mark.parametrize(
    "headers", [{"X": "a\r\nY: b"}, {"X": "a\nb"}, {"X": "\x00"}, {"X Y": "a"}, {"": "a"}, {"X\n": "a"}]
)
def test_no_header_can_become_two(headers):
    with pytest.raises(ValueError, match="cannot be sent"):
        request_head("GET", "http://pabx", "/", headers)


def test_no_method_is_more_than_a_word():
    with pytest.raises(InvalidURL):
        request_head("GET /x HTTP/1.1\r\nX:", "http://pabx", "/", {})


def test_a_value_beyond_latin_1_cannot_be_sent():
    with pytest.raises(ValueError, match="latin-1"):
        request_head("GET", "http://pabx", "/", {"X": "\u20ac"})


def test_a_name_of_other_letters_is_told_as_the_name_service_knows_it():
    assert address_of("http://central.exämple:81").told == "central.xn--exmple-cua:81"


@pytest.mark.parametrize("origin", ["http://", "http:///", "http://pa bx", "http://pabx:port", "http://pabx:99999", ""])
def test_what_has_no_host_is_no_address(origin):
    with pytest.raises((InvalidURL, ValueError)):
        address_of(origin)


# what comes back


def test_an_answer_is_kept_as_it_came():
    response = received(b"HTTP/1.0  200  Tudo  certo \nserver:x\nX-A :  1\t\n\nbody")
    assert response.head == b"HTTP/1.0  200  Tudo  certo \nserver:x\nX-A :  1\t\n\n"
    assert (response.status, response.reason) == (200, "Tudo  certo")
    assert list(response.fields.items()) == [("server", "x"), ("X-A", "1")]
    assert response.read() == b"body"


def test_a_line_that_is_no_header_hides_none_behind_it():
    """The e-mail parser takes it for the end of the head, and the peer's Content-Length for nothing."""
    response = received(b"HTTP/1.1 200 OK\r\nWelcome to the PBX\r\n : nameless\r\nContent-Length: 2\r\n\r\nOK and more")
    assert response.read(100) == b"OK"


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        (b"X: a\r\n\t b\r\n  c\r\n", {"X": "a b c"}),
        (b"X:\r\n a\r\n", {"X": "a"}),
        (b" of nothing\r\nX: a\r\n", {"X": "a"}),
        (b"X: a\r\nx: b\r\n", {"X": "a, b"}),
        (b"X: \xe9\r\n", {"X": "\u00e9"}),
        (b"X: a: b\r\n", {"X": "a: b"}),
        (b":\r\n", {}),
    ],
)
def test_headers_are_read_for_what_they_say(lines, fields):
    assert dict(received(b"HTTP/1.1 204 No Content\r\n" + lines + b"\r\n").fields) == fields


@pytest.mark.parametrize("interim", [b"100 Continue", b"102 Processing", b"103 Early Hints\r\nLink: </a>"])
def test_interim_answers_are_passed_over(interim):
    response = received(b"HTTP/1.1 " + interim + b"\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
    assert (response.status, response.head) == (202, b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
    assert not response.fields.get("Link")


@pytest.mark.parametrize(
    ("head", "closes"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity, chunked", False),
        (b"HTTP/1.1 200 OK", True),
        (b"HTTP/1.1 204 No Content", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=5", False),
        (b"HTTP/0.9 200 OK\r\nContent-Length: 2", True),
        (b"HTTP/1.2 200 OK\r\nContent-Length: 2", False),
    ],
)
def test_a_connection_stays_open_where_the_peer_says_so_and_the_end_of_the_body_is_known(head, closes):
    assert received(head + b"\r\n\r\n").will_close is closes


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Content-Length: 2", b"OK"),
        (b"Content-Length: 2\r\nContent-Length: 2", b"OK"),
        (b"Content-Length: 2\r\nContent-Length: 9", b"OK"),
        (b"Content-Length: -2", b"OK\r\nmore"),
        (b"Content-Length: two", b"OK\r\nmore"),
        (b"Content-Length: 99999999999999999999", b"OK\r\nmore"),
    ],
)
def test_a_body_ends_where_its_head_says_or_with_the_connection(head, body):
    assert received(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\nOK\r\nmore").read(100) == body


def test_a_length_beyond_all_memory_is_none():
    assert received(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\nOK").length is None


@pytest.mark.parametrize("also", [b"", b"\r\nContent-Length: 1"])
def test_a_body_in_chunks_ends_with_the_last_one(also):
    chunks = b"2;x=y\r\nOK\r\n0\r\nTrailer: x\r\n\r\nmore"
    assert received(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + also + b"\r\n\r\n" + chunks).read(100) == b"OK"


@pytest.mark.parametrize("status", [101, 204, 304])
def test_some_answers_have_no_body_whatever_they_say(status):
    assert received(b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\nwrong" % status).read(100) == b""


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", RemoteDisconnected),
        (b"SSH-2.0-OpenSSH_9.2\r\n", BadStatusLine),
        (b"HTTP/2.0 200 OK\r\n\r\n", BadStatusLine),
        (b"HTTP/1.1 OK\r\n\r\n", BadStatusLine),
        (b"HTTP/1.1 20 OK\r\n\r\n", BadStatusLine),
        (b"HTTP/1.1 099 OK\r\n\r\n", BadStatusLine),
        (b"HTTP/1.1 200 " + b"x" * MAX_LINE, LineTooLong),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_LINE, LineTooLong),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * (MAX_HEADERS + 1) + b"\r\n", HTTPException),
    ],
)
def test_what_is_no_answer_is_said_to_be_none(data, error):
    with pytest.raises(error):
        received(data)


def test_as_many_headers_as_are_allowed_are_read():
    assert (
        len(received(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * MAX_HEADERS + b"\r\n").fields.getlist("X")) == MAX_HEADERS
    )


def test_the_words_of_a_peer_that_speaks_no_http_are_quoted_in_part_only():
    with pytest.raises(BadStatusLine) as caught:
        received(b"x" * 5000 + b"\r\n")
    assert len(re.sub(r"[^x]", "", str(caught.value))) == 80


WRITTEN = [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 204", b"100 ", b"Transfer-Encoding: chunked\r\n", b"Content-Length: "]
WRITTEN += [
    b"-5",
    b"7",
    b"-FFFFFFFFFFFFFFFFFF",
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b" ",
    b":",
    b"x",
    b"\xff\x00",
    b"0\r\n\r\n",
]


@given(st.lists(st.sampled_from(WRITTEN) | st.binary(max_size=8), max_size=12))
def test_whatever_a_peer_writes_is_an_answer_or_said_to_be_none(parts):
    response = Response(Socket(b"".join(parts)))
    with suppress(HTTPException):
        response.begin()
        body_of(response)
