"""Requests to the main gateway: what is sent, and what is said of each way in which no answer comes."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from requests.adapters import BaseAdapter

from gateway.errors import MainGatewayError
from gateway.onsite import connection
from gateway.onsite.connection import MainGateway
from gateway.onsite.settings import MainGatewaySettings

URL = "https://cti.example.com"
Answering = Callable[[requests.PreparedRequest], requests.Response]


class FakeAdapter(BaseAdapter):
    """Answers what ``requests`` would send."""

    def __init__(self, answering: Answering) -> None:
        super().__init__()
        self.answering = answering
        self.asked: list[tuple[requests.PreparedRequest, dict[str, Any]]] = []

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        self.asked.append((request, how))
        made = self.answering(request)
        made.request = request
        return made

    def close(self) -> None:
        pass


def response(body: bytes, status: int = 200, **headers: str) -> requests.Response:
    made = requests.Response()
    made.status_code, made.raw = status, io.BytesIO(body)
    made.headers.update(headers)
    return made


def main_gateway(answering: Answering, **settings: Any) -> tuple[MainGateway, FakeAdapter]:
    made = MainGateway(MainGatewaySettings(url=URL, key=SecretStr("ctis_k"), **settings), Path("/etc/cti"), lambda: 7)
    fake = FakeAdapter(answering)
    made._session.mount("https://", fake)
    return made, fake


def test_a_request_proves_itself_and_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    main, fake = main_gateway(lambda _request: response(b' \n{"turn": 3}'))
    assert main.ask("events", {"spool": "s"}, silence_s=15) == {"turn": 3}
    ((request, how),) = fake.asked
    assert (request.method, request.url) == ("POST", f"{URL}/onsite/v1/events")
    assert request.headers["Authorization"] == "Bearer ctis_k"
    assert json.loads(request.body or b"") == {"now": 7, "spool": "s"}
    assert (how["verify"], how["timeout"], how["stream"]) == (True, (10.0, 15), True)


def test_certificates_and_a_proxy_of_its_own_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://other:1")
    proxy = SecretStr("http://u:secret@proxy:3128")
    main, fake = main_gateway(lambda _request: response(b"{}"), ca_file="ca.pem", proxy=proxy)
    main.ask("hello", {})
    how = fake.asked[0][1]
    assert (how["verify"], how["proxies"]["https"]) == ("/etc/cti/ca.pem", "http://u:secret@proxy:3128")


def _raise(error: Exception) -> Answering:
    def answering(_request: requests.PreparedRequest) -> requests.Response:
        raise error

    return answering


@pytest.mark.parametrize(
    ("answering", "told", "status"),
    [
        (_raise(requests.exceptions.SSLError("secret")), "certificate", 0),
        (_raise(requests.exceptions.ProxyError("http://u:secret@proxy")), "proxy does not lead", 0),
        (_raise(requests.exceptions.ConnectTimeout("secret")), "does not answer", 0),
        (_raise(requests.exceptions.ConnectionError("secret")), "cannot be reached (ConnectionError)", 0),
        (_raise(OSError("secret")), "cannot be reached", 0),
        (lambda _request: response(b"<html>"), "no cti-gateway", 200),
        (lambda _request: response(b"", 404), "status 404", 404),
        (lambda _request: response(b"[]", 200), "no cti-gateway", 200),
        (lambda _request: response(b'{"error": 380, "detail": "not valid"}', 401), "not valid", 401),
        (lambda _request: response(b"{}", 302, Location="https://other/"), "https://other/", 302),
    ],
)
def test_why_no_answer_came_is_said_without_a_secret(answering: Answering, told: str, status: int) -> None:
    with pytest.raises(MainGatewayError) as raised:
        main_gateway(answering)[0].ask("hello", {})
    assert told in str(raised.value.text)
    assert "secret" not in str(raised.value)
    assert raised.value.status == status


def test_an_answer_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST_BYTES", 100_000)
    with pytest.raises(MainGatewayError) as raised:
        main_gateway(lambda _request: response(b" " * 200_000))[0].ask("hello", {})
    assert "does not end" in str(raised.value.text)
