"""How the server is set up, as far as it can be told without starting one."""

import os
import subprocess
import sys

import pytest

from gateway.serve import split_address, url_of


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


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot keep a process on a processor")
def test_each_worker_stays_on_one_of_the_processors_that_are_allowed() -> None:
    code = (
        "import os; from gateway.serve import _pin; allowed = sorted(os.sched_getaffinity(0)); "
        "_pin(2); now = os.sched_getaffinity(0); print(now == {allowed[1 % len(allowed)]})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "True"
