"""A gateway on site, joined and run: sources and appliances here, the main gateway at the other end."""

import fcntl
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from gateway import __version__
from gateway.clock import milliseconds
from gateway.errors import ConfigError, MainGatewayError
from gateway.events.runner import SourceTools
from gateway.events.sources import ConfiguredSource, EventSources
from gateway.handlers import Core
from gateway.onsite.attempts import AttemptLoop
from gateway.onsite.connection import MainGateway
from gateway.onsite.events import SpooledEvents
from gateway.onsite.orders import SILENCE_S, OnsiteDialler
from gateway.onsite.settings import HERE, OnsiteSettings
from gateway.orders.appliance_queue import ApplianceQueue
from gateway.server.adapters import appliances_alone
from gateway.server.companies import tenants
from gateway.server.event_sources import configured_source
from gateway.store.event_sources import SourceKey, SourceStanding, row_of
from gateway.store.onsite.shown_orders import shown_orders
from gateway.store.onsite.site_file import SiteFile
from gateway.store.private_files import make_folder, open_private
from gateway.store.spool.file import Spool, SpoolRoom
from gateway.texts.text import Text

log = structlog.get_logger()

LOCK = "onsite.lock"
MEBIBYTE = 1024 * 1024
HOUR_MS = 3_600_000
TELL_EVERY_S = 2.0
"""How often it is looked whether the main gateway should know of something before it is asked for orders again."""
CHANGING = ("seen_at", "complete_until", "told", "told_at", "memory")
"""What changes with every event: no news of how a source is doing."""
JOIN_S = 2.0


class OnlyHere:
    """The lease of a source: no other process has one here, for the folder is locked."""

    token = 1

    def held(self) -> bool:
        return True

    def release(self) -> None:
        pass


class OnsiteProgram:
    """Everything of one gateway on site. ``start`` it and ``stop`` it."""

    def __init__(self, settings: OnsiteSettings, data: Path, base: Path) -> None:
        """Take the folder ``data``, made if it is missing, and ``base``, from where files of the settings are seen.

        Raises ``ConfigError``, also where another process runs on this folder.
        """
        make_folder(data)
        self._lock = _locked(data)
        self._settings = settings
        self._stop = threading.Event()
        connect = partial(MainGateway, settings.main, base, milliseconds)
        self._links = {name: connect() for name in ("events", "orders", "answers", "take", "hello")}
        room = SpoolRoom(round(settings.spool_mb * MEBIBYTE), round(settings.spool_hours * HOUR_MS))
        self._spool = Spool(data, "onsite", room)
        self._file = SiteFile(data)
        self._events = SpooledEvents(self._spool, self._links["events"])
        self._dialler = OnsiteDialler(queues_of(settings), self._file, self._links["take"], milliseconds)
        self.sources = self._sources(settings)
        self._told: Any = None
        self._attempts = [
            AttemptLoop("events", self._events.bring, self._stop),
            AttemptLoop("orders", self._fetch, self._stop),
            AttemptLoop("answers", self._answer, self._stop),
            AttemptLoop("hello", self._say_hello, self._stop),
        ]

    def start(self) -> None:
        """Begin to hear, to bring and to fetch."""
        self.sources.start()
        for each in self._attempts:
            each.start()

    def stop(self) -> None:
        """End: what was heard is on the disk, what is being dialled is waited for and answered if possible."""
        self._stop.set()
        self.sources.stop()
        self._dialler.stop()
        self._events.wake()
        self._dialler.answered.set()
        ended = [each.join(JOIN_S) for each in self._attempts]
        if all(ended):
            self._bring_last()
        for link in self._links.values():
            link.close()
        self._spool.close()
        self._file.close()
        os.close(self._lock)

    def _bring_last(self) -> None:
        """Bring what came of orders that were still dialled; what is not taken is brought after the next start."""
        with suppress(MainGatewayError):
            self._dialler.bring_answers(self._links["answers"], 0)

    def status(self) -> Mapping[str, Any]:
        """Return what the main gateway is told of this one."""
        now = milliseconds()
        return {
            "version": __version__,
            "waiting": self._spool.waiting(),
            "refused": self._spool.refused(),
            "is_full": not self._spool.has_room(now),
            "sources": {name: self._told_of(name, standing) for (_here, name), standing in self._standings().items()},
            "appliances": self._dialler.status(),
        }

    def _standings(self) -> Mapping[SourceKey, SourceStanding]:
        known = self._file.all()
        return {key: known.get(key, SourceStanding()) for key in self.sources.configured}

    def _told_of(self, name: str, standing: SourceStanding) -> Mapping[str, Any]:
        settings = self._settings.sources[name]
        row = {key: value for key, value in row_of((HERE, name), standing).items() if key not in ("memory", "tenant")}
        return {**row, "kind": settings.kind, "title": settings.title or name}

    def _sources(self, settings: OnsiteSettings) -> EventSources:
        config = settings.as_config()
        companies = tenants(config)
        core = Core(companies, _NoJournal(), _NoDialler())
        company = config.tenants[HERE]
        configured: dict[SourceKey, ConfiguredSource] = {
            (HERE, name): configured_source(HERE, name, source, company, companies[HERE])
            for name, source in settings.sources.items()
        }
        tools = SourceTools(core=core, hand_in=self._events.hand_in, holder=str(os.getpid()))
        return EventSources(configured, lambda _name: OnlyHere(), self._file, tools)

    def _fetch(self) -> None:
        """Ask for orders once: it is answered when there is one, or after a while."""
        asked = {"status": self.status(), "instance": self._spool.name}
        answer = self._links["orders"].ask("orders", asked, silence_s=SILENCE_S)
        self._dialler.show(shown_orders(answer))
        self._stop.wait(0.05)  # what finds no thread is shown again at once

    def _answer(self) -> None:
        self._dialler.bring_answers(self._links["answers"], 1.0)

    def _say_hello(self) -> None:
        """Say how things are, at the beginning and whenever that has changed."""
        status = self.status()
        news = _news(status)
        if news == self._told:
            self._stop.wait(TELL_EVERY_S)
            return
        answer = self._links["hello"].ask("hello", {"status": status})
        if self._told is None:
            log.info("onsite_connected", tenant=str(answer.get("tenant"))[:63], site=str(answer.get("site"))[:63])
            self._warn_of_missing(answer.get("appliances"))
        self._told = news

    def _warn_of_missing(self, wanted: Any) -> None:
        for name in wanted if isinstance(wanted, list) else ():
            if name not in self._settings.appliances:
                log.warning("onsite_appliance_missing", appliance=str(name)[:255])


