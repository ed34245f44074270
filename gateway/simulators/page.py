"""The page of a simulated appliance: what it received, newest first."""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.simulators.appliance import Received, Request

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "Cache-Control": "no-store",
}

_PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
_COMMAND = Template("""<article>
  <header><time datetime="$iso">$time</time><b>$extension</b> <i>→</i> <b>$number</b>
    <a href="/gravacoes/$call_id.wav">gravação</a></header>
  <pre>$raw</pre>
</article>""")


def html(title: str, address: str, received: Iterable["Received"]) -> bytes:
    """The page as UTF-8."""
    commands = [_command(one) for one in received]
    text = _PAGE.substitute(
        title=escape(title),
        address=escape(address),
        count=len(commands),
        commands="\n".join(commands) or "<p>Nenhum comando ainda. Disque pelo gateway e ele aparece aqui.</p>",
    )
    return text.encode()


def _command(one: "Received") -> str:
    local = one.at.astimezone()
    shown = {"extension": one.extension, "number": one.number, "call_id": one.call_id, "raw": one.raw}
    return _COMMAND.substitute(
        {name: escape(value) for name, value in shown.items()},
        iso=local.isoformat(timespec="seconds"),
        time=local.strftime("%H:%M:%S"),
    )


def as_text(request: "Request") -> str:
    """A request as it stood on the wire, but for the line ends."""
    head = [
        f"{request.method} {request.target} {request.version}",
        *(f"{k}: {v}" for k, v in request.headers.items()),
    ]
    body = request.body.decode("utf-8", "backslashreplace")
    return "\n".join([*head, "", body]) if body else "\n".join(head)
