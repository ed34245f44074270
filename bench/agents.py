"""Agents who log in over HTTP, as people do; argon2 is slow on purpose, so of many the sessions are written down."""

import hashlib
import re
import secrets
import sqlite3
import time
from contextlib import closing
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


def write_sessions(gateway: GatewayProcess, count: int, *, first: int = 100_000) -> list[Session]:
    """Write ``count`` agents, at extensions ``first`` and up, and a session of each into the database (SQLite)."""
    now = time.time_ns() // 1_000_000
    made = [Session(str(first + number), secrets.token_urlsafe(32)) for number in range(count)]
    with closing(sqlite3.connect(gateway.folder / "data" / "gateway.db", timeout=30)) as database, database:
        for each in made:
            row = ("bench", f"agent{each.extension}", each.extension, each.extension, "", now, "agent")
            added = database.execute(
                "INSERT INTO agents (tenant, login, name, extension, password_hash, created_at, role)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            hashed = hashlib.sha256(each.cookie.encode()).hexdigest()
            database.execute(
                "INSERT INTO sessions (token_hash, agent_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
                (hashed, added.lastrowid, now, now + 12 * 3600 * 1000),
            )
    return [Session(each.extension, f"cti_session={each.cookie}") for each in made]


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
