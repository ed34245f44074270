"""The benches of orders work their figures out right."""

import tomllib

from bench import hanging, overhead


def test_what_the_gateway_adds_is_the_difference_of_the_percentiles_of_a_round():
    direct = overhead.Route("requests", overhead.DIRECT, lambda _: True, [[9, 9], [1, 2, 3, 4]])
    ours = overhead.Route("requests", overhead.OURS, lambda _: True, [[16, 16], [3, 4, 6, 20]])
    assert (ours.added_ms(direct, 50, 1), ours.added_ms(direct, 99, 1)) == (2, 16)
    assert not ours.reaches_goal(direct, 1)
    ours.rounds_ms[1][-1] = 10
    assert ours.reaches_goal(direct, 1)
    assert overhead.figures(direct, ours, 1)[-5:] == ["+2.00", "+6.00", "2.00 x", "reached", "+2.00 to +7.00"]


def test_the_direct_lines_and_the_disk_say_which_round_was_the_quietest():
    routes = [
        overhead.Route("zeep", overhead.DIRECT, lambda _: True, [[5], [3], [2]]),
        overhead.Route("zeep", overhead.OURS, lambda _: True, [[1], [9], [1]]),
        overhead.Route("requests", overhead.DIRECT, lambda _: True, [[1], [1], [3]]),
    ]
    assert overhead.quietest(routes, [1000, 1000, 1000]) == 1
    assert overhead.quietest(routes, [1000, 500, 1000]) == 2


def test_routes_take_turns_and_each_number_is_ordered_once_by_each():
    ordered = []
    routes = [
        overhead.Route(client, by, lambda number, by=by: ordered.append((by, number)) or True)
        for client, by in (("zeep", "direct"), ("zeep", "ours"), ("requests", "direct"))
    ]
    overhead.take_turns(routes, iter("12"), 0)
    overhead.take_turns(routes, iter("3"), 0)
    first = [("direct", "1"), ("ours", "1"), ("direct", "1")]
    assert ordered[:6] == [*first, ("ours", "2"), ("direct", "2"), ("direct", "2")]
    assert [[len(times) for times in route.rounds_ms] for route in routes] == [[2, 1]] * 3


def test_an_order_that_was_not_accepted_is_told_by_its_outcome_or_error():
    assert hanging.why(b'{"outcome": "unknown"}') == "unknown"
    assert hanging.why(b'{"status": "ERRO", "codigo": 460}') == "error 460"
    assert hanging.why(b"<html>") == "<html>"


def test_the_appliances_are_written_so_that_templates_stay_templates():
    tables = tomllib.loads(hanging.configuration("http://127.0.0.1:1", "http://127.0.0.1:2"))
    appliances = tables["tenants"]["bench"]["appliances"]
    assert appliances["hole"]["url"] == "http://127.0.0.1:2/?to={{ number }}"
    assert set(appliances) == {"healthy", "hole"}
