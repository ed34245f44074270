"""The file of a gateway on site: no order is begun twice, no answer is lost, whoever dies when."""

import stat
from pathlib import Path

from gateway.store.event_sources import Gap, SourceStanding, SourceState
from gateway.store.onsite.site_file import FILE, KEPT_MS, SiteFile, SiteOrderState
from tests.store.conftest import T0


def test_an_order_is_begun_once_also_by_the_next_run(tmp_path: Path) -> None:
    first = SiteFile(tmp_path)
    assert (first.begin("a", T0), first.begin("a", T0), first.begin("b", T0)) == (True, False, True)
    first.set_state("a", SiteOrderState.BEGUN)  # and here it dies
    second = SiteFile(tmp_path)
    assert (second.begin("a", T0), second.begin("b", T0)) == (False, False)
    assert [each.id for each in second.in_state(SiteOrderState.BEGUN)] == ["a"]
    first.close()
    second.close()


def test_an_answer_waits_until_the_main_gateway_has_it(tmp_path: Path) -> None:
    file = SiteFile(tmp_path)
    file.begin("a", T0)
    file.answer("a", {"outcome": "accepted"})
    (found,) = file.in_state(SiteOrderState.ANSWERED)
    assert (found.id, found.answer) == ("a", {"outcome": "accepted"})
    file.begin("b", T0 + KEPT_MS + 1)
    assert len(file.in_state(SiteOrderState.ANSWERED)) == 1  # however old it is
    file.set_state("a", SiteOrderState.DONE)
    file.begin("c", T0 + KEPT_MS + 1)
    assert file.begin("a", T0)  # what is done is forgotten after days
    file.close()


def test_how_sources_do_is_kept_for_the_next_run(tmp_path: Path) -> None:
    standing = SourceStanding(
        SourceState.CONNECTED, since=T0, told=7, gaps=(Gap(1, 2),), memory={"position": 5}, complete_until=T0
    )
    first = SiteFile(tmp_path)
    first.write({("site", "pabx"): standing})
    first.close()
    second = SiteFile(tmp_path)
    assert second.of("site", "pabx") == standing
    assert second.of("site", "other") == SourceStanding()
    second.close()


def test_the_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    SiteFile(tmp_path).close()
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
