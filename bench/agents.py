"""Agents who log in over HTTP, as people do; argon2 is slow on purpose, so a benchmark makes few of them."""

import re
import secrets
from dataclasses import dataclass

import requests

from bench.gateway_process import GatewayProcess

FIRST_EXTENSION = 3500
FORM_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Session:
    """An agent who is logged in: the extension, and the ``Cookie`` header that proves it."""

    extension: str
    cookie: str


def log_in_agents(gateway: GatewayProcess, count: int) -> list[Session]:
    """Add ``count`` agents, at extensions 3500 and up, and log each in."""
    return [_log_in(gateway, str(FIRST_EXTENSION + number)) for number in range(count)]


def _log_in(gateway: GatewayProcess, extension: str) -> Session:
    login, password = f"agent{extension}", secrets.token_urlsafe(12)
    gateway.cli("agent", "add", login, "--extension", extension, "--password-stdin", stdin=f"{password}\n")
    with requests.Session() as browser:
        page = browser.get(f"{gateway.url}/login", timeout=30)
        form = {"usuario": login, "senha": password, "csrf": _form_token(page.text)}
        browser.post(f"{gateway.url}/login", data=form, allow_redirects=False, timeout=30).raise_for_status()
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return Session(extension, cookie)


def _form_token(page: str) -> str:
    found = FORM_TOKEN.search(page)
    if not found:
        raise RuntimeError("the login page has no form")
    return found[1]
