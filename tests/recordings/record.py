"""Keeps the bytes that a real client sends: a proxy between it and a running gateway.

python -m tests.recordings.record CLIENT/CASE GATEWAY:PORT COMMAND... -- note

``{url}`` in COMMAND is replaced by the address of the proxy. The last request that is not for a WSDL is written to
``CLIENT/CASE/request``, with ``127.0.0.1:8080`` for the proxy's address; the note goes to ``note.md``, what the client
printed is shown.
"""

import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

HERE = Path(__file__).parent


def read_request(peer: socket.socket) -> bytes:
    """One request: head, and body by its length or its chunks; empty where the client closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (part := peer.recv(65536)):
            return b""
        data += part
    head = data.partition(b"\r\n\r\n")[0].lower()
    if b"expect: 100-continue" in head:
        peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head)
    whole = len(head) + 4 + int(length[1]) if length else len(head) + 4
    chunked = b"transfer-encoding: chunked" in head
    while len(data) < whole or (chunked and not data.endswith(b"0\r\n\r\n")):
        data += peer.recv(65536)
    return data


def forward(request: bytes, gateway: tuple[str, int]) -> bytes:
    """The gateway's answer; the connection is closed after it."""
    request = re.sub(rb"(?im)^(connection|expect):[^\r]*\r\n", b"", request)
    request = request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    with socket.create_connection(gateway, timeout=20) as upstream:
        upstream.sendall(request)
        answer = b""
        while part := upstream.recv(65536):
            answer += part
    return answer


def serve(listener: socket.socket, gateway: tuple[str, int], kept: list[bytes]) -> None:
    while True:
        peer, _ = listener.accept()
        with peer:
            if request := read_request(peer):
                if b"wsdl " not in request.partition(b"\r\n")[0].lower():
                    kept.append(request)
                peer.sendall(forward(request, gateway))


def record(case: Path, gateway: tuple[str, int], command: list[str]) -> None:
    """Run ``command`` against the proxy and keep what it sent. Raises ``SystemExit`` when it failed."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    kept: list[bytes] = []
    threading.Thread(target=serve, args=(listener, gateway, kept), daemon=True).start()
    filled = [part.replace("{url}", f"http://127.0.0.1:{port}").replace("{port}", str(port)) for part in command]
    done = subprocess.run(filled, capture_output=True, text=True, timeout=60, check=False)
    print(case.relative_to(HERE), done.returncode, (done.stdout + done.stderr).strip()[:300])
    if not kept:
        raise SystemExit(f"{case}: nothing was sent")
    case.mkdir(parents=True, exist_ok=True)
    (case / "request").write_bytes(kept[-1].replace(f"127.0.0.1:{port}".encode(), b"127.0.0.1:8080"))


if __name__ == "__main__":
    name, address, *rest = sys.argv[1:]
    end = len(rest) - rest[::-1].index("--") - 1
    host, _, gateway_port = address.rpartition(":")
    record(HERE / name, (host, int(gateway_port)), rest[:end])
    (HERE / name / "note.md").write_text(" ".join(rest[end + 1 :]) + "\n", encoding="utf-8")
