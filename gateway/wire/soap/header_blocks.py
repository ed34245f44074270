"""Header blocks that a client wants understood (``mustUnderstand``): this gateway understands none.

Which blocks are meant for it, the last receiver: SOAP 1.1, 4.2.2 and 4.2.3; SOAP 1.2 part 1, 2.2 and 5.2.
"""

from collections.abc import Iterator
from typing import Any

import structlog

from gateway.errors import MalformedRequest, NotUnderstood
from gateway.wire.sites import Site
from gateway.wire.soap.envelopes import SOAP_11, SOAP_12
from gateway.wire.transport import Environ

log = structlog.get_logger()
ADDRESSEE = {SOAP_11: "actor", SOAP_12: "role"}
OURS = {
    SOAP_11: frozenset(("", "http://schemas.xmlsoap.org/soap/actor/next")),
    SOAP_12: frozenset(("", f"{SOAP_12}/role/next", f"{SOAP_12}/role/ultimateReceiver")),
}
"""The values of actor and role that mean whoever receives the message, or receives it last; without one, the last."""
BOOLEANS = {"1": True, "true": True, "0": False, "false": False}
MOST_TOLD = 200
"""Blocks that the log is told of: their names come from strangers."""


class HeaderBlocks:
    """What one endpoint does with blocks that it would have to understand, as the company has it set."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def look(self, envelope: Any, version: str, environ: Environ, site: Site) -> None:
        """Tell the log of them, each block of a company once; or refuse them.

        Raises ``NotUnderstood``, and ``MalformedRequest`` for a ``mustUnderstand`` that is no boolean, where the
        company's ``must_understand`` is ``refuse``.
        """
        if not len(envelope) or envelope[0].tag != f"{{{version}}}Header":
            return
        if site.dialect.refuses_headers:
            if names := [block.tag for block, must in demanding(envelope[0], version) if checked(must)]:
                raise NotUnderstood(names)
        else:
            self._tolerate([block.tag for block, _ in demanding(envelope[0], version)], environ, site)

    def _tolerate(self, names: list[str], environ: Environ, site: Site) -> None:
        for name in (name[:200] for name in names):
            if (site.name, name) not in self._told and len(self._told) < MOST_TOLD:
                self._told.add((site.name, name))
                log.info("header_not_understood", tenant=site.name, header=name, client=environ.get("cti.client"))


def demanding(header: Any, version: str) -> Iterator[tuple[Any, str]]:
    """Yield the blocks for this receiver whose ``mustUnderstand`` is not false, with its value."""
    for block in header:
        must = block.get(f"{{{version}}}mustUnderstand", "0").strip()
        addressee = block.get(f"{{{version}}}{ADDRESSEE[version]}", "").strip()
        if BOOLEANS.get(must, True) and addressee in OURS[version]:
            yield block, must


def checked(must: str) -> bool:
    """Return ``must``, which is not false, as a boolean. Raises ``MalformedRequest`` for what is none."""
    if must not in BOOLEANS:
        raise MalformedRequest(f"mustUnderstand veio como {must[:40]!r}; esperado 1, true, 0 ou false.")
    return BOOLEANS[must]
