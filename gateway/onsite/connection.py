"""Requests of a gateway on site to its main gateway: small JSON documents over HTTPS, by the usual proxies."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests
from requests import PreparedRequest, Response

from gateway import __version__
from gateway.errors import MainGatewayError
from gateway.onsite.settings import MainGatewaySettings
from gateway.texts.text import Text

PATH = "/onsite/v1/"
CONNECT_S = 10.0
MOST_BYTES = 4 * 1024 * 1024
LONGEST_S = 60.0
"""An answer that is still coming after so long is given up, however often a byte of it comes."""
FOREIGN = Text("what answers there is no cti-gateway that knows gateways on site.")


class MainGateway:
    """One connection to the main gateway, for one thread at a time; it is made anew when it ended."""

    def __init__(self, settings: MainGatewaySettings, base: Path, clock: Callable[[], int]) -> None:
        """Take ``base``, from where the settings' files are seen."""
        self._settings, self._clock = settings, clock
        self._verify: str | bool = str(base / settings.ca_file) if settings.ca_file else True
        self._session = requests.Session()
        if settings.proxy:
            proxy = settings.proxy.get_secret_value()
            self._session.trust_env = False
            self._session.proxies = {"http": proxy, "https": proxy}

    def ask(self, verb: str, document: Mapping[str, Any], *, silence_s: float | None = None) -> Mapping[str, Any]:
        """Return the answer to ``document``; ``silence_s`` is how long no byte may come of it.

        Raises ``MainGatewayError``.
        """
        body = json.dumps({"now": self._clock(), **document}).encode()  # ASCII: texts may have halves of characters
        try:
            with self._sent(verb, body, silence_s or self._settings.timeout_s) as response:
                return _document(response, _read(response))
        except (requests.RequestException, OSError) as error:
            raise MainGatewayError(_why(error, self._settings)) from None

    def close(self) -> None:
        """Let go of the connection."""
        with suppress(Exception):
            self._session.close()

    def _sent(self, verb: str, body: bytes, silence_s: float) -> Response:
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"cti-gateway-onsite/{__version__}",
        }
        return self._session.post(
            f"{self._settings.url}{PATH}{verb}",
            data=body,
            headers=headers,
            auth=self._prove,  # also keeps requests from a login of ~/.netrc
            timeout=(CONNECT_S, silence_s),
            allow_redirects=False,
            verify=self._verify,
            stream=True,
        )

    def _prove(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._settings.key.get_secret_value()}"
        return request


def _read(response: Response) -> bytes:
    ends, body = time.monotonic() + LONGEST_S, bytearray()
    for part in response.iter_content(65536):
        body += part
        if len(body) > MOST_BYTES or time.monotonic() > ends:
            response.close()
            raise MainGatewayError(Text("its answer does not end."))
    return bytes(body)


def _document(response: Response, body: bytes) -> Mapping[str, Any]:
    """Return the answer. Raises ``MainGatewayError`` where it is none, or a refusal."""
    status = response.status_code
    if response.is_redirect:
        location = response.headers.get("Location", "")[:200]
        raise MainGatewayError(Text("it says that its address is {url}.", url=location), status=status)
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise MainGatewayError(Text("status {status}: {why}", status=status, why=FOREIGN), status=status)
    if status != requests.codes.ok:
        raise MainGatewayError(str(found.get("detail", ""))[:500] or FOREIGN, status=status)
    return found


def _why(error: Exception, settings: MainGatewaySettings) -> Text:
    """Return why no answer came; the library's own words go no further, for they may hold a proxy's password."""
    url = settings.url
    if isinstance(error, requests.exceptions.SSLError):
        return Text("the certificate of {url} cannot be verified.", url=url)
    if isinstance(error, requests.exceptions.ProxyError):
        return Text("the proxy does not lead to {url}.", url=url)
    if isinstance(error, requests.exceptions.Timeout):
        return Text("{url} does not answer.", url=url)
    return Text("{url} cannot be reached ({reason}).", url=url, reason=type(error).__name__)
