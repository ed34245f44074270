"""The page of appliances shows how each source is doing that the gateway goes and gets."""

from dataclasses import replace

import pytest
from werkzeug.test import Client

from gateway.config.sources import EventSourceSettings
from gateway.config.tables import Config, TenantSettings
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from gateway.domain.roles import Role
from gateway.events.lines.settings import LineSourceConfig
from gateway.logins.passwords import hash_password
from gateway.store.directory import Agent
from gateway.store.event_sources import Gap, SourceBook, SourceStanding, SourceState
from gateway.texts.text import Text
from tests.desk.conftest import PASSWORD, Browser, Office, now_ms, services_of
from tests.desk.test_pages import words

NOON = 1_796_050_800_000
"""12:00 in São Paulo on 30 November 2026."""
HEARD = SourceStanding(SourceState.CONNECTED, NOON, None, "pbx-pc/4711", NOON, NOON, NOON + 61_000, told=1234)


class Central:
    """Ana's browser at a company with one source, at noon."""

    def __init__(self, office: Office, hub: Hub, silent_after: str | None, lines: object = None) -> None:
        self.book = SourceBook(office.engine, office.journal)
        settings = EventSourceSettings(kind="ami", title="PABX da matriz", silent_after=silent_after)
        if lines is not None:
            settings = EventSourceSettings(kind="lines", title="PABX da matriz").with_settings(lines)
        config = Config(tenants={"acme": TenantSettings(sources={"pabx": settings})})
        office.directory.save_agent(
            Agent(0, "acme", "ana", "Ana Martins", "3501", role=Role.ADMINISTRATOR), hash_password(PASSWORD), now_ms()
        )
        self.now = NOON + 1000
        services = replace(services_of(office, config, hub), source_book=self.book)
        self.ana = Browser(Client(Desk(services, clock=lambda: self.now)), "acme")
        assert self.ana.log_in().status_code == 303

    def shown(self, standing: SourceStanding) -> str:
        self.book.write({("acme", "pabx"): standing})
        answer = self.ana.get("/centrais")
        assert answer.status_code == 200
        return words(answer.text)


@pytest.fixture
def central(office: Office, hub: Hub) -> Central:
    return Central(office, hub, "30m")


def test_one_that_is_heard_shows_since_when_and_its_last_event(central: Central) -> None:
    page = central.shown(HEARD)
    assert "PABX da matriz" in page
    assert "pabx (ami)" in page
    assert "Ouvida desde 30/11/2026 12:00:00" in page
    assert "12:01:01" in page
    assert "1.234" in page
    assert "pbx-pc/4711" in page


def test_one_that_cannot_be_heard_says_why(central: Central) -> None:
    problem = Text("the exchange closed the connection")
    page = central.shown(replace(HEARD, state=SourceState.WAITING, problem=problem))
    assert "Sem ouvir desde 30/11/2026 12:00:00; é tentada de novo" in page
    assert "a central fechou a conexão" in page


def test_one_that_nobody_runs_is_not_shown_as_heard(central: Central) -> None:
    central.now = NOON + 3_600_000
    assert "Nenhum processo do gateway a ouve" in central.shown(HEARD)
    assert "Nenhum processo do gateway a ouve" in central.shown(SourceStanding())


def test_spans_in_which_events_may_be_missing_are_shown(central: Central) -> None:
    page = central.shown(replace(HEARD, gaps=(Gap(NOON - 90_000, NOON - 60_000),)))
    assert "Podem faltar eventos de: 30/11/2026 11:58:30 – 11:59:00" in page  # noqa: RUF001


def test_one_that_is_silent_for_too_long_is_told(central: Central) -> None:
    quiet = replace(HEARD, told_at=NOON)
    assert "Não falou de nenhuma ligação" not in central.shown(quiet)
    central.now = NOON + 31 * 60_000
    assert "Não falou de nenhuma ligação há 31 min" in central.shown(replace(quiet, seen_at=central.now))


def test_a_clock_that_is_off_is_told(central: Central) -> None:
    assert "Seu relógio" not in central.shown(replace(HEARD, clock_ahead_ms=29_000))
    page = central.shown(replace(HEARD, clock_ahead_ms=7 * 60_000, clock_corrected_ms=7 * 60_000))
    assert "Seu relógio está 7 min adiantado em relação ao do gateway. Os horários das ligações são corrigidos." in page
    page = central.shown(replace(HEARD, clock_ahead_ms=-3 * 3_600_000))
    assert (
        "Seu relógio está 3 h atrasado em relação ao do gateway. Os horários das ligações ficam como ela diz." in page
    )


def test_the_page_of_webhooks_is_not_offered_for_it(central: Central) -> None:
    assert 'href="/fontes"' not in central.ana.get("/centrais").text


def test_one_that_reads_lines_shows_its_preset(office: Office, hub: Hub) -> None:
    settings = LineSourceConfig(preset="panasonic-smdr", host="10.0.0.5")
    assert "pabx (lines, panasonic-smdr)" in Central(office, hub, None, settings).shown(HEARD)
