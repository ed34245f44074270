"""How to talk to a test peer with each adapter. A new adapter needs one entry here to be tested."""

import re
import sys
import xmlrpc.client
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from pydantic import TypeAdapter

from gateway.adapter import Adapter, Outgoing, config_class, load
from tests.adapters.bad_peers import Peer, answer
from tests.adapters.protocols import AMI, HTTP, LINES, Behave, Protocol, manager, say

GUIDE = "pager of the guide"
"""The sample of docs/adapters.md, which the suite runs as if it were registered."""
GUIDES_PAGE = Path(__file__).parents[2] / "docs" / "adapters.md"
WSDL = Path(__file__).with_name("pabx.wsdl")
DIAL = Outgoing(
    "dial",
    "o-1",
    {"extension": "2000", "number": "04799998888", "order_id": "o-1", "call_id": "c-1", "tenant": "acme"},
)


SECRETS = {"key": "ch@ve & <secreta>", "other": "outr@ señha"}
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PASSWORD = 'p"ss w0rd/&'
HTTP_LOGIN = {"username": "agente", "password": PASSWORD, "headers": {"X-Token": SECRETS["other"]}}
CAPABILITIES = {
    "tls": "speaks TLS, for an address with https",
    "headers": "sends headers of the configuration",
    "secrets": "has settings that must not be shown",
    "hangup": "can end a call that it placed",
    "keeps": "keeps connections open between orders",
    "forwards": "can tell a CRM of events, not only dial",
}


@dataclass(frozen=True)
class Dialect:
    """How to talk to a test peer by one adapter.

    ``settings(address)`` reach a peer at ``http://host:port`` (``https``: over TLS), whatever the protocol. ``good`` is
    a peer's yes, with ``ref`` as its id of the call, ``refusing(text)`` a no with ``text`` as its explanation. ``can``
    are the adapter's ``CAPABILITIES``. ``logins`` are settings for each kind of login whose bytes are known beforehand;
    ``secret_login`` has most of the ``secrets``, the last of which stands in the first request as it is.
    """

    settings: Callable[[str], Mapping[str, Any]]
    good: Behave
    refusing: Callable[[str], Behave]
    protocol: Protocol
    can: frozenset[str]
    ref: str | None = "77"
    logins: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"none": {}})
    secret_login: Mapping[str, Any] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()

    def good_peer(self) -> AbstractContextManager[Peer]:
        return self.protocol.serving(self.good)


def over_http(
    settings: Callable[[str], Mapping[str, Any]],
    success: bytes,
    fault: Callable[[str], tuple[str, bytes]],
    content_type: str,
    *,
    can: Iterable[str] = (),
) -> Dialect:
    """A dialect of HTTP, ``{{ secrets.key }}`` in its request. ``fault(text)`` is a status and a body that say no."""

    def refusing(text: str) -> Behave:
        status, body = fault(text)
        return answer(status, body, content_type)

    return Dialect(
        settings=lambda address: {"secrets": {"key": SECRETS["key"]}, **settings(address)},
        good=answer("200 OK", success, content_type),
        refusing=refusing,
        protocol=HTTP,
        can=frozenset({"tls", "headers", "secrets", "keeps", *can}),
        logins={"none": {**HTTP_LOGIN, "auth": "none"}, "basic": {**HTTP_LOGIN, "auth": "basic"}},
        secret_login={**HTTP_LOGIN, "auth": "basic"},
        secrets=(PASSWORD, SECRETS["key"], SECRETS["other"]),
    )


