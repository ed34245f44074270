"""Appliances that dial when a URL is requested: PBX software, providers, desk phones."""

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from adapters.http.answers import AnswerRule, Pattern
from adapters.http.client import HttpAnswer, HttpRequest, Peer
from adapters.http.one_request import OneRequest
from adapters.http.outcomes import Failed
from adapters.http.settings import HttpConfig, is_line, origin_of
from adapters.http.templates import Template, escape_for, for_url
from gateway.adapter import Delivery, Outcome, Outgoing, Probe
from gateway.errors import AdapterError
from gateway.texts.text import Text

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNFIT = re.compile(r"[^!-~]+")
_CLIMBS = re.compile(r"[^?#]*/(?:\.|%2e){1,2}(?:[/?#]|$)", re.IGNORECASE)
"""A step ``.`` or ``..`` in the path, which whoever reads it takes for the one above."""


@dataclass(frozen=True, kw_only=True)
class UrlConfig(HttpConfig):
    """``url`` and ``body`` are templates; values in them are escaped for where they stand."""

    url: str = field(metadata={"help": "The URL to request; scheme and host written out, the rest a template."})
    success: Pattern = field(metadata={"help": "Pattern that the answer of a success contains."})
    method: Literal["GET", "POST"] = field(default="GET", metadata={"help": "GET or POST."})
    body: str = field(default="", metadata={"help": "Template of the body of a POST."})
    content_type: str = field(
        default="application/x-www-form-urlencoded",
        metadata={"help": "The body's media type; it decides how values in the body are escaped."},
    )
    success_status: tuple[int, int] = field(
        default=(200, 299), metadata={"help": "First and last HTTP status that may be a success."}
    )
    refused: Pattern = field(default="", metadata={"help": "Pattern that the answer of a refusal contains."})
    probe_url: str = field(
        default="",
        metadata={"help": "A URL that rings nobody, requested to see whether the peer is there."},
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.success:
            raise ValueError(Text("success must not be empty: most appliances answer 200 to anything"))
        if self.method == "GET" and self.body:
            raise ValueError(Text('a body needs method = "POST"'))
        if not is_line(self.content_type):
            raise ValueError(Text("content_type has forbidden characters"))


class UrlAdapter(OneRequest):
    """Requests one URL for each message and reads the answer's text by rules.

    A rule for success is required: Asterisk's manager (20.20.1) and most providers answer 200 whatever happened.
    """

    Config: ClassVar[type[Any]] = UrlConfig

    def __init__(self, config: UrlConfig, *, name: str) -> None:
        """Compile the templates. Raises ``AdapterError`` when one cannot be used."""
        self._config = config
        self.longest_s = config.timeout_s
        self._origin = origin_of(config.url)
        self._url = Template(config.url.strip(), escape=for_url, secrets=config.secrets, place="url")
        self._body = Template(config.body, escape=escape_for(config.content_type), secrets=config.secrets, place="body")
        self._rule = AnswerRule(config.success, config.refused)
        self._peer = Peer(config, name=name)
        if config.probe_url:
            origin_of(config.probe_url)

    def probe(self) -> Probe:
        """Request ``probe_url``, which must answer 2xx; without one the path ``/``, which may answer anything."""
        if not self._config.probe_url:
            return self._peer.look(HttpRequest("GET", f"{self._origin}/"))
        try:
            answer = self._peer.exchange(HttpRequest("GET", self._config.probe_url))
        except Failed as failed:
            return self._peer.unfit(self._config.probe_url, failed.reason, failed.code)
        return self._peer.probe(200 <= answer.status < 300, self._peer.status_reason(answer))

    def _request(self, message: Outgoing) -> HttpRequest:
        url = as_written(self._url.render(message), self._origin)
        if self._config.method == "GET":
            return HttpRequest("GET", url)
        headers = {"Content-Type": self._config.content_type}
        return HttpRequest("POST", url, headers, self._body.render(message).encode())

    def _judge(self, answer: HttpAnswer) -> Delivery:
        first, last = self._config.success_status
        verdict = self._rule.judge(answer.text)
        if first <= answer.status <= last or verdict.outcome is Outcome.REFUSED:
            return self._peer.judged(verdict)
        return self._peer.by_status(answer)


def as_written(url: str, origin: str) -> str:
    """Return the rendered URL as it goes out: only what no request line can hold is encoded.

    Raises ``AdapterError`` when values made it leave its host or climb in its path.
    """
    behind = url[len(origin) :]
    if not url.startswith(origin) or behind[:1] not in ("", "/", "?"):
        raise AdapterError(Text("the values would change the URL's host"))
    if _CLIMBS.match(behind):
        raise AdapterError(Text("the values would change the URL's path"))
    if _CONTROL.search(url):
        raise AdapterError(Text("the URL has control characters, which are never sent"))
    return _UNFIT.sub(lambda found: quote(found[0], safe=""), url)
