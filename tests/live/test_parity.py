"""The harness of tests/parity over our own WSDLs, and over the vendors' where they lie beside this repository."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.dialects import DIAL
from tests.adapters.envelopes import body_of
from tests.adapters.field import FOREIGN, soap
from tests.parity.__main__ import files, main
from tests.parity.compare import Compared, compare
from tests.parity.known import WRONG, known, unjustified
from tests.parity.php import Php
from tests.parity.serving import arrival
from tests.peers import need_php

ROOT = Path(__file__).parents[2]
OWN = (ROOT / "tests", ROOT / "wsdl", ROOT / "gateway")
LOGIN = {"key": "k", "user": "u", "site": "<7>", "client": [{"local": True, "name": "a"}, {"name": "b"}]}
VENDORS = (FOREIGN, FOREIGN.parent / "field" / "wsdl")


@pytest.fixture(scope="module")
def php() -> Iterator[Php]:
    with Php(need_php("soap", package="php-soap")) as running:
        yield running


@pytest.fixture(scope="module")
def own(php: Php) -> list[Compared]:
    return [compare(path, php) for path in files(map(str, OWN))]


def wrong(compared: list[Compared]) -> list[str]:
    justified = known()
    return [
        f"{each.path.name}: {verdict.kind}: {verdict.operation}: {verdict.why}"
        for each in compared
        for verdict in unjustified(each, justified)
    ]


def test_our_wsdls_make_the_envelopes_that_php_makes(own: list[Compared]) -> None:
    assert wrong(own) == []
    assert sum(verdict.kind == "equal" for each in own for verdict in each.verdicts) > 30, (
        "PHP compared hardly anything"
    )


def test_the_vendors_wsdls_make_the_envelopes_that_php_makes(php: Php) -> None:
    """82 files of PHP's own suite (SOAPBuilders' rounds 2 to 4), Cisco's and Parlay X's."""
    if not all(folder.is_dir() for folder in VENDORS):
        pytest.skip(f"no foreign WSDLs beside this repository ({FOREIGN})")
    compared = [compare(path, php) for path in files(map(str, VENDORS))]
    assert wrong(compared) == []
    found = Counter(verdict.kind for each in compared for verdict in each.verdicts)
    assert found["equal"] >= 220
    assert found["refused"] <= 3 + 1  # and one of a field file whose type is described nowhere
    assert [each.path.name for each in compared if each.we_refuse and not each.php_refuses] == []


def test_a_php_server_reads_from_our_envelopes_what_was_given(own: list[Compared], php: Php) -> None:
    """Where our envelope differs from PHP's on purpose, its server may differ too (see known.toml)."""
    came = [
        (each.path.name, arrival(each.path, verdict, php))
        for each in own
        for verdict in each.verdicts
        if verdict.kind == "equal"
    ]
    assert [found for found in came if found[1].kind not in ("arrived", "as PHP's")] == []
    assert sum(found.kind == "arrived" for _, found in came) > 30


def test_blocks_of_the_header_that_a_wsdl_describes_are_those_that_php_makes(php: Php) -> None:
    wsdl = str(ROOT / "tests/adapters/field_wsdl/header-blocks.wsdl")
    blocks: dict[str, Any] = {"Session": "s<1>", "Login": LOGIN}
    headers = [["urn:pbx", name, value] for name, value in blocks.items()]
    answer = php.ask(wsdl=wsdl, calls=[["Dial", [{"to": "1"}], 1]], headers=headers)
    ((envelope, _),) = answer["calls"]
    with closing(soap(wsdl=wsdl, operation="Dial", arguments={"to": "1"}, header=blocks)) as speaking:
        ours = speaking.preview(DIAL)[0].data.partition(b"\r\n\r\n")[2]
    assert body_of(ours, "Header") == body_of(envelope, "Header")
    assert body_of(ours) == body_of(envelope)


def test_a_new_difference_ends_the_harness_with_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    need_php("soap", package="php-soap")
    sample = (ROOT / "tests/adapters/field_wsdl/one-way.wsdl").read_text()
    (tmp_path / "same.wsdl").write_text(sample)
    assert main(["--server", str(tmp_path)]) == 0
    assert "1 equal" in capsys.readouterr().out
    # A member whose type nothing describes: PHP guesses. It is known; without the list it would be new.
    (tmp_path / "other.wsdl").write_text(sample.replace('name="to" type="xs:string"', 'name="to" type="tns:Gone"'))
    assert main([str(tmp_path)]) == 0
    monkeypatch.setattr("tests.parity.__main__.known", list)
    assert main([str(tmp_path)]) == 1
    assert "refused: Dial: " in capsys.readouterr().out


def test_every_entry_of_the_list_has_a_reason_and_a_kind() -> None:
    assert all(len(entry.reason) > 30 and entry.kind in WRONG for entry in known())
