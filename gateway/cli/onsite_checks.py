"""What ``check`` says of a gateway on site: its configuration, its main gateway, its sources and appliances."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from gateway.adapter import Probe, defect_of
from gateway.cli.check_lines import print_line
from gateway.cli.speech import _, language, said
from gateway.clock import milliseconds
from gateway.errors import GatewayError
from gateway.onsite.connection import MainGateway
from gateway.onsite.settings import HERE, OnsiteSettings, load
from gateway.texts.text import Text

CLOCK_MS = 2_000
"""A difference of clocks from which on people are told."""


def check(path: Path) -> None:
    """Print one line for each thing; exit with 0 when all are well, with 1 otherwise."""
    try:
        settings = load(path)
        print_line(True, _("configuration"), str(path))
        good = _tell_main(settings, path.parent)
        for name, probe in _probes(settings):
            print_line(probe.ok, name, said(probe.text))
            good = good and probe.ok
    except GatewayError as error:
        for each in error.said(language()).splitlines():
            print_line(False, _("configuration"), each)
        sys.exit(1)
    sys.exit(0 if good else 1)


def _tell_main(settings: OnsiteSettings, base: Path) -> bool:
    """Ask the main gateway who this is, without a word of how this one is doing."""
    link = MainGateway(settings.main, base, milliseconds)
    try:
        asked = milliseconds()
        answer = link.ask("hello", {})
    except GatewayError as error:
        print_line(False, settings.main.url, error.said(language()))
        return False
    finally:
        link.close()
    print_line(True, settings.main.url, said(Text("site {site} of {tenant}", **_names(answer))))
    for name, text in _remarks(settings, answer, asked):
        print_line(None, name, said(text))
    return True


def _names(answer: Any) -> dict[str, str]:
    return {name: str(answer.get(name, ""))[:63] for name in ("site", "tenant")}


def _remarks(settings: OnsiteSettings, answer: Any, asked: int) -> Iterator[tuple[str, Text]]:
    now = answer.get("now")
    if isinstance(now, int) and abs(asked - now) > CLOCK_MS:
        seconds = format(round((asked - now) / 1000))
        yield settings.main.url, Text("its clock and this one differ by {seconds} s", seconds=seconds)
    wanted = answer.get("appliances")
    for name in wanted if isinstance(wanted, list) else ():
        if name not in settings.appliances:
            yield settings.main.url, Text("it has orders for the appliance {name!r}, which is not here", name=str(name))


def _probes(settings: OnsiteSettings) -> Iterator[tuple[str, Probe]]:
    """Probe sources and appliances side by side."""
    from gateway import event_source
    from gateway.server.adapters import appliances_alone
    from gateway.server.companies import tenants
    from gateway.server.event_sources import configured_source

    config = settings.as_config()
    company = config.tenants[HERE]
    domain = tenants(config)[HERE]
    peers: dict[str, Any] = {name: adapter for (_here, name), adapter in appliances_alone(config)[0].items()}
    sources: dict[str, event_source.EventSource] = {
        name: configured_source(HERE, name, each, company, domain).source for name, each in settings.sources.items()
    }
    named = [*peers.items(), *sources.items()]
    with ThreadPoolExecutor(max_workers=8) as pool:
        yield from zip((name for name, _peer in named), pool.map(_probe, (peer for _name, peer in named)), strict=True)


def _probe(peer: Any) -> Probe:
    try:
        found: Probe = peer.probe()
        return found
    except GatewayError as error:
        return Probe(False, error.whole)
    except Exception as error:
        return Probe(False, _("The probe failed by a defect of the adapter: {defect}.", defect=defect_of(error)))
