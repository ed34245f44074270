"""Which requests open a screen, and whose sessions are looked up for them together."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from gateway.server.screen_openings import ScreenOpenings
from gateway.store.directory import Directory, token_hash


class Asked:
    """A directory that notes whose sessions it is asked for."""

    def __init__(self) -> None:
        self.hashes: set[str] = set()

    @contextmanager
    def looking_ahead(self, hashes: Collection[str]) -> Iterator[None]:
        self.hashes = set(hashes)
        yield


def request(path: str = "/events", method: str = "GET", **more: str) -> dict[str, Any]:
    return {"PATH_INFO": path, "REQUEST_METHOD": method, **more}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (request(), True),
        (request("/t/acme/events"), True),
        (request(HTTP_COOKIE="cti_session=abc"), True),
        (request(method="POST"), False),
        (request("/events/"), False),
        (request("/api/forwards/events"), False),
        (request(HTTP_AUTHORIZATION="Basic YTpi"), False),
    ],
)
def test_a_screen_is_a_browser_s_request_for_the_stream(environ: dict[str, Any], expected: bool) -> None:
    assert ScreenOpenings(cast(Directory, Asked())).is_meant(environ) is expected


def test_each_session_is_found_by_whatever_name_its_cookie_has() -> None:
    cookies = [
        "theme=dark; cti_session=abc-1_Z; other=1",
        "__Host-cti_session=two",
        "__Host-cti_session-acme=three; __Host-cti_panel-acme=four",
        "cti_login=form",
        "",
        "; ".join(f"cti_session=many{number}" for number in range(100)),
    ]
    directory = Asked()
    with ScreenOpenings(cast(Directory, directory)).ahead(
        [request(), *(request(HTTP_COOKIE=each) for each in cookies)]
    ):
        pass
    values = ["abc-1_Z", "two", "three", "four", *(f"many{number}" for number in range(4))]
    assert directory.hashes == {token_hash(value) for value in values}
