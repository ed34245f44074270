"""A target is told times as it wants them: its form, its zone, seconds."""

import pytest

from adapters.http.templates import Template
from gateway.adapter import Outgoing
from gateway.errors import AdapterError

AT = "2026-03-05T17:20:31.623Z"
FIELDS = {"started_at": AT, "ended_at": "", "talk_s": "3725", "ring_s": "", "zone": "America/Sao_Paulo"}
FIELDS |= {"fields": '{"cpf":"123"}', "account": "não"}


def written(source: str, **more: str) -> str:
    return Template(source, secrets={}).render(Outgoing("call_ended", "1", {**FIELDS, **more}))


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("{{ started_at | moment('dd/mm/yyyy HH:MM') }}", "05/03/2026 14:20"),
        ("{{ started_at | moment('dd/mm/yy HH:MM:SS', 'America/Manaus') }}", "05/03/26 13:20:31"),
        ("{{ started_at | moment('%Y-%m-%d %H:%M:%S', 'UTC') }}", "2026-03-05 17:20:31"),
        ("{{ started_at | moment }}", "2026-03-05T14:20:31-03:00"),
        ("{{ started_at | moment(zone='UTC') }}", "2026-03-05T17:20:31+00:00"),
        ("{{ started_at | epoch }}", "1772731231"),
        ("{{ started_at | epoch_ms }}", "1772731231623"),
        ("{{ talk_s | clock }}", "01:02:05"),
        ("{{ fields | member('cpf') }}|{{ fields | member('rg') }}", "123|"),
        ("{{ ended_at | moment('dd') }}{{ ended_at | epoch }}{{ ended_at | epoch_ms }}{{ ring_s | clock }}", ""),
    ],
)
def test_a_time_is_written_as_the_target_wants_it(source, made):
    assert written(source) == made


def test_without_a_zone_of_the_company_times_are_of_utc():
    assert written("{{ started_at | moment('HH:MM') }}", zone="") == "17:20"


def test_no_free_fields_have_no_member():
    assert written("{{ fields | member('cpf') }}", fields="") == ""


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{{ started_at | moment('HH', 'Brasilia') }}", "there is no time zone 'Brasilia'"),
        ("{{ account | moment }}", "'não' is no time in ISO 8601"),
        ("{{ account | clock }}", "'não' is no number of seconds"),
    ],
)
def test_what_cannot_be_written_so_is_an_error_that_says_why(source, told):
    with pytest.raises(AdapterError, match=told):
        written(source)
