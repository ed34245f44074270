"""Figures of a day or a week: what counts as what, whose it is, and when."""

import html
import json
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.domain.messages import CallStarted, Direction
from tests.desk.conftest import ANA, EXCHANGE, Browser, Office
from tests.desk.test_pages import words

ZONE = ZoneInfo("America/Sao_Paulo")
NOON = datetime.now(ZONE).replace(hour=12, minute=10, second=0, microsecond=0) - timedelta(days=2)
AT = int(NOON.timestamp() * 1000)
DAY = NOON.date().isoformat()


def call(
    office: Office, number: str, extension: str, at: int, *, rings_s: int = 10, talks_s: int = 0, **end: str
) -> None:
    office.ring(number, extension, at=at)
    if talks_s:
        office.answer(number, extension, at=at + rings_s * 1000)
    office.hang_up(number, extension, at=at + (rings_s + talks_s) * 1000, **end)


def a_day(office: Office) -> None:
    """Two that were taken, by Ana and by Bruno, one that was missed at Ana's, one that Ana placed."""
    call(office, ANA, "3501", AT, rings_s=10, talks_s=60, queue="Vendas")
    call(office, "1133334444", "3502", AT + 120_000, rings_s=20, talks_s=30)
    call(office, "1133335555", "3501", AT + 240_000, rings_s=40, result="NOANSWER", queue="Vendas")
    out = CallStarted("acme", "3501", "1133336666", EXCHANGE, AT + 3600_000, direction=Direction.OUTGOING)
    office.core.handle(out)
    office.answer("1133336666", "3501", at=AT + 3605_000)
    office.hang_up("1133336666", "3501", at=AT + 3615_000)


def rows(page: str, title: str) -> dict[str, list[str]]:
    """The table below ``title``, by its first column."""
    section = re.search(rf"<h2>{title}</h2>(.*?)</section>", page, re.S)
    assert section
    lines = re.findall(r"<tr.*?>(.*?)</tr>", section[1], re.S)[1:]
    cells = [re.findall(r"<t[hd].*?>(.*?)</t[hd]>", line, re.S) for line in lines]
    return {words(first).strip(): [words(each).strip() for each in others] for first, *others in cells}


def test_a_day_is_counted_by_hour_person_and_queue(ana: Browser, office: Office) -> None:
    a_day(office)
    page = ana.get(f"/indicadores?dia={DAY}").text
    counts = words(re.findall(r'<dl class="counts">(.*?)</dl>', page, re.S)[0])
    assert " ".join(counts.split()) == (
        "Recebidas 3 Atendidas 2 Perdidas 1 Efetuadas 1 Espera média 0:23 Maior espera 0:40 Conversa 1:40"
    )
    hours = rows(page, "Por hora")
    assert hours["12:00"] == ["3", "2", "1", "0", "0:23", "0:40", "1:30"]
    assert hours["13:00"] == ["0", "0", "0", "1", "\u2013", "\u2013", "0:10"]
    assert hours["09:00"][0] == "0"
    people = rows(page, "Por pessoa")
    assert people == {
        "Ana Martins": ["2", "1", "1", "1", "0:25", "0:40", "1:10"],
        "Bruno Lima": ["1", "1", "0", "0", "0:20", "0:20", "0:30"],
    }
    assert rows(page, "Por fila") == {"Vendas": ["2", "1", "1", "0", "0:25", "0:40", "1:00"]}
    chart = json.loads(html.unescape(re.findall(r"data-chart='(.*?)'", page)[0]))
    at = chart["labels"].index("12:00")
    assert (chart["answered"][at], chart["missed"][at]) == (2, 1)


def test_a_week_has_its_seven_days(ana: Browser, office: Office) -> None:
    a_day(office)
    days = rows(ana.get(f"/indicadores?periodo=semana&dia={DAY}").text, "Por dia")
    assert len(days) == 7
    assert days[NOON.strftime("%d/%m")][:4] == ["3", "2", "1", "1"]
    assert sum(int(each[0]) for each in days.values()) == 3


def test_another_day_has_none_and_nonsense_is_today(ana: Browser, office: Office) -> None:
    a_day(office)
    before = (NOON - timedelta(days=9)).date().isoformat()
    assert "Nenhuma ligação neste período." in ana.get(f"/indicadores?dia={before}").text
    assert ana.get("/indicadores?dia=ontem&periodo=x").status_code == 200


def test_a_caller_who_rings_several_extensions_is_one(ana: Browser, office: Office) -> None:
    for extension in ("3501", "3502"):
        office.ring(ANA, extension, at=AT)
    for extension in ("3501", "3502"):
        office.hang_up(ANA, extension, at=AT + 20_000, result="NOANSWER")
    assert rows(ana.get(f"/indicadores?dia={DAY}").text, "Por hora")["12:00"][:3] == ["1", "0", "1"]


def test_a_caller_whom_one_of_several_extensions_takes_is_one(ana: Browser, office: Office) -> None:
    for extension in ("3501", "3502"):
        office.ring(ANA, extension, at=AT)
    office.answer(ANA, "3502", at=AT + 5_000)
    office.hang_up(ANA, "3502", at=AT + 20_000)
    page = ana.get(f"/indicadores?dia={DAY}").text
    assert rows(page, "Por hora")["12:00"][:3] == ["1", "1", "0"]
    assert list(rows(page, "Por pessoa")) == ["Bruno Lima"]


def test_another_company_s_calls_do_not_count(ana: Browser, office: Office) -> None:
    office.ring(ANA, "3501", tenant="rival", at=AT)
    assert "Nenhuma ligação" in ana.get(f"/indicadores?dia={DAY}").text
