"""How the server is set up, as far as it can be told without starting one."""

import pytest

from gateway.server.serve import split_address, url_of


@pytest.mark.parametrize(
    ("listen", "address", "url"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080), "http://127.0.0.1:8080"),
        ("0.0.0.0:80", ("0.0.0.0", 80), "http://127.0.0.1:80"),
        ("[::1]:8080", ("::1", 8080), "http://[::1]:8080"),
    ],
)
def test_an_address_is_split_and_shown_as_people_type_it(listen: str, address: tuple[str, int], url: str) -> None:
    assert split_address(listen) == address
    assert url_of(*address) == url