def queues_of(settings: OnsiteSettings) -> Mapping[str, ApplianceQueue]:
    """Return the appliances of a site, each with its limits and its circuit breaker. Raises ``ConfigError``."""
    made, rules = appliances_alone(settings.as_config())
    return {name: ApplianceQueue(here, name, adapter, rules[here, name]) for (here, name), adapter in made.items()}


def run(settings: OnsiteSettings, data: Path, base: Path, stop: threading.Event) -> None:
    """Run a gateway on site until ``stop`` is set. Raises ``ConfigError``."""
    program = OnsiteProgram(settings, data, base)
    program.start()
    counts = {"sources": len(settings.sources), "appliances": len(settings.appliances)}
    log.info("onsite_started", main=settings.main.url, **counts)
    try:
        while not stop.wait(0.5):  # a wait without an end would keep signals from Python
            pass
    finally:
        program.stop()
        log.info("onsite_stopped")


class _NoJournal:
    """Stands where a source's own writer comes: nothing else writes here."""

    def write(self, draft: Any, *, within_s: float | None = None) -> Any:
        raise NotImplementedError


class _NoDialler:
    """Stands where orders are dialled on a main gateway."""

    def admitted(self, draft: Any) -> Any:
        raise NotImplementedError

    def dial(self, order: Any, draft: Any) -> Any:
        raise NotImplementedError

    def hang_up(self, tenant: str, call_id: int) -> Any:
        raise NotImplementedError


def _news(status: Mapping[str, Any]) -> Any:
    """Return what of a status people should know of at once."""
    sources = {
        name: {key: value for key, value in each.items() if key not in CHANGING}
        for name, each in status["sources"].items()
    }
    return sources, status["is_full"], status["refused"], status["appliances"]


def _locked(data: Path) -> int:
    lock = open_private(data / LOCK)
    ends = time.monotonic() + 1.0
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > ends:
                os.close(lock)
                raise ConfigError(
                    Text("a gateway on site runs on {folder} already.", folder=str(data)),
                    hint=Text("Stop it, or give this one another folder: data = ..."),
                ) from None
            time.sleep(0.1)