def _ami_settings(address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    login = {"username": "crm", "secret": PASSWORD, "auth": "plain", "watch_s": 0}
    where = {"host": parts.hostname, "port": parts.port or 5038, "tls": parts.scheme == "https"}
    return {**login, **where, "context": "from-internal"}


def _pager_settings(address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    return {"host": parts.hostname, "port": parts.port or 4000}


def _envelope(body: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{body}</s:Body></s:Envelope>'.encode()
    )


DIALECTS = {
    "url": over_http(
        settings=lambda address: {
            "url": f"{address}/dial?from={{{{ extension }}}}&to={{{{ number }}}}&key={{{{ secrets.key }}}}",
            "success": r"^OK (?P<ref>\S+)",
            "refused": "^ERROR",
        },
        success=b"OK 77",
        fault=lambda text: ("200 OK", f"ERROR {text}".encode()),
        content_type="text/plain",
        can={"forwards"},
    ),
    "preset": over_http(
        settings=lambda address: {
            "preset": "generic-url",
            "url": f"{address}/dial?from={{{{ extension }}}}&to={{{{ number }}}}&key={{{{ secrets.key }}}}",
            "success": "^OK",
            "ref_pattern": r"^OK (\S+)",
            "refused": "^ERROR",
        },
        success=b"OK 77",
        fault=lambda text: ("200 OK", f"ERROR {text}".encode()),
        content_type="text/plain",
        can={"forwards"},
    ),
    "soap": over_http(
        settings=lambda address: {
            "wsdl": str(WSDL),
            "operation": "Call",
            "address": f"{address}/pabx",
            "arguments": {"from": "{{ extension }}", "to": "{{ number }}", "key": "{{ secrets.key }}"},
            "ref_path": "callId",
        },
        success=_envelope('<Called xmlns="urn:test-pabx"><code>0</code><callId>77</callId></Called>'),
        fault=lambda text: (
            "500 Internal Server Error",
            _envelope(f"<s:Fault><faultcode>s:Client</faultcode><faultstring>{escape(text)}</faultstring></s:Fault>"),
        ),
        content_type="text/xml; charset=utf-8",
        can={"forwards"},
    ),
    "xmlrpc": over_http(
        settings=lambda address: {
            "url": f"{address}/RPC2",
            "method": "pbx.originate",
            "params": ["{{ extension }}", "{{ number }}", "{{ secrets.key }}"],
            "ref_path": "callid",
        },
        success=xmlrpc.client.dumps(({"callid": "77"},), methodresponse=True).encode(),
        fault=lambda text: ("200 OK", xmlrpc.client.dumps(xmlrpc.client.Fault(3, text)).encode()),
        content_type="text/xml",
        can={"forwards"},
    ),
    "webhook": replace(
        over_http(
            settings=lambda address: {"url": f"{address}/hook", "secret": [WEBHOOK_SECRET]},
            success=b"{}",
            fault=lambda text: ("422 Unprocessable Content", text.encode()),
            content_type="application/json",
            can={"forwards"},
        ),
        ref=None,
        # A receiver of webhooks need not say anything.
        protocol=replace(
            HTTP,
            bad={
                name: replace(bad, outcome="accepted") if name in ("200 and empty", "204") else bad
                for name, bad in HTTP.bad.items()
            },
        ),
        # The bytes hold the time of the attempt: tests/adapters/test_webhook.py stops the clock.
        logins={},
    ),
    "ami": Dialect(
        settings=_ami_settings,
        good=manager(say(b"Response: Success\r\nMessage: Originate successfully queued\r\n\r\n")),
        refusing=lambda text: manager(say(f"Response: Error\r\nMessage: {text}\r\n\r\n".encode())),
        protocol=AMI,
        can=frozenset({"tls", "secrets", "hangup"}),
        ref="gw-acme-o-1",
        logins={"plain": {"auth": "plain"}},
        secrets=(PASSWORD,),
    ),
    GUIDE: Dialect(
        settings=_pager_settings,
        good=say(b"OK 77\r\n"),
        refusing=lambda text: say(f"NO {text}\r\n".encode()),
        protocol=LINES,
        can=frozenset(),
    ),
}


def dialect(name: str) -> Dialect:
    assert name in DIALECTS, (
        f"the adapter {name!r} is registered but not in the compliance suite: add a Dialect for it to "
        "DIALECTS in tests/adapters/dialects.py (settings that reach a peer, its yes, its no, its protocol)"
    )
    return DIALECTS[name]


def adapter_class(name: str) -> Any:
    """The adapter's class: a registered one, or the one that docs/adapters.md shows."""
    return _guides_class() if name == GUIDE else load(name)


@cache
def _guides_class() -> Any:
    (source,) = re.findall(r"```python\n(.+?)```", GUIDES_PAGE.read_text(encoding="utf-8"), re.DOTALL)
    module = ModuleType("pager_of_the_guide")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    exec(compile(source, str(GUIDES_PAGE), "exec"), module.__dict__)
    return module.PagerAdapter


def make(name: str, address: str, **more: Any) -> Adapter:
    """An adapter called ``pabx`` that talks to ``address``, made from settings as a file has them."""
    cls = adapter_class(name)
    quick = {"connect_timeout_s": 0.5, "timeout_s": 0.5}
    settings = {**quick, **dialect(name).settings(address), **more}
    shape = cls.Config if name == GUIDE else config_class(name, settings)
    made: Adapter = cls(TypeAdapter(shape).validate_python(settings), name="pabx")
    return made
