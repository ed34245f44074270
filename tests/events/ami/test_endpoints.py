"""What the settings of a source say of endpoints: phones with other names, trunks with the names of phones."""

import re

from gateway.events.ami.endpoints import ChannelKind, EndpointRules


def test_a_pattern_says_which_endpoints_are_phones() -> None:
    """FreePBX gives the phone in a browser two digits more."""
    rules = EndpointRules(re.compile(r"(?:99)?(\d{4})"))
    assert rules.read("PJSIP/993501-0000001a").extension == "3501"
    assert rules.read("PJSIP/3501-0000001a").extension == "3501"
    assert rules.read("PJSIP/501-0000001a").kind is ChannelKind.TRUNK


def test_a_pattern_without_a_group_takes_the_whole_name() -> None:
    assert EndpointRules(re.compile(r"\d{4}")).read("PJSIP/3501-1").extension == "3501"


def test_single_endpoints_have_an_extension_of_their_own() -> None:
    rules = EndpointRules(endpoints={"ana": "3501", "DAHDI/5": "3510"})
    assert rules.read("PJSIP/ana-0000001a").extension == "3501"
    assert rules.read("DAHDI/5-1").extension == "3510"
    assert rules.read("PJSIP/5-1").kind is ChannelKind.TRUNK


def test_a_trunk_may_be_called_like_a_phone() -> None:
    rules = EndpointRules(trunks=frozenset(["4000", "SIP/4001"]))
    assert rules.read("PJSIP/4000-0000001a").kind is ChannelKind.TRUNK
    assert rules.read("SIP/4001-0000001a").kind is ChannelKind.TRUNK
    assert rules.read("PJSIP/4001-0000001a").extension == "4001"


def test_the_company_says_what_its_extensions_are() -> None:
    rules = EndpointRules(is_extension=lambda name: name == "21")
    assert rules.read("PJSIP/21-0000001a").extension == "21"
    assert rules.read("PJSIP/3501-0000001a").kind is ChannelKind.TRUNK
