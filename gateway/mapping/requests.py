"""A saved request as a mapping sees it: head and body as bytes, from a file or from the traffic log."""

import re
from urllib.parse import unquote

from gateway.mapping.bodies import WebhookRequest

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_IN = re.compile(r"(?:/t/[^/?]+)?/in/[^/?]+(?:/([^?]*))?(?:\?(.*))?", re.DOTALL)


def parsed_request(raw: bytes) -> WebhookRequest:
    """Return the request in ``raw``: its first line, headers, an empty line, the body. Never raises."""
    raw = raw.lstrip(b"\r\n")
    end = _END_OF_HEAD.search(raw)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
    first, *others = head.decode("latin-1").splitlines() or [""]
    headers = dict(_header(line) for line in others if ":" in line)
    method, _, rest = first.partition(" ")
    found = _IN.fullmatch(rest.partition(" ")[0])
    return WebhookRequest(
        body=body,
        content_type=headers.get("content-type", ""),
        query=(found[2] or "") if found else rest.partition(" ")[0].partition("?")[2],
        headers=headers,
        tail=unquote(found[1] or "") if found else "",
        method=method.upper() or "POST",
    )


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()
