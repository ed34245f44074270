"""The benches of orders work their figures out right."""

import tomllib

from bench import hanging, overhead


def test_what_the_gateway_adds_is_the_difference_of_the_percentiles():
    direct = overhead.Route("requests", overhead.DIRECT, lambda _: True, [1, 2, 3, 4])
    ours = overhead.Route("requests", overhead.OURS, lambda _: True, [3, 4, 6, 20])
    assert (ours.added_ms(direct, 50), ours.added_ms(direct, 99)) == (2, 16)
    assert not ours.reaches_goal(direct)
    ours.times_ms[-1] = 10
    assert ours.reaches_goal(direct)
    assert overhead.figures(direct, ours)[-4:] == ["+2.00", "+6.00", "2.00 x", "reached"]


def test_routes_take_turns_and_each_number_is_ordered_once_by_each():
    ordered = []
    routes = [
        overhead.Route(client, by, lambda number, by=by: ordered.append((by, number)) or True)
        for client, by in (("zeep", "direct"), ("zeep", "ours"), ("requests", "direct"))
    ]
    overhead.take_turns(routes, range(2), 0)
    first = [("direct", "47900000000"), ("ours", "47900000000"), ("direct", "47900000000")]
    assert ordered == [*first, ("ours", "47900000001"), ("direct", "47900000001"), ("direct", "47900000001")]
    assert [len(route.times_ms) for route in routes] == [2, 2, 2]


def test_an_order_that_was_not_accepted_is_told_by_its_outcome_or_error():
    assert hanging.why(b'{"outcome": "unknown"}') == "unknown"
    assert hanging.why(b'{"status": "ERRO", "codigo": 460}') == "error 460"
    assert hanging.why(b"<html>") == "<html>"


def test_the_appliances_are_written_so_that_templates_stay_templates():
    tables = tomllib.loads(hanging.configuration("http://127.0.0.1:1", "http://127.0.0.1:2"))
    appliances = tables["tenants"]["bench"]["appliances"]
    assert appliances["hole"]["url"] == "http://127.0.0.1:2/?to={{ number }}"
    assert set(appliances) == {"healthy", "hole"}
