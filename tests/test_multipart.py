"""The root part of a multipart/related body, as clients and servers of SOAP with attachments write it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.multipart import is_multipart, root_part
from tests.loops import cpu_s

KIND = 'multipart/related; boundary="b 1"; start="<root@x>"; type="application/xop+xml"'
PHOTO = b"--b 1\r\nContent-ID: <photo>\r\n\r\n\x89PNG\r\n\r\n"
ROOT = b"--b 1\r\nContent-Type: text/xml;\r\n charset=UTF-8\r\nContent-ID: <root@x>\r\n\r\n<a/>\r\n"
END = b"--b 1--\r\n"


@pytest.mark.parametrize(
    ("body", "kind", "found"),
    [
        (PHOTO + ROOT + END, KIND, (b"<a/>", "text/xml; charset=UTF-8")),
        (b"preamble\r\n" + ROOT + PHOTO + END + b"epilogue", KIND, (b"<a/>", "text/xml; charset=UTF-8")),
        (ROOT + PHOTO, KIND, (b"<a/>", "text/xml; charset=UTF-8")),
        (ROOT.replace(b"<root@x>", b"root@x") + END, KIND, (b"<a/>", "text/xml; charset=UTF-8")),
        (ROOT + END, 'Multipart/Related; boundary="b 1"', (b"<a/>", "text/xml; charset=UTF-8")),
        (ROOT + PHOTO + END, KIND.replace("root@x", "nowhere"), (b"<a/>", "text/xml; charset=UTF-8")),
        (PHOTO.replace(b"\r\n", b"\n") + END, KIND, (b"\x89PNG\n", "")),
        (b"--b 1\r\n\r\n<a/>\r\n--b 1--", KIND, (b"<a/>", "")),
        (b"--b\r\n\r\n<a/>\r\n--b2\r\n--b--", "multipart/related; boundary=b", (b"<a/>\r\n--b2", "")),
    ],
)  # fmt: skip
def test_the_root_part_is_the_one_that_start_names_else_the_first(body, kind, found):
    assert is_multipart(kind)
    assert root_part(body, kind) == found


@pytest.mark.parametrize(
    ("body", "kind", "why"),
    [
        (ROOT, "multipart/related", "no boundary"),
        (ROOT, "multipart/related; boundary=other", "no part"),
        (b"", KIND, "no part"),
        (END, KIND, "no part"),
        (
            b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\nPGEvPg==\r\n--b--",
            "multipart/related; boundary=b",
            "in base64",
        ),
        (
            b"--b\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\nx\r\n--b--",
            "multipart/related; boundary=b",
            "Quoted",
        ),
    ],
)
def test_a_body_without_such_a_part_is_said_to_have_none(body, kind, why):
    with pytest.raises(ValueError, match=why):
        root_part(body, kind)


@given(st.binary(max_size=200), st.sampled_from([KIND, "multipart/related; boundary=-", "multipart/;boundary=\r\n"]))
def test_any_bytes_have_a_root_part_or_none(noise, kind):
    for body in (noise, ROOT + noise, b"--" + noise):
        try:
            content, _ = root_part(body, kind)
        except ValueError:
            continue
        assert content in body


@pytest.mark.parametrize("line", [b"\r\n--b", b"\r\n\r\n--b\r\n", b"--b\r\n\r\n", b"\n", b"\r\n-"])
def test_no_body_takes_long(line):
    body = b"--b\r\n" + line * (1_000_000 // len(line))

    def look() -> None:
        with suppress(ValueError):
            root_part(body, "multipart/related; boundary=b; start=x")

    assert cpu_s(look) < 1
