"""A sample CRM, so that the demo shows the panel inside one: accounts with numbers to click, and a record for each.

It is a web server of its own, at an origin of its own, as a real CRM is; it has none but the demo's sample accounts.
"""

import csv
import threading
from collections.abc import Mapping, Sequence
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from string import Template
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from gateway.texts.languages import DEFAULT, Language, of_browser
from gateway.texts.rendering import render
from gateway.texts.text import Text

TITLE = Text("A sample CRM")
ADVICE = Text(
    "The panel on the right is the gateway's. Log in there as ana, click a number, and have a call come in: the "
    "customer's record opens."
)
WORDS = {
    "code": Text("Code"),
    "account": Text("Account"),
    "contact": Text("Contact"),
    "telephones": Text("Telephones"),
    "rings": Text("Rings:"),
    "talks": Text("Talking:"),
    "ended": Text("Ended:"),
}
ROW = (
    '<tr{current}><td>{code}</td><td><a class="name" href="/contas/{path}">{name}</a></td>'
    "<td>{contact}</td><td>{phones}</td></tr>"
)
PHONES = ("telefone", "celular")
_PAGE = Template(files("gateway.demo").joinpath("crm.html").read_text(encoding="utf-8"))


class SampleCrm(ThreadingHTTPServer):
    """Serves on a free port of this machine from ``start`` to ``stop``; ``gateway`` is where the panel comes from."""

    daemon_threads = True

    def __init__(self, gateway: str) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.gateway = gateway
        self.accounts = sample_accounts()

    @property
    def address(self) -> str:
        """Its origin, such as ``http://127.0.0.1:43210``."""
        return f"http://127.0.0.1:{self.server_port}"

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, name="sample-crm", daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def page(self, address: str, language: Language) -> str | None:
        """Return the page at ``address``; None where there is none."""
        asked = urlsplit(address)
        code = unquote(asked.path.removeprefix("/contas/")) if asked.path.startswith("/contas/") else ""
        account = next((each for each in self.accounts if each["codigo"] == code), None)
        if asked.path != "/" and account is None and code != "nova":
            return None
        number = parse_qs(asked.query).get("telefone", [""])[0]
        new = render(Text("New customer with the number {number}", number=number), language) if code == "nova" else ""
        return self._rendered(account, new, language)

    def _rendered(self, account: Mapping[str, str] | None, new: str, language: Language) -> str:
        record = _record(account) if account else f"<h2>{escape(new)}</h2>" if new else ""
        rows = "\n".join(_row(each, is_current=each is account) for each in self.accounts)
        texts = {**WORDS, "title": TITLE, "advice": ADVICE}
        words = {name: escape(render(text, language)) for name, text in texts.items()}
        return _PAGE.substitute(words, language=language, gateway=escape(self.gateway), record=record, rows=rows)


class _Page(BaseHTTPRequestHandler):
    server: SampleCrm

    def do_GET(self) -> None:
        language = of_browser(self.headers.get("Accept-Language")) or DEFAULT
        found = self.server.page(self.path, language)
        body = (found or "404\n").encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: the demo's terminal is for its guide."""


def sample_accounts() -> Sequence[Mapping[str, str]]:
    """Return the demo's accounts, as their file has them: by column."""
    text = files("gateway.demo").joinpath("accounts.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter=";"))


def _row(account: Mapping[str, str], *, is_current: bool) -> str:
    return ROW.format(
        current=' aria-current="true"' if is_current else "",
        code=escape(account["codigo"]),
        path=quote(account["codigo"], safe=""),
        name=escape(account["nome"]),
        contact=escape(account["contato"]),
        phones="<br>".join(_link(account[column]) for column in PHONES if account.get(column)),
    )


def _link(number: str) -> str:
    digits = "".join(filter(str.isdigit, number))
    return f'<a href="tel:+55{digits}">{escape(number)}</a>'


def _record(account: Mapping[str, str]) -> str:
    """Return what the CRM knows of an account besides its name and telephones."""
    besides = [value for name, value in account.items() if value and name not in ("codigo", "nome", *PHONES)]
    return f"<h2>{escape(account['nome'])}</h2><p>{escape(' · '.join(besides))}</p>"
