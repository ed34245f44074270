"""Looking at an appliance whose extensions are phones, each at an address of its own: ``check`` asks them all."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from adapters.http.client import HttpRequest, Peer
from adapters.presets.schema import Preset
from gateway.adapter import Probe
from gateway.texts.text import Text, counted

AT_ONCE = 8
MOST = 64
"""Phones that one check asks; switched off they cost a connect timeout each."""
NAMED = 5


def has_phones(preset: Preset) -> bool:
    """Return whether each extension has an address of its own."""
    return any(field.host for field in preset.origin.values())


def phones_of(preset: Preset, origins: Mapping[str, Mapping[str, Any]]) -> Mapping[str, str]:
    """Return the address of each extension's phone that stands in ``origins``."""
    scheme = "https" if (preset.address or preset.dialling[0].where).startswith("https") else "http"
    names = [name for name, field in preset.origin.items() if field.host]
    return {
        extension: f"{scheme}://{row[name]}/" for extension, row in origins.items() for name in names if name in row
    }


def look_at(peer: Peer, phones: Mapping[str, str]) -> Probe:
    """Check whether every phone (extension → address with its scheme) answers and takes the login; it rings nobody."""
    asked = dict(list(phones.items())[:MOST])
    if not asked:
        return peer.probe(False, Text("no extension has a phone in origins"))
    with ThreadPoolExecutor(min(AT_ONCE, len(asked)), thread_name_prefix="phones") as pool:
        probes = dict(zip(asked, pool.map(lambda url: peer.look(HttpRequest("GET", url)), asked.values()), strict=True))
    absent = {extension: probe for extension, probe in probes.items() if not probe.ok}
    if absent:
        first = next(iter(absent.values()))
        return Probe(False, _faulty(first, absent, len(asked)))
    if len(phones) > MOST:
        rest = len(phones) - MOST
        return peer.probe(
            True, Text("{asked} phones answer, the other {rest} were not looked at", asked=len(asked), rest=rest)
        )
    return peer.probe(True, counted("{count} phone answers", "{count} phones answer", count=len(asked)))


def _faulty(first: Probe, absent: Collection[str], asked: int) -> Text:
    named = ", ".join(list(absent)[:NAMED]) + (" …" if len(absent) > NAMED else "")
    return Text(
        "{first} Phones with a problem: {absent} of {asked}, extensions {named}.",
        first=first.text,
        absent=len(absent),
        asked=asked,
        named=named,
    )
