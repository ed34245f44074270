"""What is pasted at an appliance: filled in as the appliance does it, it is a call in the log."""

import html
import json
import re
import urllib.request

import pytest

from adapters.presets.files import Catalogue
from tests.live.calls import fresh_number
from tests.live.conftest import LiveGateway

CATALOGUE = Catalogue()
TELLING = [name for name in CATALOGUE.names() if CATALOGUE.preset(name).events and not CATALOGUE.preset(name).webhook]
"""Those that request our listeners; webhooks are played in test_webhook_presets.py."""
SCRIPTED = {"asterisk-ami", "asterisk-ami-login", "asterisk-ari", "freepbx", "issabel", "kamailio"}
"""Their texts put the query together by themselves: test_asterisk.py and test_kamailio.py run them."""

PLACEHOLDERS = {
    "3501": (
        *("${ramal}", "$active_user", "$$SIPUSERNAME$$", "--A--SIPexten--B--", "<destination>"),
        *("$(fU{s.escape.param})", "RAMAL"),
    ),
    "sip:3501@10.0.0.5": ("$local",),
    "sip:{number}@10.0.0.5:5060": ("$remote",),
    "{number}": (
        *("${fone}", "$$REMOTENUMBER$$", "--A--phone_number--B--", "<origin>", "$(tU{s.escape.param})", "NUMERO"),
    ),
    "{number}-0.17": ("${uuid}", "$(ci{s.escape.param})"),
    "17": ("--A--talk_time--B--",),
    "SALE": ("--A--dispo--B--",),
    "2026-03-04%2010:15:00": ("DATAHORA",),
    "http://pbx/rec?id=10&fmt=wav": ("<recording>",),
}
"""What appliances put in place of their placeholders; none but these may be in a text."""


@pytest.fixture(scope="module")
def texts(gateway: LiveGateway) -> dict[str, str]:
    """Every text by preset and title, without its notes."""
    found: dict[str, str] = {}
    for block in gateway.cli("presets", "--events", "--address", gateway.url).split("=== ")[1:]:
        title, _, rest = block.partition("\n")
        found[title] = "\n".join(line for line in rest.splitlines() if not line.startswith("--- "))
    return found


def addresses(text: str, gateway: LiveGateway, number: str) -> list[str]:
    """The addresses in a text, as the appliance will request them."""
    for value, names in PLACEHOLDERS.items():
        for name in names:
            text = text.replace(name, value.format(number=number))
    found = re.findall(rf'{re.escape(gateway.url)}/wconnect/[^\s"]*', html.unescape(text))
    return [address.partition("</")[0] for address in found]


def test_every_text_names_the_companys_own_listeners(gateway: LiveGateway, texts: dict[str, str]) -> None:
    listener = f"{gateway.url}/wconnect/WConnect_WSDL_"
    for title, text in texts.items():
        assert not re.search(r"(?<!\$)\{[a-z]+_url\}", text), title
        for word in re.findall(r"\S*(?:ConsultaRamal|FinalizaLigacao)\.php", text):
            assert listener in word, title


def test_every_appliance_that_tells_of_calls_tells_of_their_start(gateway: LiveGateway, texts: dict[str, str]) -> None:
    for name in TELLING:
        own = "".join(text for title, text in texts.items() if title.startswith(f"{name}:"))
        assert f"{gateway.url}/wconnect/WConnect_WSDL_ConsultaRamal.php" in own, name


def test_what_each_appliance_will_request_is_one_call_in_the_log(gateway: LiveGateway, texts: dict[str, str]) -> None:
    numbers = {title: fresh_number() for title in texts if title.partition(":")[0] in set(TELLING) - SCRIPTED}
    for title, number in numbers.items():
        for address in addresses(texts[title], gateway, number):
            assert re.fullmatch(r"[\w/.?=&%:@+-]+", address), f"{title}: nobody is known to fill this in: {address}"
            with urllib.request.urlopen(address, timeout=10) as answer:
                assert answer.read().startswith(b"OK "), (title, address)
    logged = [json.loads(line) for line in gateway.cli("calls", "--format", "json").splitlines()]
    shown = {
        title: [call["extension"] for call in logged if call["number"] == number] for title, number in numbers.items()
    }
    assert shown == {title: ["3501"] for title in numbers}


def test_one_exchange_has_one_text_however_it_is_told_to_dial() -> None:
    for one, other in (("asterisk-ami", "asterisk-ari"), ("freeswitch-txtapi", "freeswitch-xmlrpc")):
        assert CATALOGUE.preset(one).events == CATALOGUE.preset(other).events


@pytest.mark.parametrize("name", ["asterisk-ami", "freepbx", "issabel"])
def test_no_variable_of_the_exchange_s_own_is_changed(name: str) -> None:
    """FreePBX decides by BLINDTRANSFER whether it records, and where a transferred call returns to."""
    texts = "\n".join(event.text for event in CATALOGUE.preset(name).events)
    changed = set(re.findall(r"Set\(_{0,2}([A-Z_]+)=", texts))
    assert changed
    assert {each for each in changed if not each.startswith("CTI_")} == set()
