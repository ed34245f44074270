"""The page of a simulated appliance: what it received, newest first."""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from gateway.simulators.appliance import Received
    from gateway.simulators.exchange import Request

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "Cache-Control": "no-store",
}

_PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
_COMMAND = Template("""<article>
  <header><time datetime="$iso">$time</time>$what</header>
  <pre>$raw</pre>
</article>""")
_CALL = Template("<b>$extension</b> <i>→</i> <b>$number</b>")


def html(title: str, address: str, received: Iterable["Received"]) -> bytes:
    """The page as UTF-8."""
    listed = list(received)
    commands = [_command(one) for one in listed]
    text = _PAGE.substitute(
        title=escape(title),
        address=escape(address),
        count=sum(not one.step for one in listed),
        commands="\n".join(commands) or "<p>Nenhum comando ainda. Disque pelo gateway e ele aparece aqui.</p>",
    )
    return text.encode()


def _command(one: "Received") -> str:
    local = one.at.astimezone()
    return _COMMAND.substitute(
        raw=escape(one.raw),
        what=_what(one),
        iso=local.isoformat(timespec="seconds"),
        time=local.strftime("%H:%M:%S"),
    )


def _what(one: "Received") -> str:
    """The call and its recording; of another request, what it was."""
    called = bool(one.extension or one.number)
    call = _CALL.substitute(extension=escape(one.extension), number=escape(one.number)) if called else ""
    if one.step:
        return f"{call} <span>{escape(one.step)}</span>"
    return f'{call}\n    <a href="/gravacoes/{quote(one.call_id)}.wav">gravação</a>'


def as_text(request: "Request") -> str:
    """A request as it stood on the wire, but for the line ends."""
    head = [
        f"{request.method} {request.target} {request.version}",
        *(f"{k}: {v}" for k, v in request.headers.items()),
    ]
    body = request.body.decode("utf-8", "backslashreplace")
    return "\n".join([*head, "", body]) if body else "\n".join(head)
