"""What ``/metrics`` says of requests is what would have been counted at each of them."""

import random
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Histogram
from werkzeug.test import Client

from gateway.server.metrics import metrics_application
from gateway.wire import counts
from gateway.wire.counts import HistogramOfMany, RequestCounts
from tests.waiting import until


def seen(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


def events() -> float:
    return seen("cti_events_total", wire="xmlrpc", operation="Teste", result="busy")


@pytest.fixture
def requests() -> Iterator[RequestCounts]:
    made = RequestCounts()
    yield made
    made.stop()


def test_many_observations_are_what_each_of_them_would_have_been() -> None:
    one_by_one, at_once = CollectorRegistry(), CollectorRegistry()
    amounts = [0.5, 1, 2.5, 0, 99.0, *(random.Random(7).random() * 4 for _ in range(200))]
    slow = Histogram("took", "x", ["wire"], buckets=(0.5, 1, 2), registry=one_by_one).labels("get")
    for amount in amounts:
        slow.observe(amount)
    many = HistogramOfMany("took", "x", ["wire"], buckets=(0.5, 1, 2), registry=at_once).labels("get")
    many.observe_all(amounts[:3])
    many.observe_all(amounts[3:])
    many.observe_all([])
    values = [
        {
            (each.name, each.labels["le"]) if "le" in each.labels else each.name: each.value
            for metric in registry.collect()
            for each in metric.samples
            if not each.name.endswith("_created")
        }
        for registry in (one_by_one, at_once)
    ]
    assert values[0] == pytest.approx(values[1])
    assert values[0]["took_count"] == len(amounts)


def test_notes_count_when_they_are_added_up(requests: RequestCounts) -> None:
    labels = {"wire": "xmlrpc"}
    before, took, times = events(), seen("cti_event_seconds_sum", **labels), seen("cti_event_seconds_count", **labels)
    for seconds in (0.25, 0.5, None):
        requests.note("xmlrpc", "Teste", "busy", seconds)
    assert events() == before
    requests.add_up()
    requests.add_up()
    assert events() == before + 3
    assert seen("cti_event_seconds_sum", **labels) == took + 0.75
    assert seen("cti_event_seconds_count", **labels) == times + 2


def test_notes_are_bounded_where_nobody_adds_them_up(requests: RequestCounts) -> None:
    before = events()
    for _ in range(counts.MOST_NOTES + 5):
        requests.note("xmlrpc", "Teste", "busy")
    assert events() == before + counts.MOST_NOTES


def test_another_process_is_asked_for_metrics_without_our_being_asked(
    requests: RequestCounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "ADD_UP_EVERY_S", 0.01)
    before = events()
    requests.start()
    requests.note("xmlrpc", "Teste", "busy")
    until(lambda: events() == before + 1, timeout_s=60)


def test_who_asks_for_metrics_sees_what_was_counted_until_then(requests: RequestCounts) -> None:
    before = events()
    requests.note("xmlrpc", "Teste", "busy")
    found = Client(metrics_application({}, before=requests.add_up)).get("/metrics").text
    assert f'cti_events_total{{operation="Teste",result="busy",wire="xmlrpc"}} {before + 1}' in found
