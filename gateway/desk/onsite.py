"""How the gateways on site are doing, for the page of appliances."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictInt, ValidationError

from gateway.desk.context import Visit
from gateway.store.event_sources import SourceStanding, SourceState
from gateway.store.onsite.sites import OnsiteSite
from gateway.texts.packing import unpack

CLOCKS_DIFFER_MS = 10_000
"""A difference of clocks from which on people are told; it is put right all the same."""
LAST_MOMENT = 253_370_764_800_000
"""The year 9999: no later moment can be shown as a date."""


class ToldSource(BaseModel):
    """What of a source's standing the page shows, as the site wrote it; the rest may be of any version."""

    state: SourceState
    since: Annotated[StrictInt, Field(ge=0, le=LAST_MOMENT)]
    problem: str | None = None
    title: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class ShownSiteSource:
    """A source of a site, as the site last told of it."""

    name: str
    title: str
    kind: str
    standing: SourceStanding

    @property
    def is_heard(self) -> bool:
        """Whether the site heard it then."""
        return self.standing.state is SourceState.CONNECTED


@dataclass(frozen=True, slots=True)
class ShownSite:
    """A gateway on site as the page shows it."""

    site: OnsiteSite
    is_connected: bool
    sources: Sequence[ShownSiteSource]

    @property
    def waiting(self) -> int:
        """Events in its spool when it was last heard of."""
        return _count(self.site.status.get("waiting"))

    @property
    def refused(self) -> int:
        """Events that could never be written down."""
        return _count(self.site.status.get("refused"))

    @property
    def is_full(self) -> bool:
        """Whether its spool took no more."""
        return self.site.status.get("is_full") is True

    @property
    def clock_s(self) -> int | None:
        """By how many seconds its clock differs, where that is much."""
        ahead_ms = self.site.ahead_ms or 0
        return round(abs(ahead_ms) / 1000) if abs(ahead_ms) > CLOCKS_DIFFER_MS else None


def onsite_sites(visit: Visit) -> Sequence[ShownSite]:
    """Return the company's gateways on site, by name."""
    sites = visit.services.onsite_sites
    if sites is None:
        return ()
    return [ShownSite(site, site.is_connected(visit.at), list(_sources(site))) for site in sites.all(visit.tenant)]


def _sources(site: OnsiteSite) -> Iterator[ShownSiteSource]:
    """Yield what a site told of its sources; what reads as nothing is left out."""
    listed = site.status.get("sources")
    for name, each in listed.items() if isinstance(listed, Mapping) else ():
        if told := _told(each):
            problem = unpack(told.problem, words="") if told.problem else None
            standing = SourceStanding(told.state, told.since, problem)
            yield ShownSiteSource(str(name), told.title or str(name), told.kind, standing)


def _told(each: Any) -> ToldSource | None:
    try:
        return ToldSource.model_validate(each)
    except ValidationError:  # of another version, or of no gateway at all
        return None


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0
