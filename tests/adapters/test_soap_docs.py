"""The samples in docs/soap.md are settings that the adapter takes."""

import re
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.dialects import DIAL
from tests.adapters.field import FOREIGN, SOAP_11, envelope, foreign, head_and_body, soap

PAGE = (Path(__file__).parents[2] / "docs" / "soap.md").read_text(encoding="utf-8")
SAMPLES = re.findall(r"```toml\n(.+?)```", PAGE, re.DOTALL)
APPLIANCES: dict[str, dict[str, Any]] = {}
for _sample in SAMPLES:
    if _sample.startswith("[tenants.acme.appliances."):
        APPLIANCES |= tomllib.loads(_sample)["tenants"]["acme"]["appliances"]
HEADERS = [part for sample in SAMPLES if sample.startswith("header =") for part in sample.split("# or\n")]


@pytest.mark.parametrize("name", APPLIANCES)
def test_every_sample_appliance_makes_its_request(name: str) -> None:
    settings = {key: value for key, value in APPLIANCES[name].items() if key != "adapter"}
    if "wsdl" in settings:
        (vendors,) = [str(path.relative_to(FOREIGN)) for path in FOREIGN.rglob(settings["wsdl"])] or [settings["wsdl"]]
        settings["wsdl"] = foreign(vendors)
    with closing(soap(**settings)) as speaking:
        assert b"04799998888" in speaking.preview(DIAL)[0].data


@pytest.mark.parametrize("sample", HEADERS)
def test_every_sample_header_carries_the_session(sample: str) -> None:
    settings = {"envelope": envelope("<a/>"), "address": "http://pabx/", "secrets": {"session": "s-1"}}
    with closing(soap(**settings, **tomllib.loads(sample))) as speaking:
        header = head_and_body(speaking)[1].find(f"{{{SOAP_11}}}Header")
    assert [block.text for block in header] == ["s-1"]


def test_the_page_has_samples_of_both_kinds() -> None:
    assert (len(APPLIANCES), len(HEADERS)) == (2, 2)
