"""The benches of orders work their figures out right."""

import tomllib

from bench import hanging, overhead


def test_what_the_gateway_adds_is_the_difference_of_the_percentiles():
    pair = overhead.Pair("url", lambda _: True, lambda _: True, [1, 2, 3, 4], [3, 4, 6, 20])
    assert (pair.added_ms(50), pair.added_ms(99)) == (2, 16)
    assert not overhead.reached(pair)
    pair.through_ms[-1] = 10
    assert overhead.reached(pair)


def test_an_order_that_was_not_accepted_is_told_by_its_outcome_or_error():
    assert hanging.why(b'{"outcome": "unknown"}') == "unknown"
    assert hanging.why(b'{"status": "ERRO", "codigo": 460}') == "error 460"
    assert hanging.why(b"<html>") == "<html>"


def test_the_appliances_are_written_so_that_templates_stay_templates():
    tables = tomllib.loads(hanging.configuration("http://127.0.0.1:1", "http://127.0.0.1:2"))
    appliances = tables["tenants"]["bench"]["appliances"]
    assert appliances["hole"]["url"] == "http://127.0.0.1:2/?to={{ number }}"
    assert set(appliances) == {"healthy", "hole"}
