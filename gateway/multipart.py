"""The root part of a multipart/related message (RFC 2387): where SOAP with attachments and MTOM put the envelope.

Bytes in, bytes out. Attachments are passed over: a call of a telephone exchange, or its answer, has nothing in them.
"""

import re
from collections.abc import Iterator, Mapping
from email.message import Message
from itertools import chain, islice, pairwise

MOST_PARTS = 100
"""Parts that are looked through for the one that ``start`` names."""
MOST_HEAD = 16 * 1024
"""Bytes of a part's own headers."""


def is_multipart(content_type: str) -> bool:
    """Return whether the header ``Content-Type`` says that the body has parts."""
    return content_type.lstrip()[:10].lower() == "multipart/"


def root_part(body: bytes, content_type: str) -> tuple[bytes, str]:
    """Return the root part of ``body`` and its own ``Content-Type``: the part that ``start`` names, else the first.

    Raises ``ValueError`` for a body that has no such part that could be read.
    """
    header = _header(content_type)
    boundary = str(header.get_param("boundary") or "")
    if not boundary:
        raise ValueError("the Content-Type has no boundary")
    parts = _parts(body, boundary.encode("latin-1", "replace"))
    first = next(parts, None)
    if first is None:
        raise ValueError("the body has no part between its boundaries")
    start = str(header.get_param("start") or "").strip("<> ")
    others = (part for part in parts if start and part[0].get("content-id", "").strip("<> ") == start)
    is_first = not start or first[0].get("content-id", "").strip("<> ") == start
    fields, content = first if is_first else next(others, first)
    encoding = fields.get("content-transfer-encoding", "")
    if encoding.lower() in ("base64", "quoted-printable"):
        # The traffic log could not mask a password in it, and no client of SOAP is known to write it so.
        raise ValueError(f"its root part is written in {encoding}; binary, 8bit and 7bit are read")
    return content, fields.get("content-type", "")


def _header(content_type: str) -> Message:
    header = Message()
    header["Content-Type"] = " ".join(content_type.split())
    return header


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[Mapping[str, str], bytes]]:
    """Yield headers and content of each part; a last one that is not closed counts as well."""
    # Some write bare line feeds, and the first boundary may have no line before it.
    delimiters = re.finditer(rb"(?:^|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|$)", body)
    for one, following in islice(pairwise(chain(delimiters, [None])), MOST_PARTS):
        if one is None or one[1]:
            return
        part = _split(body[one.end() : following.start() if following else len(body)])
        if part is not None:
            yield part


def _split(part: bytes) -> tuple[Mapping[str, str], bytes] | None:
    for line_end in (b"\r\n", b"\n"):
        # The line of the boundary ends here; a part without headers of its own has an empty line next.
        head, found, content = part.partition(line_end + line_end)
        if found and len(head) <= MOST_HEAD:
            lines = head.decode("latin-1").replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ").split("\n")
            pairs = (line.partition(":") for line in lines if ":" in line)
            return {name.strip().lower(): value.strip() for name, _, value in pairs}, content
    return None
