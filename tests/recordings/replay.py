"""Reads a recorded request, and plays it in process or on a socket."""

import io
import re
import socket
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from gateway.domain.messages import Message

HERE = Path(__file__).parent
CASES = sorted(str(path.parent.relative_to(HERE)) for path in HERE.glob("*/*/request"))
NOT_THE_MEANING = ("tenant", "origin", "received_at")


def environ_of(request: bytes) -> dict[str, Any]:
    """The WSGI environ that a server makes of ``request``."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, protocol = first.split(" ")
    path, _, query = target.partition("?")
    environ = {"REQUEST_METHOD": method, "PATH_INFO": unquote(path), "QUERY_STRING": query}
    for line in lines:
        name, _, value = line.partition(":")
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value.strip()
    if environ.get("HTTP_TRANSFER_ENCODING") == "chunked":
        body = joined(body)
    environ = {"HTTP_HOST": "", "CONTENT_TYPE": "", "CONTENT_LENGTH": ""} | environ
    return environ | {"SERVER_PROTOCOL": protocol, "wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}


def joined(body: bytes) -> bytes:
    """A chunked body in one piece."""
    whole = b""
    while size := int(body.partition(b"\r\n")[0], 16):
        body = body.partition(b"\r\n")[2]
        whole, body = whole + body[:size], body[size + 2 :]
    return whole


def meaning(message: Message) -> dict[str, Any]:
    """What ``message`` says, without who sent it and when."""
    said: dict[str, Any] = {"message": type(message).__name__}
    for field in fields(message):
        value = getattr(message, field.name)
        if field.name not in NOT_THE_MEANING and value != field.default:
            said[field.name] = value.value if isinstance(value, Enum) else value
    return said


def on_socket(request: bytes, port: int) -> bytes:
    """The raw answer of the server at ``port`` of this machine."""
    request = re.sub(rb"(?im)^connection:[^\r]*\r\n", b"", request)
    request = request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
        peer.sendall(request)
        answer = b""
        while part := peer.recv(65536):
            answer += part
    return answer
