"""The page of a simulated appliance: what it received, newest first."""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import quote

from gateway.texts.languages import Language
from gateway.texts.rendering import render
from gateway.texts.text import Text, counted

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


def html(what: Text | str, address: str, received: Iterable["Received"], language: Language) -> bytes:
    """Render the page of the simulated ``what`` as UTF-8."""
    listed = list(received)
    commands = [_command(one, language) for one in listed]
    count = counted("{count} order received", "{count} orders received", sum(not one.step for one in listed))
    empty = Text("No order yet. Dial through the gateway, and it appears here.")
    text = _PAGE.substitute(
        language=language,
        title=escape(render(Text("Simulation: {what}", what=what), language)),
        address=escape(address),
        count=escape(render(count, language)),
        commands="\n".join(commands) or f"<p>{escape(render(empty, language))}</p>",
    )
    return text.encode()


def _command(one: "Received", language: Language) -> str:
    local = one.at.astimezone()
    return _COMMAND.substitute(
        raw=escape(one.raw),
        what=_what(one, language),
        iso=local.isoformat(timespec="seconds"),
        time=local.strftime("%H:%M:%S"),
    )


def _what(one: "Received", language: Language) -> str:
    """Describe a request: the call with its recording, or else its step."""
    called = bool(one.extension or one.number)
    call = _CALL.substitute(extension=escape(one.extension), number=escape(one.number)) if called else ""
    if one.step:
        return f"{call} <span>{escape(one.step)}</span>"
    recording = escape(render(Text("recording"), language))
    return f'{call}\n    <a href="/gravacoes/{quote(one.call_id)}.wav">{recording}</a>'


def as_text(request: "Request") -> str:
    """Return a request as it stood on the wire, but for the line ends."""
    head = [
        f"{request.method} {request.target} {request.version}",
        *(f"{k}: {v}" for k, v in request.headers.items()),
    ]
    body = request.body.decode("utf-8", "backslashreplace")
    return "\n".join([*head, "", body]) if body else "\n".join(head)
